/**
 * Colours of numbers. In: colours as [red, green, blue] from 0 to 255. Out: tables and pixels.
 */

/** @typedef {[number, number, number]} Colour */

/** @param {string} text `#rrggbb` @returns {Colour} */
export function colour(text) {
  const value = Number.parseInt(text.trim().slice(1), 16);
  return [value >> 16, (value >> 8) & 255, value & 255];
}

/** Colours between two; `part` 0 is the first. @param {Colour} a @param {Colour} b @param {number} part @returns {Colour} */
export const between = (a, b, part) => /** @type {Colour} */ (a.map((value, at) => value + part * (b[at] - value)));

/** Entries of a ramp; an odd number, so that the middle is one of them. */
const ENTRIES = 255;

/**
 * A table of colours from `low` by `middle` to `high`.
 * @param {Colour} low @param {Colour} middle @param {Colour} high @returns {Uint8Array} of 3 bytes each
 */
export function ramp(low, middle, high) {
  const table = new Uint8Array(3 * ENTRIES);
  for (let at = 0; at < ENTRIES; at++) {
    const part = (2 * at) / (ENTRIES - 1) - 1;
    table.set(between(middle, part < 0 ? low : high, Math.abs(part)).map(Math.round), 3 * at);
  }
  return table;
}

/**
 * Paints numbers by a ramp, which goes from `low` to `high`.
 * @param {ArrayLike<number>} values @param {number} from the first of them @param {number} low @param {number} high
 * @param {Uint8Array} table @param {Uint8ClampedArray} pixels 4 bytes each
 */
export function paint(values, from, low, high, table, pixels) {
  const factor = high > low ? (ENTRIES - 1) / (high - low) : 0;
  const none = (ENTRIES - 1) / 2;
  for (let at = 0; at < pixels.length / 4; at++) {
    const value = factor ? (values[from + at] - low) * factor : none;
    const entry = 3 * Math.round(value > 0 ? Math.min(value, ENTRIES - 1) : 0);
    pixels[4 * at] = table[entry];
    pixels[4 * at + 1] = table[entry + 1];
    pixels[4 * at + 2] = table[entry + 2];
    pixels[4 * at + 3] = 255;
  }
}

/**
 * Paints probabilities [pixels, classes]: each class's colour by how likely it is, on paper.
 * @param {ArrayLike<number>} values @param {Colour[]} classes @param {Colour} paper @param {Uint8ClampedArray} pixels
 */
export function paintClasses(values, classes, paper, pixels) {
  const each = classes.length;
  for (let at = 0; at < pixels.length / 4; at++) {
    let best = 0;
    for (let other = 1; other < each; other++) if (values[each * at + other] > values[each * at + best]) best = other;
    // What is as likely as the others has the paper's colour.
    const sure = Math.max(0, (each * values[each * at + best] - 1) / (each - 1));
    for (let band = 0; band < 3; band++) pixels[4 * at + band] = paper[band] + sure * (classes[best][band] - paper[band]);
    pixels[4 * at + 3] = 255;
  }
}

/** The greatest absolute value of a part of a list. @param {ArrayLike<number>} values @param {number} from @param {number} to */
export function greatest(values, from = 0, to = values.length) {
  let most = 0;
  for (let at = from; at < to; at++) most = Math.max(most, Math.abs(values[at]));
  return most;
}
