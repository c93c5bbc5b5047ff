// The processes of this machine: who has started them, and with which command lines.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { promisify } from "node:util";

/** The processes that are running. @returns {Promise<{pid: number, parent: number, state: string}[]>} */
export async function processes() {
  const all = existsSync("/proc/self/stat") ? await processesOfLinux() : await processesOfPs();
  // A process that has ended but is still listed (zombie) is not running.
  return all.filter(({ state }) => !state.startsWith("Z"));
}

// Small Linux images have no `ps`.
async function processesOfLinux() {
  const folders = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const lines = await Promise.all(folders.map((pid) => readFile(`/proc/${pid}/stat`, "utf8").catch(() => undefined)));
  return lines.filter(Boolean).map((line) => {
    // The name in parentheses may contain any character.
    const [state, parent] = line.slice(line.lastIndexOf(")") + 2).split(" ");
    return { pid: parseInt(line, 10), parent: Number(parent), state };
  });
}

async function processesOfPs() {
  const { stdout } = await promisify(execFile)("ps", ["-A", "-o", "pid=,ppid=,stat="]);
  const lines = stdout.trim().split("\n").map((line) => line.trim().split(/\s+/));
  return lines.map(([pid, parent, state]) => ({ pid: Number(pid), parent: Number(parent), state }));
}

/** The command lines of `make dev` and of all that it has started, among them wrangler. */
export async function commandLinesOf(ancestor) {
  const pids = [ancestor, ...(await descendantsOf(ancestor))];
  const ofProc = async (pid) => readFile(`/proc/${pid}/cmdline`, "utf8");
  const ofPs = async (pid) => (await promisify(execFile)("ps", ["-ww", "-o", "args=", "-p", `${pid}`])).stdout;
  const read = existsSync("/proc/self/cmdline") ? ofProc : ofPs;
  // A process may have ended meanwhile.
  const lines = (await Promise.all(pids.map((pid) => read(pid).catch(() => "")))).join("\n");
  assert.match(lines, /wrangler/, "the command lines cannot be read");
  return lines;
}

/** The ids of all processes below one. */
export async function descendantsOf(ancestor) {
  const all = await processes();
  const found = [];
  const visit = (parent) =>
    all.filter((one) => one.parent === parent).forEach(({ pid }) => {
      found.push(pid);
      visit(pid);
    });
  visit(ancestor);
  return found;
}
