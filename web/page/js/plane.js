/** The plane of the data: the surface of the output, and the points over it. */

import { paint, paintClasses } from "./palette.js";
import { COLOURS, sharp } from "./theme.js";

/**
 * @typedef {object} Points
 * @property {number} rows
 * @property {ArrayLike<number>} features [rows, 2]
 * @property {ArrayLike<number>} targets
 * @property {ArrayLike<number>} bounds [x0, x1, y0, y1]
 * @property {string} task
 * @property {[number, number]} range of the targets
 */

const MARKS = 4;

/** The mark of a class at a place; classes differ by shape, too. @param {CanvasRenderingContext2D} context */
function mark(context, /** @type {number} */ kind, /** @type {number} */ x, /** @type {number} */ y, /** @type {number} */ r) {
  context.beginPath();
  if (kind % MARKS === 0) context.arc(x, y, r, 0, 2 * Math.PI);
  else if (kind % MARKS === 1) context.rect(x - 0.88 * r, y - 0.88 * r, 1.76 * r, 1.76 * r);
  else {
    const tip = kind % MARKS === 2 ? -1 : 1;
    context.moveTo(x, y + tip * 1.2 * r);
    context.lineTo(x + 1.1 * r, y - tip * 0.8 * r);
    context.lineTo(x - 1.1 * r, y - tip * 0.8 * r);
    context.closePath();
  }
  context.fill();
  context.stroke();
}

/** @param {import("./theme.js").Theme} theme @param {Points} points @param {number} row @returns {string} */
function fill(theme, { task, targets, range: [low, high] }, row) {
  if (task !== "regression") return `rgb(${theme.classes[targets[row] % COLOURS].join(" ")})`;
  const pixel = new Uint8ClampedArray(4);
  paint(targets, row, low, high, theme.table, pixel);
  return `rgb(${pixel[0]} ${pixel[1]} ${pixel[2]})`;
}

/**
 * @param {HTMLCanvasElement} canvas @param {Points} points @param {import("./theme.js").Theme} theme @param {number} [radius]
 */
export function drawPoints(canvas, points, theme, radius) {
  const { context, width, height } = sharp(canvas);
  const { rows, features, targets, bounds, task } = points;
  const [x0, x1, y0, y1] = Array.from(bounds);
  const r = radius ?? Math.max(1.6, Math.min(4, 60 / Math.sqrt(rows)));
  context.strokeStyle = theme.css.paper;
  context.lineWidth = r > 2 ? 0.9 : 0.5;
  for (let row = 0; row < rows; row++) {
    const [x, y] = [features[2 * row], features[2 * row + 1]];
    if (Number.isNaN(x + y)) continue;
    context.fillStyle = fill(theme, points, row);
    const kind = task === "regression" ? 0 : targets[row];
    mark(context, kind, ((x - x0) / (x1 - x0)) * width, ((y1 - y) / (y1 - y0)) * height, r);
  }
}

/** The mark of a class by itself. @param {HTMLCanvasElement} canvas @param {import("./theme.js").Theme} theme @param {number} kind */
export function drawMark(canvas, theme, kind) {
  const { context, width, height } = sharp(canvas);
  context.fillStyle = `rgb(${theme.classes[kind % COLOURS].join(" ")})`;
  context.strokeStyle = theme.css.paper;
  mark(context, kind, width / 2, height / 2, 0.42 * width);
}

/** The pixels of a surface, kept for as long as its size is the same. */
export class Surface {
  constructor() {
    this.small = document.createElement("canvas");
    this.side = 0;
  }

  /**
   * @param {ArrayLike<number>} values [side, side, outputs] @param {number} side @param {Points} points @param {import("./theme.js").Theme} theme
   */
  paint(values, side, points, theme) {
    if (side !== this.side) {
      this.side = this.small.width = this.small.height = side;
      this.context = /** @type {CanvasRenderingContext2D} */ (this.small.getContext("2d"));
      this.image = this.context.createImageData(side, side);
    }
    const pixels = /** @type {ImageData} */ (this.image).data;
    const outputs = values.length / side ** 2;
    if (points.task === "regression") paint(values, 0, points.range[0], points.range[1], theme.ground, pixels);
    else if (outputs === 1) paint(values, 0, 0, 1, theme.ground, pixels);
    else {
      const colours = Array.from({ length: outputs }, (_, at) => theme.grounds[at % COLOURS]);
      paintClasses(values, colours, theme.middle, pixels);
    }
    /** @type {CanvasRenderingContext2D} */ (this.context).putImageData(/** @type {ImageData} */ (this.image), 0, 0);
  }

  /** @param {HTMLCanvasElement} canvas */
  draw(canvas) {
    const { context, width, height } = sharp(canvas);
    context.imageSmoothingQuality = "high";
    if (this.side) context.drawImage(this.small, 0, 0, width, height);
  }
}
