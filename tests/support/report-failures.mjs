// Prints the Workers' log for each test that fails. Imported by tests for this effect.

import { afterEach, beforeEach } from "node:test";
import { running } from "./worker.mjs";

// The end of a log is the most relevant part.
const MAX_LINES = 30;

const before = new WeakMap();

beforeEach(() => running.forEach((worker) => before.set(worker, worker.raw())));

afterEach((test) => {
  if (test.passed !== false) return;
  for (const worker of running) {
    const printed = worker.raw();
    const earlier = before.get(worker) ?? "";
    const news = printed.startsWith(earlier) ? printed.slice(earlier.length) : printed;
    const lines = news.trim().split("\n").slice(-MAX_LINES).join("\n");
    console.error(`\n--- ${test.fullName}: log of the Worker at ${worker.origin}\n${lines}\n---`);
  }
});
