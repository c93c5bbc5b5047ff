// A whole run: preparation, then rounds in which the contenders take turns.

import { mkdtemp, readFile, rm } from "node:fs/promises";
import { availableParallelism, cpus, loadavg, tmpdir, totalmem } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { startHostileProvider } from "../../tests/support/hostile-provider.mjs";
import { bundle, contenderNamed } from "../contenders/index.mjs";
import { RESOURCE } from "./deployment.mjs";
import { hasUpstream, TURN } from "./loads.mjs";
import { playRound } from "./round.mjs";
import { sizeOf } from "./sizes.mjs";
import { startsOf } from "./starts.mjs";
import { ALGORITHMS, BOTH, createKeys, forge, interleave, mint } from "./tokens.mjs";
import { countOperations } from "./traffic.mjs";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

// More than a contender can verify in a second on current machines. A faster one would end its round early.
const NEW_TOKENS_PER_SECOND = { RS256: 6_000, ES384: 2_000 };
const FORGED_TOKENS_PER_SECOND = 12_000;

/** A smoke test uses few tokens, but more than one turn. */
const SMOKE_TOKENS = 300;

/**
 * @typedef {object} Results
 * @property {string} date
 * @property {object} machine
 * @property {object} options
 * @property {{name: string, title: string, isVariant?: boolean}[]} contenders
 * @property {{name: string, title: string}[]} gateways  contenders of the loads with an upstream
 * @property {{name: string, title: string, besides?: string, credential?: string}[]} loads
 * @property {Record<string, {rawBytes: number, gzipBytes: number}>} sizes
 * @property {Record<string, Record<string, import("./round.mjs").Round[]>>} rounds  by load, then by contender
 * @property {Record<string, import("./starts.mjs").Start[]>} [starts]     by contender
 * @property {Record<string, import("./traffic.mjs").Traffic>} [traffic]   by contender
 */

/**
 * @param {import("./options.mjs").Options} options
 * @param {(line: string) => void} say  reports the progress
 * @returns {Promise<Results>}
 */
export async function run(options, say) {
  const machine = await describeMachine();
  const scratch = await mkdtemp(join(tmpdir(), "mcp-edge-bench-"));
  const keys = await createKeys();
  const provider = await startHostileProvider({ keys: Object.values(keys).map(({ jwk }) => jwk) });
  try {
    await bundle([...options.contenders, ...options.gateways]);
    const parties = { issuer: provider.issuer, resource: RESOURCE };
    say("making tokens");
    const pools = await makePools({ keys, parties, options, folder: scratch });
    const setting = { provider, parties, pools, scratch, options };
    const { rounds, seconds, warmUpSeconds, starts, connections } = options;
    return {
      date: new Date().toISOString(),
      machine,
      options: { rounds, seconds, warmUpSeconds, starts, connections },
      contenders: options.contenders.map(({ name, title, isVariant }) => ({ name, title, isVariant })),
      gateways: options.gateways.map(({ name, title }) => ({ name, title })),
      loads: options.loads.map(({ name, title, besides, credential }) => ({ name, title, besides, credential })),
      sizes: await entries(options.contenders, sizeOf),
      rounds: await playAll(setting, say),
      ...(options.hasStarts && {
        starts: await timeStarts(setting, say),
        traffic: await countAll(setting, say),
      }),
    };
  } finally {
    await provider.stop();
    await rm(scratch, { recursive: true, force: true });
  }
}

async function makePools({ keys, parties, options, folder }) {
  const { loads, isSmoke, hasStarts } = options;
  const seconds = options.seconds + options.warmUpSeconds;
  const isMixed = loads.some(({ algorithm }) => algorithm === BOTH);
  const pools = {};
  for (const [algorithm, signer] of Object.entries(keys)) {
    const uses = new Set(loads.filter((load) => load.algorithm === algorithm).map(({ tokens }) => tokens));
    const isInTurn = uses.has("turn") || isMixed || (hasStarts && algorithm === "RS256");
    const fresh = uses.has("new") ? NEW_TOKENS_PER_SECOND[algorithm] * seconds : 0;
    const size = isSmoke ? SMOKE_TOKENS : Math.max(fresh, isInTurn ? TURN : 1);
    pools[algorithm] = { good: await mint({ signer, parties, size, folder }) };
    if (uses.has("forged")) {
      const forged = isSmoke ? SMOKE_TOKENS : FORGED_TOKENS_PER_SECOND * seconds;
      pools[algorithm].forged = await forge({ signer, parties, size: forged, folder });
    }
  }
  if (isMixed) {
    const good = ALGORITHMS.map((algorithm) => pools[algorithm].good);
    pools[BOTH] = { good: await interleave({ pools: good, size: TURN, folder }) };
  }
  return pools;
}

async function playAll(setting, say) {
  const { loads, rounds } = setting.options;
  const results = {};
  for (const load of loads) {
    const taken = Object.fromEntries(load.contenders.map((name) => [name, []]));
    for (let number = 0; number < rounds; number += 1) {
      // The order changes from round to round, so that no contender always follows the same one.
      for (const name of rotated(load.contenders, number)) {
        const among = hasUpstream(load) ? setting.options.gateways : setting.options.contenders;
        const round = await playRound(contenderNamed(name, among), load, setting);
        taken[name].push(round);
        say(`${load.name}, round ${number + 1} of ${rounds}, ${name}: ${Math.round(round.perSecond)} requests/s`);
      }
    }
    results[load.name] = taken;
  }
  return results;
}

async function timeStarts(setting, say) {
  const { contenders, starts } = setting.options;
  const timed = {};
  for (const contender of contenders.filter(({ isVariant }) => !isVariant)) {
    timed[contender.name] = { samples: [], ...(await startsOf(contender, setting)) };
  }
  for (let number = 0; number < starts; number += 1) {
    for (const name of rotated(Object.keys(timed), number)) timed[name].samples.push(await timed[name].sample());
    say(`starts, ${number + 1} of ${starts}`);
  }
  for (const { close } of Object.values(timed)) await close();
  return Object.fromEntries(Object.entries(timed).map(([name, { samples }]) => [name, samples]));
}

function countAll(setting, say) {
  const servers = setting.options.contenders.filter(({ name, isVariant }) => name !== "noop" && !isVariant);
  return entries(servers, (contender) => {
    say(`10,000 requests of 2,000 tokens, ${contender.name}`);
    return countOperations(contender, setting);
  });
}

async function entries(contenders, of) {
  const pairs = [];
  for (const contender of contenders) pairs.push([contender.name, await of(contender)]);
  return Object.fromEntries(pairs);
}

function rotated(list, by) {
  const at = by % list.length;
  return [...list.slice(at), ...list.slice(0, at)];
}

async function describeMachine() {
  const { version } = JSON.parse(await readFile(join(ROOT, "node_modules/workerd/package.json"), "utf8"));
  return {
    processor: cpus()[0]?.model ?? "unknown",
    cores: availableParallelism(),
    memoryBytes: totalmem(),
    system: `${process.platform} ${process.arch}`,
    workerd: version,
    node: process.version,
    // The load of the minute before: other programs widen the spread.
    load: loadavg()[0],
  };
}
