// Command-line options.

import { parseArgs } from "node:util";
import { contenders, gateways } from "../contenders/index.mjs";
import { hasUpstream, loads } from "./loads.mjs";

const known = [...new Set([...contenders, ...gateways].map(({ name }) => name))];

export const HELP = `Compares mcp-edge with other servers on workerd: make bench ARGS="[OPTION…]"

  --only TEXT        only loads whose name contains TEXT; several with commas; "starts" for start times
  --contenders LIST  only these, separated by commas
  --rounds N         rounds per load (5)
  --seconds N        duration of a round (3)
  --warm-up N        seconds of warm-up before each round (1.5)
  --starts N         processes started for start times (20)
  --connections N    number of connections (16)
  --output FOLDER    where to write the results (bench/results)
  --smoke            a minimal run of everything, as a test

Results of a partial run are written as partial.*, those of a whole run as latest.*.

loads:      ${loads.map(({ name }) => name).join(" ")}
contenders: ${known.join(" ")}`;

/**
 * @typedef {object} Options
 * @property {import("./loads.mjs").Load[]} loads      each with the contenders that take part
 * @property {import("../contenders/index.mjs").Contender[]} contenders
 * @property {import("../contenders/index.mjs").Contender[]} gateways  the contenders of the loads with an upstream
 * @property {boolean} hasStarts   whether starts and operations are measured too
 * @property {boolean} isWhole     whether nothing is left out
 * @property {boolean} isSmoke
 * @property {number} rounds
 * @property {number} seconds
 * @property {number} warmUpSeconds
 * @property {number} starts
 * @property {number} connections
 * @property {string} [output]
 */

/**
 * @param {string[]} words
 * @returns {Options | undefined}  nothing if help was asked for
 */
export function parseOptions(words) {
  const { values } = parseArgs({
    args: words,
    options: {
      only: { type: "string" },
      contenders: { type: "string" },
      rounds: { type: "string" },
      seconds: { type: "string" },
      "warm-up": { type: "string" },
      starts: { type: "string" },
      connections: { type: "string" },
      output: { type: "string" },
      smoke: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return undefined;
  const usual = values.smoke
    ? { rounds: 1, seconds: 0.3, "warm-up": 0, starts: 1, connections: 4 }
    : { rounds: 5, seconds: 3, "warm-up": 1.5, starts: 20, connections: 16 };
  const number = (name, isRight, what) => {
    const said = Number(values[name] ?? usual[name]);
    if (!isRight(said)) throw new Error(`--${name} must be ${what}, not "${values[name]}"`);
    return said;
  };
  const count = (name) => number(name, (said) => Number.isInteger(said) && said >= 1, "a whole number of at least 1");
  const names = values.contenders?.split(",") ?? known;
  const unknown = names.find((name) => !known.includes(name));
  if (unknown !== undefined) throw new Error(`there is no contender "${unknown}"`);
  const parts = values.only?.split(",");
  const isWanted = (name) => parts === undefined || parts.some((part) => name.includes(part));
  const chosen = loads
    .filter(({ name }) => isWanted(name))
    .map((load) => ({ ...load, contenders: load.contenders.filter((name) => names.includes(name)) }))
    .filter((load) => load.contenders.length > 0);
  const hasStarts = isWanted("starts");
  if (chosen.length === 0 && !hasStarts) throw new Error(`no load's name contains "${values.only}"`);
  return {
    loads: chosen,
    contenders: contenders.filter(({ name }) => names.includes(name)),
    gateways: gateways.filter(({ name }) => names.includes(name) && chosen.some(hasUpstream)),
    hasStarts,
    isWhole: parts === undefined && values.contenders === undefined,
    isSmoke: values.smoke,
    rounds: count("rounds"),
    seconds: number("seconds", (said) => said > 0, "more than 0"),
    warmUpSeconds: number("warm-up", (said) => said >= 0, "0 or more"),
    starts: count("starts"),
    connections: count("connections"),
    output: values.output,
  };
}
