/**
 * The network in training and its pictures: play, pause, step, and what is drawn when.
 *
 * In: data, layers and settings. Out: calls of the views that were handed in. It knows no element of the page.
 */

import { inTurn, open, openModel } from "./engine.js";
import { Gentle } from "./gentle.js";
import { Grain } from "./grain.js";
import { History } from "./history.js";
import { text } from "./layers.js";
import { Pace } from "./pace.js";
import { isStill } from "./theme.js";

/** Cells of the surface's side while it moves; at rest it has the most. */
const SIDES = [24, 32, 48, 64, 96];
/** Cells of the side of a unit's picture. */
export const UNIT_SIDE = 20;
/** Surfaces from one picture of the network to the next. */
const EACH = 3;
/** Milliseconds between pictures where the page shall not move. */
const STILL = 600;

/**
 * @typedef {object} Views
 * @property {(lab: Lab) => void} opened there is another network
 * @property {(values: Float32Array, side: number) => void} surface
 * @property {(units: Float32Array, parameters: Float32Array) => void} network
 * @property {(told: {step: number, epoch: number, loss: number, accuracy: number | null}, curve: [number, number][]) => void} figures
 * @property {(isPlaying: boolean) => void} playing
 * @property {(error: unknown) => void} failed
 */

const clock = () => performance.now();

export class Lab {
  /** @param {Views} views */
  constructor(views) {
    this.views = views;
    this.turn = inTurn();
    this.pace = new Pace(clock);
    this.grain = new Grain(clock, SIDES);
    this.still = new Gentle(clock, STILL);
    this.history = new History();
    this.isPlaying = false;
    /** @type {any} */
    this.network = undefined;
    /** @type {number | undefined} steps of a frame, where the pace does not tell */
    this.fixed = undefined;
    this.wanted = 0;
  }

  /**
   * Opens a network in the place of the last one. Of several calls in a row only the last one does.
   * @param {any} data @param {object} settings @param {import("./layers.js").Layer[]} layers
   */
  open(data, settings, layers) {
    return this.renew(() => open({ ...settings, layers: text(layers) }, data), data);
  }

  /** Opens a model's file in the place of the network. @param {Uint8Array} bytes @param {string} name the file's @param {any} data @param {string} device */
  load(bytes, name, data, device) {
    const make = () =>
      openModel(bytes, data, device).catch((/** @type {Error} */ error) => {
        // The engine has the bytes alone.
        throw new Error(error.message.replace("(in memory)", name));
      });
    return this.renew(make, data);
  }

  /** @param {() => Promise<any>} make @param {any} data @returns {Promise<boolean>} whether there is another network */
  renew(make, data) {
    const call = ++this.wanted;
    return this.safely(async () => {
      if (call !== this.wanted) return;
      const network = await make();
      this.network?.free();
      this.network = network;
      this.data = data;
      this.device = JSON.parse(network.device());
      this.layers = JSON.parse(network.layers());
      this.pace.restart();
      this.grain.restart();
      this.history.clear();
      this.pictures = 0;
      this.progress = { step: 0, epoch: 0 };
      this.views.opened(this);
      await this.picture(true);
    });
  }

  /** Widths of inputs, hidden layers and outputs. @returns {number[]} */
  widths() {
    return [this.layers[0].inputs, ...this.layers.map((/** @type {{outputs: number}} */ layer) => layer.outputs)];
  }

  /** Does what needs the network when it is free; an error stops the training and is told. @param {() => Promise<void>} work */
  async safely(work) {
    try {
      await this.turn(work);
      return true;
    } catch (error) {
      this.pause();
      this.views.failed(error);
      return false;
    }
  }

  async play() {
    if (this.isPlaying) return;
    this.isPlaying = true;
    this.views.playing(true);
    while (this.isPlaying) {
      await this.safely(() => this.frame());
      await new Promise(requestAnimationFrame);
    }
    if (this.network) await this.safely(() => this.picture(true));
  }

  pause() {
    if (!this.isPlaying) return;
    this.isPlaying = false;
    this.views.playing(false);
  }

  /** One step, and all pictures of it. */
  step() {
    return this.safely(async () => {
      this.progress = JSON.parse(await this.network.train(1));
      await this.picture(true);
    });
  }

  /** Steps as the frame leaves them time, and the picture. */
  async frame() {
    const steps = this.fixed ?? this.pace.steps;
    this.pace.begin();
    this.progress = JSON.parse(await this.network.train(steps));
    this.pace.trained(steps);
    if (!isStill() || this.still.due()) await this.picture(isStill());
    this.pace.drawn();
  }

  /** @param {boolean} all the units, too, which otherwise come with each third surface */
  async picture(all) {
    const { network, grain } = this;
    const side = all ? grain.finest : grain.side;
    grain.begin();
    this.views.surface(await network.surface(side, side), side);
    if (!all) grain.drawn();
    if (!all && this.pictures++ % EACH) return;
    const units = await network.neurons(UNIT_SIDE, UNIT_SIDE);
    this.views.network(units, await network.parameters());
    const score = JSON.parse(await network.score());
    this.history.add(this.progress.step, score.loss);
    this.views.figures({ ...this.progress, ...score }, this.history.curve());
  }

  /** What the network answers when it is free. @template T @param {(network: any) => Promise<T>} ask @returns {Promise<T | undefined>} */
  async ask(ask) {
    /** @type {T | undefined} */
    let answer;
    await this.safely(async () => {
      answer = await ask(this.network);
    });
    return answer;
  }
}
