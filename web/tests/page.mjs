// The page in headless Chromium: every control by the keyboard, data, files, devices, and what a screen reader finds. `node page.mjs SITE`: the folder
// that build.sh makes.

import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { readFile, readdir } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { gzipSync } from "node:zlib";
import { launch } from "./chromium.mjs";
import { serve } from "./serve.mjs";

const axe = createRequire(import.meta.url).resolve("axe-core/axe.min.js");
const site = process.argv[2];
let [server, root, withGpu, without] = [];

before(async () => {
  server = await serve([site]);
  root = `http://localhost:${server.address().port}/`;
  [withGpu, without] = await Promise.all([launch(true), launch(false)]);
});
after(async () => {
  await Promise.all([withGpu?.close(), without?.close()]);
  server?.close();
});

/** Opens the page, hands it to `work`, and wants no error of it and no request to elsewhere. */
async function visit(options, work, browser = without) {
  const page = await browser.newPage(options);
  const wrong = [];
  page.on("console", (message) => message.type() === "error" && wrong.push(message.text()));
  page.on("pageerror", (error) => wrong.push(error.message));
  page.on("request", (request) => request.url().startsWith(root) || /^(blob|data):/.test(request.url()) || wrong.push(`asks ${request.url()}`));
  page.on("response", (response) => response.status() >= 400 && wrong.push(`${response.status()} for ${response.url()}`));
  await page.goto(root);
  await page.waitForSelector("html[data-ready]");
  await figures(page, (found) => found.loss !== "–");
  await work(page);
  assert.deepEqual(wrong, []);
  await page.close();
}

const read = async (page) => Object.fromEntries(await Promise.all(["step", "epoch", "loss", "accuracy"].map(async (name) => [name, await page.textContent(`#f-${name}`)])));
const whole = (text) => Number(text.replaceAll(",", ""));

/** Waits until the figures are as wanted. */
async function figures(page, wanted) {
  let found = await read(page);
  for (let times = 0; !wanted(found); times++) {
    assert.ok(times < 1000, `the figures stay ${JSON.stringify(found)}: expected ${wanted}; the page says ${await page.textContent("#alert-text")}`);
    await page.waitForTimeout(30);
    found = await read(page);
  }
  return found;
}

/** Waits until the page's text is as wanted. */
const until = (page, selector, pattern) => page.waitForFunction(([at, wanted]) => new RegExp(wanted).test(document.querySelector(at)?.textContent ?? ""), [selector, pattern.source]);
const shape = (page, widths) => page.waitForFunction((wanted) => document.getElementById("graph")?.getAttribute("aria-label")?.includes(`: ${wanted} units`), widths.join(", "));
const picture = (page, id) => page.evaluate((at) => document.getElementById(at).toDataURL(), id);
const press = async (page, selector, key = "Enter") => {
  await page.focus(selector);
  await page.keyboard.press(key);
};
/** Chooses an option as a keyboard does: by the first letters of its text. */
const type = async (page, selector, text) => {
  await page.focus(selector);
  await page.keyboard.type(text);
};
const fill = async (page, selector, text) => {
  await page.focus(selector);
  await page.keyboard.press("Control+A");
  await page.keyboard.press("Delete");
  await page.keyboard.type(text);
  await page.keyboard.press("Tab");
};
const drop = (page, name, text) =>
  page.evaluate(([called, holds]) => {
    const transfer = new DataTransfer();
    transfer.items.add(new File([holds], called));
    const target = document.getElementById("drop");
    for (const kind of ["dragover", "drop"]) target.dispatchEvent(new DragEvent(kind, { dataTransfer: transfer, bubbles: true, cancelable: true }));
  }, [name, text]);

test("training goes on and stops by the keyboard", () =>
  visit({}, async (page) => {
    const untrained = await picture(page, "surface");
    await press(page, "#step");
    await figures(page, ({ step }) => step === "1");
    await press(page, "#play");
    await figures(page, ({ step }) => whole(step) > 20);
    assert.equal(await page.textContent("#play"), "Pause");
    await press(page, "#play", "Space");
    await until(page, "#play", /Train/);
    const { step, loss } = await figures(page, (found) => found.accuracy.endsWith("%"));
    await page.waitForTimeout(300);
    assert.ok(whole((await read(page)).step) - whole(step) < 2000 && Number(loss) > 0);
    assert.notEqual(await picture(page, "surface"), untrained);
    assert.match(await page.textContent("#status"), /^Step [\d,]+, loss [\d.]+, accuracy/);
    await press(page, "#reset");
    await figures(page, (found) => found.step === "0");
    assert.equal(await picture(page, "surface"), untrained, "a reset is the same network again");
  }));

test("layers and settings are put together by the keyboard", () =>
  visit({}, async (page) => {
    await type(page, "#preset", "small");
    await shape(page, [2, 8, 8, 1]);
    await press(page, "#add");
    await shape(page, [2, 8, 8, 8, 1]);
    await press(page, "#more-0");
    await shape(page, [2, 9, 8, 8, 1]);
    assert.equal(await page.evaluate(() => document.activeElement.id), "more-0", "the focus stays");
    await press(page, "#less-1", "Space");
    await shape(page, [2, 9, 7, 8, 1]);
    await fill(page, "#width-2", "3");
    await shape(page, [2, 9, 7, 3, 1]);
    await press(page, "#remove-0");
    await shape(page, [2, 7, 3, 1]);
    await type(page, "#activation-0", "sigmoid");
    assert.equal(await page.inputValue("#preset"), "own");
    await fill(page, "#rate", "0.05");
    await type(page, "#optimizer", "sgd");
    assert.equal(await page.inputValue("#rate"), "0.01", "an optimiser brings its usual rate");
    await type(page, "#batch", "all");
    await type(page, "#init", "xavier");
    await fill(page, "#seed", "7");
    await type(page, "#speed", "one");
    await press(page, "#step");
    await figures(page, ({ step, epoch }) => step === "1" && epoch === "1");
    // A unit is looked at without a mouse.
    await type(page, "#unit-layer", "Hidden 2");
    await fill(page, "#unit-number", "3");
    await until(page, "#unit-text", /^Hidden 2, unit 3: bias/);
    for (const at of [1, 0]) await press(page, `#remove-${at}`);
    await shape(page, [2, 1]);
    await fill(page, "#rate", "-1");
    await until(page, "#alert-text", /rate.*-1/);
    await press(page, "#alert-close");
    assert.ok(await page.isHidden("#alert"));
  }));

test("all built-in data are learned from, with their noise, rows and seed", () =>
  visit({}, async (page) => {
    await type(page, "#preset", "small");
    await shape(page, [2, 8, 8, 1]);
    const seen = new Set([await picture(page, "points")]);
    await page.focus("#set-moons");
    for (const name of ["circles", "blobs", "spirals", "xor"]) {
      await page.keyboard.press("ArrowRight");
      assert.equal(await page.evaluate(() => document.activeElement.id), `set-${name}`);
      await figures(page, ({ step }) => step === "0");
      await press(page, "#step");
      await figures(page, ({ step }) => step === "1");
      seen.add(await picture(page, "points"));
      await page.focus(`#set-${name}`);
    }
    for (const change of [() => press(page, "#noise", "ArrowRight"), () => fill(page, "#rows", "60"), () => press(page, "#data-next"), () => fill(page, "#data-seed", "5")]) {
      await change();
      await figures(page, ({ step }) => step === "0");
      await press(page, "#step");
      await figures(page, ({ step }) => step === "1");
      seen.add(await picture(page, "points"));
    }
    assert.equal(seen.size, 9);
  }));

test("a table of one's own is dropped in, and a wrong one is refused in a line", () =>
  visit({}, async (page) => {
    const rows = Array.from({ length: 60 }, (_, i) => `${i % 7},${["red", "green", "blue"][i % 3]},${(i % 3) + (i % 5) / 10},x`);
    await drop(page, "three.csv", `size,colour,weight,note\n${rows.join("\n")}\n`);
    await until(page, "#alert-text", /note/);
    assert.ok(!(await page.textContent("#alert-text")).includes("\n"));
    await fill(page, "#target", "colour");
    await until(page, "#csv-about", /three\.csv: 60 rows; axes size and weight; predicts colour, 3 classes/);
    await page.waitForFunction(() => document.getElementById("classes").children.length === 3);
    await press(page, "#step");
    await figures(page, ({ step }) => step === "1");
    // Numbers: a regression has no accuracy.
    const line = Array.from({ length: 40 }, (_, i) => `${i},${(7 * i) % 11},${i / 2 + 0.25}`);
    await fill(page, "#target", "");
    await drop(page, "line.csv", `a,b,y\n${line.join("\n")}\n`);
    await until(page, "#csv-about", /line\.csv: 40 rows; axes a and b; predicts y, numbers/);
    await page.waitForSelector("#accuracy", { state: "hidden" });
    await press(page, "#step");
    await figures(page, ({ step }) => step === "1");
    await drop(page, "broken.csv", "a,b,y\n1,2\n");
    await until(page, "#alert-text", /broken\.csv.*line 2/);
    await page.setInputFiles("#csv", { name: "chosen.csv", mimeType: "text/csv", buffer: Buffer.from("p,q,is\n1,2,no\n2,1,yes\n3,5,no\n4,4,yes\n5,1,yes\n6,7,no\n") });
    await until(page, "#csv-about", /chosen\.csv: 6 rows.*predicts is, 2 classes/);
    await press(page, "#set-xor", "Space");
    await until(page, "#csv-about", /^$/);
  }));

test("a model goes out and in again with the same surface", () =>
  visit({}, async (page) => {
    await type(page, "#preset", "small");
    await shape(page, [2, 8, 8, 1]);
    for (const step of ["1", "2", "3"]) {
      await press(page, "#step");
      await figures(page, (found) => found.step === step);
    }
    const trained = await picture(page, "surface");
    const [download] = await Promise.all([page.waitForEvent("download"), press(page, "#save")]);
    assert.equal(download.suggestedFilename(), "model.safetensors");
    const bytes = await readFile(await download.path());
    await type(page, "#preset", "no hidden");
    await shape(page, [2, 1]);
    assert.notEqual(await picture(page, "surface"), trained);
    await page.setInputFiles("#open", { name: "mine.safetensors", mimeType: "application/octet-stream", buffer: bytes });
    await until(page, "#file-about", /mine\.safetensors is open: 2-8-8-1/);
    assert.equal(await picture(page, "surface"), trained);
    assert.equal(await page.inputValue("#activation-1"), "tanh");
    await page.setInputFiles("#open", { name: "none.safetensors", mimeType: "application/octet-stream", buffer: Buffer.from("none") });
    await until(page, "#alert-text", /^none\.safetensors: /);
    await press(page, "#step");
    await figures(page, (found) => found.step === "1");
  }));

test("a step is shown in numbers, and gradients are checked", () =>
  visit({}, async (page) => {
    await type(page, "#preset", "small");
    await shape(page, [2, 8, 8, 1]);
    await press(page, "#explain");
    await until(page, "#numbers", /Z1 = .*A1 = .*dZ1 = .*dW1 = .*db1 = /);
    await press(page, "#layer-3");
    await until(page, "#numbers", /Z3 = .*dZ3 = .*dW3 = /);
    assert.equal(await page.inputValue("#explain-layer"), "3");
    const before = await page.textContent("#numbers");
    await press(page, "#step");
    await page.waitForFunction((old) => document.getElementById("numbers").textContent !== old, before);
    await press(page, "#check");
    await until(page, "#checked", /All gradients are right/);
    assert.equal(await page.locator("#checked tbody tr").count(), 6);
    assert.equal(await page.locator("#checked tbody td:text-is('right')").count(), 6);
    // Where all is learned, gradients are what errors leave of each other: limits have to know that.
    await press(page, "#set-blobs", "Space");
    await figures(page, ({ step }) => step === "0");
    await fill(page, "#rate", "0.1");
    await press(page, "#play");
    await figures(page, ({ step, loss }) => whole(step) > 100 && (loss.includes("e") || Number(loss) < 0.003));
    await press(page, "#play");
    await until(page, "#play", /Train/);
    await press(page, "#check");
    await until(page, "#checked", /All gradients are right/);
  }));

test("the page says why the GPU does not do the work", async () => {
  await visit({}, async (page) => {
    assert.match(await page.textContent("#notice"), /no GPU for it.*CPU twin, in WebAssembly/);
    assert.match(await page.textContent("#device-note"), /^Processor/);
    await type(page, "#device", "the GPU");
    await until(page, "#alert-text", /.+/);
    assert.equal(await page.inputValue("#device"), "auto");
    await press(page, "#step");
    await figures(page, ({ step }) => step === "1");
    await type(page, "#device", "the processor");
    await page.waitForSelector("#notice", { state: "hidden" });
  });
  const context = await without.newContext();
  await context.addInitScript(() => Object.defineProperty(Navigator.prototype, "gpu", { get: () => undefined }));
  await visit({}, async (page) => assert.match(await page.textContent("#notice"), /has no WebGPU.*CPU twin/), context);
  await context.close();
});

test("the GPU does the work where it is chosen", () =>
  visit({}, async (page) => {
    await type(page, "#preset", "small");
    await shape(page, [2, 8, 8, 1]);
    await type(page, "#device", "the GPU");
    await page.waitForSelector("#device-note[data-kind=gpu]");
    await press(page, "#play");
    await figures(page, ({ step }) => whole(step) > 5);
    await press(page, "#play");
    await until(page, "#play", /Train/);
    await press(page, "#check");
    await until(page, "#checked", /All gradients are right/);
    assert.ok(await page.isHidden("#alert"));
  }, withGpu));

for (const [name, options] of Object.entries({
  light: { viewport: { width: 1280, height: 900 } },
  dark: { viewport: { width: 1280, height: 900 }, colorScheme: "dark" },
  "a phone": { viewport: { width: 375, height: 800 }, hasTouch: true, isMobile: true, reducedMotion: "reduce" },
})) {
  test(`everyone can use it: ${name}`, () =>
    visit(options, async (page) => {
      await type(page, "#preset", "small");
      await shape(page, [2, 8, 8, 1]);
      await press(page, "#explain");
      await until(page, "#numbers", /db1 = /);
      await press(page, "#check");
      await until(page, "#checked", /All gradients/);
      const source = await readFile(axe, "utf8");
      // By the debugger, past the page's policy that allows no such script.
      const found = await page.evaluate(`${source}; axe.run(document, { resultTypes: ["violations"] })`);
      const serious = found.violations.filter(({ impact }) => impact === "serious" || impact === "critical");
      assert.deepEqual(serious.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)]), []);
      const [wide, seen] = await page.evaluate(() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]);
      assert.ok(wide <= seen, `${wide} wide in ${seen}`);
      if (!options.hasTouch) return;
      const small = await page.evaluate(() =>
        [...document.querySelectorAll("button, select, input")].flatMap((one) => {
          const { width, height } = one.getBoundingClientRect();
          return width && height && Math.min(width, height) < 40 ? [`${one.id}: ${width} x ${height}`] : [];
        }),
      );
      assert.deepEqual(small, []);
      await press(page, "#play");
      await figures(page, ({ step }) => whole(step) > 3);
      await press(page, "#play");
    }));
}

// docs/web.md
test("page and engine have about a megabyte", async () => {
  // A browser loads no declarations of types.
  const isLoaded = (file) => file.isFile() && !file.name.endsWith(".d.ts");
  const files = (await readdir(site, { recursive: true, withFileTypes: true })).filter(isLoaded);
  const sizes = await Promise.all(files.map(async (file) => gzipSync(await readFile(join(file.parentPath, file.name)), { level: 9 }).length));
  const all = sizes.reduce((sum, size) => sum + size, 0);
  assert.ok(files.length > 15 && all < 1.01e6, `${all} bytes in ${files.length} files`);
});
