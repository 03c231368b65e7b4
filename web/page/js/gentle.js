/**
 * Tells things at most so often. In: texts, and a clock. Out: the texts that are due.
 */
export class Gentle {
  /**
   * @param {() => number} now a clock in milliseconds
   * @param {number} pause milliseconds between two of them
   */
  constructor(now, pause) {
    this.now = now;
    this.pause = pause;
    this.last = -Infinity;
  }

  /** Whether another is due; if so, the pause begins again. */
  due() {
    const now = this.now();
    if (now - this.last < this.pause) return false;
    this.last = now;
    return true;
  }
}
