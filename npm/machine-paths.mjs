// Paths of the machine that built a module, in the module.

import { homedir } from "node:os";
import process from "node:process";

/** What is in such paths on any machine: the folders of cargo and of rustup, and those of users. */
const SIGNS = [".cargo", ".rustup", "registry/src", "registry\\src", "git/checkouts", "/home/", "/Users/", "\\Users\\", "/root/"];

/**
 * Finds them.
 * @param {Buffer} module
 * @param {{root: string, env?: Record<string, string | undefined>, home?: string}} machine  `root`: the folder of the repository
 * @returns {string[]} each once, with what stands around it
 */
export function machinePathsIn(module, { root, env = process.env, home = homedir() }) {
  const text = module.toString("latin1");
  const folders = [root, home, env.CARGO_HOME, env.CARGO_TARGET_DIR].map((folder) => folder?.replace(/[\\/]+$/, "")).filter(Boolean);
  const own = folders.flatMap((folder) => [`${folder}/`, `${folder}\\`]);
  const found = [...SIGNS, ...own].flatMap((sign) => {
    const at = text.indexOf(sign);
    if (at === -1) return [];
    return [`${/[\x21-\x7e]{0,40}$/.exec(text.slice(0, at))[0]}${/^[\x21-\x7e]{0,120}/.exec(text.slice(at))[0]}`];
  });
  return [...new Set(found)];
}
