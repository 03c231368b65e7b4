/**
 * The hidden layers that a page puts together, as plain data.
 *
 * In: what was clicked. Out: a new list of `{ units, activation }`; the old one stays.
 */

export const MOST_LAYERS = 6;
export const MOST_UNITS = 64;

/** @typedef {{ units: number, activation: string }} Layer */

/** @param {Layer[]} layers @param {string} activation the one of a first layer @returns {Layer[]} with another like the last */
export function add(layers, activation) {
  if (layers.length >= MOST_LAYERS) return layers;
  return [...layers, layers.at(-1) ?? { units: 8, activation }];
}

/** @param {Layer[]} layers @param {number} at @returns {Layer[]} */
export const remove = (layers, at) => layers.filter((_, other) => other !== at);

/** @param {Layer[]} layers @param {number} at @param {number} units any number @returns {Layer[]} */
export function widen(layers, at, units) {
  const most = Math.max(MOST_UNITS, layers[at].units); // a model's file may have more
  return change(layers, at, { units: Math.max(1, Math.min(most, Math.round(units) || 1)) });
}

/** @param {Layer[]} layers @param {number} at @param {Partial<Layer>} what @returns {Layer[]} */
export const change = (layers, at, what) => layers.map((layer, other) => (other === at ? { ...layer, ...what } : layer));

/** @param {Layer[]} layers @returns {string} as `--hidden` of the command takes them */
export const text = (layers) => layers.map(({ units, activation }) => `${units}:${activation}`).join(",") || "none";

/**
 * The place of each weight and bias in the flat parameters: of each layer its weights [inputs, outputs], then its biases.
 * @param {number[]} widths of all layers, inputs and outputs too
 */
export function places(widths) {
  let start = 0;
  return widths.slice(1).map((outputs, at) => {
    const inputs = widths[at];
    const place = { inputs, outputs, weights: start, biases: start + inputs * outputs };
    start += (inputs + 1) * outputs;
    return place;
  });
}
