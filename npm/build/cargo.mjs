// What cargo knows of a Worker, and what it compiles.

import process from "node:process";
import { delimiter, dirname, join } from "node:path";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { BuildProblem } from "./problem.mjs";
import { run } from "./run.mjs";
import { addFlags, cargoConfigs, pathFlags } from "./source-paths.mjs";

const TARGET = "wasm32-unknown-unknown";
const LINKER = fileURLToPath(new URL("wasm-linker", import.meta.url));
/** As many loads and stores at most copy something; see `withCopiesOfWords`. */
const COPIED_WORDS = 1;
const NO_CARGO = "there is no cargo: install Rust with rustup (https://rustup.rs), and open a new terminal";

/**
 * @typedef {object} Dependencies
 * @property {string} runtime  the folder of the crate mcp-edge-runtime, with the JavaScript that belongs to it
 * @property {string} wasmBindgen  the version of the crate wasm-bindgen
 *
 * Reads the two dependencies that the build has to know.
 * @param {string} folder  of the Worker
 * @param {string[]} cargoArgs  of these, `--locked`, `--offline` and `--frozen` count here as well
 * @returns {Promise<Dependencies>}
 * @throws {BuildProblem} if cargo cannot read the project, or it is no Worker made with mcp-edge
 */
export async function readDependencies(folder, cargoArgs) {
  const manifest = join(folder, "Cargo.toml");
  if (!existsSync(manifest)) {
    throw new BuildProblem(`there is no Cargo.toml in ${folder}: run this in the folder of your Worker, or name the folder`);
  }
  const { packages } = await readMetadata(folder, cargoArgs);
  const [runtime, bindgen] = ["mcp-edge-runtime", "wasm-bindgen"].map((name) => packages.find((each) => each.name === name));
  if (runtime === undefined || bindgen === undefined) {
    throw new BuildProblem(`${manifest} is not that of a Worker made with mcp-edge: add mcp-edge = "…" to its [dependencies]`);
  }
  return { runtime: dirname(runtime.manifest_path), wasmBindgen: bindgen.version };
}

/** Asks cargo for the packages of a project, and the folders that it uses. */
async function readMetadata(folder, cargoArgs) {
  const flags = cargoArgs.filter((each) => ["--locked", "--offline", "--frozen"].includes(each));
  const args = ["metadata", "--format-version=1", `--filter-platform=${TARGET}`, ...flags];
  return JSON.parse(await run("cargo", args, { cwd: folder, missing: NO_CARGO, failed: "cargo could not read the project (see above)" }));
}

/**
 * Compiles a Worker.
 * @param {string} folder  of the Worker
 * @param {string[]} cargoArgs  further arguments of `cargo rustc`
 * @param {string} [what]  what is compiled, for messages
 * @returns {Promise<string>} the path of the module
 * @throws {BuildProblem} if it does not compile, or Rust lacks the target
 */
export async function compile(folder, cargoArgs, what = "Worker") {
  const libraries = await run("rustc", ["--print", "target-libdir", "--target", TARGET], { cwd: folder, missing: NO_CARGO });
  if (!existsSync(libraries.trim())) {
    throw new BuildProblem(`Rust cannot compile to WebAssembly yet: run "rustup target add ${TARGET}", and build again`);
  }
  const flags = addFlags(pathFlags(await readMetadata(folder, cargoArgs)), process.env, cargoConfigs(folder));
  const env = { ...process.env, ...flags.env };
  // On Windows rustc would not run a script as its linker. Without it the bundle is a hundredth larger.
  if (process.platform !== "win32") {
    env.CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER = LINKER;
    env.PATH = `${dirname(process.execPath)}${delimiter}${env.PATH}`;
  }
  // As a cdylib alone: beside an rlib, all that another crate could call stays a function of its own, and the bundle is a
  // twentieth larger.
  const args = ["rustc", "--lib", "--crate-type", "cdylib", "--release", "--target", TARGET];
  const options = withCopiesOfWords(cargoArgs, await run("rustc", ["-vV"], { cwd: folder, missing: NO_CARGO }));
  const messages = await run("cargo", [...args, "--message-format=json-render-diagnostics", ...flags.args, ...options], {
    cwd: folder,
    env,
    failed: `the ${what} could not be compiled (see above)`,
  });
  // The library that cargo built last is the Worker's own.
  const artifacts = messages.split("\n").filter(Boolean).map((line) => JSON.parse(line));
  const library = artifacts.findLast(({ reason, target }) => reason === "compiler-artifact" && target.kind.includes("cdylib"));
  if (library === undefined) throw new BuildProblem('cargo compiled no Worker: Cargo.toml needs [lib] crate-type = ["cdylib", "rlib"]');
  return library.filenames[0];
}

/**
 * Adds an option of LLVM, for all that is linked into the Worker.
 *
 * A copy becomes an instruction `memory.copy`, or some loads and stores, which are up to four where LLVM compiles for size. With
 * more than COPIED_WORDS of them the bundle is a thirtieth larger, and a request takes no fewer instructions. LLVM has had the option
 * since version 22.
 * @param {string[]} cargoArgs  arguments of `cargo rustc`; what follows `--` is for rustc
 * @param {string} version  what `rustc -vV` prints
 * @returns {string[]} arguments of `cargo rustc`
 */
export function withCopiesOfWords(cargoArgs, version) {
  const llvm = Number(/^LLVM version: (\d+)/m.exec(version)?.[1] ?? 0);
  if (llvm < 22) return cargoArgs;
  const separator = cargoArgs.includes("--") ? [] : ["--"];
  return [...cargoArgs, ...separator, `-Cllvm-args=--max-store-memcpy=${COPIED_WORDS} --max-store-memmove=${COPIED_WORDS}`];
}
