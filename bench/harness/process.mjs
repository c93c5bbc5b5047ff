// What a process has used so far, as Linux counts it.

import { execFileSync } from "node:child_process";
import { readFile } from "node:fs/promises";
import { existsSync } from "node:fs";

const hasProc = existsSync("/proc/self/stat");

// In which `/proc` counts time; 100 nearly everywhere.
const ticksPerSecond = hasProc ? Number(execFileSync("getconf", ["CLK_TCK"])) : undefined;

/**
 * User and system time of all threads, in milliseconds; `undefined` where the system is not Linux.
 * @param {number} pid
 */
export async function cpuMilliseconds(pid) {
  if (!hasProc) return undefined;
  const stat = await readFile(`/proc/${pid}/stat`, "utf8");
  // The second field is the program's name in brackets, which may hold anything.
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
