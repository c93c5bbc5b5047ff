// Requests to provider and store in a busy hour: ten thousand requests of two thousand users, beginning with an empty
// store.

import { writeFile, readFile } from "node:fs/promises";
import { join } from "node:path";
import { deploy } from "./deployment.mjs";
import { loadNamed, onTheWire, TURN } from "./loads.mjs";
import { operationsOf } from "./round.mjs";
import { shoot } from "./wrk.mjs";

/** How often each token is used. */
const TURNS = 5;

/** The time limit. The load ends when all requests have been answered. */
const PATIENCE_SECONDS = 120;

const LOAD = loadNamed("rs256-turn");

/**
 * @typedef {{requests: number, tokens: number} & import("./round.mjs").Operations} Traffic
 *
 * @param {import("../contenders/index.mjs").Contender} contender
 * @param {import("./round.mjs").Setting} setting
 * @returns {Promise<Traffic>}
 */
export async function countOperations(contender, { provider, pools, scratch, options }) {
  const { good } = pools[LOAD.algorithm];
  const lines = (await readFile(good.file, "utf8")).split("\n").slice(0, TURN);
  const file = join(scratch, "traffic");
  await writeFile(file, Array.from({ length: TURNS }, () => lines.join("\n")).join("\n"));

  provider.forget();
  const worker = await deploy(contender, { provider });
  try {
    const requests = lines.length * TURNS;
    await shoot({
      origin: worker.origin,
      request: onTheWire(LOAD.request, worker, true),
      tokens: { file, first: 1, last: requests, isOnce: true },
      status: LOAD.status,
      seconds: PATIENCE_SECONDS,
      connections: options.connections,
      scratch,
    });
    return { requests, tokens: lines.length, ...operationsOf(worker, provider) };
  } finally {
    await worker.stop();
  }
}
