// Puts secrets into a Worker with wrangler, or, without a login, into files from which the operator does it.

import { mkdir, readFile, rm } from "node:fs/promises";
import { join, relative } from "node:path";
import { Problem } from "../logto/problem.mjs";
import { putSecret, secretNames } from "../logto/secrets.mjs";
import { writePrivate } from "./write-private.mjs";

/**
 * @param {object} options
 * @param {import("../logto/secrets.mjs").Wrangler} options.wrangler
 * @param {string} options.file    the wrangler.toml, for the operator
 * @param {string} options.root    of the repository
 * @param {string} options.folder  for files
 */
export async function openSecretStore({ wrangler, file, root, folder }) {
  const { names, reason } = await secretNames(wrangler, file);
  // wrangler makes a Worker for its first secret.
  const isNew = /is not deployed yet/.test(reason ?? "");
  const isLoggedIn = names !== undefined || isNew;
  if (!isLoggedIn && !/not logged in/.test(reason)) throw new Problem("the secrets of the Worker cannot be listed", { why: `${reason}.` });
  const pathOf = (name) => join(folder, name);
  const commandFor = (name) => {
    const path = relative(root, pathOf(name));
    return `dev/with-tools wrangler secret put ${name} --config ${file} < ${path} && rm ${path}`;
  };
  return {
    /** The command that puts a value from its file. @param {string} name */
    commandFor,
    isLoggedIn,
    isNew,
    /** Whether the Worker has a secret; unknown without a login. @returns {boolean | undefined} */
    has: (name) => (isLoggedIn ? (names ?? []).includes(name) : undefined),

    /** A value that an earlier run has left in a file. */
    left: (name) => readFile(pathOf(name), "utf8").catch(() => undefined),

    /** @returns {Promise<string[]>} the commands that are left to the operator */
    async put(name, value) {
      if (!isLoggedIn) {
        await mkdir(folder, { recursive: true });
        await writePrivate(pathOf(name), value);
        return [commandFor(name)];
      }
      const failure = await putSecret(wrangler, file, name, value);
      if (failure !== undefined) throw new Problem(`the secret ${name} was not put`, { why: `${failure}.`, fix: "Run the same command again." });
      await rm(pathOf(name), { force: true });
      return [];
    },
  };
}
