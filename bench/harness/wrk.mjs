// Runs the load generator wrk, a separate program whose CPU time is not counted.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { createInterface } from "node:readline";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";

const SCRIPT = fileURLToPath(new URL("./load.lua", import.meta.url));

// Longer than any response takes, also behind a whole turn of verifications.
const TIMEOUT_SECONDS = 20;

/**
 * @typedef {object} Shot
 * @property {number} requests       answered
 * @property {number} perSecond
 * @property {number} p50            milliseconds from request to response
 * @property {number} p95
 * @property {number} p99
 */

/**
 * Repeats a request over a few persistent connections. Each connection sends the next request after a response.
 * @param {object} options
 * @param {string} options.origin
 * @param {{before: string, after: string}} options.request  the bytes before and after the token
 * @param {{file: string, first: number, last: number, isOnce: boolean}} [options.tokens]
 *   which lines of the file, counted from 1; with `isOnce` it ends when they are used up
 * @param {number} options.status      of every response
 * @param {number} options.seconds     the time limit
 * @param {number} options.connections
 * @param {string} options.scratch     a folder to write to
 * @returns {Promise<Shot>}
 * @throws if a response is missing or has another kind of status
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

// wrk only distinguishes statuses from 400 on. The exact status is checked before and after a shot.
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
    // wrk accepts whole seconds only. When interrupted after the first request, it reports the results so far.
    if (line === "begun") timer = setTimeout(() => child.kill("SIGINT"), seconds * 1000);
    // Otherwise wrk would wait until its time is over, and count that time.
    if (line === "exhausted") child.kill("SIGINT");
    if (line.startsWith("{")) result = JSON.parse(line);
  });
  const [code] = await ended;
  clearTimeout(timer);
  if (code !== 0 || result === undefined) throw new Error(`wrk failed (${code}): ${await complaint}`);
  return result;
}

// The one from the set-up, or the system's.
function program() {
  const places = [process.env.WRK_BIN, ...process.env.PATH.split(delimiter).map((folder) => join(folder, "wrk"))];
  const found = places.find((place) => place !== undefined && existsSync(place));
  if (found === undefined) throw new Error('wrk is not installed: run "dev/setup bench"');
  return found;
}
