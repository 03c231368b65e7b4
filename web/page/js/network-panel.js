/** The panel of the network: its layers, put together by clicks, its settings, and the unit that is looked at. */

import { short } from "./format.js";
import { Graph } from "./graph.js";
import { MOST_LAYERS, MOST_UNITS, add, change, remove, text, widen } from "./layers.js";
import { UNIT_SIDE } from "./lab.js";
import { make } from "./tables.js";
import { sharp, theme } from "./theme.js";

const element = (/** @type {string} */ id) => /** @type {any} */ (document.getElementById(id));

/** @param {any} catalogue */
function presets({ initial }) {
  const hidden = (/** @type {number[]} */ widths, activation = "relu") => widths.map((units) => ({ units, activation }));
  return [
    { name: "the article's network: 25, 50, 50, 25", layers: hidden([25, 50, 50, 25]), settings: initial },
    {
      name: "the article's run: plain gradient descent",
      layers: hidden([25, 50, 50, 25]),
      settings: { ...initial, init: "article", optimizer: "sgd", learning_rate: 0.01, batch: "full", seed: 1105 },
    },
    { name: "small: 8, 8 by tanh", layers: hidden([8, 8], "tanh"), settings: { ...initial, learning_rate: 0.01 } },
    { name: "deep: six layers of 10", layers: hidden([10, 10, 10, 10, 10, 10]), settings: initial },
    { name: "no hidden layer", layers: [], settings: { ...initial, learning_rate: 0.01 } },
  ];
}

/**
 * @param {any} catalogue
 * @param {{rebuild: () => void, rate: (rate: number) => void, layer: (layer: number) => void}} on what a change asks for
 */
export function networkPanel(catalogue, on) {
  const all = presets(catalogue);
  const graph = new Graph(element("graph"), UNIT_SIDE);
  /** @type {import("./layers.js").Layer[]} */
  let layers = [];
  let settings = { ...catalogue.initial };
  /** Names of the inputs and of the outputs. */
  let [inputs, outputs] = [["x0", "x1"], ["output"]];
  let selected = 1;

  const options = (/** @type {string[]} */ names) => names.map((name) => make("option", { value: name }, name));
  element("optimizer").append(...options(catalogue.optimizers));
  element("init").append(...options(catalogue.inits));
  element("preset").append(...all.map(({ name }, at) => make("option", { value: `${at}` }, name)), make("option", { value: "own" }, "what is put together here"));

  function show() {
    element("rate").value = settings.learning_rate;
    element("optimizer").value = settings.optimizer;
    element("init").value = settings.init;
    element("seed").value = settings.seed;
    const batch = element("batch");
    const rows = `${settings.batch}`;
    if (![...batch.options].some((option) => option.value === rows)) batch.append(make("option", { value: rows }, rows));
    batch.value = rows;
    showLayers();
  }

  const title = (/** @type {number} */ layer) => (layer === 0 ? "Inputs" : layer > layers.length ? "Output" : `Hidden ${layer}`);

  /** The controls of all layers; the one that has the focus keeps it. */
  function showLayers() {
    const focused = document.activeElement?.id;
    const items = layers.map((layer, at) => {
      const name = `hidden layer ${at + 1}`;
      const resize = (/** @type {number} */ units) => edit(widen(layers, at, units));
      const width = make("input", { type: "number", id: `width-${at}`, min: "1", max: `${MOST_UNITS}`, value: `${layer.units}`, inputMode: "numeric", "aria-label": `Units of ${name}` });
      width.addEventListener("change", () => resize(width.valueAsNumber));
      const less = make("button", { type: "button", id: `less-${at}`, "aria-label": `One unit less in ${name}`, onclick: () => resize(layers[at].units - 1) }, "−");
      const more = make("button", { type: "button", id: `more-${at}`, "aria-label": `One unit more in ${name}`, onclick: () => resize(layers[at].units + 1) }, "+");
      const activation = make("select", { id: `activation-${at}`, "aria-label": `Activation of ${name}` }, ...options(catalogue.activations));
      activation.value = layer.activation;
      activation.addEventListener("change", () => edit(change(layers, at, { activation: activation.value })));
      const gone = make("button", { type: "button", id: `remove-${at}`, className: "remove", "aria-label": `Remove ${name}`, onclick: () => edit(remove(layers, at)) }, "×", make("span", {}, " remove"));
      return make("li", {}, select(at + 1), make("div", { className: "width" }, less, width, more), activation, gone);
    });
    element("layers").replaceChildren(make("li", {}, make("span", { className: "fixed" }, "Inputs")), ...items, make("li", {}, select(layers.length + 1)));
    element("add").disabled = layers.length >= MOST_LAYERS;
    if (focused) (document.getElementById(focused) ?? element("add")).focus();
  }

  /** The button by which a layer is looked at in numbers. @param {number} layer */
  function select(layer) {
    return make("button", { type: "button", id: `layer-${layer}`, className: "name", title: "Show this layer's numbers", "aria-pressed": `${layer === selected}`, onclick: () => on.layer(layer) }, title(layer));
  }

  /** @param {typeof layers} found */
  function edit(found) {
    layers = found;
    element("preset").value = "own";
    showLayers();
    on.rebuild();
  }

  function use(/** @type {number} */ at) {
    element("preset").value = `${at}`;
    layers = all[at].layers;
    settings = { ...all[at].settings };
    show();
  }

  element("preset").addEventListener("change", () => {
    if (element("preset").value === "own") return;
    use(Number(element("preset").value));
    on.rebuild();
  });
  element("add").addEventListener("click", () => edit(add(layers, settings.activation)));
  element("rate").addEventListener("change", () => {
    settings.learning_rate = element("rate").valueAsNumber || 0;
    on.rate(settings.learning_rate);
  });
  const setting = (/** @type {string} */ id, /** @type {(value: string) => void} */ set) =>
    element(id).addEventListener("change", () => {
      set(element(id).value);
      on.rebuild();
    });
  setting("optimizer", (value) => {
    settings.optimizer = value;
    settings.learning_rate = catalogue.learning_rates[value];
    element("rate").value = settings.learning_rate;
  });
  setting("init", (value) => (settings.init = value));
  setting("seed", (value) => (settings.seed = Math.max(0, Math.round(Number(value)) || 0)));
  setting("batch", (value) => (settings.batch = Number(value) || value));

  /** Looks at a unit. @param {number} layer @param {number} unit */
  function look(layer, unit) {
    const most = graph.widths[layer] ?? 1;
    graph.chosen = { layer, unit: Math.max(0, Math.min(unit, most - 1)) };
    element("unit-layer").value = `${layer}`;
    element("unit-number").max = `${most}`;
    element("unit-number").value = `${graph.chosen.unit + 1}`;
    draw();
  }

  /** @param {number} layer @param {number} unit */
  const unitName = (layer, unit) => {
    if (layer === 0) return inputs[unit] ?? `input ${unit + 1}`;
    if (layer > layers.length) return outputs[unit] ?? `output ${unit + 1}`;
    return `unit ${unit + 1}`;
  };

  function drawUnit() {
    const { layer, unit } = graph.chosen ?? { layer: 1, unit: 0 };
    const { context, width, height } = sharp(element("unit-picture"));
    if (graph.units) context.drawImage(graph.atlas, ...graph.part(layer, unit), 0, 0, width, height);
    const found = graph.incoming(layer, unit);
    const name = `${title(layer)}, ${unitName(layer, unit)}`;
    const weights = found?.weights.map(([input, weight]) => `${unitName(layer - 1, input)} ${short(weight)}`).join(", ");
    const said = found ? `${name}: bias ${short(found.bias)}; largest weights from ${weights}.` : `${name}: what the network is given, standardised.`;
    element("unit-text").textContent = said;
    element("unit-picture").setAttribute("aria-label", `What ${name} makes of the plane`);
  }

  const canvas = graph.canvas;
  const under = (/** @type {MouseEvent} */ event) => {
    const box = canvas.getBoundingClientRect();
    return graph.find(event.clientX - box.left, event.clientY - box.top);
  };
  canvas.addEventListener("pointermove", (event) => {
    const found = under(event);
    if (found && (found.layer !== graph.chosen?.layer || found.unit !== graph.chosen.unit)) look(found.layer, found.unit);
  });
  canvas.addEventListener("click", (event) => {
    const found = under(event);
    if (!found) return;
    look(found.layer, found.unit);
    if (found.layer > 0) on.layer(found.layer);
  });
  element("unit-layer").addEventListener("change", () => look(Number(element("unit-layer").value), 0));
  element("unit-number").addEventListener("change", () => look(graph.chosen?.layer ?? 1, (element("unit-number").valueAsNumber || 1) - 1));

  function draw() {
    if (!graph.units) return;
    graph.draw(theme());
    drawUnit();
  }

  use(0);
  return {
    graph,
    draw,
    layers: () => layers,
    settings: () => settings,
    /** Another network is open: its shape, and the names of its ends. */
    opened(/** @type {any} */ lab, /** @type {string[]} */ named, /** @type {string[]} */ outcomes) {
      [inputs, outputs] = [named, outcomes];
      const hidden = lab.layers.slice(0, -1).map((/** @type {any} */ layer) => ({ units: layer.outputs, activation: layer.activation }));
      if (text(hidden) !== text(layers)) {
        layers = hidden;
        element("preset").value = "own";
        showLayers();
      }
      const widths = lab.widths();
      graph.shape(widths);
      const titles = widths.map((/** @type {number} */ _, /** @type {number} */ at) => make("option", { value: `${at}` }, title(at)));
      element("unit-layer").replaceChildren(...titles);
      element("explain-layer").replaceChildren(...titles.slice(1).map((option) => option.cloneNode(true)));
      look(Math.min(1, layers.length + 1), 0);
      this.select(Math.min(selected, widths.length - 1));
      canvas.setAttribute("aria-label", `The network: ${widths.join(", ")} units from inputs to output. Below, the picture of one unit can be chosen.`);
    },
    /** @param {number} layer */
    select(layer) {
      selected = layer;
      element("explain-layer").value = `${layer}`;
      for (const button of document.querySelectorAll(".layers .name")) button.setAttribute("aria-pressed", `${button.id === `layer-${layer}`}`);
    },
    selected: () => selected,
    title,
  };
}
