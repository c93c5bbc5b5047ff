// Runs the conformance suite as a program and reads its results.

import { spawn } from "node:child_process";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const SUITE = join(ROOT, "node_modules/@modelcontextprotocol/conformance/dist/index.js");

// The end of the output shows the result.
const LAST_LINES = 40;

/**
 * @typedef {{id: string, status: "SUCCESS" | "FAILURE" | "WARNING" | "SKIPPED" | "INFO", errorMessage?: string}} Check
 *
 * @typedef {object} Scenario
 * @property {number} passed
 * @property {Check[]} complaints  failures and warnings
 * @property {Check[]} skipped
 * @property {string} file  all checks, beside the Worker's log
 */

/**
 * The server scenarios that a revision requires.
 * @param {string} revision
 */
export async function listScenarios(revision) {
  const { exitCode, output } = await execute(["list", "--server", "--requirements", revision]);
  const [, section] = /^Server scenarios.*\n((?: {2}- .+\n)+)/m.exec(output) ?? [];
  if (exitCode !== 0 || section === undefined) throw new Error(`the suite lists no scenarios:\n${output}`);
  return { scored: [...section.matchAll(/- (\S+)/g)].map(([, name]) => name) };
}

/**
 * The checks of a baseline, as `scenario:check`. Whole scenarios are not expected to fail, only checks.
 * @param {string} file  from the root of the repository
 */
export async function readBaseline(file) {
  const lines = await readFile(join(ROOT, file), "utf8");
  return [...lines.matchAll(/^ +- (\S+:\S+)$/gm)].map(([, entry]) => entry);
}

/**
 * Runs all scenarios of a revision.
 * @param {object} options
 * @param {string} options.url
 * @param {string} options.revision
 * @param {string} [options.baseline]  from the root of the repository
 * @param {() => string} options.log   the Worker's log, stored with the results
 * @param {string} [options.results]   the folder of the results in `test-results`
 */
export async function runSuite({ url, revision, baseline, log, results = "conformance" }) {
  const choice = ["--requirements", revision, ...(baseline === undefined ? [] : ["--expected-failures", join(ROOT, baseline)])];
  return run({ url, choice, log, folder: join(ROOT, "test-results", results, revision) });
}

/**
 * Runs one scenario, for what no revision requires: an extension.
 * @param {object} options
 * @param {string} options.url
 * @param {string} options.scenario
 * @param {() => string} options.log  the Worker's log, stored with the results
 * @param {string} options.results    the folder of the results in `test-results`
 */
export async function runScenario({ url, scenario, log, results }) {
  return run({ url, choice: ["--scenario", scenario], log, folder: join(ROOT, "test-results", results, scenario) });
}

async function run({ url, choice, log, folder }) {
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  const { exitCode, output } = await execute(["server", "--url", url, ...choice, "--output-dir", folder]);
  const scenarios = await readResults(folder);
  await writeFile(join(folder, "output.log"), output);
  await writeFile(join(folder, "worker.log"), log());
  return {
    exitCode,
    lastWords: output.trimEnd().split("\n").slice(-LAST_LINES).join("\n"),
    folder: relative(ROOT, folder),
    scenarios,
  };
}

// One folder for each scenario: server-NAME-TIME/checks.json.
async function readResults(folder) {
  /** @type {Map<string, Scenario>} */
  const scenarios = new Map();
  for (const entry of (await readdir(folder)).sort()) {
    const [, name] = /^server-(.+)-\d{4}-\d\d-\d\dT[\d-]+Z$/.exec(entry) ?? [];
    if (name === undefined) continue;
    const file = join(entry, "checks.json");
    /** @type {Check[]} */
    const checks = JSON.parse(await readFile(join(folder, file), "utf8"));
    const having = (...statuses) => checks.filter(({ status }) => statuses.includes(status));
    scenarios.set(name, {
      passed: having("SUCCESS").length,
      complaints: having("FAILURE", "WARNING"),
      skipped: having("SKIPPED"),
      file,
    });
  }
  return scenarios;
}

async function execute(args) {
  const child = spawn(process.execPath, [SUITE, ...args], { cwd: ROOT, stdio: ["ignore", "pipe", "pipe"] });
  const ended = new Promise((resolve, reject) => child.once("error", reject).once("close", resolve));
  const [exitCode, output, errors] = await Promise.all([ended, text(child.stdout), text(child.stderr)]);
  return { exitCode, output: output + errors };
}
