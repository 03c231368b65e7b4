/**
 * How fine a picture is while it moves: as fine as its time allows. In: a clock, and what was drawn when. Out: a number of cells. It draws nothing.
 */

/** Parts of a frame that a picture may take: beyond the first it becomes coarser, below the second finer. */
const [MOST, LEAST] = [0.5, 0.15];
/** How much of a new measurement is taken over. */
const WEIGHT = 0.3;

export class Grain {
  /**
   * @param {() => number} now a clock in milliseconds
   * @param {number[]} sides cells of a side, from coarse to fine
   * @param {number} frame a frame's milliseconds
   */
  constructor(now, sides, frame = 1000 / 60) {
    this.now = now;
    this.sides = sides;
    this.frame = frame;
    this.restart();
  }

  /** Another network: begins in the middle. */
  restart() {
    this.at = Math.floor((this.sides.length - 1) / 2);
    this.taken = (this.frame * (MOST + LEAST)) / 2;
    this.begin();
  }

  get side() {
    return this.sides[this.at];
  }

  get finest() {
    return this.sides[this.sides.length - 1];
  }

  begin() {
    this.began = this.now();
  }

  /** A picture is there since `begin`. */
  drawn() {
    this.taken += WEIGHT * (this.now() - this.began - this.taken);
    const move = this.taken > MOST * this.frame ? -1 : this.taken < LEAST * this.frame ? 1 : 0;
    const at = Math.max(0, Math.min(this.sides.length - 1, this.at + move));
    // What it will take goes with its cells, so that one slow picture is not counted twice.
    if (at !== this.at) this.taken *= (this.sides[at] / this.side) ** 2;
    this.at = at;
  }
}
