// `mcp-edge build`: builds a Worker in Rust for deployment.

import { statSync } from "node:fs";
import { resolve } from "node:path";
import process from "node:process";
import { BuildProblem } from "../build/problem.mjs";
import { buildWorker } from "../build/worker.mjs";

export const summary = "build your own Worker in Rust: index.js and index_bg.wasm";

const HELP = `mcp-edge build [FOLDER] [--out-dir DIR] [ARGUMENT OF cargo rustc…]

Builds the Worker whose Cargo.toml is in FOLDER (default: this one), and puts index.js and index_bg.wasm into
FOLDER/build, or into DIR. wrangler.jsonc names it as the build command.

Needs Rust with the target wasm32-unknown-unknown: rustup target add wasm32-unknown-unknown
wasm-bindgen, in the version that Cargo.lock names, is installed at the first build.

  --locked        end with an error if Cargo.lock would have to change
  --features …    as all other arguments of "cargo rustc"

KEEP_NAMES=1 keeps the names of functions, for readable traces and profiles; the bundle is larger then.`;

/**
 * @param {string[]} args  see HELP
 * @param {{say?: (line: string) => void}} [output]
 * @returns {Promise<number>} the code that the program ends with
 */
export async function run(args, { say = console.log } = {}) {
  if (args[0] === "--help" || args[0] === "-h") {
    say(HELP);
    return 0;
  }
  try {
    const { folder, out, cargoArgs } = readArguments(args);
    const built = await buildWorker({ folder, out, cargoArgs, keepsNames: Boolean(process.env.KEEP_NAMES), say });
    for (const { path, bytes, gzipped } of built) say(`${path}: ${bytes} bytes, ${gzipped} gzipped`);
    return 0;
  } catch (error) {
    if (!(error instanceof BuildProblem)) throw error;
    console.error(`build: ${error.message}`);
    return 1;
  }
}

/** @throws {BuildProblem} */
export function readArguments(args, isFolder = (path) => statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false) {
  const [first, ...others] = args;
  const hasFolder = first !== undefined && !first.startsWith("-");
  if (hasFolder && !isFolder(first)) throw new BuildProblem(`there is no folder ${first}`);
  const folder = resolve(hasFolder ? first : ".");
  const rest = hasFolder ? others : args;
  if (rest[0] !== "--out-dir") return { folder, out: resolve(folder, "build"), cargoArgs: rest };
  if (rest[1] === undefined || rest[1].startsWith("-")) throw new BuildProblem("--out-dir needs a folder");
  return { folder, out: resolve(folder, rest[1]), cargoArgs: rest.slice(2) };
}
