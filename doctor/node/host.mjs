// What the doctor asks of Node.js: doctor/src/host.rs names the methods. All of them return when they are done.

import { readFileSync, readSync, writeSync } from "node:fs";
import process from "node:process";
import { isatty } from "node:tty";
import { MessageChannel, Worker, receiveMessageOnPort } from "node:worker_threads";
import { hasColours } from "./terminal.mjs";

const [STDIN, STDOUT, STDERR] = [0, 1, 2];

/** How much longer than a request may take the doctor waits for the thread that has the connections. */
const PATIENCE_MS = 60_000;

/** How long to wait for input that is not there yet. */
const INPUT_PAUSE_MS = 10;

export class Host {
  /** What was printed. */
  output = "";
  errors = "";
  #args;
  #networks = [];

  /** @param {string[]} args  of the doctor */
  constructor(args) {
    this.#args = args;
  }

  arguments() {
    return this.#args;
  }

  variable(name) {
    return process.env[name];
  }

  isWindows() {
    return process.platform === "win32";
  }

  readFile(path) {
    return reading(() => readFileSync(path));
  }

  readInput(maxBytes) {
    if (isatty(STDIN)) return undefined;
    return reading(() => readInput(maxBytes));
  }

  now() {
    return Math.floor(Date.now() / 1000);
  }

  width() {
    return process.stdout.columns;
  }

  hasColours() {
    return hasColours({ isTerminal: isatty(STDOUT), env: process.env, platform: process.platform });
  }

  print(text) {
    this.output += text;
  }

  printError(text) {
    this.errors += text;
  }

  printProgress(text) {
    if (isatty(STDERR)) writeSync(STDERR, text);
  }

  connect(timeout, authorities) {
    const network = new Network(timeout, authorities);
    this.#networks.push(network);
    return network;
  }

  /** Ends the threads. */
  close() {
    for (const network of this.#networks) network.close();
  }
}

/** The connections, in a thread of their own: this one waits for its events. */
class Network {
  #port;
  #thread;
  #signal = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  #patience;

  constructor(timeout, authorities) {
    const { port1, port2 } = new MessageChannel();
    const workerData = { port: port2, signal: this.#signal, timeout, authorities };
    this.#port = port1;
    this.#patience = timeout + PATIENCE_MS;
    this.#thread = new Worker(new URL("http-worker.mjs", import.meta.url), { workerData, transferList: [port2] });
    // Nobody waits for it after the report.
    this.#thread.unref();
    this.#port.unref();
  }

  start(number, request) {
    this.#port.postMessage({ number, request: JSON.parse(request) });
  }

  cancel(number) {
    this.#port.postMessage({ number });
  }

  next() {
    for (;;) {
      // In this order, so that an event between the two does not go unseen.
      const seen = Atomics.load(this.#signal, 0);
      const received = receiveMessageOnPort(this.#port);
      if (received !== undefined) return received.message;
      if (Atomics.wait(this.#signal, 0, seen, this.#patience) === "timed-out") return { number: 0, kind: "lost" };
    }
  }

  close() {
    this.#port.close();
    this.#thread.terminate();
  }
}

/** What was read, or the error, as the doctor expects it. */
function reading(read) {
  try {
    return { bytes: read() };
  } catch (error) {
    return { code: error.code ?? "", message: error.message };
  }
}

function readInput(maxBytes) {
  const chunks = [];
  for (let left = maxBytes; left > 0; ) {
    const chunk = Buffer.alloc(Math.min(left, 65_536));
    const count = readChunk(chunk);
    if (count === 0) break;
    chunks.push(chunk.subarray(0, count));
    left -= count;
  }
  return Buffer.concat(chunks);
}

function readChunk(chunk) {
  for (;;) {
    try {
      return readSync(STDIN, chunk);
    } catch (error) {
      // So Windows says that a pipe has ended.
      if (error.code === "EOF") return 0;
      if (error.code !== "EAGAIN") throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT)), 0, 0, INPUT_PAUSE_MS);
    }
  }
}
