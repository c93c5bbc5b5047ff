// Runs the built Worker on workerd, the runtime of Cloudflare Workers, in a separate process.
//
// The Worker is the deployed one, its requests go over loopback, and its key-value namespace is the server of
// `key-value-store.mjs`. Not covered is what Cloudflare's network adds: caches in front of KV, the rate limiter, several
// machines.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { startKeyValueStore } from "./key-value-store.mjs";
import { limitMemory } from "./wasm-memory.mjs";
import { workerdConfig } from "./workerd-config.mjs";

export { post, send, sendPart } from "./requests.mjs";
export { startKeyValueStore };

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const WORKERD = join(ROOT, "node_modules/.bin/workerd");

// The files of a build.
const ENTRY = "index.js";
const MODULES = [ENTRY, "index_bg.wasm"];

// Another program may take the port before workerd opens it.
const START_ATTEMPTS = 3;

// A process that does not end is a bug, but must not stop the tests.
const PATIENCE_MS = 5_000;

/** @type {Set<Worker>} the running Workers, see `report-failures.mjs` */
export const running = new Set();

process.on("exit", () => running.forEach((worker) => worker.kill()));

/**
 * @typedef {object} Options
 * @property {Record<string, unknown>} settings
 *   the values of `[vars]` and secrets: strings, or JSON.
 *   `RESOURCE` defaults to the URL of this Worker's endpoint; `undefined` leaves a setting out
 * @property {string} [build]  folder with `index.js` and, unless it is plain JavaScript, `index_bg.wasm`. Defaults to
 *   "build"
 * @property {import("./key-value-store.mjs").KeyValueStore} [kv]
 *   a store that is kept when the Worker stops. By default a new one is used
 * @property {Record<string, import("./key-value-store.mjs").KeyValueStore>} [namespaces]
 *   further key-value namespaces, by binding
 * @property {number} [port]  by default a free one is chosen
 * @property {string[]} [compatibilityFlags]  in addition to those of wrangler.toml
 * @property {boolean} [scheduler]  whether the test uses `runScheduled`
 * @property {boolean} [keepsLog]  whether its standard output is read. Defaults to true
 * @property {string[]} [v8Flags]  for the JavaScript engine of the process
 * @property {Record<string, string>} [objects]  classes of Durable Objects, by binding
 * @property {string} [objectsFolder]  where they are stored, to keep them when the Worker stops
 * @property {boolean} [secondIsolate]  whether a second isolate is started that has the same objects and listens at `secondOrigin`
 * @property {Record<string, {entrypoint?: string, props?: object}>} [services]
 *   bindings of the Worker to itself: which of its entrypoints they reach, and with which props
 * @property {Record<string, number>} [externals]  bindings of Workers in other processes, and their ports
 * @property {Record<string, string>} [workers]  bindings of other Workers, and their JavaScript
 * @property {{port: number, entrypoint?: string, props?: object}[]} [entrypoints]
 *   further ports, and which of its entrypoints listens there
 * @property {number} [outbound]  of a proxy that all of its requests go through: see `internet.mjs`
 * @property {string[]} [under]  a program with its arguments that runs workerd, such as a profiler
 * @property {number} [memoryPages]  the maximum memory of WebAssembly, in pages of 64 KiB. By default as built
 */

/**
 * Starts the Worker and waits until its port is open. Its code is loaded by the first request.
 * @param {Options} options
 * @returns {Promise<Worker>}
 */
export async function startWorker({
  settings,
  build = "build",
  kv,
  namespaces = {},
  port,
  compatibilityFlags = [],
  scheduler = false,
  keepsLog = true,
  v8Flags = [],
  under = [],
  memoryPages,
  objects,
  objectsFolder,
  secondIsolate = false,
  services,
  externals,
  workers,
  entrypoints = [],
  outbound,
}) {
  const folder = resolve(ROOT, build);
  const modules = MODULES.filter((name) => existsSync(join(folder, name)));
  if (!modules.includes(ENTRY)) {
    throw new Error(`there is no Worker in ${build}: build it first ("make build", or "dev/build FOLDER")`);
  }
  const compatibility = await readCompatibility(compatibilityFlags);
  const store = kv ?? (await startKeyValueStore());
  for (let attempt = 1; ; attempt += 1) {
    const schedulerPort = scheduler ? await freePort() : undefined;
    const ports = { port: port ?? (await freePort()), schedulerPort, secondPort: secondIsolate ? await freePort() : undefined };
    const worker = new Worker({ ...ports, kv: store, ownsKv: kv === undefined });
    try {
      const parts = { settings, build: folder, modules, namespaces, compatibility, v8Flags, memoryPages };
      await worker.start({ ...parts, objects, objectsFolder, services, externals, workers, entrypoints, outbound, keepsLog, under });
      return worker;
    } catch (error) {
      if (attempt < START_ATTEMPTS && port === undefined && /already in use/i.test(worker.raw())) continue;
      if (kv === undefined) await store.close();
      throw error;
    }
  }
}

/** A running Worker. */
class Worker {
  #process;
  #folder;
  #lines = [];
  #ownsKv;

  constructor({ port, kv, ownsKv, schedulerPort, secondPort }) {
    this.port = port;
    this.secondPort = secondPort;
    this.schedulerPort = schedulerPort;
    this.origin = `http://127.0.0.1:${port}`;
    this.secondOrigin = `http://127.0.0.1:${secondPort}`;
    this.mcpUrl = `${this.origin}/mcp`;
    this.kv = kv;
    this.#ownsKv = ownsKv;
    /** The start time of its process, by `performance.now()`. */
    this.spawnedAt = undefined;
  }

  /** The id of the process. */
  get pid() {
    return this.#process.pid;
  }

  /** The JSON lines of the log, as objects. */
  logs() {
    return this.#lines.filter(({ json }) => json !== undefined).map(({ json }) => json);
  }

  /** The output of the process. */
  raw() {
    return this.#lines.map(({ text }) => text).join("\n");
  }

  clearLogs() {
    this.#lines = [];
  }

  /**
   * Waits for a JSON line in the log and returns it. The line of a request is printed before the response is sent, but may
   * arrive after it.
   * @param {(line: object) => boolean} isWanted
   */
  async logged(isWanted) {
    await this.waitFor(() => this.logs().some(isWanted), "the log has no such line");
    return this.logs().find(isWanted);
  }

  /** Waits until a condition holds. */
  async waitFor(condition, otherwise, patienceMs = PATIENCE_MS) {
    const deadline = Date.now() + patienceMs;
    while (!(await condition())) {
      if (Date.now() > deadline) throw new Error(`${otherwise}; the Worker has printed:\n${this.raw()}`);
      await new Promise((wake) => setTimeout(wake, 5));
    }
  }

  /** Triggers a scheduled event and returns its outcome: `ok` or `exception`. */
  async runScheduled() {
    const response = await fetch(`http://127.0.0.1:${this.schedulerPort}/`);
    return response.text();
  }

  /** Returns the current and the peak memory of the process in bytes. Linux only. */
  async memory() {
    const status = await readFile(`/proc/${this.pid}/status`, "utf8");
    const bytes = (name) => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(status)[1]) * 1024;
    return { resident: bytes("VmRSS"), peak: bytes("VmHWM") };
  }

  /** Ends the process and waits for it. A store that was passed in stays open. */
  async stop() {
    const ended = hasEnded(this.#process) ? undefined : once(this.#process, "exit");
    this.#process.kill("SIGTERM");
    const impatience = setTimeout(() => this.kill(), PATIENCE_MS);
    await ended;
    clearTimeout(impatience);
    running.delete(this);
    await rm(this.#folder, { recursive: true, force: true });
    if (this.#ownsKv) await this.kv.close();
  }

  /** Ends the process at once. */
  kill() {
    this.#process?.kill("SIGKILL");
  }

  async start({ keepsLog, under, ...parts }) {
    this.#folder = await mkdtemp(join(tmpdir(), "mcp-edge-"));
    try {
      await this.#writeConfig(parts);
      await this.#run(keepsLog, under, parts.entrypoints.length);
    } catch (error) {
      running.delete(this);
      await rm(this.#folder, { recursive: true, force: true });
      throw error;
    }
  }

  async #writeConfig({ settings, build, modules, namespaces, memoryPages, ...parts }) {
    const objectsFolder = parts.objectsFolder ?? join(this.#folder, "objects");
    await mkdir(objectsFolder, { recursive: true });
    const stores = Object.entries({ JWKS: this.kv, ...namespaces });
    const config = workerdConfig({
      modules,
      port: this.port,
      namespaces: Object.fromEntries(stores.map(([binding, store]) => [binding, store.port])),
      settings: { RESOURCE: this.mcpUrl, ...settings },
      schedulerPort: this.schedulerPort,
      secondPort: this.secondPort,
      ...parts,
      objectsFolder,
    });
    await writeFile(join(this.#folder, "config.capnp"), config);
    // Cap'n Proto embeds files by a path relative to its own.
    for (const file of modules) {
      const [from, to] = [build, this.#folder].map((folder) => join(folder, file));
      if (memoryPages === undefined || !file.endsWith(".wasm")) await copyFile(from, to);
      else await writeFile(to, limitMemory(await readFile(from), memoryPages));
    }
  }

  async #run(keepsLog, under, entrypoints) {
    // Triggering scheduled events is an experimental feature.
    const flags = this.schedulerPort === undefined ? [] : ["--experimental"];
    this.spawnedAt = performance.now();
    const [program, ...options] = [...under, WORKERD, "serve", "config.capnp", "--control-fd=3", ...flags];
    const child = spawn(program, options, {
      cwd: this.#folder,
      stdio: ["ignore", keepsLog ? "pipe" : "ignore", "pipe", "pipe"],
    });
    this.#process = child;
    running.add(this);
    for (const stream of [child.stdout, child.stderr].filter((stream) => stream !== null)) {
      createInterface({ input: stream }).on("line", (line) => this.#lines.push(parseLine(line)));
    }
    try {
      const ports = [this.port, this.schedulerPort, this.secondPort].filter((port) => port !== undefined);
      await isListening(child, ports.length + entrypoints);
    } catch (error) {
      throw new Error(`workerd did not start: ${error.message}\n${this.raw()}`);
    }
  }
}

// workerd reports on its control channel when a socket is open.
function isListening(child, sockets) {
  let open = 0;
  return new Promise((resolve, reject) => {
    createInterface({ input: child.stdio[3] }).on("line", (line) => {
      if (JSON.parse(line).event === "listen" && (open += 1) === sockets) resolve();
    });
    child.once("error", reject);
    // `close`, not `exit`: all output has arrived by then.
    child.once("close", (code) => reject(new Error(`it ended with code ${code}`)));
  });
}

function hasEnded(child) {
  return child.exitCode !== null || child.signalCode !== null;
}

function parseLine(text) {
  try {
    const json = JSON.parse(text);
    return typeof json === "object" && json !== null ? { text, json } : { text };
  } catch {
    return { text };
  }
}

/**
 * Returns a free port on loopback, outside the range from which the system assigns ports, so that it is still free after
 * a restart.
 */
export async function freePort() {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 10_000);
    if (await isFree(port)) return port;
  }
}

function isFree(port) {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}

// The runtime must behave as in the deployment.
async function readCompatibility(moreFlags) {
  const toml = await readFile(join(ROOT, "wrangler.toml"), "utf8");
  const [, date] = /^compatibility_date\s*=\s*"([\d-]+)"/m.exec(toml) ?? [];
  if (date === undefined) throw new Error("wrangler.toml has no compatibility_date");
  const [, list = ""] = /^compatibility_flags\s*=\s*\[([^\]]*)\]/m.exec(toml) ?? [];
  const flags = [...list.matchAll(/"([^"]+)"/g)].map(([, flag]) => flag);
  return { date, flags: [...flags, ...moreFlags] };
}
