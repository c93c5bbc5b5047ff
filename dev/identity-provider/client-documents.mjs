// Client ID metadata documents on this machine.
//
// A client may use the URL of a document about itself as its `client_id`. The engine supports this
// for https and refuses to fetch from loopback addresses, which local clients need. Two additions, for
// loopback addresses only:
//
// - `allowLoopback` fetches https documents without the engine's check (the certificate must still be
//   trusted, for example through NODE_EXTRA_CA_CERTS);
// - `createDocumentLookup` reads http documents. The engine accepts https URLs only, so these become
//   stored clients. Logto and the specification do not allow http.

import { isLoopback } from "../loopback.mjs";

const FETCH_TIMEOUT_MS = 2_500;
const MAX_DOCUMENT_BYTES = 64 * 1024;
// One sign-in looks up its client about ten times.
const CACHE_MS = 5_000;

/** Wraps `fetch` so that loopback addresses are reachable in spite of the engine's check. */
export function allowLoopback(fetch) {
  return (url, options) => {
    if (!isLoopback(new URL(url))) return fetch(url, options);
    const { dispatcher: _guard, ...unguarded } = options;
    return fetch(url, unguarded);
  };
}

/** `lookup(clientId)` returns the metadata for an `http://localhost…` client id, or undefined. */
export function createDocumentLookup({ fetch, log, now = Date.now }) {
  /** @type {Map<string, {metadata: object, until: number}>} */
  const cache = new Map();

  return async function lookup(clientId) {
    const url = URL.parse(clientId);
    if (url?.protocol !== "http:" || !isLoopback(url)) return undefined;

    const cached = cache.get(clientId);
    if (cached && cached.until > now()) return cached.metadata;
    try {
      const metadata = await fetchDocument(fetch, clientId);
      cache.set(clientId, { metadata, until: now() + CACHE_MS });
      return metadata;
    } catch (error) {
      log(`client metadata document ${clientId}: ${error.message}`);
      return undefined;
    }
  };
}

async function fetchDocument(fetch, clientId) {
  const response = await fetch(clientId, {
    headers: { accept: "application/json" },
    redirect: "manual",
    signal: AbortSignal.timeout(FETCH_TIMEOUT_MS),
  });
  if (response.status !== 200) throw new Error(`answered ${response.status}`);
  const text = await response.text();
  if (text.length > MAX_DOCUMENT_BYTES) throw new Error("is too large");
  return checkDocument(JSON.parse(text), clientId);
}

// The rules the engine applies to https documents.
function checkDocument(document, clientId) {
  if (document?.client_id !== clientId) throw new Error("names another client_id");
  if ("client_secret" in document) throw new Error("must not contain a client_secret");
  const method = document.token_endpoint_auth_method;
  if (method === undefined || method.startsWith("client_secret")) {
    throw new Error("needs a token_endpoint_auth_method without a shared secret");
  }
  return document;
}
