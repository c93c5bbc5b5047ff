// `make mutants`: changes the access rules and the registrar's rules in one place at a time, and lists the changes that
// no native test notices.
//
//   dev/with-tools node dev/mutants.mjs [OPTION OF cargo mutants…]
//
// cargo-mutants works on a copy of this folder, with the settings in .cargo/mutants.toml. Its logs stay in
// target/mutants.out/.

import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const OUTCOMES = `${ROOT}/target/mutants.out/outcomes.json`;
const PACKAGES = ["mcp-edge-oauth", "registrar"];

/**
 * The result as text: a line per package, and each missed mutant.
 * A mutant that does not compile counts neither way; one that makes the tests run out of time counts as caught.
 *
 * @param {{ outcomes: { summary: string, scenario: any }[] }} results the content of outcomes.json
 * @returns {string}
 */
export function summarize({ outcomes }) {
  const mutants = outcomes.filter(({ scenario }) => scenario.Mutant !== undefined);
  const lines = [];
  for (const name of PACKAGES) {
    const ofPackage = mutants.filter(({ scenario }) => scenario.Mutant.package === name);
    const having = (...summaries) => ofPackage.filter(({ summary }) => summaries.includes(summary));
    const caught = having("CaughtMutant", "Timeout").length;
    const missed = having("MissedMutant");
    const tested = caught + missed.length;
    if (tested === 0) continue;
    // Rounded down, so that only a run without a miss shows 100 %.
    const share = Math.floor((1000 * caught) / tested) / 10;
    lines.push(`${name}: ${caught} of ${tested} mutants caught (${share} %), ${missed.length} missed`);
    for (const { scenario } of missed) lines.push(`  missed: ${scenario.Mutant.name}`);
  }
  return lines.length === 0 ? "no mutant was tested" : lines.join("\n");
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  // Results of an earlier run would be shown if this one ends before it has any.
  rmSync(OUTCOMES, { force: true });
  mkdirSync(`${ROOT}/target`, { recursive: true });
  const packages = PACKAGES.flatMap((name) => ["--package", name]);
  const command = ["mutants", ...packages, "--output", `${ROOT}/target`, ...process.argv.slice(2)];
  const { status } = spawnSync("cargo", command, { cwd: ROOT, stdio: "inherit" });
  try {
    console.log(`\n${summarize(JSON.parse(readFileSync(OUTCOMES, "utf8")))}`);
  } catch (error) {
    // No results: cargo-mutants was asked for a list or for help, or has said what is wrong.
    if (error.code !== "ENOENT") throw error;
  }
  process.exitCode = status ?? 1;
}
