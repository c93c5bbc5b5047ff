// `make bench`: measures, prints, and writes the results.

import { fileURLToPath } from "node:url";
import { HELP, parseOptions } from "./harness/options.mjs";
import { run } from "./harness/run.mjs";
import { writeFiles } from "./report/files.mjs";
import { tablesOf } from "./report/tables.mjs";
import { toTerminal } from "./report/text.mjs";

const RESULTS = fileURLToPath(new URL("./results", import.meta.url));

let options;
try {
  options = parseOptions(process.argv.slice(2));
} catch (error) {
  console.error(`bench: ${error.message}\n\n${HELP}`);
  process.exit(2);
}
if (options === undefined) {
  console.log(HELP);
  process.exit();
}

const started = Date.now();
const results = await run(options, (line) => {
  const minutes = ((Date.now() - started) / 60_000).toFixed(1).padStart(5);
  console.error(`${minutes} min  ${line}`);
});
for (const table of tablesOf(results)) console.log(toTerminal(table));

const files = await writeFiles(results, options.output ?? RESULTS, options.isWhole ? "latest" : "partial");
console.log(`\n${files.join("\n")}`);
