import assert from "node:assert/strict";
import { test } from "node:test";
import { Pace } from "../page/js/pace.js";

/** A device with a clock of its own: a call and each step take their time, and so does drawing. */
function run({ call, step, draw, frames, pace: limits, stall }) {
  let clock = 0;
  const pace = new Pace(() => clock, limits);
  const counts = [];
  const lengths = [];
  for (let frame = 0; frame < frames; frame++) {
    const began = clock;
    const { steps } = pace;
    pace.begin();
    clock += call + step * steps + (frame === stall ? 500 : 0);
    pace.trained(steps);
    clock += draw;
    pace.drawn();
    counts.push(steps);
    lengths.push(clock - began);
  }
  return { counts, lengths };
}

test("training takes what drawing leaves of a frame", () => {
  const { counts, lengths } = run({ call: 0, step: 0.1, draw: 6, frames: 60, pace: { frame: 16 } });
  // 10 ms are left, which are 100 steps; the mean of the drawing comes near to 6 ms from below.
  assert.deepEqual(counts.slice(0, 8), [1, 2, 4, 8, 16, 32, 64, 104]);
  assert.deepEqual(new Set(counts.slice(-10)), new Set([100]));
  assert.ok(lengths.at(-1) <= 16.001, `${lengths.at(-1)}`);
});

test("what a call costs by itself does not keep the steps few", () => {
  const { counts, lengths } = run({ call: 4, step: 0.05, draw: 2, frames: 200, pace: { frame: 16 } });
  assert.equal(counts[0], 1);
  // (16 - 2 - 4) / 0.05 are 200.
  assert.ok(counts.at(-1) > 180 && counts.at(-1) <= 200, `${counts.at(-1)}`);
  assert.ok(lengths.at(-1) <= 16.001, `${lengths.at(-1)}`);
});

test("a step longer than a frame is one step a frame", () => {
  const { counts } = run({ call: 0, step: 40, draw: 5, frames: 20, pace: { frame: 16 } });
  assert.deepEqual(new Set(counts), new Set([1]));
});

test("drawing longer than a frame leaves training a quarter of one", () => {
  const { counts } = run({ call: 0, step: 1, draw: 90, frames: 50, pace: { frame: 16 } });
  assert.equal(counts.at(-1), 4);
});

test("a stall costs one frame, and is made up for", () => {
  const { counts } = run({ call: 0, step: 0.1, draw: 1, frames: 90, pace: { frame: 16 }, stall: 30 });
  assert.ok(counts[30] >= 140 && counts[31] < 5, `${counts[30]}, ${counts[31]}`);
  assert.ok(counts.at(-1) >= 140, `${counts.at(-1)}`);
});

test("steps have a limit, and a clock that stands still does no harm", () => {
  const { counts } = run({ call: 0, step: 0, draw: 0, frames: 40, pace: { frame: 16, most: 300 } });
  assert.equal(counts.at(-1), 300);
  assert.ok(counts.every((steps) => Number.isInteger(steps) && steps >= 1));
});

test("another network begins with one step", () => {
  let clock = 0;
  const pace = new Pace(() => clock);
  for (let frame = 0; frame < 5; frame++) {
    pace.begin();
    clock += 0.1;
    pace.trained(pace.steps);
    pace.drawn();
  }
  assert.ok(pace.steps > 1);
  pace.restart();
  assert.equal(pace.steps, 1);
});
