// The load generator, wrk: a program of its own, so that what it costs is not charged to a Worker.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { createInterface } from "node:readline";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";

const SCRIPT = fileURLToPath(new URL("./load.lua", import.meta.url));

// Longer than any answer takes, also where a whole turn of tokens is being verified before it.
const TIMEOUT_SECONDS = 20;

/**
 * @typedef {object} Shot
 * @property {number} requests       answered
 * @property {number} perSecond
 * @property {number} p50            milliseconds from sending a request to having its answer; likewise
 * @property {number} p95
 * @property {number} p99
 */

/**
 * Sends a request again and again, over a few connections that are kept open, each as soon as the one before it has
 * been answered.
 * @param {object} options
 * @param {string} options.origin
 * @param {{before: string, after: string}} options.request  as it is on the wire, up to the token and after it
 * @param {{file: string, first: number, last: number, isOnce: boolean}} [options.tokens]
 *   which lines of the file, counted from 1; with `isOnce` it ends when they are used up
 * @param {number} options.status      what every answer has
 * @param {number} options.seconds     how long, at most
 * @param {number} options.connections
 * @param {string} options.scratch     a folder to write to
 * @returns {Promise<Shot>}
 * @throws if any answer is missing or has another kind of status
 */
export async function shoot({ origin, request, tokens, status, seconds, connections, scratch }) {
  const folder = await mkdtemp(join(scratch, "shot-"));
  try {
    const [before, after] = [join(folder, "before"), join(folder, "after")];
    await writeFile(before, request.before);
    await writeFile(after, request.after);
    const { file = "-", isOnce = false, first = 1, last = 1 } = tokens ?? {};
    const words = [
      ...["--threads", "1", "--connections", String(connections), "--duration", `${Math.ceil(seconds)}s`],
      ...["--timeout", `${TIMEOUT_SECONDS}s`, "--script", SCRIPT, origin],
      ...["--", before, after, file, isOnce ? "once" : "cycle", String(first), String(last)],
    ];
    const result = await run(words, seconds);
    assertAnswered(result, status);
    const { requests, microseconds, p50, p95, p99 } = result;
    const perSecond = requests / (microseconds / 1e6);
    return { requests, perSecond, p50: p50 / 1000, p95: p95 / 1000, p99: p99 / 1000 };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

// wrk tells answers from 400 on apart from those below. Which status exactly is looked at before and after a shot.
function assertAnswered({ requests, refused, broken, late }, status) {
  const wanted = status >= 400 ? requests : 0;
  if (requests === 0 || refused !== wanted || broken > 0 || late > 0) {
    const answers = `${requests} answers, ${refused} of them from 400 on`;
    throw new Error(
      `every answer should have had status ${status}: ${answers}, ${broken} broken connections, ${late} too late`,
    );
  }
}

async function run(words, seconds) {
  const child = spawn(program(), words, { stdio: ["ignore", "pipe", "pipe"] });
  let timer;
  const complaint = text(child.stderr);
  const ended = once(child, "close");
  let result;
  createInterface({ input: child.stdout }).on("line", (line) => {
    // It knows whole seconds only; when interrupted, it reports what there is. Before it has begun it would just end.
    if (line === "begun") timer = setTimeout(() => child.kill("SIGINT"), seconds * 1000);
    // It would wait for the end of its time otherwise, and count that.
    if (line === "exhausted") child.kill("SIGINT");
    if (line.startsWith("{")) result = JSON.parse(line);
  });
  const [code] = await ended;
  clearTimeout(timer);
  if (code !== 0 || result === undefined) throw new Error(`wrk failed (${code}): ${await complaint}`);
  return result;
}

// The one that set-up has put aside, or the system's.
function program() {
  const places = [process.env.WRK_BIN, ...process.env.PATH.split(delimiter).map((folder) => join(folder, "wrk"))];
  const found = places.find((place) => place !== undefined && existsSync(place));
  if (found === undefined) throw new Error('wrk is not installed: run "dev/setup bench"');
  return found;
}
