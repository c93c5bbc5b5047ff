// Compiles the doctor to WebAssembly, and puts it beside its host into doctor/build/npm. For dev/build-doctor:
//
//   node build.mjs PROGRAM_WASM_BINDGEN [ARGUMENT OF cargo rustc…]

import { copyFile, mkdir, mkdtemp, readFile, rename, rm } from "node:fs/promises";
import { basename, join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { compile } from "../../npm/build/cargo.mjs";
import { fingerprint, isMadeFrom, noteSource } from "../../npm/build/made-from.mjs";
import { BuildProblem } from "../../npm/build/problem.mjs";
import { run } from "../../npm/build/run.mjs";
import { wasmOpt } from "../../npm/build/wasm-opt.mjs";

const CRATE = fileURLToPath(new URL("..", import.meta.url));
const SOURCES = join(CRATE, "node");
const OUTPUT = join(CRATE, "build/npm");
const PARTS = ["index.mjs", "host.mjs", "terminal.mjs", "http-worker.mjs"];
const FILES = ["index.mjs", "http-worker.mjs", "doctor_bg.wasm"];

try {
  const [bindgen, ...cargoArgs] = process.argv.slice(2);
  await makeDoctor(bindgen, cargoArgs);
  for (const name of FILES) {
    const content = await readFile(join(OUTPUT, name));
    console.log(`${join(OUTPUT, name)}: ${content.length} bytes, ${gzipSync(content).length} gzipped`);
  }
} catch (error) {
  if (!(error instanceof BuildProblem)) throw error;
  console.error(`build-doctor: ${error.message}`);
  process.exitCode = 1;
}

/** @throws {BuildProblem} */
async function makeDoctor(bindgen, cargoArgs) {
  const compiled = await compile(CRATE, cargoArgs, "doctor");
  const parts = PARTS.map((name) => join(SOURCES, name));
  const source = await fingerprint({ files: [bindgen, compiled, fileURLToPath(import.meta.url), ...parts] });
  if (await isMadeFrom(OUTPUT, source, FILES)) return;
  // Beside the result, so that both are on one file system and a result appears whole.
  await mkdir(OUTPUT, { recursive: true });
  const work = await mkdtemp(join(OUTPUT, ".tmp."));
  try {
    await run(bindgen, [compiled, "--out-dir", work, "--out-name", "doctor", "--target", "web", "--no-typescript"]);
    for (const path of parts) await copyFile(path, join(work, basename(path)));
    await wasmOpt("-Oz", "--strip-debug", "--strip-producers", join(work, "doctor_bg.wasm"), "-o", join(work, "small.wasm"));
    await rename(join(work, "small.wasm"), join(work, "doctor_bg.wasm"));
    await build({ entryPoints: [join(work, "index.mjs")], outfile: join(work, "bundle.mjs"), bundle: true, format: "esm", platform: "node", logLevel: "warning" });
    await rename(join(work, "bundle.mjs"), join(work, "index.mjs"));
    for (const name of FILES) await rename(join(work, name), join(OUTPUT, name));
    await noteSource(OUTPUT, source, FILES);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}
