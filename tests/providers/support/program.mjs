// Runs the program of an identity provider in a folder of its own, until the tests end.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { rmSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { constants, tmpdir } from "node:os";
import { join } from "node:path";

// Far longer than any of them takes. A program that never answers is a bug, but must not stop the tests.
const PATIENCE_MS = 60_000;
const POLL_MS = 100;

// The beginning of a program's output that an error shows.
const SHOWN_CHARACTERS = 4_000;

/** @type {Set<import("node:child_process").ChildProcess>} */
const running = new Set();
/** @type {Set<string>} */
const folders = new Set();
process.on("exit", () => {
  running.forEach((child) => child.kill("SIGKILL"));
  folders.forEach((folder) => rmSync(folder, { recursive: true, force: true }));
});
// By itself a signal ends the process without "exit", for which the Workers wait, too.
for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"]) {
  process.once(signal, () => process.exit(128 + constants.signals[signal]));
}

/** Creates an empty folder for a server's files. It is removed when the tests end, or before by `stop`. */
export async function newFolder() {
  const folder = await mkdtemp(join(tmpdir(), "mcp-edge-provider-"));
  folders.add(folder);
  return folder;
}

/**
 * Runs a program to its end, and returns its standard output.
 * @param {string[]} command  the program and its arguments
 * @param {import("node:child_process").SpawnOptions} [options]
 */
export async function run([program, ...args], options = {}) {
  const { child, output } = start(program, args, options);
  const [code] = await once(child, "close");
  if (code !== 0) throw new Error(`${program} ended with code ${code}:\n${output()}`);
  return output();
}

/**
 * Starts a server and waits until it answers.
 * @param {string[]} command  the program and its arguments
 * @param {object} options
 * @param {string} options.folder   where it runs; removed by `stop`
 * @param {string} options.answers  a URL that responds with status 200 when it is ready
 * @param {Record<string, string>} [options.env]  in addition to this process's
 * @returns {Promise<{output: () => string, stop: () => Promise<void>}>}
 */
export async function startServer([program, ...args], { folder, answers, env = {} }) {
  const { child, output } = start(program, args, { cwd: folder, env: { ...process.env, ...env } });
  const stop = async () => {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill("SIGTERM");
      const impatience = setTimeout(() => child.kill("SIGKILL"), 5_000);
      await once(child, "close");
      clearTimeout(impatience);
    }
    await rm(folder, { recursive: true, force: true });
  };
  const deadline = Date.now() + PATIENCE_MS;
  while (!(await isOk(answers))) {
    if (child.exitCode === null && Date.now() < deadline) {
      await new Promise((wake) => setTimeout(wake, POLL_MS));
      continue;
    }
    await stop();
    throw new Error(`${program} does not answer at ${answers}; its output:\n${output()}`);
  }
  return { output, stop };
}

function start(program, args, options) {
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"], ...options });
  running.add(child);
  child.once("close", () => running.delete(child));
  child.once("error", (error) => (text += error.message));
  let text = "";
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (part) => (text += part));
  return { child, output: () => text.slice(0, SHOWN_CHARACTERS) };
}

async function isOk(url) {
  const response = await fetch(url).catch(() => undefined);
  await response?.body?.cancel();
  return response?.ok === true;
}
