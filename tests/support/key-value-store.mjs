// A key-value namespace for workerd, over HTTP with one request per operation.
//
// It runs in the test's process, so that a test can read and change its entries, count operations, make them fail, and
// keep it while the Worker restarts. Unlike Workers KV it is always consistent and nothing expires; a list has one page.

import { createServer } from "node:http";

/**
 * @typedef {"answer" | "fail" | "hang"} Mood
 *
 * @typedef {object} KeyValueStore
 * @property {number} port
 * @property {Map<string, string>} entries  the stored values; tests may change them
 * @property {Map<string, string>} metadata  of those entries that have some, as JSON
 * @property {{key: string, cacheTtl?: number, found: boolean}[]} reads
 *   those since the last `forget`; a list has the key ""
 * @property {{key: string, value: string, ttl?: number}[]} writes
 * @property {{reads: Mood, writes: Mood}} mood  how it responds from now on; "answer" by default
 * @property {() => Promise<unknown>} [pause]  if set, every response waits for it
 * @property {() => void} forget  clears `reads` and `writes`, not `entries`
 * @property {() => Promise<void>} close
 */

/** @returns {Promise<KeyValueStore>} */
export async function startKeyValueStore() {
  const store = {
    entries: new Map(),
    metadata: new Map(),
    reads: [],
    writes: [],
    mood: { reads: "answer", writes: "answer" },
    forget() {
      store.reads = [];
      store.writes = [];
    },
    close: () =>
      new Promise((resolve) => {
        server.close(resolve);
        server.closeAllConnections();
      }),
  };
  const server = createServer((request, response) => answer(store, request, response));
  await new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  store.port = server.address().port;
  return store;
}

async function answer(store, request, response) {
  const { pathname, searchParams } = new URL(request.url, "http://kv");
  const key = decodeURIComponent(pathname.slice(1));
  const body = await readBody(request).catch(() => undefined);
  // Its Worker has ended while it wrote: nobody waits for an answer.
  if (body === undefined) return;
  const seconds = (name) => (searchParams.has(name) ? Number(searchParams.get(name)) : undefined);

  const isRead = request.method === "GET";
  if (isRead) store.reads.push({ key, cacheTtl: seconds("cache_ttl"), found: store.entries.has(key) });
  else store.writes.push({ key, value: body, ttl: seconds("expiration_ttl") });

  await store.pause?.();
  const mood = isRead ? store.mood.reads : store.mood.writes;
  if (mood === "hang") return;
  if (mood === "fail") {
    response.writeHead(500).end("the store fails");
    return;
  }
  switch (request.method) {
    case "GET":
      if (key === "") response.writeHead(200).end(list(store, searchParams.get("prefix") ?? ""));
      else if (!store.entries.has(key)) response.writeHead(404).end();
      else response.writeHead(200).end(store.entries.get(key));
      return;
    case "PUT":
      store.entries.set(key, body);
      store.metadata.delete(key);
      if (request.headers["cf-kv-metadata"]) store.metadata.set(key, request.headers["cf-kv-metadata"]);
      response.writeHead(200).end();
      return;
    case "DELETE":
      store.entries.delete(key);
      store.metadata.delete(key);
      response.writeHead(200).end();
      return;
    default:
      response.writeHead(405).end();
  }
}

// The metadata of each key is JSON inside of JSON.
function list({ entries, metadata }, prefix) {
  const names = [...entries.keys()].filter((name) => name.startsWith(prefix)).sort();
  return JSON.stringify({ keys: names.map((name) => ({ name, metadata: metadata.get(name) })), list_complete: true });
}

async function readBody(request) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks).toString("utf8");
}
