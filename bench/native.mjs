// `make bench-native`: the instructions of each native bench, and the difference to the last count.
//
// The counts are stored in the repository, so that a change is visible in reviews. They depend on the compiler, which is
// stored with them, and hardly on the machine.

import { execFileSync, spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { toTerminal } from "./report/text.mjs";

const FILE = fileURLToPath(new URL("./results/instructions.json", import.meta.url));

const before = readCounts();
const now = { compiler: execFileSync("rustc", ["--version"], { encoding: "utf8" }).trim(), instructions: count() };
const rows = Object.entries(now.instructions).map(([name, instructions]) => {
  const last = before.instructions[name];
  const change = last === undefined ? "new" : `${(((instructions - last) / last) * 100).toFixed(1)} %`;
  return [name, instructions.toLocaleString("en"), last?.toLocaleString("en") ?? "–", change];
});
console.log(toTerminal({ title: "Instructions", columns: ["", "now", "last", "change"], rows }));
if (before.compiler !== undefined && before.compiler !== now.compiler) {
  console.log(`\nThe last ones were counted with another compiler: ${before.compiler}`);
}
writeFileSync(FILE, `${JSON.stringify(now, null, 2)}\n`);

function readCounts() {
  try {
    return JSON.parse(readFileSync(FILE, "utf8"));
  } catch {
    return { instructions: {} };
  }
}

/** Runs all benches. @returns {Record<string, number>} instructions by name */
function count() {
  const command = ["bench", "--package", "mcp-edge", "--bench", "hot_path", "--locked", "--", "--output-format=json"];
  const { status, stdout } = spawnSync("cargo", command, { encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] });
  if (status !== 0) {
    console.error("bench-native: the benches failed (see above)");
    process.exit(1);
  }
  const lines = stdout.split("\n").filter((line) => line.startsWith("{"));
  return Object.fromEntries(
    lines.map((line) => {
      const { group, function_name: name, id, profiles } = JSON.parse(line);
      return [`${group}/${name}/${id}`, profiles[0].data.total.metrics.Ir.values.new];
    }),
  );
}
