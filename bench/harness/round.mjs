// A round: one contender under one load for some seconds, in a new process, after a warm-up.

import { ask, deploy } from "./deployment.mjs";
import { makeCredentials } from "./credentials.mjs";
import { hasUpstream, isExchanged, onTheWire, TURN } from "./loads.mjs";
import { cpuMilliseconds, residentBytes } from "./process.mjs";
import { ALGORITHMS, BOTH } from "./tokens.mjs";
import { checkCredentials, startUpstream } from "./upstream.mjs";
import { shoot } from "./wrk.mjs";

/**
 * @typedef {object} Setting
 * @property {{issuer: string, count: Function, forget: Function}} provider
 * @property {{issuer: string, resource: string}} parties
 * @property {Record<string, Pools>} pools  by algorithm
 * @property {string} scratch
 * @property {{seconds: number, warmUpSeconds: number, connections: number}} options
 *
 * @typedef {{good: import("./tokens.mjs").Pool, forged?: import("./tokens.mjs").Pool}} Pools
 *
 * @typedef {import("./wrk.mjs").Shot & Costs} Round
 *
 * @typedef {object} Costs
 * @property {number} [cpuMs]          user and system time of the process, for each request
 * @property {number} [residentBytes]  after the last request
 * @property {number} answerBytes      of one answer's body
 * @property {Operations} [operations]  while it was timed; of a load without exchanges
 * @property {number} [upstreamRequests]  of a load with an upstream: those that the upstream got for one
 * @property {number} [vaultCpuMs]     of a load with access keys: the vault's, for each request
 *
 * @typedef {{discovery: number, jwks: number, kvReads: number, kvWrites: number}} Operations
 */

/**
 * @param {import("../contenders/index.mjs").Contender} contender
 * @param {import("./loads.mjs").Load} load
 * @param {Setting} setting
 * @returns {Promise<Round>}
 */
export async function playRound(contender, load, setting) {
  if (isExchanged(load)) return playExchanged(contender, load, setting);
  if (!hasUpstream(load)) return play(contender, load, setting);
  const upstream = await startUpstream();
  try {
    return await play(contender, load, setting, { upstream });
  } finally {
    await upstream.stop();
  }
}

async function playExchanged(contender, load, setting) {
  const credentials = await makeCredentials(load, setting);
  try {
    const { parties, pool } = credentials;
    // This provider counts nothing.
    const provider = { issuer: parties.issuer, count: () => 0, forget: () => {} };
    const own = { ...setting, provider, parties, pools: { [load.algorithm]: { good: pool } } };
    const { operations: _none, ...round } = await play(contender, load, own, { credentials });
    return round;
  } finally {
    await credentials.stop();
  }
}

async function play(contender, load, { provider, parties, pools, scratch, options }, { upstream, credentials } = {}) {
  const worker = await deploy(contender, { provider, tools: load.tools, upstream, credentials });
  const vaultCpu = async () => (credentials?.vaultPid === undefined ? undefined : cpuMilliseconds(credentials.vaultPid));
  try {
    const request = onTheWire(load.request, worker, load.tokens !== "none");
    const status = contender.name === "noop" ? 200 : load.status;
    // In less time slow contenders do not respond to any of the connections.
    const [timedSeconds, warmUpSeconds] = [options.seconds, options.warmUpSeconds].map((seconds) =>
      seconds > 0 ? Math.max(seconds, contender.leastSeconds ?? 0) : 0,
    );
    const { probe, warmUps, timed } = planTokens(load, pools, { seconds: timedSeconds, warmUpSeconds });
    const fire = (tokens, seconds) =>
      shoot({ origin: worker.origin, request, tokens, status, seconds, connections: options.connections, scratch });

    const { text } = await ask(worker, contender, load, { parties, token: probe });
    for (const { tokens, seconds } of warmUps.filter(({ seconds }) => seconds > 0)) await fire(tokens, seconds);

    provider.forget();
    worker.kv.forget();
    const seenBefore = await upstream?.seen();
    const vaultBefore = await vaultCpu();
    const cpuBefore = await cpuMilliseconds(worker.pid);
    const shot = await fire(timed, timedSeconds);
    const cpuAfter = await cpuMilliseconds(worker.pid);
    const vaultAfter = await vaultCpu();
    const resident = await residentBytes(worker);
    const operations = operationsOf(worker, provider);

    const seenAfter = await upstream?.seen();

    await ask(worker, contender, load, { parties, token: probe });
    if (upstream) checkCredentials(contender, await upstream.seen(), { token: probe, url: upstream.url });
    return {
      ...shot,
      cpuMs: cpuAfter === undefined ? undefined : (cpuAfter - cpuBefore) / shot.requests,
      residentBytes: resident,
      answerBytes: Buffer.byteLength(text),
      operations,
      ...(vaultAfter !== undefined && { vaultCpuMs: (vaultAfter - vaultBefore) / shot.requests }),
      ...(upstream && { upstreamRequests: (seenAfter.requests - seenBefore.requests) / shot.requests }),
    };
  } finally {
    await worker.stop();
  }
}

/** Returns the operations of provider and store since the last `forget`. @returns {Operations} */
export function operationsOf({ kv }, provider) {
  return {
    discovery: provider.count("discovery") + provider.count("metadata"),
    jwks: provider.count("jwks"),
    kvReads: kv.reads.length,
    kvWrites: kv.writes.length,
  };
}

/** The time limit of a warm-up with tokens in turn. It ends when each token was used once. */
const TURN_SECONDS = 60;

/**
 * Assigns the tokens: `probe` before and after the round, others to the warm-up and to the measurement. Tokens that are
 * used once are divided by time, so that both phases end with their time or their tokens.
 */
function planTokens({ algorithm, tokens }, pools, { seconds, warmUpSeconds }) {
  const { good, forged } = pools[algorithm];
  switch (tokens) {
    case "none":
      return { warmUps: [{ seconds: warmUpSeconds }] };
    case "one": {
      const one = { file: good.file, first: 1, last: 1 };
      return { probe: good.first, warmUps: [{ tokens: one, seconds: warmUpSeconds }], timed: one };
    }
    case "turn": {
      const size = algorithm === BOTH ? ALGORITHMS.length * TURN : TURN;
      const turn = { file: good.file, first: 1, last: Math.min(size, good.size) };
      const warmUps = [
        { tokens: { ...turn, isOnce: true }, seconds: TURN_SECONDS },
        { tokens: turn, seconds: warmUpSeconds },
      ];
      return { probe: good.first, warmUps, timed: turn };
    }
    default: {
      const pool = tokens === "new" ? good : forged;
      const division = 1 + Math.floor(((pool.size - 1) * warmUpSeconds) / (warmUpSeconds + seconds));
      const once = (first, last) => ({ file: pool.file, first, last, isOnce: true });
      return {
        probe: pool.first,
        warmUps: [{ tokens: once(2, division), seconds: warmUpSeconds }],
        timed: once(division + 1, pool.size),
      };
    }
  }
}
