// The goals of mcp-edge in comparison with other servers, and the results of a run.

import { ratioOf, series, spreadOf } from "./statistics.mjs";

/**
 * @typedef {object} Goal
 * @property {string} what
 * @property {"atLeast" | "atMost"} kind
 * @property {number} goal
 * @property {string} unit  "×" for ratios
 * @property {import("./statistics.mjs").Spread} [reached]  undefined if the run did not measure it
 * @property {boolean} [isReached]
 * @property {import("./statistics.mjs").Spread} [quiet]  the result with LOG=off, if it was measured: the others write no
 *   log
 */

/**
 * @param {import("../harness/run.mjs").Results} results
 * @returns {Goal[]}
 */
export function goalsOf(results) {
  const compare = (measure) => (load, peer) =>
    ["mcp-edge", "mcp-edge-quiet"].map((ours) =>
      ratioOf(series(results, load, ours, measure), series(results, load, peer, measure)),
    );
  const [rate, cpu] = [compare("perSecond"), compare("cpuMs")];
  // Whether it matters whose tokens come, and how they are signed.
  const mixed = (measure) =>
    ["mcp-edge", "mcp-edge-quiet"].map((ours) =>
      ratioOf(series(results, "both-turn", ours, measure), series(results, "rs256-repeated", ours, measure)),
    );
  // Our own repeated use of an access key, compared with that of an access token.
  const exchanged = (load) =>
    ["mcp-edge", "mcp-edge-quiet"].map((ours) =>
      ratioOf(series(results, load, ours, "cpuMs"), series(results, "rs256-repeated", ours, "cpuMs")),
    );
  // A call through the gateway, compared with a tool call that the SDK answers itself.
  const overhead = (load) =>
    ["mcp-edge", "mcp-edge-quiet"].map((ours) =>
      ratioOf(series(results, load, ours, "cpuMs"), series(results, "rs256-repeated", "sdk", "cpuMs")),
    );
  const starts = (name, measure) => (results.starts?.[name] ?? []).map((start) => start[measure]);
  const entry = (measure) => [ratioOf(starts("mcp-edge", measure), starts("sdk", measure))];
  // The no-op authenticates nobody: its first answer is all that a process takes to start.
  const start = [ratioOf(starts("mcp-edge", "coldKeysInStore"), starts("noop", "firstAnswer"))];
  const size = results.sizes["mcp-edge"];
  const traffic = results.traffic?.["mcp-edge"];
  const exactly = (value) => [spreadOf([value])];
  return [
    atLeast(4.5, rate("rs256-repeated", "sdk"), "requests/s, one token, RS256, vs TypeScript SDK"),
    atLeast(9, rate("es384-repeated", "sdk"), "requests/s, one token, ES384, vs TypeScript SDK"),
    atLeast(0.95, rate("rs256-repeated", "twin"), "requests/s, one token, RS256, vs hand-written JS"),
    atLeast(0.95, rate("es384-repeated", "twin"), "requests/s, one token, ES384, vs hand-written JS"),
    atLeast(1, rate("rs256-repeated", "twin-strict"), "requests/s, one token, RS256, vs hand-written JS with the same checks and log"),
    atLeast(1, rate("es384-repeated", "twin-strict"), "requests/s, one token, ES384, vs hand-written JS with the same checks and log"),
    atLeast(1.8, rate("rs256-new", "sdk"), "requests/s, all tokens new, RS256, vs TypeScript SDK"),
    atLeast(1.2, rate("es384-new", "sdk"), "requests/s, all tokens new, ES384, vs TypeScript SDK"),
    atLeast(0.75, rate("no-token", "noop"), "requests/s, 401 without token, vs no-op"),
    atLeast(0.75, rate("metadata", "noop"), "requests/s, resource metadata, vs no-op"),
    atMost(2, start, "process start to first authenticated answer, keys in KV, vs the first answer of the no-op"),
    atMost(1, entry("coldKeysInStore"), "process start to first authenticated answer, keys in KV, vs TypeScript SDK"),
    atMost(1, entry("keysInStore"), "first authenticated request of a loaded Worker, keys in KV, vs TypeScript SDK"),
    atMost(0.3, cpu("rs256-repeated", "sdk"), "CPU time per request, one token, RS256, vs TypeScript SDK"),
    atMost(0.3, cpu("es384-repeated", "sdk"), "CPU time per request, one token, ES384, vs TypeScript SDK"),
    atMost(1.05, mixed("cpuMs"), "CPU time per request, 4,000 tokens in turn, RS256 and ES384, vs one token, RS256"),
    atMost(1.05, exchanged("access-key-repeated"), "CPU time per request, one access key, vs one token, RS256"),
    atMost(1.05, exchanged("personal-token-repeated"), "CPU time per request, one personal access token, vs one token, RS256"),
    atMost(0.25, overhead("gateway"), "CPU time of a gateway per call, vs `whoami` of the TypeScript SDK"),
    atMost(0.25, overhead("gateway-legacy"), "CPU time of a gateway per call, 2025-11-25, vs `whoami` (2026-07-28) of the TypeScript SDK"),
    atMost(250, exactly(size && size.gzipBytes / 1000), "bundle, gzip", "KB"),
    atMost(1, exactly(traffic?.discovery), "discovery fetches, 10,000 requests with 2,000 tokens", ""),
    atMost(1, exactly(traffic?.jwks), "JWKS fetches, 10,000 requests with 2,000 tokens", ""),
  ];
}

const atLeast = (goal, [reached, quiet], what, unit = "×") =>
  ({ what, kind: "atLeast", goal, unit, reached, isReached: reached && reached.median >= goal, quiet });
const atMost = (goal, [reached, quiet], what, unit = "×") =>
  ({ what, kind: "atMost", goal, unit, reached, isReached: reached && reached.median <= goal, quiet });
