/** The page's colours as its style has them, and a word when they change. */

import { between, colour, ramp } from "./palette.js";

/**
 * @typedef {object} Theme
 * @property {import("./palette.js").Colour[]} classes a colour for each class
 * @property {import("./palette.js").Colour[]} grounds the colour of each class's side of a surface, on which its points still show
 * @property {import("./palette.js").Colour} middle
 * @property {Uint8Array} table a ramp from the first to the second class
 * @property {Uint8Array} ground the same, on which points show
 * @property {Record<string, string>} css colours by their names in the style
 */

/** Classes that have a colour of their own. */
export const COLOURS = 6;

/** How much of a class's colour its side of a surface has. */
const GROUND = 0.55;

/** @returns {Theme} */
export function theme() {
  const style = getComputedStyle(document.documentElement);
  const css = (/** @type {string} */ name) => style.getPropertyValue(`--${name}`).trim();
  const names = ["low", "high", ...Array.from({ length: COLOURS - 2 }, (_, at) => `class-${at + 2}`)];
  const classes = names.map((name) => colour(css(name)));
  const middle = colour(css("middle"));
  const all = ["paper", "ink", "quiet", "line", "strong", "low", "high", "middle"];
  const grounds = classes.map((one) => between(middle, one, GROUND));
  return { classes, grounds, middle, table: ramp(classes[0], middle, classes[1]), ground: ramp(grounds[0], middle, grounds[1]), css: Object.fromEntries(all.map((name) => [name, css(name)])) };
}

/** @param {() => void} then */
export const onThemeChange = (then) => matchMedia("(prefers-color-scheme: dark)").addEventListener("change", then);

export const isStill = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

/**
 * A canvas with as many pixels as the screen has for it, and a context that counts in CSS pixels.
 * @param {HTMLCanvasElement} canvas
 */
export function sharp(canvas) {
  const { clientWidth: width, clientHeight: height } = canvas;
  const dots = Math.min(devicePixelRatio || 1, 2);
  const [across, down] = [Math.max(1, Math.round(width * dots)), Math.max(1, Math.round(height * dots))];
  if (canvas.width !== across || canvas.height !== down) [canvas.width, canvas.height] = [across, down];
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  context.setTransform(dots, 0, 0, dots, 0, 0);
  context.clearRect(0, 0, width, height);
  return { context, width, height };
}
