/** The page: what its parts say to each other. */

import { drawCurve, tellCurve } from "./curve.js";
import { dataPanel } from "./data-panel.js";
import { start } from "./engine.js";
import { count, percent, short } from "./format.js";
import { Gentle } from "./gentle.js";
import { Lab, UNIT_SIDE } from "./lab.js";
import { networkPanel } from "./network-panel.js";
import { numbersPanel } from "./numbers-panel.js";
import { Surface, drawMark, drawPoints } from "./plane.js";
import { make } from "./tables.js";
import { isStill, onThemeChange, theme } from "./theme.js";

/** Milliseconds between two messages to a screen reader. */
const PAUSE = 5000;

const element = (/** @type {string} */ id) => /** @type {any} */ (document.getElementById(id));

function tell(/** @type {unknown} */ error) {
  element("alert-text").textContent = error instanceof Error ? error.message : `${error}`;
  element("alert").hidden = false;
}

function quiet() {
  element("alert-text").textContent = "";
  element("alert").hidden = true;
}

/** Why the GPU does not do the work, where it does not. @param {any} device @param {string} wanted */
async function notice(device, wanted) {
  const gpu = /** @type {any} */ (navigator).gpu;
  const box = element("notice");
  box.hidden = device.kind === "gpu" || wanted === "cpu";
  if (box.hidden) return;
  const adapter = gpu && (await gpu.requestAdapter().catch(() => null));
  const why = !gpu
    ? "This browser has no WebGPU."
    : adapter
      ? "WebGPU is here, but only a software adapter or one that does not suit; it can be chosen above."
      : "This browser has WebGPU, but no GPU for it.";
  box.textContent = `${why} The processor does the same work instead: the library's CPU twin, in WebAssembly. It needs nothing else, and is slower for wide networks.`;
}

async function main() {
  const catalogue = await start();
  const asked = new URLSearchParams(location.search).get("device");
  if ([...element("device").options].some(({ value }) => value === asked)) element("device").value = asked;
  const surface = new Surface();
  const gentle = new Gentle(() => performance.now(), PAUSE);
  /** @type {any} what is asked for; `lab.data` is what the network has */
  let data;
  /** @type {{told: any, curve: [number, number][]}} */
  let last = { told: { step: 0 }, curve: [] };
  let values = new Float32Array();
  let units = new Float32Array();
  let side = 0;

  /** The output's pictures among the units': cells of the surface, and colours that mean what they mean there. */
  function paintOutputs() {
    const colours = theme();
    const layer = panel.graph.widths.length - 1;
    const outputs = panel.graph.widths[layer];
    const cells = UNIT_SIDE ** 2;
    const picture = new Float32Array(outputs * cells);
    for (let cell = 0; cell < cells; cell++) {
      const row = Math.floor(((Math.floor(cell / UNIT_SIDE) + 0.5) * side) / UNIT_SIDE);
      const column = Math.floor((((cell % UNIT_SIDE) + 0.5) * side) / UNIT_SIDE);
      for (let output = 0; output < outputs; output++) picture[output * cells + cell] = values[(row * side + column) * outputs + output];
    }
    panel.graph.paint(picture, layer, outputs, colours, lab.data.task === "regression" ? lab.data.range : [0, 1]);
    // The inputs are the plane itself: from left to right, and from below.
    const ramps = [(/** @type {number} */ cell) => (cell % UNIT_SIDE) - (UNIT_SIDE - 1) / 2, (/** @type {number} */ cell) => (UNIT_SIDE - 1) / 2 - Math.floor(cell / UNIT_SIDE)];
    panel.graph.paint(Float32Array.from({ length: 2 * cells }, (_, at) => ramps[at < cells ? 0 : 1](at % cells)), 0, 2, colours);
  }

  function paintUnits() {
    const colours = theme();
    const { graph } = panel;
    let from = 0;
    graph.widths.slice(1, -1).forEach((width, at) => {
      const to = from + width * UNIT_SIDE ** 2;
      graph.paint(units.subarray(from, to), at + 1, width, colours);
      from = to;
    });
    paintOutputs();
    panel.draw();
  }

  function showFigures() {
    const { told, curve } = last;
    element("f-step").textContent = count(told.step);
    element("f-epoch").textContent = count(told.epoch ?? 0);
    element("f-loss").textContent = short(told.loss);
    element("f-accuracy").textContent = percent(told.accuracy);
    Object.assign(document.body.dataset, { step: told.step, accuracy: told.accuracy ?? "", device: lab.device.kind });
    drawCurve(element("loss"), curve, theme());
    if (!lab.isPlaying || gentle.due()) announce();
  }

  /** What a screen reader is told, of all pictures at once. */
  function announce() {
    const { told, curve } = last;
    const right = told.accuracy === null || told.accuracy === undefined ? "" : `, accuracy ${percent(told.accuracy)}`;
    element("status").textContent = `Step ${count(told.step)}, loss ${short(told.loss)}${right}`;
    const [x, y] = lab.data.names;
    const share = right ? ` ${percent(told.accuracy)} of the rows lie on the right side.` : "";
    element("surface").setAttribute("aria-label", `The output of the network over ${x} and ${y}, with ${lab.data.rows} points of the data.${share}`);
    element("loss").setAttribute("aria-label", tellCurve(curve));
  }

  function drawData() {
    const colours = theme();
    drawPoints(element("points"), lab.data, colours);
    const [x0, x1, y0, y1] = lab.data.bounds;
    element("x-low").textContent = short(x0);
    element("x-high").textContent = short(x1);
    element("axis-x").textContent = lab.data.names[0];
    element("axis-y").textContent = `${lab.data.names[1]} (${short(y0)} to ${short(y1)})`;
    const names = lab.data.classes.length ? lab.data.classes.map((/** @type {string} */ name) => `${lab.data.names.at(-1)} ${name}`) : lab.data.range.map((/** @type {number} */ value) => short(value));
    const marks = names.map((/** @type {string} */ name) => make("li", {}, make("canvas", { "aria-hidden": "true" }), name));
    element("classes").replaceChildren(...marks);
    marks.forEach((/** @type {Element} */ item, /** @type {number} */ kind) => drawMark(/** @type {any} */ (item.firstChild), colours, kind));
    element("accuracy").hidden = lab.data.task === "regression";
  }

  const lab = new Lab({
    opened() {
      const { device } = lab;
      element("device-note").textContent = device.kind === "gpu" ? `GPU: ${device.name || "WebGPU"}` : `Processor: the CPU twin in WebAssembly (${device.name})`;
      element("device-note").dataset.kind = device.kind;
      notice(device, element("device").value);
      const { names, classes } = lab.data;
      panel.opened(lab, names.slice(0, 2), classes.length > 2 ? classes : [names.at(-1)]);
      numbers.clear();
      for (const id of ["play", "step", "reset", "explain", "check", "save", "open"]) element(id).disabled = false;
      drawData();
      document.documentElement.dataset.ready = "";
    },
    surface(found, width) {
      [values, side] = [found, width];
      surface.paint(values, side, lab.data, theme());
      surface.draw(element("surface"));
    },
    network(found, parameters) {
      units = found;
      panel.graph.parameters = parameters;
      paintUnits();
    },
    figures(told, curve) {
      last = { told, curve };
      showFigures();
    },
    playing(is) {
      element("play").textContent = is ? "Pause" : "Train";
      element("step").disabled = is;
      if (!is && lab.data) announce();
    },
    failed: tell,
  });

  async function rebuild() {
    quiet();
    const device = element("device").value;
    const done = await lab.open(data, { ...panel.settings(), device }, panel.layers());
    if (done || device !== "gpu") return;
    // The message stays; without a network the page would be of no use.
    element("device").value = "auto";
    await lab.open(data, { ...panel.settings(), device: "auto" }, panel.layers());
  }

  const panel = networkPanel(catalogue, {
    rebuild,
    rate: (rate) => {
      quiet();
      lab.ask((network) => network.set_learning_rate(rate));
    },
    layer(layer) {
      panel.select(layer);
      numbers.show();
    },
  });
  const numbers = numbersPanel(lab, panel, tell, quiet);

  element("play").addEventListener("click", () => (lab.isPlaying ? lab.pause() : (quiet(), lab.play())));
  element("step").addEventListener("click", async () => {
    quiet();
    await lab.step();
    await numbers.refresh();
  });
  element("reset").addEventListener("click", () => {
    lab.pause();
    rebuild();
  });
  element("speed").addEventListener("change", () => (lab.fixed = Number(element("speed").value) || undefined));
  element("device").addEventListener("change", rebuild);
  element("alert-close").addEventListener("click", quiet);
  element("save").addEventListener("click", async () => {
    const bytes = await lab.ask((network) => network.save());
    if (!bytes) return;
    const url = URL.createObjectURL(new Blob([bytes]));
    make("a", { href: url, download: "model.safetensors" }).click();
    URL.revokeObjectURL(url);
    element("file-about").textContent = `model.safetensors: ${count(bytes.length)} bytes, at step ${count(lab.progress.step)}`;
  });
  element("open").addEventListener("change", async () => {
    const [file] = element("open").files;
    if (!file) return;
    quiet();
    lab.pause();
    const bytes = new Uint8Array(await file.arrayBuffer());
    element("open").value = ""; // the same file may be opened again
    if (await lab.load(bytes, file.name, data, element("device").value)) element("file-about").textContent = `${file.name} is open: ${lab.widths().join("-")}`;
  });

  const sets = dataPanel(
    catalogue.data,
    (found) => {
      data = found;
      rebuild();
    },
    tell,
  );
  const redraw = () => {
    sets.draw();
    if (!lab.network) return;
    drawData();
    surface.paint(values, side, lab.data, theme());
    surface.draw(element("surface"));
    paintUnits();
    drawCurve(element("loss"), last.curve, theme());
  };
  onThemeChange(redraw);
  new ResizeObserver(redraw).observe(document.body);
  sets.draw();
  sets.choose();
  if (isStill()) element("speed").title = "As your system asks for less motion, pictures change about twice a second.";
}

main().catch((error) => {
  element("device-note").textContent = "The engine could not be loaded.";
  tell(error);
});
