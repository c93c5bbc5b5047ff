// What a soak test runs against: the built Worker and the example `notes`, both with the memory of an isolate, one provider,
// and many users.

import { existsSync } from "node:fs";
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { ISOLATE_LIMITS } from "./heavy-bodies.mjs";
import { startHostileProvider } from "./hostile-provider.mjs";
import { createSigner, tokensFor } from "./signers.mjs";
import { startKeyValueStore, startWorker } from "./worker.mjs";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const USERS = 300;
// Notes of all users; more are deleted, because the store is in the memory of the test.
const MAX_NOTES = 2_000;

// Reports the linear memory of WebAssembly in the log, and how often a module was instantiated: after a crash, again.
const REPORTER = `{
  const { Instance } = WebAssembly;
  const memories = [];
  WebAssembly.Instance = function (...parts) {
    const instance = new Instance(...parts);
    memories.push(instance.exports.memory);
    return instance;
  };
  const { log } = console;
  let lines = 0;
  console.log = (...values) => {
    log(...values);
    if (lines++ % 250 === 0) log(JSON.stringify({ wasm_bytes: memories.at(-1)?.buffer.byteLength, instances: memories.length }));
  };
}
`;

/** Starts it. */
export async function startWorld() {
  const signers = {
    first: await createSigner("ES256", { kid: "first" }),
    second: await createSigner("ES384", { kid: "second" }),
    attacker: await createSigner("ES256", { kid: "first" }),
  };
  const provider = await startHostileProvider({ keys: [signers.first.jwk] });
  const notesStore = await startKeyValueStore();
  const folders = [];
  const start = async (build, scopes, options = {}) => {
    const folder = await mkdtemp(join(tmpdir(), "mcp-edge-soak-"));
    folders.push(folder);
    await cp(join(ROOT, build), folder, { recursive: true });
    const entry = join(folder, "index.js");
    await writeFile(entry, REPORTER + (await readFile(entry, "utf8")));
    const settings = { ISSUER: provider.issuer, REQUIRED_SCOPES: scopes };
    const worker = await startWorker({ ...ISOLATE_LIMITS, build: folder, settings, ...options });
    const token = tokensFor({ issuer: provider.issuer, resource: worker.mcpUrl, signer: signers.first });
    const users = Array.from({ length: USERS }, (_, number) => {
      const sub = `user-${number}`;
      return { sub, token: token({ claims: { sub, scope: "whoami:read notes:read notes:write" } }) };
    });
    return { worker, token, users, monitor: createMonitor(worker) };
  };
  const whoami = await start("build", "whoami:read");
  const notes = await start("examples/notes/build", "notes:read", { namespaces: { NOTES: notesStore } });
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
    async stop() {
      await Promise.all([whoami.worker.stop(), notes.worker.stop()]);
      await Promise.all([provider.stop(), notesStore.close(), ...folders.map((folder) => rm(folder, { recursive: true, force: true }))]);
    },
  };
}

// Reads the log of a Worker now and then, and deletes it.
function createMonitor(worker) {
  let highest = 0;
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
      // An isolate numbers its requests.
      const numbers = lines.map(({ request_id: id }) => Number(/^local-(\d+)$/.exec(id)?.[1])).filter(Number.isInteger);
      const newest = Math.max(0, ...numbers);
      if (numbers.length > 100 && newest < highest) monitor.crashes.push(`request ${newest} came after ${highest}: a new isolate`);
      highest = Math.max(highest, newest);
      const resident = await residentOf(worker).catch((error) => void monitor.crashes.push(`workerd has ended: ${error.message}`));
      monitor.samples.push({ resident, wasm: reports.at(-1)?.wasm_bytes ?? monitor.samples.at(-1)?.wasm });
    },
  };
  return monitor;
}

async function residentOf(worker) {
  return existsSync("/proc/self") ? (await worker.memory()).resident : undefined;
}
