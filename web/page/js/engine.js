/**
 * The engine: the crate in WebAssembly, with one call at a time.
 */

import load, { Network, catalogue, make_data, read_csv } from "../engine/wgpu_mlp_web.js";

/** What the page may offer. */
export async function start() {
  await load({ module_or_path: new URL("../engine/wgpu_mlp_web_bg.wasm", import.meta.url) });
  return JSON.parse(catalogue());
}

/** @returns {import("./plane.js").Points & {names: string[], classes: string[], engine: unknown}} */
function seen(/** @type {any} */ data) {
  const { rows, features, targets, bounds, names, classes, task } = data;
  let [low, high] = [Infinity, -Infinity];
  for (const value of targets) [low, high] = [Math.min(low, value), Math.max(high, value)];
  return { rows, features, targets, bounds, names, classes, task, range: [low, high], engine: data };
}

/** @param {string} name @param {number} rows @param {number} noise @param {number} seed */
export const generate = (name, rows, noise, seed) => seen(make_data(name, rows, noise, seed));

/** @param {Uint8Array} bytes @param {string | undefined} target @param {string} name */
export const read = (bytes, target, name) => seen(read_csv(bytes, target, name));

/** @param {object} settings @param {{engine: any}} data */
export const open = (settings, data) => Network.open(JSON.stringify(settings), data.engine);

/** @param {Uint8Array} bytes @param {{engine: any}} data @param {string} device */
export const openModel = (bytes, data, device) => Network.load(bytes, data.engine, device);

/** Runs what it is given one after the other, in the order of calls. */
export function inTurn() {
  let last = Promise.resolve();
  return (/** @type {() => Promise<unknown>} */ work) => {
    const done = last.then(work);
    last = done.then(() => undefined, () => undefined);
    return done;
  };
}
