// Imported by tests for its effect: when one fails, what the Workers have printed during it is shown.

import { afterEach, beforeEach } from "node:test";
import { running } from "./worker.mjs";

// The end of a long log tells most.
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
