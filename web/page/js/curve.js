/** The loss over the steps, as a line. */

import { count, short } from "./format.js";
import { ticks } from "./history.js";
import { sharp } from "./theme.js";

/**
 * @param {HTMLCanvasElement} canvas @param {[number, number][]} curve steps and losses @param {import("./theme.js").Theme} theme
 */
export function drawCurve(canvas, curve, theme) {
  const { context, width, height } = sharp(canvas);
  const [left, right, top, bottom] = [40, 6, 8, 20];
  const losses = curve.map(([, loss]) => loss);
  const marks = ticks(losses.length ? Math.max(...losses) : 1, 3);
  const [highest, last] = [marks.at(-1) ?? 1, curve.at(-1)?.[0] ?? 0];
  const x = (/** @type {number} */ step) => left + (last ? step / last : 0) * (width - left - right);
  const y = (/** @type {number} */ loss) => height - bottom - (loss / highest) * (height - top - bottom);
  context.font = `12px ${getComputedStyle(canvas).fontFamily}`;
  context.textBaseline = "middle";
  context.lineWidth = 1;
  for (const mark of marks) {
    context.strokeStyle = theme.css.line;
    context.beginPath();
    context.moveTo(left, Math.round(y(mark)) + 0.5);
    context.lineTo(width - right, Math.round(y(mark)) + 0.5);
    context.stroke();
    context.fillStyle = theme.css.quiet;
    context.textAlign = "right";
    context.fillText(`${mark}`, left - 6, y(mark));
  }
  context.fillText(count(last), width - right, height - 8);
  context.textAlign = "left";
  context.fillText("step 0", left, height - 8);
  if (!curve.length) return;
  context.strokeStyle = theme.css.ink;
  context.lineWidth = 1.6;
  context.lineJoin = "round";
  context.beginPath();
  curve.forEach(([step, loss], at) => (at ? context.lineTo(x(step), y(loss)) : context.moveTo(x(step), y(loss))));
  context.stroke();
}

/** The curve in words. @param {[number, number][]} curve */
export function tellCurve(curve) {
  if (curve.length < 2) return "The loss over the steps. Nothing is trained yet.";
  const least = Math.min(...curve.map(([, loss]) => loss));
  const [[, first], [step, last]] = [curve[0], curve[curve.length - 1]];
  return `The loss over ${count(step)} steps: from ${short(first)} to ${short(last)}; the lowest is ${short(least)}.`;
}
