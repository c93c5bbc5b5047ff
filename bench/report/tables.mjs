// The results as tables, for the terminal and for Markdown.

import { exchangeTable } from "./exchange-table.mjs";
import { gatewayTables } from "./gateway-tables.mjs";
import { goalsOf } from "./goals.mjs";
import { ratioOf, series, spreadOf } from "./statistics.mjs";

/** The contender that the others are compared with. */
const OURS = "mcp-edge";

/**
 * @typedef {object} Table
 * @property {string} title
 * @property {string} [note]
 * @property {string[]} columns
 * @property {string[][]} rows  the first cell of each is its name
 */

/**
 * @param {import("../harness/run.mjs").Results} results
 * @returns {Table[]}
 */
export function tablesOf(results) {
  // Those with an upstream have tables of their own, because other contenders take part, and so have those with keys, because
  // none does.
  const servers = { ...results, loads: results.loads.filter(({ besides, credential }) => besides === undefined && credential === undefined) };
  return [
    goals(results),
    ...[
      measure(servers, "perSecond", "Requests per second", (value) => whole(value)),
      measure(servers, "cpuMs", "CPU milliseconds per request", (value) => value.toFixed(3)),
      ratios(servers),
      latency(servers),
      measure(servers, "residentBytes", "Resident memory after the run, MB", (value) => whole(value / 1e6)),
      exchangeTable(results),
      ...gatewayTables(results),
    ].filter(({ rows }) => rows.length > 0),
    sizes(results),
    ...(results.starts ? [starts(results)] : []),
    ...(results.traffic ? [traffic(results)] : []),
    operations(servers),
  ];
}

function goals(results) {
  const rows = goalsOf(results).map(({ what, kind, goal, unit, reached, isReached, quiet }) => {
    const sign = kind === "atLeast" ? "≥" : "≤";
    const number = (value) => (unit === "×" ? value.toFixed(2) : String(Math.round(value * 10) / 10));
    const spread = ({ median, min, max }) =>
      `${number(median)} ${unit}`.trim() + (min === max ? "" : ` (${number(min)}–${number(max)})`);
    return [
      what,
      `${sign} ${goal} ${unit}`.trim(),
      reached ? spread(reached) : "–",
      reached ? (isReached ? "yes" : "no") : "–",
      quiet ? spread(quiet) : "–",
    ];
  });
  return {
    title: "Goals of mcp-edge",
    note:
      "Ratios are of medians; in brackets the lowest and the highest of the rounds. mcp-edge writes a line of log for " +
      "each request, the others write none but the one that says so: the last column is without it.",
    columns: ["", "goal", "measured", "reached", "LOG=off"],
    rows,
  };
}

function measure(results, name, title, text) {
  const rows = results.loads.map((load) => [
    load.title,
    ...results.contenders.map((contender) => {
      const spread = spreadOf(series(results, load.name, contender.name, name));
      if (spread === undefined) return "–";
      const range = spread.min === spread.max ? "" : ` (${text(spread.min)}–${text(spread.max)})`;
      return text(spread.median) + range;
    }),
  ]);
  const note = "Median of the rounds; in brackets the lowest and the highest.";
  return { title, note, columns: ["", ...results.contenders.map((contender) => contender.title)], rows };
}

function ratios(results) {
  const peers = results.contenders.filter(({ name }) => !name.startsWith(OURS));
  const rows = results.loads.map((load) => [
    load.title,
    ...peers.map(({ name }) => {
      const [ours, theirs] = [OURS, name].map((each) => series(results, load.name, each, "perSecond"));
      const ratio = ratioOf(ours, theirs);
      return ratio ? `${ratio.median.toFixed(2)} × (${ratio.min.toFixed(2)}–${ratio.max.toFixed(2)})` : "–";
    }),
  ]);
  return {
    title: "Requests per second of mcp-edge, as a multiple of the others'",
    columns: ["", ...peers.map(({ title }) => `vs ${title}`)],
    rows: results.contenders.some(({ name }) => name === OURS) ? rows : [],
  };
}

function latency(results) {
  const rows = results.loads.map((load) => [
    load.title,
    ...results.contenders.map(({ name }) => {
      const spreads = ["p50", "p95", "p99"].map((part) => spreadOf(series(results, load.name, name, part)));
      return spreads.includes(undefined) ? "–" : spreads.map(({ median }) => median.toFixed(1)).join(" / ");
    }),
  ]);
  return {
    title: "Milliseconds to an answer: p50 / p95 / p99",
    note: `With ${results.options.connections} connections that are never idle: most of it is waiting for each other.`,
    columns: ["", ...results.contenders.map((contender) => contender.title)],
    rows,
  };
}

function sizes({ contenders, sizes: all }) {
  const rows = contenders
    .filter(({ name }) => name !== `${OURS}-quiet`)
    .map(({ name, title }) => {
      const { gzipBytes, rawBytes } = all[name];
      return [title, ...[gzipBytes, rawBytes].map((size) => (size / 1000).toFixed(1))];
    });
  return { title: "Size of the bundle, KB", columns: ["", "gzip", "raw"], rows };
}

function starts({ contenders, starts: all }) {
  const measures = ["firstAnswer", "coldKeysInStore", "keysNowhere", "keysInStore"];
  const rows = contenders
    .filter(({ name }) => all[name] !== undefined)
    .map(({ name, title }) => [
      title,
      ...measures.map((part) => {
        const spread = spreadOf(all[name].map((start) => start[part]));
        return spread ? `${spread.median.toFixed(1)} (${spread.min.toFixed(1)}–${spread.max.toFixed(1)})` : "–";
      }),
    ]);
  return {
    title: "After a start, milliseconds",
    note: "Authenticated requests have an ES384 token. Those in the last two columns come after one without a token.",
    columns: [
      "",
      "process start to first answer",
      "process start to first answer, authenticated, keys in KV",
      "first authenticated request, no keys anywhere",
      "first authenticated request, keys in KV",
    ],
    rows,
  };
}

function traffic({ contenders, traffic: all }) {
  const rows = contenders
    .filter(({ name }) => all[name] !== undefined)
    .map(({ name, title }) => {
      const { discovery, jwks, kvReads, kvWrites } = all[name];
      return [title, ...[discovery, jwks, kvReads, kvWrites].map(String)];
    });
  const { requests, tokens } = Object.values(all)[0] ?? { requests: 0, tokens: 0 };
  return {
    title: `What ${whole(requests)} requests with ${whole(tokens)} tokens ask of others, from a cold start`,
    columns: ["", "discovery fetches", "JWKS fetches", "KV reads", "KV writes"],
    rows,
  };
}

function operations(results) {
  const rows = results.loads.map((load) => [
    load.title,
    ...results.contenders.map(({ name }) => {
      const rounds = results.rounds[load.name][name] ?? [];
      if (rounds.length === 0) return "–";
      const requests = sum(rounds.map((round) => round.requests));
      const origin = sum(rounds.map((round) => round.operations.discovery + round.operations.jwks));
      const store = sum(rounds.map((round) => round.operations.kvReads + round.operations.kvWrites));
      return [origin, store].map((count) => perThousand(count, requests)).join(" / ");
    }),
  ]);
  return {
    title: "Operations per 1,000 requests of a warm Worker: provider / KV",
    columns: ["", ...results.contenders.map((contender) => contender.title)],
    rows,
  };
}

const sum = (numbers) => numbers.reduce((total, number) => total + number, 0);
const perThousand = (count, requests) => (count === 0 ? "0" : ((count * 1000) / requests).toFixed(2));
const whole = (number) => Math.round(number).toLocaleString("en");
