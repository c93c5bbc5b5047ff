// What a build was made from, so that the same is not made twice: most of the time of a build goes into making a module
// small, and that depends on nothing but what is named here.

import { createHash } from "node:crypto";
import { readFile, readdir, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const HERE = fileURLToPath(new URL(".", import.meta.url));
const PROGRAMS = ["binaryen", "esbuild"];

/** Beside the files of a build. */
const RECORD = ".made-from.json";

/**
 * Computes what identifies the sources of a build.
 * @param {object} sources
 * @param {string[]} sources.files  paths: the compiled module, the JavaScript that is added to it, further programs
 * @param {unknown} [sources.options]  what else the result depends on, as JSON
 * @returns {Promise<string>} the same for the same contents and programs, in any folder
 */
export async function fingerprint({ files, options }) {
  const { resolve } = createRequire(import.meta.url);
  const versions = PROGRAMS.map((name) => resolve(`${name}/package.json`));
  const steps = (await readdir(HERE)).filter((name) => /(?<!\.test)\.mjs$/.test(name)).sort().map((name) => join(HERE, name));
  const contents = await Promise.all([...files, ...versions, ...steps].map(digest));
  return hash(JSON.stringify({ contents, options }));
}

/**
 * Whether a folder has the result of these sources, unchanged.
 * @param {string} folder
 * @param {string} source  of `fingerprint`
 * @param {string[]} names  of the files that a build makes
 */
export async function isMadeFrom(folder, source, names) {
  try {
    return (await readFile(join(folder, RECORD), "utf8")) === (await record(folder, source, names));
  } catch {
    return false; // a file is missing or cannot be read: it is made anew, and what is wrong shows then
  }
}

/** Notes what the files in a folder were made from. */
export async function noteSource(folder, source, names) {
  await writeFile(join(folder, RECORD), await record(folder, source, names));
}

async function record(folder, source, names) {
  const made = await Promise.all(names.map(async (name) => [name, await digest(join(folder, name))]));
  return `${JSON.stringify({ source, made: Object.fromEntries(made) })}\n`;
}

async function digest(path) {
  return hash(await readFile(path));
}

function hash(content) {
  return createHash("sha256").update(content).digest("hex");
}
