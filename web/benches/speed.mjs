// Steps a second of the article's network, 2-25-50-50-25-1 with relu, binary cross entropy and Adam on the moons, in one tab of headless Chromium:
// this crate on WebGPU and on the processor, TensorFlow.js on WebGPU and on the processor, in turn. And the seconds from an empty tab to the first
// picture. `node speed.mjs SITE PEERS [BATCH ...]`: what build.sh makes, and the folder with TensorFlow.js's packages (run.sh).

import { execFileSync } from "node:child_process";
import { open } from "./chromium.mjs";

const [site, peers, ...batches] = process.argv.slice(2);
/** Rounds, in each of which everyone has its turn. */
const ROUNDS = 5;
/** Seconds of a turn at least. */
const TURN = 3;

const TF = "/node_modules/@tensorflow";
const SCRIPTS = ["tfjs/dist/tf.min.js", "tfjs-backend-webgpu/dist/tf-backend-webgpu.min.js", "tfjs-backend-wasm/dist/tf-backend-wasm.min.js"];

const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1];
const digits = (value) => `${Number(value.toPrecision(3))}`;
const told = (values) => `${digits(median(values))} (${digits(Math.min(...values))} to ${digits(Math.max(...values))})`;

/** What runs in the tab: makes everyone ready, then gives a function for a turn. */
async function speeds({ batch, rounds, turn, wasm }) {
  const engine = await import("/engine/wgpu_mlp_web.js");
  await engine.default({ module_or_path: "/engine/wgpu_mlp_web_bg.wasm" });
  const data = engine.make_data("moons", 1000, 0.2, 100);
  const [points, targets] = [data.features, data.targets];
  const runners = {};
  for (const device of ["gpu", "cpu"]) {
    const settings = { batch: batch === 1000 ? "full" : batch, learning_rate: 0.001, device };
    const network = await engine.Network.open(JSON.stringify(settings), data);
    const { name, plan } = JSON.parse(network.device());
    runners[`wgpu-mlp, ${device === "gpu" ? "WebGPU" : "wasm"} (${plan} plan)`] = (steps) => network.train(steps);
  }
  const tf = globalThis.tf;
  tf.wasm.setWasmPaths(wasm);
  for (const backend of ["webgpu", "wasm"]) {
    if (!(await tf.setBackend(backend))) throw new Error(`TensorFlow.js has no backend ${backend} here`);
    await tf.ready();
    const model = tf.sequential();
    [25, 50, 50, 25].forEach((units, at) => model.add(tf.layers.dense({ units, activation: "relu", ...(at === 0 && { inputShape: [2] }) })));
    model.add(tf.layers.dense({ units: 1 }));
    const optimizer = tf.train.adam(0.001);
    // Cut once, so that a step pays for no gathering of its rows.
    const cut = [];
    for (let start = 0; start + batch <= 1000; start += batch) {
      cut.push([tf.tensor2d(points.slice(2 * start, 2 * (start + batch)), [batch, 2]), tf.tensor2d(targets.slice(start, start + batch), [batch, 1])]);
    }
    let next = 0;
    runners[`TensorFlow.js ${tf.version.tfjs}, ${backend === "webgpu" ? "WebGPU" : "wasm"}`] = async (steps) => {
      await tf.setBackend(backend);
      for (let step = 0; step < steps; step += 1) {
        const [x, y] = cut[next++ % cut.length];
        const last = step + 1 === steps;
        const loss = optimizer.minimize(() => tf.losses.sigmoidCrossEntropy(y, model.apply(x, { training: true })), last);
        // Nothing is waited for but the last loss.
        if (last) await loss.data();
        loss?.dispose();
      }
    };
  }
  const found = {};
  const steps = {};
  for (const [name, run] of Object.entries(runners)) {
    await run(3);
    const begun = performance.now();
    await run(10);
    const each = (performance.now() - begun) / 10;
    steps[name] = Math.max(5, Math.ceil((1000 * turn) / each));
    await run(Math.ceil(steps[name] / 4));
    found[name] = [];
  }
  for (let round = 0; round < rounds; round += 1) {
    for (const [name, run] of Object.entries(runners)) {
      const begun = performance.now();
      await run(steps[name]);
      found[name].push((1000 * steps[name]) / (performance.now() - begun));
    }
  }
  return found;
}

/** Milliseconds from an empty tab to the first picture of 64 x 64 cells. */
async function first({ device }) {
  const begun = performance.now();
  const engine = await import("/engine/wgpu_mlp_web.js");
  await engine.default({ module_or_path: "/engine/wgpu_mlp_web_bg.wasm" });
  const network = await engine.Network.open(JSON.stringify({ device }), engine.make_data("moons", 1000, 0.2, 100));
  await network.train(1);
  await network.surface(64, 64);
  return performance.now() - begun;
}

let chromium = await open(site, peers);
console.log(`Chromium ${chromium.version}, ${execFileSync("nproc", { encoding: "utf8" }).trim()} cores, load ${execFileSync("cat", ["/proc/loadavg"], { encoding: "utf8" }).trim()}; medians of ${ROUNDS} rounds, with the least and the greatest\n`);
for (const batch of (batches.length > 0 ? batches : ["100", "1000"]).map(Number)) {
  const tab = await chromium.tab();
  for (const script of SCRIPTS) await tab.addScriptTag({ url: `${TF}/${script}` });
  const found = await tab.evaluate(speeds, { batch, rounds: ROUNDS, turn: TURN, wasm: `${TF}/tfjs-backend-wasm/dist/` });
  console.log(`| batch of ${batch} | steps/s |\n|---|---|`);
  for (const [name, values] of Object.entries(found)) console.log(`| ${name} | ${told(values)} |`);
  const best = (start) => Math.max(...Object.entries(found).filter(([name]) => name.startsWith(start)).map(([, values]) => median(values)));
  console.log(`\nour faster way is ${digits(best("wgpu-mlp") / best("TensorFlow.js"))} times TensorFlow.js's faster one\n`);
  await tab.close();
}
await chromium.close();

console.log("| seconds to the first picture, of a new browser | |\n|---|---|");
for (const device of ["gpu", "cpu"]) {
  const times = [];
  for (let round = 0; round < 3; round += 1) {
    chromium = await open(site);
    const tab = await chromium.tab();
    times.push((await tab.evaluate(first, { device })) / 1000);
    await chromium.close();
  }
  console.log(`| wgpu-mlp, ${device === "gpu" ? "WebGPU" : "wasm"} | ${told(times)} |`);
}
