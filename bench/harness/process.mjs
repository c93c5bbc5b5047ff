// CPU time and memory of a process, from Linux.

import { execFileSync } from "node:child_process";
import { readFile } from "node:fs/promises";
import { existsSync } from "node:fs";

const hasProc = existsSync("/proc/self/stat");

// The unit of times in `/proc`; 100 on nearly all systems.
const ticksPerSecond = hasProc ? Number(execFileSync("getconf", ["CLK_TCK"])) : undefined;

/**
 * User and system time of all threads, in milliseconds; `undefined` where the system is not Linux.
 * @param {number} pid
 */
export async function cpuMilliseconds(pid) {
  if (!hasProc) return undefined;
  const stat = await readFile(`/proc/${pid}/stat`, "utf8");
  // The second field is the program's name in parentheses, which may contain any character.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const [user, system] = [Number(fields[11]), Number(fields[12])];
  return ((user + system) * 1000) / ticksPerSecond;
}

/**
 * Resident memory in bytes, likewise.
 * @param {{memory: () => Promise<{resident: number}>}} worker
 */
export async function residentBytes(worker) {
  return hasProc ? (await worker.memory()).resident : undefined;
}
