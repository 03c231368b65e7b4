import assert from "node:assert/strict";
import { test } from "node:test";
import { count, percent, short } from "../page/js/format.js";
import { Gentle } from "../page/js/gentle.js";
import { Grain } from "../page/js/grain.js";
import { History, ticks } from "../page/js/history.js";
import { MOST_LAYERS, MOST_UNITS, add, change, places, remove, text, widen } from "../page/js/layers.js";
import { between, colour, greatest, paint, paintClasses, ramp } from "../page/js/palette.js";
import { at, lines, place } from "../page/js/placing.js";

test("layers are added, removed and changed, and the old list stays", () => {
  const layers = [{ units: 4, activation: "tanh" }];
  const two = add(layers, "relu");
  assert.deepEqual([layers.length, text(two)], [1, "4:tanh,4:tanh"]);
  assert.equal(text(remove(two, 0)), "4:tanh");
  assert.equal(text(remove(layers, 0)), "none");
  assert.equal(text(add([], "relu")), "8:relu");
  assert.equal(text(widen(two, 1, 7.4)), "4:tanh,7:tanh");
  assert.equal(widen(two, 0, 0)[0].units, 1);
  assert.equal(widen(two, 0, Number.NaN)[0].units, 1);
  assert.equal(widen(two, 0, 1e9)[0].units, MOST_UNITS);
  assert.equal(widen([{ units: 300, activation: "relu" }], 0, 299)[0].units, 299);
  assert.equal(text(change(two, 0, { activation: "relu" })), "4:relu,4:tanh");
  let many = layers;
  for (let i = 0; i < 20; i++) many = add(many, "relu");
  assert.equal(many.length, MOST_LAYERS);
});

test("parameters lie as the library has them", () => {
  const [first, second] = places([2, 3, 1]);
  assert.deepEqual(first, { inputs: 2, outputs: 3, weights: 0, biases: 6 });
  assert.deepEqual(second, { inputs: 3, outputs: 1, weights: 9, biases: 12 });
});

test("a history keeps few points, in order, with the mean of what they stand for", () => {
  const history = new History(8);
  for (let step = 1; step <= 1000; step++) history.add(step, step);
  history.add(1001, Number.NaN);
  const curve = history.curve();
  assert.ok(curve.length <= 9, `${curve.length}`);
  assert.ok(curve.every(([step], i) => i === 0 || step > curve[i - 1][0]));
  assert.equal(curve.at(-1)[0], 1000);
  const [step, loss] = curve[0];
  assert.equal(loss, (1 + step) / 2);
  history.clear();
  assert.deepEqual(history.curve(), []);
});

test("ticks are round and reach the greatest", () => {
  assert.deepEqual(ticks(0.7), [0, 0.2, 0.4, 0.6, 0.8]);
  assert.deepEqual(ticks(1), [0, 0.5, 1]);
  assert.deepEqual(ticks(37), [0, 10, 20, 30, 40]);
  assert.deepEqual(ticks(0), [0, 1]);
  for (const value of [1e-9, 0.003, 0.69, 5, 123456]) {
    const found = ticks(value);
    assert.ok(found.length <= 6 && found.at(-1) >= value * (1 - 1e-9), `${value}: ${found}`);
  }
});

test("numbers are written with the digits that count", () => {
  assert.deepEqual([0, 1.23456, -0.5, 1e-5, -2.5e7].map(short), ["0", "1.235", "−0.5000", "1.00e−5", "−2.50e7"]);
  assert.deepEqual([undefined, null, Number.NaN, Infinity].map(short), ["–", "–", "–", "∞"]);
  assert.deepEqual([count(1234567), percent(0.9876), percent(null)], ["1,234,567", "98.8 %", "–"]);
});

test("a ramp goes from low by the middle to high", () => {
  const table = ramp([0, 0, 255], [255, 255, 255], [255, 0, 0]);
  const pixels = new Uint8ClampedArray(4 * 6);
  paint([9, -1, 0, 1, 5, Number.NaN, -5], 1, -1, 1, table, pixels);
  const at = (i) => [...pixels.slice(4 * i, 4 * i + 4)];
  assert.deepEqual(at(0), [0, 0, 255, 255]);
  assert.deepEqual(at(1), [255, 255, 255, 255]);
  assert.deepEqual(at(2), [255, 0, 0, 255]);
  assert.deepEqual(at(3), [255, 0, 0, 255], "beyond the end");
  assert.deepEqual(at(4), [0, 0, 255, 255], "no number");
  paint([3, 3], 0, 0, 0, table, pixels.subarray(0, 8));
  assert.deepEqual(at(0), [255, 255, 255, 255], "no range");
  assert.deepEqual(colour("#0a10ff"), [10, 16, 255]);
  assert.deepEqual(between([0, 0, 0], [10, 20, 30], 0.5), [5, 10, 15]);
  assert.equal(greatest([1, -9, 3], 2), 3);
});

test("classes are mixed with paper by how likely they are", () => {
  const pixels = new Uint8ClampedArray(8);
  paintClasses([1 / 3, 1 / 3, 1 / 3, 0, 1, 0], [[1, 2, 3], [10, 20, 30], [7, 8, 9]], [200, 200, 200], pixels);
  assert.deepEqual([...pixels], [200, 200, 200, 255, 10, 20, 30, 255]);
});

test("units have squares that do not overlap, and are found again", () => {
  for (const widths of [[2, 25, 50, 50, 25, 1], [2, 1], [2, 64, 64, 64, 64, 64, 64, 3]]) {
    const [width, height] = [600, 480];
    const squares = place(widths, width, height);
    assert.deepEqual(squares.map((column) => column.length), widths);
    for (const column of squares) {
      for (const [i, square] of column.entries()) {
        assert.ok(square.x >= 0 && square.y >= -0.001 && square.y + square.size <= height + 0.001);
        assert.ok(i === 0 || column[i - 1].y + column[i - 1].size < square.y);
        assert.equal(at(squares, width, square.x + square.size / 2, square.y + square.size / 2), square);
      }
    }
    assert.equal(at(squares, width, -5, 10), undefined);
  }
});

test("few weights have all their lines, many only those that count", () => {
  assert.deepEqual(lines([9, 1, -2, 0, 4], { inputs: 2, outputs: 2, weights: 1 }), [[0, 0, 0.25], [0, 1, -0.5], [1, 1, 1]]);
  assert.deepEqual(lines([0, 0], { inputs: 2, outputs: 1, weights: 0 }), []);
  const many = Float32Array.from({ length: 2500 }, (_, i) => i / 2500);
  const found = lines(many, { inputs: 50, outputs: 50, weights: 0 });
  assert.ok(found.length > 1000 && found.length < 2000, `${found.length}`);
});

test("what is told gently has its pauses", () => {
  let clock = 0;
  const gentle = new Gentle(() => clock, 5);
  const due = [];
  for (clock = 0; clock < 12; clock++) due.push(gentle.due());
  assert.deepEqual(due.flatMap((is, i) => (is ? [i] : [])), [0, 5, 10]);
});

test("a picture is as fine as its time allows", () => {
  let clock = 0;
  const run = (milliseconds, times, side) => {
    const grain = new Grain(() => clock, [24, 32, 48, 64, 96], 16);
    const sides = [];
    for (let i = 0; i < times; i++) {
      sides.push(grain.side);
      grain.begin();
      clock += milliseconds * (grain.side / 96) ** 2;
      grain.drawn();
    }
    assert.ok(sides.slice(-5).every((found) => found === side), `${milliseconds}: ${sides}`);
    assert.equal(grain.finest, 96);
    return grain;
  };
  assert.equal(run(0.5, 40, 96).side, 96);
  assert.equal(run(200, 40, 24).side, 24);
  // 20 ms for the finest: 8.9 ms at 64 are too many, 5 ms at 48 are not, and not so few that a finer one would do.
  const grain = run(20, 60, 48);
  grain.restart();
  assert.equal(grain.side, 48);
});
