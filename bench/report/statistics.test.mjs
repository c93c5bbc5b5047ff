import assert from "node:assert/strict";
import { test } from "node:test";
import { ratioOf, spreadOf } from "./statistics.mjs";

test("a median is the middle value, or the mean of the two in the middle", () => {
  assert.deepEqual(spreadOf([3, 1, 10]), { median: 3, min: 1, max: 10 });
  assert.deepEqual(spreadOf([4, 1, 2, 10]), { median: 3, min: 1, max: 10 });
});

test("a missing value has no median", () => {
  assert.equal(spreadOf([]), undefined);
  assert.equal(spreadOf([1, undefined]), undefined);
  assert.equal(ratioOf([1], []), undefined);
});

test("a ratio is that of the medians; its spread is that of rounds with the same number", () => {
  // In the second round the machine was slow for both, which does not widen the spread.
  assert.deepEqual(ratioOf([10, 4, 12], [5, 2, 4]), { median: 2.5, min: 2, max: 3 });
});
