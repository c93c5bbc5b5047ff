// A soak: many mixed requests to running Workers, with all answers checked and memory watched.

import { HOSTILE } from "./soak-hostile.mjs";
import { randomFor } from "./soak-random.mjs";
import { VALID } from "./soak-valid.mjs";
import { MEASURES_RESIDENT, startWorld } from "./soak-world.mjs";

const KINDS = Object.entries({ ...VALID, ...HOSTILE });
const TOTAL_WEIGHT = KINDS.reduce((sum, [, { weight }]) => sum + weight, 0);
const MAX_FINDINGS = 20;
const SAMPLES = 50;
// No answer takes as long, and no event: that of the provider's outage waits for a minute, that of new keys for four.
const PATIENCE_MS = 60_000;
const EVENT_PATIENCE_MS = 600_000;
// Many runs of a kind of request without any of its answers that say most.
const MANY_RUNS = 50;
const MEBIBYTE = 1024 * 1024;
/** How much more memory a Worker may use at the end than in the beginning. */
const GROWTH = { resident: 192 * MEBIBYTE, wasm: 40 * MEBIBYTE };

/**
 * @typedef {object} Report
 * @property {Record<string, Record<string, number>>} counts  answers by kind of request and status
 * @property {string[]} wrong  what is wrong with answers, at most 20
 * @property {number} wrongTotal
 * @property {string[]} crashes
 * @property {Record<string, {resident?: Memory, wasm: Memory}>} memory  of each Worker; resident on Linux only
 * @property {string[]} events  what happened meanwhile
 * @property {number} seconds
 *
 * @typedef {{first: number, last: number, most: number, tenths: number[]}} Memory
 *   bytes: the mean of the first tenth and of the last tenth, the maximum, and the means of all tenths
 */

/**
 * Runs a soak. It ends early once as many requests as are sent at once got no answer.
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
  let unanswered = 0;
  let next = 0;

  async function one(number) {
    const random = randomFor(seed, number);
    const [name, { run }] = kindAt(random.below(TOTAL_WEIGHT));
    const result = await resultOf(run({ number, random, world }));
    if (result.status === "none") unanswered += 1;
    counts[name] ??= {};
    counts[name][result.status] = (counts[name][result.status] ?? 0) + 1;
    if (result.wrong === undefined) return;
    wrongTotal += 1;
    if (wrong.length < MAX_FINDINGS) wrong.push(`request ${number}, ${name}: ${result.status}, ${result.wrong}`);
  }

  async function client() {
    while (next < requests && unanswered < atOnce) {
      const number = next;
      next += 1;
      const event = events[number];
      if (event) running.push(within(EVENT_PATIENCE_MS, event(world)).then((text) => happened.push(text), (error) => wrong.push(`event: ${error.message}`)));
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
    wrong.push(...missingAnswers(counts));
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

/**
 * The result of one request: an error is wrong, and so is no answer.
 * @param {Promise<import("./soak-valid.mjs").Result>} running
 * @returns {Promise<import("./soak-valid.mjs").Result>}
 */
export function resultOf(running, patienceMs = PATIENCE_MS) {
  return within(patienceMs, running).catch((error) => {
    return { status: error instanceof Silence ? "none" : "error", wrong: error.message };
  });
}

class Silence extends Error {}

async function within(patienceMs, running) {
  let timer;
  const silence = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Silence(`no answer within ${patienceMs / 1000} s`)), patienceMs);
  });
  try {
    return await Promise.race([running, silence]);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * What is wrong if valid requests got only the answers that are right as well but say little, such as an empty list.
 * @param {Report["counts"]} counts
 * @returns {string[]}
 */
export function missingAnswers(counts) {
  return Object.entries(VALID).flatMap(([name, { wanted }]) => {
    const statuses = counts[name] ?? {};
    const runs = Object.values(statuses).reduce((sum, count) => sum + count, 0);
    return wanted === undefined || runs < MANY_RUNS || statuses[wanted] > 0 ? [] : [`${name}: none of ${runs} answers was ${wanted}`];
  });
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
  return { ...(MEASURES_RESIDENT && { resident: of("resident") }), wasm: of("wasm") };
}

/**
 * What grows, or was not measured.
 * @param {Report["memory"]} memory
 * @returns {string[]}
 */
export function growthIn(memory) {
  return Object.entries(memory).flatMap(([worker, kinds]) =>
    Object.entries(kinds)
      // Not `>`, which what was not measured never is.
      .filter(([kind, { first, last }]) => !(last - first <= GROWTH[kind]))
      .map(([kind, { tenths }]) => `${worker}, ${kind}: ${JSON.stringify(tenths)}`));
}

/** The report as text: a table of answers, memory, and everything that is wrong. @param {Report} report */
export function describeReport(report) {
  const mebibytes = (bytes) => (bytes / MEBIBYTE).toFixed(1);
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

/** The seed of this run: `SEED`, or another one each time. @throws {Error} if it is no whole number */
export function seedOf(environment) {
  return wholeNumber("SEED", environment, () => Math.floor(Math.random() * 2 ** 31));
}

/**
 * A setting that is a whole number.
 * @param {string} name
 * @param {string | undefined} text
 * @param {() => number} otherwise  its value if there is no text
 * @throws {Error} if it is something else
 */
export function wholeNumber(name, text, otherwise) {
  if (text === undefined || text === "") return otherwise();
  if (!/^\d{1,15}$/.test(text)) throw new Error(`${name} must be a whole number such as 200000, and is ${JSON.stringify(text)}`);
  return Number(text);
}
