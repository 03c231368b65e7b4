/**
 * The losses of a run for its curve, in a bounded number of points. In: a step and its loss. Out: points [step, loss] in the order of steps.
 */
export class History {
  /** @param {number} most the most points, an even number */
  constructor(most = 512) {
    this.most = most;
    this.clear();
  }

  clear() {
    /** @type {[number, number][]} */
    this.points = [];
    /** Losses that one point is the mean of. */
    this.each = 1;
    /** @type {[number, number][]} those of the point to come */
    this.pending = [];
  }

  /** @param {number} step @param {number} loss */
  add(step, loss) {
    if (!Number.isFinite(loss)) return;
    this.pending.push([step, loss]);
    if (this.pending.length < this.each) return;
    this.points.push(mean(this.pending));
    this.pending = [];
    if (this.points.length < this.most) return;
    this.each *= 2;
    this.points = this.points.flatMap((point, at) => (at % 2 ? [mean([this.points[at - 1], point])] : []));
  }

  /** All points, and the mean of what none has yet. */
  curve() {
    return this.pending.length ? [...this.points, mean(this.pending)] : this.points;
  }
}

/** @param {[number, number][]} points @returns {[number, number]} the last step and the mean loss */
function mean(points) {
  return [points[points.length - 1][0], points.reduce((sum, [, loss]) => sum + loss, 0) / points.length];
}

/**
 * Round numbers for an axis from 0: at most `count` steps of 1, 2 or 5 times a power of ten.
 * @param {number} greatest @param {number} count
 */
export function ticks(greatest, count = 4) {
  if (!(greatest > 0)) return [0, 1];
  const rough = greatest / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5].find((factor) => factor * power >= rough * (1 - 1e-9)) ?? 10);
  return Array.from({ length: Math.ceil(greatest / step - 1e-9) + 1 }, (_, at) => +(at * step).toPrecision(12));
}
