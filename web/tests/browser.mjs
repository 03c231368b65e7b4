// The page's engine in headless Chromium, on software WebGPU and on its processor, beside what the library computes on this machine
// (src/bin/reference.rs). `node browser.mjs SITE REFERENCE SETTINGS STEPS`: the folder that build.sh makes, the reference's output as a file, and what
// it was made with. It ends with the number of tests that passed.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { open } from "./chromium.mjs";

const [site, referenceFile, settings, steps] = process.argv.slice(2);
const reference = JSON.parse(readFileSync(referenceFile, "utf8"));

/** Most bytes of the engine by gzip: what it has, and a little. */
const MOST_BYTES = 962_000;
/** Accuracy that the moons have to come to. */
const LEAST_ACCURACY = 0.95;
/** How far loss and accuracy may be from the native run's after all steps. The plans add up in other orders; the losses of a run without a unit near a kink
 * differ by 1e-8. */
const SCORE_LIMIT = { loss: 1e-3, accuracy: 0.005 };

let passed = 0;
let failed = 0;
async function test(name, body) {
  const begun = performance.now();
  try {
    await body();
  } catch (error) {
    failed += 1;
    console.log(`FAILED: ${name}\n${error.message}`);
    return;
  }
  passed += 1;
  console.log(`ok: ${name} (${((performance.now() - begun) / 1000).toFixed(1)} s)`);
}

/** The largest part of its limit that an element's distance from the oracle is; a NaN is the largest. */
function fractionOfLimit(gradients) {
  assert.equal(gradients.length, reference.exact.length, "number of gradients");
  let largest = 0;
  gradients.forEach((found, at) => {
    const difference = Math.abs(found - reference.exact[at]);
    const fraction = difference === 0 ? 0 : difference / reference.limits[at];
    if (!(fraction <= largest)) largest = fraction;
  });
  return largest;
}

/** Runs a function in a tab with the engine: it is given the engine, the data of the reference and one argument. */
async function within(tab, body, argument) {
  return tab.evaluate(
    async ([text, argument]) => {
      const engine = await import("/engine/wgpu_mlp_web.js");
      await engine.default({ module_or_path: "/engine/wgpu_mlp_web_bg.wasm" });
      const data = engine.make_data("moons", 1000, 0.2, 100);
      return new Function(`return ${text}`)()(engine, data, argument);
    },
    [body.toString(), argument],
  );
}

/** A network on a device from the reference's parameters: its gradients, and its score after all steps. */
async function run(engine, data, { settings, device, parameters, steps }) {
  const network = await engine.Network.open(JSON.stringify({ ...JSON.parse(settings), device }), data);
  const drawn = await network.parameters();
  await network.set_parameters(Float32Array.from(parameters));
  const gradients = await network.gradients();
  const kept = await network.parameters();
  if (steps > 0) await network.train(steps);
  const score = steps > 0 ? JSON.parse(await network.score()) : null;
  return {
    device: JSON.parse(network.device()),
    drawn: Array.from(drawn),
    kept: Array.from(kept),
    points: Array.from(data.features),
    targets: Array.from(data.targets),
    gradients: Array.from(gradients),
    score,
  };
}

const chromium = await open(site);

await test("the engine does not grow", async () => {
  const bytes = readFileSync(`${site}/engine/wgpu_mlp_web_bg.wasm`);
  const small = gzipSync(bytes, { level: 9 }).length;
  console.log(`    ${bytes.length} bytes, ${small} by gzip`);
  assert.ok(small < MOST_BYTES, `${small} bytes by gzip: expected less than ${MOST_BYTES}`);
});

for (const device of ["gpu", "cpu"]) {
  await test(`${device}: data, parameters and gradients are the native ones, and so is a run`, async () => {
    const tab = await chromium.tab();
    const argument = { settings, device, parameters: reference.parameters, steps: Number(steps) };
    const found = await within(tab, run, argument);
    assert.equal(found.device.kind, device);
    // Sine, cosine and logarithm may differ in the last bit of f64.
    const near = (what, a, b) => {
      assert.equal(a.length, b.length, what);
      a.forEach((value, at) => assert.ok(Math.abs(value - b[at]) <= 1e-6, `${what}: ${value} for ${b[at]} at ${at}`));
    };
    near("points", found.points, reference.points);
    near("targets", found.targets, reference.targets);
    near("parameters", found.drawn, reference.parameters);
    assert.deepEqual(found.kept, reference.parameters, "gradients() leaves the parameters as they are");
    const [here, native] = [fractionOfLimit(found.gradients), fractionOfLimit(reference.gradients)];
    console.log(`    ${found.device.name}, ${found.device.plan} plan: gradients at ${here.toPrecision(2)} of their limits (native ${native.toPrecision(2)})`);
    assert.ok(here <= 1, `gradients are ${here} times as far from the oracle as rounding explains`);
    console.log(`    after ${steps} steps loss ${found.score.loss}, accuracy ${found.score.accuracy} (native ${reference.score.loss}, ${reference.score.accuracy})`);
    for (const [what, limit] of Object.entries(SCORE_LIMIT)) {
      const difference = Math.abs(found.score[what] - reference.score[what]);
      assert.ok(difference <= limit, `${what} ${found.score[what]}: expected ${reference.score[what]} to within ${limit}`);
    }
    assert.ok(found.score.accuracy >= LEAST_ACCURACY, `accuracy ${found.score.accuracy}: expected at least ${LEAST_ACCURACY}`);
    await tab.done();
  });
}

await test("a wrong gradient is seen", async () => {
  const tab = await chromium.tab();
  await tab.evaluate(() => {
    const make = GPUDevice.prototype.createShaderModule;
    GPUDevice.prototype.createShaderModule = function (descriptor) {
      // The slope of relu, a little too steep.
      const code = descriptor.code.replaceAll("select(0.0, 1.0, a > 0.0)", "select(0.0, 1.001, a > 0.0)");
      return make.call(this, { ...descriptor, code });
    };
  });
  const found = await within(tab, run, { settings, device: "gpu", parameters: reference.parameters, steps: 0 });
  const fraction = fractionOfLimit(found.gradients);
  console.log(`    a slope 0.1 % too steep gives ${fraction.toPrecision(2)} times the limit`);
  assert.ok(fraction > 1, "the comparison does not see a slope of relu that is 0.1 % too steep");
  await tab.done();
});

await test("a step by hand and the check of gradients pass on the GPU", async () => {
  const tab = await chromium.tab();
  const found = await within(
    tab,
    async (engine, data) => {
      const network = await engine.Network.open(JSON.stringify({ layers: [3], activation: "tanh", device: "gpu" }), data);
      return { explained: JSON.parse(await network.explain()), checked: JSON.parse(await network.check()) };
    },
  );
  assert.ok(found.explained.passed && found.explained.quantities.some(({ name }) => name === "dW1"));
  assert.ok(found.checked.passed, JSON.stringify(found.checked));
  await tab.done();
});

await test("pictures, a table from bytes and a model file go in and out; calls wait for each other", async () => {
  const tab = await chromium.tab();
  const found = await within(
    tab,
    async (engine) => {
      const lines = Array.from({ length: 60 }, (_, i) => `${Math.cos(i)},skip,${Math.sin(i) + (i % 2)},${i % 2 ? "yes" : "no"}`);
      const bytes = new TextEncoder().encode(`u,name,v,answer\n${lines.join("\n")}\n`);
      const data = engine.read_csv(bytes, undefined, "own.csv");
      const config = { layers: [5, 3], activation: "tanh", device: "cpu", batch: "full" };
      const network = await engine.Network.open(JSON.stringify(config), data);
      const [, surface, neurons] = await Promise.all([network.train(50), network.surface(12, 9), network.neurons(6, 5)]);
      const file = await network.save();
      const loaded = await engine.Network.load(file, data, "cpu");
      const same = async (a) => Array.from(await a.surface(4, 4)).join();
      let refused = "";
      try {
        engine.read_csv(new TextEncoder().encode("a,b\n1,2\n3,4\n"), undefined, "narrow.csv");
      } catch (error) {
        refused = error.message;
      }
      return {
        names: data.names, classes: data.classes, task: data.task, rows: data.rows,
        surface: surface.length, neurons: neurons.length, inside: surface.every((p) => p >= 0 && p <= 1),
        equal: (await same(network)) === (await same(loaded)), refused,
      };
    },
  );
  const { equal, refused, ...rest } = found;
  assert.deepEqual(rest, {
    names: ["u", "v", "answer"], classes: ["no", "yes"], task: "binary", rows: 60, surface: 108, neurons: 240, inside: true,
  });
  assert.ok(equal, "a loaded network predicts what the saved one does");
  assert.match(refused, /narrow\.csv.*at least 2/);
  await tab.done();
});

await test("without WebGPU the processor trains, and says why", async () => {
  const tab = await chromium.tab();
  await tab.evaluate(() => Object.defineProperty(Navigator.prototype, "gpu", { get: () => undefined }));
  const found = await within(
    tab,
    async (engine, data) => {
      const network = await engine.Network.open(JSON.stringify({ layers: [8] }), data);
      const told = JSON.parse(await network.train(5));
      const refused = await engine.Network.open(JSON.stringify({ device: "gpu" }), data).then(() => "", (error) => error.message);
      return { device: JSON.parse(network.device()), told, refused };
    },
  );
  assert.equal(found.device.kind, "cpu");
  assert.match(found.device.note, /no GPU/);
  assert.match(found.refused, /no GPU adapter found/);
  assert.equal(found.told.step, 5);
  await tab.done();
});

await chromium.close();
console.log(`${passed} passed${failed > 0 ? `, ${failed} FAILED` : ""}`);
process.exitCode = failed > 0 ? 1 : 0;
