// The program wasm-opt, of the package binaryen.

import { createRequire } from "node:module";
import process from "node:process";
import { run } from "./run.mjs";

/** What rustc may use of WebAssembly. */
const FEATURES = [
  "mutable-globals", "sign-ext", "nontrapping-float-to-int", "bulk-memory", "multivalue", "reference-types", "exception-handling",
].map((name) => `--enable-${name}`);

/**
 * Runs it.
 * @param {string[]} args
 * @returns {Promise<string>} what it prints
 * @throws {import("./problem.mjs").BuildProblem} if it fails
 */
export function wasmOpt(...args) {
  const program = createRequire(import.meta.url).resolve("binaryen/package.json").replace("package.json", "bin/wasm-opt");
  return run(process.execPath, [program, ...FEATURES, ...args], { failed: "wasm-opt failed (see above)" });
}
