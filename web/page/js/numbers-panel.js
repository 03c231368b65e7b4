/** The panels of a step in numbers and of the check of gradients. */

import { count, short } from "./format.js";
import { make, matrix, verdict } from "./tables.js";

/** Rows of a step that is shown in numbers. */
const ROWS = 4;
/** What is shown of a layer, in the order of its making. */
const SHOWN = ["Z", "A", "dA", "dZ", "dW", "db"];

const element = (/** @type {string} */ id) => /** @type {any} */ (document.getElementById(id));

/** @param {import("./lab.js").Lab} lab @param {any} panel @param {(error: unknown) => void} tell @param {() => void} quiet */
export function numbersPanel(lab, panel, tell, quiet) {
  /** @type {any} */
  let found;

  async function ask() {
    quiet();
    const answer = await lab.ask(async (network) => ({ ...JSON.parse(await network.explain(ROWS)), at: lab.progress.step }));
    if (!answer) return;
    found = answer;
    draw();
  }

  function draw() {
    const layer = panel.selected();
    const of = (/** @type {string} */ what) => found.quantities.find((/** @type {any} */ { name }) => name === `${what}${layer}`);
    const [width, before] = [`units of ${panel.title(layer)}`, layer === 1 ? "inputs" : `units of ${panel.title(layer - 1)}`];
    const tables = SHOWN.flatMap((what) => {
      const quantity = of(what);
      if (!quantity) return [];
      return [matrix(quantity, what === "dW" ? before : what === "db" ? "one" : "rows", width)];
    });
    const cost = found.quantities.find((/** @type {any} */ { name }) => name === "J");
    const text = `After ${count(found.at)} steps, ${panel.title(layer)} of ${found.network}${cost ? `; the cost J = ${short(cost.values[0][0])}` : ""}. ${found.passed ? "Every number agrees with 64 bits as rounding allows." : "A number differs by more than rounding explains."}`;
    element("numbers").replaceChildren(make("p", { className: "verdict" }, text), make("div", { className: "tables" }, ...tables));
  }

  element("explain").addEventListener("click", ask);
  element("explain-layer").addEventListener("change", () => {
    panel.select(Number(element("explain-layer").value));
    if (found) draw();
  });
  element("check").addEventListener("click", async () => {
    quiet();
    const answer = await lab.ask((network) => network.check());
    if (answer) element("checked").replaceChildren(...verdict(JSON.parse(answer)));
  });

  return {
    /** Shows the layer that is selected. */
    show: () => (found ? draw() : ask()),
    /** The numbers of another moment, if they are looked at. */
    refresh: async () => (found ? ask() : undefined),
    clear() {
      found = undefined;
      element("numbers").replaceChildren();
      element("checked").replaceChildren();
    },
  };
}
