// Writes a project as a whole or not at all.

import { existsSync, readdirSync, statSync } from "node:fs";
import { mkdir, mkdtemp, readdir, rename, rm, rmdir, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { Problem } from "./problem.mjs";

/**
 * @param {string} folder
 * @throws {Problem} if something is there already
 */
export function checkUnused(folder) {
  if (!existsSync(folder)) return;
  if (!statSync(folder).isDirectory()) throw new Problem(`${folder} is a file`, "Choose another folder.");
  const [first] = readdirSync(folder);
  if (first !== undefined) throw new Problem(`${folder} is not empty: it has ${first}`, "Choose another folder; nothing in it was touched.");
}

/**
 * Writes the files into a folder beside, and then puts them in their place.
 * @param {string} folder  absolute; absent or empty
 * @param {Map<string, string>} files  text by path, with / between its parts
 * @throws {Problem} if something is there already; errors of the file system
 */
export async function writeProject(folder, files) {
  checkUnused(folder);
  const parent = dirname(folder);
  const firstMade = await mkdir(parent, { recursive: true });
  const draft = await mkdtemp(join(parent, `.${basename(folder)}-`));
  try {
    for (const [path, text] of files) {
      const file = join(draft, ...path.split("/"));
      await mkdir(dirname(file), { recursive: true });
      await writeFile(file, text);
    }
    await (existsSync(folder) ? moveInto(draft, folder) : rename(draft, folder));
  } catch (error) {
    await rm(draft, { recursive: true, force: true });
    if (firstMade !== undefined) await removeEmpty(parent, firstMade);
    throw error;
  }
}

/** Fills an empty folder. It stays itself: a shell may be in it. */
async function moveInto(draft, folder) {
  const moved = [];
  try {
    for (const name of await readdir(draft)) {
      await rename(join(draft, name), join(folder, name));
      moved.push(name);
    }
  } catch (error) {
    for (const name of moved) await rm(join(folder, name), { recursive: true, force: true });
    throw error;
  }
  await rmdir(draft);
}

/** Removes the folders that were made on the way, from the innermost to `first`, as far as they are empty. */
async function removeEmpty(innermost, first) {
  for (let folder = innermost; ; folder = dirname(folder)) {
    await rmdir(folder).catch(() => {});
    if (folder === first || folder === dirname(folder)) return;
  }
}
