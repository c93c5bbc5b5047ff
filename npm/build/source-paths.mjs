// Where sources are on this machine stays out of what is built: panics name the file that they happened in, by the path that the
// compiler was called with. Without this a module would tell the home folder of the person who built it, and their registry,
// and two people who build the same sources would get different bytes.

import { existsSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import process from "node:process";

/** What stands for the folder of a dependency's sources. The standard library of Rust calls its own dependencies so, too. */
const DEPENDENCIES = "/rust/deps";

/** The tables of config.toml, each with its variable. */
const BUILD = { table: "build", variable: "CARGO_BUILD_RUSTFLAGS" };
const TARGET = { table: "target.wasm32-unknown-unknown", variable: "CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS" };

/**
 * Flags of rustc that replace the folders of this machine.
 * @param {object} metadata  of `cargo metadata`
 * @returns {string[]}
 */
export function pathFlags({ packages, workspace_root: root, target_directory: target }) {
  // Of several that match, the last one counts.
  const names = new Map([...(isWithin(target, root) ? [] : [[target, "./target"]]), [root, "."]]);
  for (const { name, version, source, manifest_path: manifest } of packages) {
    const folder = dirname(manifest);
    if (source?.startsWith("registry+")) names.set(dirname(folder), DEPENDENCIES);
    // From git, or from a folder outside of the workspace. What is in it is called by its path in the workspace.
    else if (!isWithin(folder, root)) names.set(folder, `${DEPENDENCIES}/${name}-${version}`);
  }
  return [...names].map(([folder, name]) => `--remap-path-prefix=${folder}=${name}`);
}

/**
 * How cargo gets flags of rustc beside those that a person has set. Of its four sources it reads only the first
 * that is there: CARGO_ENCODED_RUSTFLAGS, RUSTFLAGS, `target.….rustflags` and `build.rustflags` of config.toml.
 * @param {string[]} flags
 * @param {Record<string, string | undefined>} env
 * @param {string[]} configs  the contents of all config.toml that cargo reads
 * @returns {{env: Record<string, string | undefined>, args: string[]}} what to change in the environment, and arguments of cargo
 */
export function addFlags(flags, env, configs) {
  // The one form in which a flag may contain a blank.
  const encoded = (given) => ({ env: { CARGO_ENCODED_RUSTFLAGS: [...given, ...flags].join("\x1f") }, args: [] });
  if (env.CARGO_ENCODED_RUSTFLAGS !== undefined) return encoded(env.CARGO_ENCODED_RUSTFLAGS.split("\x1f").filter(Boolean));
  if (env.RUSTFLAGS !== undefined) return encoded(env.RUSTFLAGS.split(" ").filter(Boolean));
  const set = new Set(configs.flatMap(tablesWithFlags));
  const isInBuild = set.has("build") || env[BUILD.variable] !== undefined;
  const isInTarget = [...set].some(isOfTarget) || env[TARGET.variable] !== undefined;
  const { table, variable } = isInBuild && !isInTarget ? BUILD : TARGET;
  // Cargo adds a variable to a string or an array in the file, but divides it at blanks; an array it adds to an array only.
  if (flags.some((flag) => /\s/.test(flag))) return { env: {}, args: ["--config", `${table}.rustflags=${JSON.stringify(flags)}`] };
  return { env: { [variable]: [env[variable], ...flags].filter(Boolean).join(" ") }, args: [] };
}

/**
 * Reads every config.toml that cargo would.
 * @param {string} folder  where cargo is called
 * @returns {string[]} their contents
 */
export function cargoConfigs(folder, env = process.env) {
  const places = [env.CARGO_HOME ?? join(homedir(), ".cargo")];
  for (let at = folder; ; at = dirname(at)) {
    places.push(join(at, ".cargo"));
    if (at === dirname(at)) break;
  }
  const files = [...new Set(places)].flatMap((place) => [join(place, "config.toml"), join(place, "config")]);
  return files.filter((file) => existsSync(file)).map((file) => readFileSync(file, "utf8"));
}

/** Whether a table is of the target of Workers, or by a condition, which may hold for it. Those of others cargo does not read. */
function isOfTarget(table) {
  return /^target\s*\.\s*(?:(["']?)wasm32-unknown-unknown\1|["']\s*cfg\(.*)$/.test(table);
}

/** The tables of a config.toml that have `rustflags`: "build", "target.…". */
function tablesWithFlags(text) {
  let table = "";
  return text.split("\n").flatMap((line) => {
    const heading = /^\s*\[\s*(.+?)\s*\]/.exec(line);
    if (heading !== null) {
      table = heading[1];
      return [];
    }
    const assignment = /^\s*(?:((?:"[^"]*"|'[^']*'|[^#="'])+?)\s*\.\s*)?rustflags\s*=/.exec(line);
    return assignment === null ? [] : [[table, assignment[1]].filter(Boolean).join(".")];
  });
}

function isWithin(folder, root) {
  return folder === root || folder.startsWith(`${root}/`) || folder.startsWith(`${root}\\`);
}
