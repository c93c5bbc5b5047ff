// What a soak test runs against: the built Worker and the example `notes`, both with the memory of an isolate, one provider,
// and many users.

import { existsSync } from "node:fs";
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { ISOLATE_LIMITS } from "./heavy-bodies.mjs";
import { startHostileProvider } from "./hostile-provider.mjs";
import { createSigner, seconds, tokensFor } from "./signers.mjs";
import { startKeyValueStore, startWorker } from "./worker.mjs";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const USERS = 300;
// Notes of all users; more are deleted, because the store is in the memory of the test.
const MAX_NOTES = 2_000;
// The users keep their tokens for the whole run, which may take hours.
const TOKEN_SECONDS = 7 * 24 * 3600;

/** Whether the memory of a process can be read. */
export const MEASURES_RESIDENT = existsSync("/proc/self");

// Reports the linear memory of WebAssembly in the log, and how often a module was instantiated: after a crash, again.
const REPORTER = `{
  const { Instance } = WebAssembly;
  const memories = [];
  WebAssembly.Instance = function (...parts) {
    const instance = new Instance(...parts);
    memories.push(Object.values(instance.exports).find((it) => it instanceof WebAssembly.Memory));
    return instance;
  };
  const { log } = console;
  let lines = 0;
  let reported = 0;
  console.log = (...values) => {
    log(...values);
    if (lines++ % 250 > 0 && memories.length === reported) return;
    reported = memories.length;
    log(JSON.stringify({ wasm_bytes: memories.at(-1)?.buffer.byteLength, instances: memories.length }));
  };
}
`;

/**
 * Starts it. If a part does not start, the others are stopped.
 * @param {{builds?: {whoami: string, notes: string}}} [options]  folders of the Workers
 */
export async function startWorld({ builds = { whoami: "build", notes: "examples/notes/build" } } = {}) {
  // How to stop what has been started, in this order: the Workers in front of what they use.
  const undo = [];
  const stop = async () => {
    const results = [];
    for (const each of undo.splice(0)) results.push(...(await Promise.allSettled([each()])));
    const failed = results.find(({ status }) => status === "rejected");
    if (failed !== undefined) throw failed.reason;
  };
  try {
    return { ...(await startParts(builds, undo)), stop };
  } catch (error) {
    // Why it did not start says more than why it did not stop.
    await stop().catch(() => {});
    throw error;
  }
}

async function startParts(builds, undo) {
  const signers = {
    first: await createSigner("ES256", { kid: "first" }),
    second: await createSigner("ES384", { kid: "second" }),
    attacker: await createSigner("ES256", { kid: "first" }),
  };
  const provider = await startHostileProvider({ keys: [signers.first.jwk] });
  undo.unshift(() => provider.stop());
  const notesStore = await startKeyValueStore();
  undo.unshift(() => notesStore.close());
  const start = async (build, scopes, options = {}) => {
    const folder = await mkdtemp(join(tmpdir(), "mcp-edge-soak-"));
    undo.unshift(() => rm(folder, { recursive: true, force: true }));
    await cp(join(ROOT, build), folder, { recursive: true });
    const entry = join(folder, "index.js");
    await writeFile(entry, REPORTER + (await readFile(entry, "utf8")));
    const settings = { ISSUER: provider.issuer, PROVIDER: "logto", REQUIRED_SCOPES: scopes };
    const worker = await startWorker({ ...ISOLATE_LIMITS, build: folder, settings, ...options });
    undo.unshift(() => worker.stop());
    const token = tokensFor({ issuer: provider.issuer, resource: worker.mcpUrl, signer: signers.first });
    const users = Array.from({ length: USERS }, (_, number) => {
      const sub = `user-${number}`;
      const exp = seconds() + TOKEN_SECONDS;
      return { sub, token: token({ claims: { sub, exp, scope: "whoami:read notes:read notes:write" } }) };
    });
    return { worker, token, users, monitor: createMonitor(worker) };
  };
  const whoami = await start(builds.whoami, "whoami:read");
  const notes = await start(builds.notes, "notes:read", { namespaces: { NOTES: notesStore } });
  return {
    provider,
    signers,
    whoami,
    notes,
    notesStore,
    /** Whether the provider is down: then an unknown key may be unknown only for now. */
    isOutage: false,
    /** The signer of new tokens. */
    signer: signers.first,
    monitors: { whoami: whoami.monitor, notes: notes.monitor },
    forgetOldNotes() {
      if (notesStore.entries.size > MAX_NOTES) notesStore.entries.clear();
      notesStore.forget();
    },
  };
}

/**
 * Reads the log of a Worker now and then, and deletes it.
 * @param {{raw: () => string, logs: () => object[], clearLogs: () => void, memory: () => Promise<{resident: number}>}} worker
 */
export function createMonitor(worker) {
  let seen = new Set();
  const monitor = {
    /** What speaks of a crash. */
    crashes: [],
    /** @type {{resident: number | undefined, wasm: number | undefined}[]} in bytes; resident memory on Linux only */
    samples: [],
    async sample() {
      const printed = worker.raw();
      const lines = worker.logs();
      worker.clearLogs();
      monitor.crashes.push(...(printed.match(/^.*(Critical|panicked|starting WebAssembly anew|RuntimeError).*$/gm) ?? []).slice(0, 3));
      const reports = lines.filter((line) => line.wasm_bytes !== undefined);
      if (reports.some(({ instances }) => instances > 1)) monitor.crashes.push("WebAssembly was instantiated again");
      // An isolate numbers its requests, and a new one begins at 1.
      const numbers = lines.map(requestNumber).filter((number) => number !== undefined);
      const again = numbers.find((number) => seen.size === seen.add(number).size);
      if (again !== undefined) {
        monitor.crashes.push(`there were two requests ${again}: the numbers began anew`);
        seen = new Set(numbers);
      }
      const resident = await residentOf(worker).catch((error) => void monitor.crashes.push(`workerd has ended: ${error.message}`));
      monitor.samples.push({ resident, wasm: reports.at(-1)?.wasm_bytes ?? monitor.samples.at(-1)?.wasm });
    },
  };
  return monitor;
}

/** The number of the request that this is the line of. */
function requestNumber({ request_id: id, status }) {
  const [, number] = /^local-(\d+)$/.exec(id) ?? [];
  return number === undefined || status === undefined ? undefined : Number(number);
}

async function residentOf(worker) {
  return MEASURES_RESIDENT ? (await worker.memory()).resident : undefined;
}
