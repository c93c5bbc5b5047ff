// Runs the fuzz targets one after the other and prints a table: make fuzz SECONDS=60, or TARGET=jwt for one.
//
// A target ends early with the first input that breaks a property; the others still run. The exit code is 1 if there was
// one.

import { spawn, spawnSync } from "node:child_process";
import { mkdirSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const FOLDER = dirname(fileURLToPath(import.meta.url));
// Of the fuzzer itself, not of the targets: they are safe Rust, and the sanitizers need a nightly compiler.
const BUILD = ["--sanitizer", "none", "--features", "libfuzzer"];
// For speed: a key set of 20 KiB is tried thirty times less often than those of 8. What only longer inputs reach is in
// seeds, which make unit runs: sets of 256 and 257 keys. Tokens of 16 KiB cost nothing.
const MAX_BYTES = { bearer: 20 * 1024 };
const USUAL_MAX_BYTES = 8 * 1024;
// An input that takes this long is reported like a panic.
const SLOW_SECONDS = 20;

const seconds = Number(process.env.SECONDS_EACH ?? 60);
if (!Number.isInteger(seconds) || seconds < 1) fail("SECONDS must be a whole number of seconds, such as 60");
const all = readdirSync(join(FOLDER, "fuzz_targets")).map((name) => name.replace(/\.rs$/, "")).sort();
const wanted = process.env.TARGET ? [process.env.TARGET] : all;
if (!all.includes(wanted[0])) fail(`TARGET must be one of ${all.join(", ")}`);

// The profile of a release is for WebAssembly; cargo-fuzz adds the coverage.
const built = spawnSync("cargo", ["fuzz", "build", ...BUILD, ...(process.env.TARGET ? wanted : [])], { cwd: FOLDER, stdio: "inherit" });
if (built.status !== 0) process.exit(built.status ?? 1);

const rows = [];
const broken = [];
for (const target of wanted) {
  process.stdout.write(`fuzz: ${target}, ${seconds} s …\n`);
  const result = await run(target);
  rows.push(result.row);
  if (result.failure) broken.push({ target, ...result.failure });
}
print([["target", "executions", "per second", "coverage", "features", "new inputs", "result"], ...rows]);
for (const { target, input, output } of broken) {
  process.stdout.write(`
${target} failed: ${firstWords(output)}
  the input   ${input ?? "was not written, see the output above"}
  to repeat   (cd fuzz && ../dev/with-tools cargo fuzz run ${BUILD.join(" ")} ${target} ${input?.replace(`${FOLDER}/`, "") ?? "INPUT"})
  to shorten  (cd fuzz && ../dev/with-tools cargo fuzz tmin ${BUILD.join(" ")} ${target} ${input?.replace(`${FOLDER}/`, "") ?? "INPUT"})
  to keep     copy it to fuzz/seeds/${target}/, and make test repeats it
`);
}
process.exit(broken.length > 0 ? 1 : 0);

/** Runs one target, and returns its row of the table and, if it failed, the input and the output. */
async function run(target) {
  const folders = { corpus: join(FOLDER, "corpus", target), artifacts: join(FOLDER, "artifacts", target) };
  for (const folder of Object.values(folders)) mkdirSync(folder, { recursive: true });
  const before = readdirSync(folders.corpus).length;
  const options = [`-max_total_time=${seconds}`, `-max_len=${MAX_BYTES[target] ?? USUAL_MAX_BYTES}`, `-timeout=${SLOW_SECONDS}`, "-print_final_stats=1"];
  const seeds = join(FOLDER, "seeds", target);
  const { code, output } = await execute(["fuzz", "run", ...BUILD, target, folders.corpus, seeds, "--", ...options]);
  const last = (pattern) => [...output.matchAll(pattern)].at(-1)?.[1];
  const executions = Number(last(/stat::number_of_executed_units:\s*(\d+)/g) ?? 0);
  const row = [
    target,
    executions.toLocaleString("en"),
    Math.round(Number(last(/stat::average_exec_per_sec:\s*(\d+)/g) ?? 0)).toLocaleString("en"),
    last(/\bcov: (\d+)/g) ?? "-",
    last(/\bft: (\d+)/g) ?? "-",
    String(readdirSync(folders.corpus).length - before),
    code === 0 ? "passed" : "FAILED",
  ];
  return { row, failure: code === 0 ? undefined : { input: last(/Test unit written to (\S+)/g), output } };
}

// Everything that libFuzzer prints; it is shown only if the target fails.
function execute(args) {
  return new Promise((resolve) => {
    const child = spawn("cargo", args, { cwd: FOLDER, stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("latin1");
      // The beginning of a long run is of no interest.
      stream.on("data", (data) => (output = (output + data).slice(-1_000_000)));
    }
    child.once("error", (error) => resolve({ code: 1, output: String(error) }));
    child.once("close", (code) => {
      if (code !== 0) process.stdout.write(output.slice(-4_000));
      resolve({ code, output });
    });
  });
}

/** The panic's message, or what libFuzzer says. */
function firstWords(output) {
  const words = /panicked at ([^\n]+)\n([^\n]*)/.exec(output) ?? /(ERROR: libFuzzer: [^\n]+)/.exec(output);
  return words?.slice(1).join(" ").slice(0, 300) ?? "see the output above";
}

function print(rows) {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  const isText = (column) => column === 0 || column === widths.length - 1;
  const cell = (text, column) => (isText(column) ? text.padEnd(widths[column]) : text.padStart(widths[column]));
  process.stdout.write(`\n${rows.map((row) => row.map(cell).join("  ").trimEnd()).join("\n")}\n`);
}

function fail(message) {
  process.stderr.write(`fuzz: ${message}\n`);
  process.exit(2);
}
