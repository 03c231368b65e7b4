/**
 * How many steps of training fit into a frame beside its drawing.
 *
 * In: a clock, and what was done when. Out: a number of steps. It knows no network and no browser.
 */

/** The part of a frame that is training's, however long the drawing takes. */
const LEAST_SHARE = 0.25;
/** How much of a new measurement is taken over. */
const WEIGHT = 0.3;
/** What a clock that shows no time at all is taken to have missed, in milliseconds. */
const FINEST = 0.02;

export class Pace {
  /**
   * @param {() => number} now a clock in milliseconds
   * @param {{frame?: number, most?: number}} [limits] a frame's milliseconds, and the most steps of one
   */
  constructor(now, { frame = 1000 / 60, most = 2000 } = {}) {
    this.now = now;
    this.frame = frame;
    this.most = most;
    this.restart();
  }

  /** Forgets what was measured: another network, or another device. */
  restart() {
    this.steps = 1;
    /** @type {number | undefined} milliseconds of a step */
    this.step = undefined;
    this.drawing = 0;
    this.begin();
  }

  /** A part of the frame begins. */
  begin() {
    this.began = this.now();
  }

  /** So many steps are done since `begin`; what follows is drawing. */
  trained(/** @type {number} */ steps) {
    const taken = Math.max(this.now() - this.began, FINEST) / steps;
    // A slower step counts at once, so that a frame that was too long is the only one.
    this.step = this.step === undefined || taken > 2 * this.step ? taken : mix(this.step, taken);
    this.begin();
  }

  /** All is drawn since `trained`. */
  drawn() {
    this.drawing = mix(this.drawing, this.now() - this.began);
    const left = Math.max(this.frame - this.drawing, LEAST_SHARE * this.frame);
    const fit = Math.floor(left / (this.step ?? left));
    // Part of a call's time does not depend on its steps, so more of them may cost less each: double, and look again.
    this.steps = Math.max(1, Math.min(fit, 2 * this.steps, this.most));
    this.begin();
  }
}

const mix = (/** @type {number} */ old, /** @type {number} */ found) => old + WEIGHT * (found - old);
