// A new user: an empty home folder, an empty cache of npm, and of programs only Node.js with npm – neither Rust nor a compiler.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, realpath, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { text } from "node:stream/consumers";

/** What npm and its scripts need besides Node.js. */
const PROGRAMS = ["sh", "env", "npm", "npx"];

/**
 * Runs a program to its end.
 * @param {string} command
 * @param {string[]} args
 * @param {{cwd: string, env?: Record<string, string>}} options
 * @returns {Promise<{stdout: string, stderr: string}>}
 * @throws {Error} with its output, if it fails
 */
export async function finish(command, args, { cwd, env = process.env }) {
  const child = spawn(command, args, { cwd, env, stdio: ["ignore", "pipe", "pipe"] });
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "close")]);
  if (code !== 0) throw new Error(`${command} ${args.join(" ")} ended with ${code}:\n${stdout}\n${stderr}`);
  return { stdout, stderr };
}

/**
 * @typedef {object} NewUser
 * @property {string} folder  where their projects are
 * @property {(cwd: string, command: string, ...args: string[]) => Promise<{stdout: string, stderr: string}>} run
 * @property {(cwd: string, args: string[], env?: Record<string, string>) => import("../../support/program.mjs").Program} start  npm, in the background
 * @property {() => Promise<void>} forget
 *
 * @param {string} registry
 * @returns {Promise<NewUser>}
 */
export async function newUser(registry) {
  const home = await realpath(await mkdtemp(join(tmpdir(), "mcp-edge-user-")));
  const [bin, folder] = [join(home, "bin"), join(home, "projects")];
  await Promise.all([mkdir(bin), mkdir(folder)]);
  await symlink(process.execPath, join(bin, "node"));
  for (const name of PROGRAMS) await symlink(await whereIs(name), join(bin, name));
  const env = { HOME: home, PATH: bin, TMPDIR: tmpdir(), npm_config_registry: registry, npm_config_update_notifier: "false", WRANGLER_SEND_METRICS: "false" };
  return {
    folder,
    run: (cwd, command, ...args) => finish(join(bin, command), args, { cwd, env }),
    start(cwd, args, more = {}) {
      // In a group of its own, so that Ctrl-C reaches all of it, as in a terminal.
      const child = spawn(join(bin, "npm"), args, { cwd, env: { ...env, ...more }, stdio: ["ignore", "pipe", "pipe"], detached: true });
      const program = { child, output: "", ended: once(child, "close").then(([code]) => code) };
      for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (part) => (program.output += part));
      return program;
    },
    forget: () => rm(home, { recursive: true, force: true, maxRetries: 5 }),
  };
}

/** Ends a program that a user has started, as Ctrl-C does. */
export async function interrupt({ child, ended }) {
  if (child.exitCode === null && child.signalCode === null) process.kill(-child.pid, "SIGINT");
  await ended;
}

/** The file of a program on PATH. */
async function whereIs(name) {
  for (const folder of process.env.PATH.split(delimiter)) {
    const found = await realpath(join(folder, name)).catch(() => undefined);
    if (found !== undefined) return found;
  }
  throw new Error(`there is no ${name} on PATH`);
}
