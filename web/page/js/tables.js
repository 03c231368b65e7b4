/** Matrices and verdicts as tables of the document. */

import { percent, short } from "./format.js";

const MOST = 8;

/**
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag @param {Record<string, unknown>} [fields] @param {...(Node | string)} children @returns {HTMLElementTagNameMap[K]}
 */
export function make(tag, fields = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(fields)) {
    if (name in element && !name.startsWith("aria")) Object.assign(element, { [name]: value });
    else element.setAttribute(name, String(value));
  }
  element.append(...children);
  return element;
}

/** Part of a table that is wider than its place: it scrolls, by keys too. @param {string} label @param {...Node} children */
const scroll = (label, ...children) => make("div", { className: "scroll", tabIndex: 0, role: "region", "aria-label": label }, ...children);

/**
 * @param {{name: string, formula: string, values: number[][], difference: number, fraction_of_limit: number}} quantity
 * @param {string} rows what a row is, for the reader @param {string} columns
 */
export function matrix(quantity, rows, columns) {
  const { name, formula, values, difference, fraction_of_limit: fraction } = quantity;
  const [down, across] = [values.length, values[0]?.length ?? 0];
  const head = make("tr", {}, make("td"), ...range(across).map((at) => make("th", { scope: "col" }, `${at + 1}`)));
  const body = range(down).map((row) =>
    make("tr", {}, make("th", { scope: "row" }, `${row + 1}`), ...range(across).map((at) => make("td", {}, short(values[row][at])))),
  );
  const caption = make("caption", {}, make("strong", {}, name), " = ", make("code", {}, formula), ` [${down} × ${across}: ${rows} × ${columns}]`);
  const hidden = [down > MOST && `${down - MOST} more rows`, across > MOST && `${across - MOST} more columns`].filter(Boolean).join(", ");
  const note = `${hidden ? `${hidden}; ` : ""}largest difference from 64 bits ${short(difference)}, ${percent(fraction)} of what rounding explains`;
  return make("div", {}, scroll(name, make("table", {}, caption, make("thead", {}, head), make("tbody", {}, ...body))), make("p", { className: "more" }, note));
}

const range = (/** @type {number} */ of) => Array.from({ length: Math.min(of, MOST) }, (_, at) => at);

/**
 * The verdict on gradients.
 * @param {{device: string, plan: string, rows: number, passed: boolean, tensors: {name: string, elements: number, difference: number, limit: number, fraction_of_limit: number | null}[]}} check
 */
export function verdict(check) {
  const heads = ["tensor", "elements", "difference", "limit", "part of it", ""];
  const rows = check.tensors.map(({ name, elements, difference, limit, fraction_of_limit: fraction }) => {
    const cells = [`${elements}`, short(difference), short(limit), percent(fraction), fraction !== null && fraction <= 1 ? "right" : "wrong"];
    return make("tr", {}, make("th", { scope: "row" }, name), ...cells.map((cell) => make("td", {}, cell)));
  });
  const text = check.passed ? "All gradients are right." : "A gradient is wrong by more than rounding can cause: do not train on this device, and report it.";
  const caption = make("caption", {}, `On ${check.rows} rows by ${check.device}, plan ${check.plan}: of each tensor the element that uses most of its limit`);
  const head = make("tr", {}, ...heads.map((name) => (name ? make("th", { scope: "col" }, name) : make("td"))));
  return [
    make("p", { className: check.passed ? "verdict" : "verdict failed" }, text),
    scroll("Errors of gradients", make("table", {}, caption, make("thead", {}, head), make("tbody", {}, ...rows))),
  ];
}
