/** The panel of the data: built-in sets with their settings, and a table of one's own. */

import { generate, read } from "./engine.js";
import { count } from "./format.js";
import { drawPoints } from "./plane.js";
import { make } from "./tables.js";
import { theme } from "./theme.js";

/** Rows of the small pictures. */
const FEW = 110;
/** How far the noise goes, in that which a set has by itself. */
const NOISE = 5;

const element = (/** @type {string} */ id) => /** @type {any} */ (document.getElementById(id));

/**
 * @param {{name: string, about: string, noise: number}[]} sets
 * @param {(data: any) => void} use other data are wanted
 * @param {(error: unknown) => void} failed
 */
export function dataPanel(sets, use, failed) {
  const [rows, noise, seed, target, about] = ["rows", "noise", "data-seed", "target", "csv-about"].map(element);
  let set = sets[0];
  /** @type {{bytes: Uint8Array, name: string} | undefined} */
  let own;

  const attempt = (/** @type {() => any} */ get) => {
    try {
      use(get());
      return true;
    } catch (error) {
      failed(error);
      return false;
    }
  };

  const thumbnails = sets.map((one) => {
    const input = make("input", { type: "radio", name: "set", value: one.name, id: `set-${one.name}` });
    const canvas = make("canvas", { "aria-hidden": "true" });
    element("sets").append(make("label", { title: one.about }, input, canvas, one.name));
    input.addEventListener("change", () => choose(one));
    const points = generate(one.name, FEW, one.noise, 100);
    return () => drawPoints(canvas, points, theme(), 1.6);
  });

  /** @param {typeof set} one */
  function choose(one) {
    set = one;
    own = undefined;
    element("generator").hidden = false;
    element(`set-${one.name}`).checked = true;
    about.textContent = "";
    noise.max = `${NOISE * one.noise}`;
    noise.step = `${one.noise / 20}`;
    noise.value = `${one.noise}`;
    return again();
  }

  function again() {
    element("noise-out").textContent = Number(noise.value).toPrecision(2);
    return attempt(() => generate(set.name, whole(rows), Number(noise.value), whole(seed)));
  }

  /** The whole number of a field; one out of its range becomes the nearest, which the field then shows. */
  const whole = (/** @type {HTMLInputElement} */ input) => {
    const value = Math.round(input.valueAsNumber) || 0;
    const within = Math.max(Number(input.min), Math.min(value, Number(input.max)));
    input.value = `${within}`;
    return within;
  };

  async function take(/** @type {File | undefined} */ file) {
    if (!file) return;
    own = { bytes: new Uint8Array(await file.arrayBuffer()), name: file.name };
    readOwn();
  }

  function readOwn() {
    if (!own) return;
    const { bytes, name } = own;
    const done = attempt(() => {
      const data = read(bytes, target.value.trim() || undefined, name);
      const what = data.classes.length ? `${data.classes.length} classes` : "numbers";
      about.textContent = `${name}: ${count(data.rows)} rows; axes ${data.names[0]} and ${data.names[1]}; predicts ${data.names.at(-1)}, ${what}`;
      return data;
    });
    if (!done) return;
    element("generator").hidden = true;
    for (const input of document.querySelectorAll("input[name=set]")) /** @type {HTMLInputElement} */ (input).checked = false;
  }

  for (const input of [rows, seed]) input.addEventListener("change", again);
  noise.addEventListener("input", again);
  element("data-next").addEventListener("click", () => {
    seed.value = `${whole(seed) + 1}`;
    again();
  });
  element("csv").addEventListener("change", (/** @type {any} */ event) => take(event.target.files[0]));
  target.addEventListener("change", readOwn);

  const drop = element("drop");
  // The whole page takes a file, so that one that misses the frame does not replace the page.
  for (const kind of ["dragenter", "dragover"]) {
    addEventListener(kind, (event) => {
      event.preventDefault();
      drop.classList.add("over");
    });
  }
  addEventListener("dragleave", (event) => event.relatedTarget ?? drop.classList.remove("over"));
  addEventListener("drop", (/** @type {DragEvent} */ event) => {
    event.preventDefault();
    drop.classList.remove("over");
    take(event.dataTransfer?.files[0]);
  });

  return { choose: () => choose(set), draw: () => thumbnails.forEach((draw) => draw()) };
}
