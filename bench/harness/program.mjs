// A server that is a program of its own, with what a round needs of a Worker.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { connect } from "node:net";

// A program that never listens is a bug, but must not stop the benchmark.
const PATIENCE_MS = 60_000;
const POLL_MS = 20;

const running = new Set();
process.on("exit", () => running.forEach((child) => child.kill("SIGKILL")));

/** No store: these programs keep everything in memory. */
const NO_STORE = { reads: [], writes: [], forget() {} };

/**
 * Starts a program and waits until it listens.
 * @param {string[]} words  the program and its arguments
 * @param {number} [port]   where it listens; without, its first line says where
 */
export async function startProgram([program, ...args], port) {
  let output = "";
  let printed = "";
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"] });
  running.add(child);
  const ended = once(child, "close").then(() => running.delete(child));
  child.stdout.setEncoding("utf8").on("data", (part) => (printed += part));
  child.stderr.setEncoding("utf8").on("data", (part) => (output = (output + part).slice(-4_000)));
  const deadline = Date.now() + PATIENCE_MS;
  const place = () => port ?? (printed.includes("\n") ? Number(printed.split("\n")[0]) : undefined);
  while (place() === undefined || !(await accepts(place()))) {
    if (!running.has(child) || Date.now() > deadline) {
      child.kill("SIGKILL");
      throw new Error(`${program} ${args[0]} does not listen; its output:\n${output}`);
    }
    await new Promise((wake) => setTimeout(wake, POLL_MS));
  }
  return {
    port: place(),
    origin: `http://127.0.0.1:${place()}`,
    pid: child.pid,
    kv: NO_STORE,
    raw: () => output,
    /** Likewise. Linux only. */
    async memory() {
      const status = await readFile(`/proc/${child.pid}/status`, "utf8");
      return { resident: Number(/^VmRSS:\s+(\d+) kB/m.exec(status)[1]) * 1024 };
    },
    async stop() {
      child.kill("SIGKILL");
      await ended;
    },
  };
}

function accepts(port) {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => resolve(true) || socket.destroy());
    socket.once("error", () => resolve(false));
  });
}
