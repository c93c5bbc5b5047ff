// The program wasm-bindgen. It must have exactly the version of the library, which the project's Cargo.lock names.

import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { run } from "./run.mjs";

const PROGRAM = process.platform === "win32" ? "wasm-bindgen.exe" : "wasm-bindgen";

/** Where programs that are built from source are kept for all projects of a user. The folder may be deleted at any time. */
export function cacheFolder({ platform, env, home }) {
  if (env.XDG_CACHE_HOME) return join(env.XDG_CACHE_HOME, "mcp-edge");
  if (platform === "win32" && env.LOCALAPPDATA) return join(env.LOCALAPPDATA, "mcp-edge");
  return join(home, ".cache", "mcp-edge");
}

/**
 * Finds wasm-bindgen in the cache or on PATH, or installs it into the cache.
 * @param {string} version
 * @param {(line: string) => void} say  prints a line for the person who waits
 * @returns {Promise<string>} the program
 * @throws {BuildProblem} if it cannot be installed
 */
export async function wasmBindgen(version, say) {
  const root = join(cacheFolder({ platform: process.platform, env: process.env, home: homedir() }), `wasm-bindgen-${version}`);
  const cached = join(root, "bin", PROGRAM);
  if (existsSync(cached)) return cached;
  const onPath = await run("wasm-bindgen", ["--version"]).catch(() => "");
  if (onPath.trim() === `wasm-bindgen ${version}`) return "wasm-bindgen";

  const started = Date.now();
  say(`installing wasm-bindgen ${version} into ${root}: once, a minute or two`);
  // Most of its time is that of compiling it; it has little to do afterwards.
  const env = { ...process.env, CARGO_PROFILE_RELEASE_OPT_LEVEL: "0", CARGO_PROFILE_RELEASE_STRIP: "true" };
  // The target of the project is not one for programs of this machine.
  delete env.CARGO_BUILD_TARGET;
  // The default features are for its test runner and would add a TLS library.
  const args = ["install", "wasm-bindgen-cli", "--version", version, "--bin", "wasm-bindgen", "--no-default-features", "--root", root, "--no-track", "--quiet"];
  const options = {
    env,
    keepsErrors: true,
    failed: `wasm-bindgen ${version} could not be installed (see above): run "cargo install wasm-bindgen-cli --version ${version}", and build again`,
  };
  try {
    await run("cargo", [...args, "--locked"], options);
  } catch (error) {
    // Versions are withdrawn, and a mirror of the registry may lack the latest ones.
    if (!/failed to select a version/.test(error.errors)) throw error;
    say("the versions that it was released with are not all to be had: cargo chooses compatible ones");
    await run("cargo", args, options);
  }
  say(`installed wasm-bindgen ${version} in ${Math.round((Date.now() - started) / 1000)} s`);
  return cached;
}
