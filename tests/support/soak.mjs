// A soak: many mixed requests to running Workers, with all answers checked and memory watched.

import { HOSTILE } from "./soak-hostile.mjs";
import { randomFor } from "./soak-random.mjs";
import { VALID } from "./soak-valid.mjs";
import { startWorld } from "./soak-world.mjs";

const KINDS = Object.entries({ ...VALID, ...HOSTILE });
const TOTAL_WEIGHT = KINDS.reduce((sum, [, { weight }]) => sum + weight, 0);
const MAX_FINDINGS = 20;
const SAMPLES = 50;

/**
 * @typedef {object} Report
 * @property {Record<string, Record<string, number>>} counts  answers by kind of request and status
 * @property {string[]} wrong  what is wrong with answers, at most 20
 * @property {number} wrongTotal
 * @property {string[]} crashes
 * @property {Record<string, {resident: Memory, wasm: Memory}>} memory  of each Worker
 * @property {string[]} events  what happened meanwhile
 * @property {number} seconds
 *
 * @typedef {{first: number, last: number, most: number, tenths: number[]}} Memory
 *   bytes: the mean of the first tenth and of the last tenth, the maximum, and the means of all tenths
 */

/**
 * Runs a soak.
 * @param {object} options
 * @param {number} options.seed  decides what is requested, in which order
 * @param {number} options.requests
 * @param {number} [options.atOnce]
 * @param {Record<number, (world: object) => Promise<string>>} [options.events]  what happens at which request, beside them
 * @param {(done: number) => void} [options.onProgress]
 * @returns {Promise<Report>}
 */
export async function soak({ seed, requests, atOnce = 32, events = {}, onProgress = () => {} }) {
  const world = await startWorld();
  const counts = {};
  const wrong = [];
  const happened = [];
  const running = [];
  const started = Date.now();
  let wrongTotal = 0;
  let next = 0;

  async function one(number) {
    const random = randomFor(seed, number);
    const [name, { run }] = kindAt(random.below(TOTAL_WEIGHT));
    const result = await run({ number, random, world }).catch((error) => ({ status: "error", wrong: error.message }));
    counts[name] ??= {};
    counts[name][result.status] = (counts[name][result.status] ?? 0) + 1;
    if (result.wrong === undefined) return;
    wrongTotal += 1;
    if (wrong.length < MAX_FINDINGS) wrong.push(`request ${number}, ${name}: ${result.status}, ${result.wrong}`);
  }

  async function client() {
    while (next < requests) {
      const number = next;
      next += 1;
      const event = events[number];
      if (event) running.push(event(world).then((text) => happened.push(text), (error) => wrong.push(`event: ${error.message}`)));
      if (number % Math.ceil(requests / SAMPLES) === 0) {
        await sample();
        onProgress(number);
      }
      await one(number);
    }
  }

  async function sample() {
    world.forgetOldNotes();
    await Promise.all(Object.values(world.monitors).map((monitor) => monitor.sample()));
  }

  try {
    await Promise.all(Array.from({ length: atOnce }, client));
    await Promise.all(running);
    await sample();
    const monitors = Object.entries(world.monitors);
    return {
      counts,
      wrong,
      wrongTotal: Math.max(wrongTotal, wrong.length),
      crashes: monitors.flatMap(([name, { crashes }]) => crashes.map((crash) => `${name}: ${crash}`)),
      memory: Object.fromEntries(monitors.map(([name, { samples }]) => [name, memoryOf(samples)])),
      events: happened,
      seconds: (Date.now() - started) / 1000,
    };
  } finally {
    await world.stop();
  }
}

function kindAt(position) {
  let rest = position;
  return KINDS.find(([, { weight }]) => (rest -= weight) < 0);
}

// The very first sample is of a Worker that has not loaded its code yet.
function memoryOf([, ...samples]) {
  const mean = (list) => list.reduce((sum, value) => sum + value, 0) / list.length;
  const of = (name) => {
    const values = samples.map((sample) => sample[name]).filter((value) => value !== undefined);
    const at = (tenth) => Math.floor((values.length * tenth) / 10);
    const tenths = Array.from({ length: 10 }, (_, tenth) => mean(values.slice(at(tenth), at(tenth + 1))));
    return { first: tenths[0], last: tenths[9], most: Math.max(...values), tenths };
  };
  return { resident: of("resident"), wasm: of("wasm") };
}

/** The report as text: a table of answers, memory, and everything that is wrong. @param {Report} report */
export function describeReport(report) {
  const mebibytes = (bytes) => (bytes / 1024 / 1024).toFixed(1);
  const answers = Object.entries(report.counts).sort().map(([name, statuses]) => {
    const list = Object.entries(statuses).map(([status, count]) => `${status} × ${count.toLocaleString("en")}`);
    return `  ${name.padEnd(36)} ${list.join(", ")}`;
  });
  const memory = Object.entries(report.memory).flatMap(([name, kinds]) =>
    Object.entries(kinds).map(([kind, { tenths, most }]) =>
      `  ${`${name}, ${kind}`.padEnd(36)} ${tenths.map(mebibytes).join(" ")}, at most ${mebibytes(most)} MiB`));
  return [
    "answers by kind of request and status", ...answers,
    "memory, the mean of each tenth of the run in MiB", ...memory,
    ...(report.events.length > 0 ? ["meanwhile", ...report.events.map((event) => `  ${event}`)] : []),
    `crashes: ${report.crashes.length || "none"}`, ...report.crashes.map((crash) => `  ${crash}`),
    `wrong answers: ${report.wrongTotal || "none"}`, ...report.wrong.map((text) => `  ${text}`),
    `in ${report.seconds.toFixed(0)} s`,
  ].join("\n");
}

/** The seed of this run: `SEED`, or another one each time. */
export function seedOf(environment) {
  return environment === undefined || environment === "" ? Math.floor(Math.random() * 2 ** 31) : Number(environment);
}
