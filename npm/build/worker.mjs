// Builds a Worker for deployment: cargo → wasm-bindgen → wasm-opt → esbuild.
//
// It does what worker-build does, but with an entry of ours (entry.mjs here, and entry.js and classes.js of the crate
// mcp-edge-runtime) and without the names of functions in the wasm: they are an eighth of the bundle.

import { copyFile, mkdir, mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { compile, readDependencies } from "./cargo.mjs";
import { entryModule } from "./entry.mjs";
import { fingerprint, isMadeFrom, noteSource } from "./made-from.mjs";
import { run } from "./run.mjs";
import { wasmBindgen } from "./wasm-bindgen.mjs";
import { wasmOpt } from "./wasm-opt.mjs";

const ENTRY_FILES = ["entry.js", "classes.js"];
const RESULTS = ["index.js", "index_bg.wasm"];

/**
 * @typedef {object} BuiltFile
 * @property {string} path
 * @property {number} bytes
 * @property {number} gzipped
 *
 * @param {object} options
 * @param {string} options.folder  of the Worker
 * @param {string} options.out  where index.js and index_bg.wasm are put
 * @param {string[]} options.cargoArgs  further arguments of `cargo rustc`
 * @param {boolean} options.keepsNames  whether functions keep their names, for readable traces and profiles
 * @param {(line: string) => void} options.say  prints a line for the person who waits
 * @returns {Promise<BuiltFile[]>}
 * @throws {import("./problem.mjs").BuildProblem}
 */
export async function buildWorker({ folder, out, cargoArgs, keepsNames, say }) {
  const { runtime, wasmBindgen: version } = await readDependencies(folder, cargoArgs);
  const bindgen = await wasmBindgen(version, say);
  const compiled = await compile(folder, cargoArgs);

  const entry = ENTRY_FILES.map((name) => join(runtime, "src/cloudflare", name));
  const source = await fingerprint({ files: [compiled, ...entry], options: { version, keepsNames } });
  if (!(await isMadeFrom(out, source, RESULTS))) {
    await make({ bindgen, compiled, entry, out, keepsNames });
    await noteSource(out, source, RESULTS);
  }
  return Promise.all(RESULTS.map((name) => measure(join(out, name))));
}

/** Makes the files of a Worker from its compiled module. */
async function make({ bindgen, compiled, entry, out, keepsNames }) {
  // Beside the result, so that both are on one file system and a result appears whole.
  await mkdir(out, { recursive: true });
  const work = await mkdtemp(join(out, ".tmp."));
  try {
    await bind(bindgen, compiled, work);
    await addEntry(entry, work);
    await optimize(work, keepsNames);
    await bundle(work, keepsNames);
    await rename(join(work, "bundle.js"), join(out, "index.js"));
    await rename(join(work, "optimized.wasm"), join(out, "index_bg.wasm"));
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** Makes index_bg.wasm and its bindings, index.js. */
async function bind(bindgen, compiled, work) {
  // The functions that start WebAssembly anew after a crash are still called experimental.
  const options = ["--target", "module", "--no-typescript", "--experimental-reset-state-function", "--force-enable-abort-handler"];
  await run(bindgen, [compiled, "--out-dir", work, "--out-name", "index", ...options]);
  // Workers import a module of WebAssembly as any other; the "source" is not for them. And a class that
  // is not used can be left out, together with the registry that frees what JavaScript drops and the method for `using`.
  const script = await readFile(join(work, "index.js"), "utf8");
  const changed = script
    .replace(/^import source /gm, "import ")
    .replaceAll(": new FinalizationRegistry(", ": /* @__PURE__ */ new FinalizationRegistry(");
  await writeFile(join(work, "index.js"), changed);
}

async function addEntry(entry, work) {
  for (const path of entry) await copyFile(path, join(work, basename(path)));
  await writeFile(join(work, "main.js"), entryModule(await readFile(join(work, "index_bg.wasm"))));
}

/** Makes optimized.wasm, and takes out of index.js what that does not need. */
async function optimize(work, keepsNames) {
  const [script, optimized, numbered, names] = ["index.js", "optimized.wasm", "numbered.wasm", "names.json"].map((name) => join(work, name));
  // A function that is called once is otherwise put into its caller, however large both are: small ones
  // compress better, and V8 compiles each only when it is called. In the order of their names, functions of one module and
  // instances of one generic function follow each other, and gzip finds some of what they share. The lowest kilobyte is the end
  // of the stack, which grows downwards: as nothing else is there, what is added to an address can become the offset of a load.
  const layout = ["--one-caller-inline-max-function-size=30", "--low-memory-unused"];
  const shrink = ["-Oz", ...layout, "--converge", "--reorder-functions-by-name", "--debuginfo"];
  await wasmOpt(...shrink, join(work, "index_bg.wasm"), "-o", optimized);
  await step("shrink-bindings.mjs", "imports", script, optimized);
  if (keepsNames) return;
  await writeFile(names, await wasmOpt("--minify-imports-and-exports-and-modules", optimized, "-o", optimized));
  await step("shrink-bindings.mjs", "names", script, names);
  await step("order-functions.mjs", optimized, numbered);
  await wasmOpt("--reorder-functions-by-name", "--strip-debug", "--strip-producers", numbered, "-o", optimized);
}

async function bundle(work, keepsNames) {
  await build({
    entryPoints: [join(work, "main.js")],
    outfile: join(work, "bundle.js"),
    bundle: true,
    format: "esm",
    minify: !keepsNames,
    logLevel: "warning",
    define: { "Symbol.dispose": "undefined" },
    external: ["./index_bg.wasm", "cloudflare:*"],
  });
}

/** In a process of its own, whose memory is free afterwards. */
function step(name, ...args) {
  return run(process.execPath, [fileURLToPath(new URL(name, import.meta.url)), ...args], { failed: `${name} failed (see above)` });
}

async function measure(path) {
  const content = await readFile(path);
  return { path, bytes: content.length, gzipped: gzipSync(content).length };
}
