// The results of the loads with an upstream: what a gateway adds to a call.

import { ratioOf, series, spreadOf } from "./statistics.mjs";

/** Has no gateway, so its CPU time is that of the work behind the others. */
const ALONE = "upstream";

/**
 * @param {import("../harness/run.mjs").Results} results
 * @returns {import("./tables.mjs").Table[]}  one for each load with an upstream
 */
export function gatewayTables(results) {
  return results.loads.filter(({ besides }) => besides !== undefined).map((load) => tableOf(results, load));
}

function tableOf(results, { name: load, title, besides }) {
  const of = (contender, measure, number) => {
    const spread = spreadOf(series(results, load, contender, measure));
    if (spread === undefined) return "–";
    return number(spread.median) + (spread.min === spread.max ? "" : ` (${number(spread.min)}–${number(spread.max)})`);
  };
  const versus = (contender, peer) => {
    const ratio = ratioOf(series(results, load, contender, "cpuMs"), series(results, besides, peer, "cpuMs"));
    return ratio ? `${ratio.median.toFixed(2)} × (${ratio.min.toFixed(2)}–${ratio.max.toFixed(2)})` : "–";
  };
  const rows = results.gateways
    .filter(({ name }) => series(results, load, name, "cpuMs").length > 0)
    .map(({ name, title: shown }) => {
      const latency = ["p50", "p95", "p99"].map((part) => spreadOf(series(results, load, name, part)).median.toFixed(1));
      return [
        shown,
        ...(name === ALONE
          ? ["–", "–", "–"]
          : [of(name, "cpuMs", (value) => value.toFixed(3)), versus(name, "sdk"), versus(name, "mcp-edge")]),
        of(name, "upstreamRequests", (value) => value.toFixed(1)),
        of(name, "perSecond", (value) => Math.round(value).toLocaleString("en")),
        latency.join(" / "),
        name === ALONE ? "–" : of(name, "residentBytes", (value) => String(Math.round(value / 1e6))),
      ];
    });
  return {
    title: `${title[0].toUpperCase()}${title.slice(1)}`,
    note:
      "A call of a small tool with one token. CPU time is that of the gateway's process, without the upstream's; the " +
      "ratios compare it with `whoami` in the same era and run. Requests per second and latency include the upstream and " +
      "the load, which share the processors with the gateway.",
    columns: [
      "",
      "CPU ms per call",
      "vs `whoami` of the SDK",
      "vs `whoami` of mcp-edge",
      "requests to the upstream per call",
      "requests per second",
      "p50 / p95 / p99, ms",
      "memory, MB",
    ],
    rows,
  };
}
