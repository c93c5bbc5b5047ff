// Programs of this repository, run as a user runs them.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** Starts a program of this repository and collects its output. */
export function start(script, args = [], env = {}) {
  const child = spawn(process.execPath, [script, ...args], { cwd: ROOT, env: { ...process.env, ...env } });
  const program = { child, output: "", ended: once(child, "close").then(([code]) => code) };
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text) => (program.output += text));
  }
  return program;
}

/** Waits for output of a program, and fails if it ends without it. */
export async function printed(program, pattern) {
  let hasEnded = false;
  program.ended.then(() => (hasEnded = true));
  for (;;) {
    const match = pattern.exec(program.output);
    if (match) return match;
    if (hasEnded) assert.fail(`ended without printing ${pattern}:\n${program.output}`);
    await new Promise((wake) => setTimeout(wake, 20));
  }
}

/** Runs a program of this repository to its end. */
export async function run(script, args, env) {
  const program = start(script, args, env);
  return { code: await program.ended, output: program.output };
}
