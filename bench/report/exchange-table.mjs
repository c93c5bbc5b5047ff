// The results of the loads with access keys and personal access tokens, compared with an access token of the provider.

import { ratioOf, series, spreadOf } from "./statistics.mjs";

/** The load with one access token. */
const TOKEN = "rs256-repeated";

/**
 * @param {import("../harness/run.mjs").Results} results
 * @returns {import("./tables.mjs").Table}  without rows if no such load was run
 */
export function exchangeTable(results) {
  const rows = results.loads
    .filter(({ credential }) => credential !== undefined)
    .flatMap((load) => results.contenders.filter(({ name }) => results.rounds[load.name][name] !== undefined).map((contender) => rowOf(results, load, contender)));
  return {
    title: "Access keys and personal access tokens",
    note:
      "A repeated use is answered from the memory of the isolate. With a first use the endpoint asks the vault, which refreshes a " +
      "token at the provider, or exchanges at the provider itself, and verifies the token. CPU time is that of the endpoint's " +
      "process, without the provider's; the ratio compares it with one access token (RS256), used repeatedly, in the same run.",
    columns: ["", "CPU ms per request", "vs one access token", "CPU ms of the vault", "requests per second", "p50 / p95 / p99, ms"],
    rows,
  };
}

function rowOf(results, { name: load, title }, { name, title: shown }) {
  const of = (measure, number) => {
    const spread = spreadOf(series(results, load, name, measure));
    if (spread === undefined) return "–";
    return number(spread.median) + (spread.min === spread.max ? "" : ` (${number(spread.min)}–${number(spread.max)})`);
  };
  const ratio = ratioOf(series(results, load, name, "cpuMs"), series(results, TOKEN, name, "cpuMs"));
  const latency = ["p50", "p95", "p99"].map((part) => spreadOf(series(results, load, name, part)).median.toFixed(1));
  return [
    `${title}, ${shown}`,
    of("cpuMs", (value) => value.toFixed(3)),
    ratio ? `${ratio.median.toFixed(2)} × (${ratio.min.toFixed(2)}–${ratio.max.toFixed(2)})` : "–",
    of("vaultCpuMs", (value) => value.toFixed(3)),
    of("perSecond", (value) => Math.round(value).toLocaleString("en")),
    latency.join(" / "),
  ];
}
