/**
 * Where the units of a network are drawn. In: widths of layers and the size of the picture. Out: squares. It draws nothing.
 */

/** @typedef {{ x: number, y: number, size: number, layer: number, unit: number }} Square */

const LARGEST = 38;
const GAP = 0.22;

/**
 * The squares of all units, layer after layer: each layer a column, all columns evenly apart.
 * @param {number[]} widths @param {number} width @param {number} height @returns {Square[][]}
 */
export function place(widths, width, height) {
  const column = width / widths.length;
  return widths.map((units, layer) => {
    const pitch = Math.min(LARGEST * (1 + GAP), height / units, column * 0.62);
    const size = Math.min(LARGEST, Math.max(1, pitch / (1 + GAP)));
    const x = column * (layer + 0.5) - size / 2;
    const top = (height - pitch * units) / 2 + (pitch - size) / 2;
    return Array.from({ length: units }, (_, unit) => ({ x, y: top + pitch * unit, size, layer, unit }));
  });
}

/**
 * The unit at a point, or the nearest of the column around it.
 * @param {Square[][]} squares @param {number} width @param {number} x @param {number} y @returns {Square | undefined}
 */
export function at(squares, width, x, y) {
  const column = squares[Math.floor((x / width) * squares.length)];
  const near = column?.find((square) => y < square.y + square.size * (1 + GAP / 2));
  return near && y >= near.y - near.size * GAP ? near : undefined;
}

/**
 * The weights worth a line: all of few, of many those that are not small beside the greatest. Each with its part of the greatest.
 * @param {ArrayLike<number>} values @param {{inputs: number, outputs: number, weights: number}} place @returns {[number, number, number][]} input, output, part from -1 to 1
 */
export function lines(values, { inputs, outputs, weights }) {
  const all = inputs * outputs;
  let most = 0;
  for (let at = weights; at < weights + all; at++) most = Math.max(most, Math.abs(values[at]));
  if (!(most > 0)) return [];
  const least = all <= 200 ? 0.02 : all <= 800 ? 0.2 : 0.35;
  /** @type {[number, number, number][]} */
  const found = [];
  for (let input = 0; input < inputs; input++) {
    for (let output = 0; output < outputs; output++) {
      const part = values[weights + input * outputs + output] / most;
      if (Math.abs(part) >= least) found.push([input, output, part]);
    }
  }
  return found;
}
