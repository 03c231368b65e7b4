/**
 * The picture of the network: a small picture of what each unit makes of the plane, and the weights as lines between them.
 */

import { places } from "./layers.js";
import { greatest, paint } from "./palette.js";
import { at, lines, place } from "./placing.js";
import { sharp } from "./theme.js";

/** Widths of lines, so that a stroke takes many at once. */
const BINS = 6;

export class Graph {
  /**
   * @param {HTMLCanvasElement} canvas
   * @param {number} side pixels of a unit's picture
   */
  constructor(canvas, side) {
    this.canvas = canvas;
    this.side = side;
    this.atlas = document.createElement("canvas");
    /** @type {{layer: number, unit: number} | undefined} */
    this.chosen = undefined;
    this.shape([]);
  }

  /** @param {number[]} widths of inputs, hidden layers and outputs */
  shape(widths) {
    this.widths = widths;
    this.places = places(widths);
    this.units = widths.reduce((sum, units) => sum + units, 0);
    /** The number of the first unit of each layer among all. */
    this.first = widths.map((_, layer) => widths.slice(0, layer).reduce((sum, units) => sum + units, 0));
    this.atlas.width = this.side;
    this.atlas.height = Math.max(1, this.side * this.units);
    this.parameters = new Float32Array();
    this.chosen = undefined;
  }

  /**
   * @param {ArrayLike<number>} values pictures of units [units, side, side] @param {number} layer theirs @param {number} units
   * @param {import("./theme.js").Theme} theme @param {[number, number]} [range] what the colours span; else each unit's own
   */
  paint(values, layer, units, theme, range) {
    const all = this.side ** 2;
    const context = /** @type {CanvasRenderingContext2D} */ (this.atlas.getContext("2d"));
    const image = context.createImageData(this.side, this.side * units);
    for (let unit = 0; unit < units; unit++) {
      const most = greatest(values, unit * all, (unit + 1) * all);
      const [low, high] = range ?? [-most, most];
      paint(values, unit * all, low, high, theme.table, image.data.subarray(4 * unit * all, 4 * (unit + 1) * all));
    }
    context.putImageData(image, 0, this.side * this.first[layer]);
  }

  /** @param {import("./theme.js").Theme} theme */
  draw(theme) {
    const { context, width, height } = sharp(this.canvas);
    this.width = width;
    this.squares = place(this.widths, width, height - 2).map((column) => column.map((square) => ({ ...square, y: square.y + 1 })));
    this.places.forEach((place, layer) => this.drawLines(context, theme, place, layer));
    context.imageSmoothingEnabled = true;
    context.imageSmoothingQuality = "medium";
    for (const square of this.squares.flat()) this.drawUnit(context, theme, square);
  }

  /** @param {CanvasRenderingContext2D} context @param {import("./theme.js").Theme} theme @param {{inputs: number, outputs: number, weights: number, biases: number}} place @param {number} layer */
  drawLines(context, theme, place, layer) {
    const [from, to] = [this.squares[layer], this.squares[layer + 1]];
    if (this.parameters.length < place.biases) return;
    const { chosen } = this;
    const [sourced, aimed] = [chosen?.layer === layer, chosen?.layer === layer + 1];
    /** @type {Map<number, Path2D>} */
    const paths = new Map();
    for (const [input, output, part] of lines(this.parameters, place)) {
      const [a, b] = [from[input], to[output]];
      const [x0, y0, x1, y1] = [a.x + a.size, a.y + a.size / 2, b.x, b.y + b.size / 2];
      const lit = (sourced && chosen?.unit === input) || (aimed && chosen?.unit === output);
      const bin = Math.ceil(Math.abs(part) * BINS) * (part < 0 ? -1 : 1) + (lit ? 100 : 0);
      const path = paths.get(bin) ?? new Path2D();
      paths.set(bin, path);
      const bend = 0.45 * (x1 - x0);
      path.moveTo(x0, y0);
      path.bezierCurveTo(x0 + bend, y0, x1 - bend, y1, x1, y1);
    }
    const many = place.inputs * place.outputs > 400;
    for (const [key, path] of [...paths].sort(([a], [b]) => Math.abs(a) - Math.abs(b))) {
      const lit = key > 50;
      const bin = lit ? key - 100 : key;
      const part = Math.abs(bin) / BINS;
      context.strokeStyle = bin < 0 ? theme.css.low : theme.css.high;
      context.globalAlpha = lit ? 1 : chosen && (sourced || aimed) ? 0.12 : many ? 0.1 + 0.5 * part ** 2 : 0.25 + 0.6 * part;
      context.lineWidth = (many && !lit ? 1.6 : 3.2) * part + 0.3;
      context.stroke(path);
    }
    context.globalAlpha = 1;
  }

  /** @param {CanvasRenderingContext2D} context @param {import("./theme.js").Theme} theme @param {import("./placing.js").Square} square */
  drawUnit(context, theme, { x, y, size, layer, unit }) {
    context.drawImage(this.atlas, ...this.part(layer, unit), x, y, size, size);
    const is = this.chosen?.layer === layer && this.chosen.unit === unit;
    context.strokeStyle = is ? theme.css.ink : theme.css.strong;
    context.lineWidth = is ? 2.5 : size < 14 ? 0.5 : 1;
    context.strokeRect(x, y, size, size);
  }

  /** Where a unit's picture is in the atlas. @returns {[number, number, number, number]} */
  part(/** @type {number} */ layer, /** @type {number} */ unit) {
    return [0, this.side * (this.first[layer] + unit), this.side, this.side];
  }

  /** The unit under a place of the canvas. @param {number} x @param {number} y */
  find(x, y) {
    return this.squares && at(this.squares, this.width ?? 1, x, y);
  }

  /** A unit's bias and its largest incoming weights. @param {number} layer @param {number} unit */
  incoming(layer, unit) {
    const place = this.places[layer - 1];
    if (!place || this.parameters.length < place.biases + place.outputs) return undefined;
    const weights = Array.from({ length: place.inputs }, (_, input) => /** @type {[number, number]} */ ([input, this.parameters[place.weights + input * place.outputs + unit]]));
    weights.sort(([, a], [, b]) => Math.abs(b) - Math.abs(a));
    return { bias: this.parameters[place.biases + unit], weights: weights.slice(0, 3) };
  }
}
