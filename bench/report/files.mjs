// The files of a run: JSON, tables and charts.

import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { chartsOf } from "./charts.mjs";
import { goalsOf } from "./goals.mjs";
import { tablesOf } from "./tables.mjs";
import { toMarkdown } from "./text.mjs";

/** The load of an idle machine is below this. */
const QUIET_LOAD = 0.5;

/**
 * @param {import("../harness/run.mjs").Results} results
 * @param {string} folder
 * @param {string} name  of the files; charts are written for whole runs only
 * @returns {Promise<string[]>} the files
 */
export async function writeFiles(results, folder, name) {
  await mkdir(folder, { recursive: true });
  const charts = name === "latest" ? await chartsOf(results) : {};
  const files = {
    [`${name}.json`]: `${JSON.stringify({ ...results, goals: goalsOf(results) }, toPrecision, 1)}\n`,
    [`${name}.md`]: markdown(results),
    ...charts,
  };
  for (const [file, content] of Object.entries(files)) await writeFile(join(folder, file), content);
  return Object.keys(files).map((file) => join(folder, file));
}

function disturbance({ load }) {
  return load > QUIET_LOAD ? ` Other programs were at work: the load of the minute before was ${load.toFixed(1)}.` : "";
}

// More digits than the precision of the measurements.
function toPrecision(_, value) {
  return typeof value === "number" && !Number.isInteger(value) ? Number(value.toPrecision(6)) : value;
}

function markdown(results) {
  const { date, machine, options } = results;
  const introduction = [
    "# Benchmark",
    "",
    "Written by `make bench`; [README.md](../README.md) says what each contender is and how to read it.",
    "",
    `${date.slice(0, 10)}, workerd ${machine.workerd}, ${machine.cores} cores of ${machine.processor}, ` +
      `${machine.system}. ${options.rounds} rounds of ${options.seconds} s each, one process for each round, ` +
      `${options.connections} connections.${disturbance(machine)}`,
  ];
  return `${[introduction.join("\n"), ...tablesOf(results).map(toMarkdown)].join("\n\n")}\n`;
}
