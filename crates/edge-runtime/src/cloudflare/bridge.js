// What JavaScript does for the Worker. Every call from WebAssembly to JavaScript and back costs more than the work that
// is done in it, so each function here does one thing completely. None throws: a synchronous exception would take the
// whole isolate's memory with it.

import * as platform from "cloudflare:workers";

// Header names to read: of every request; of what may be a message, which is a POST with credentials; of requests with
// other methods.
let watched = { always: [], ofMessages: [], ofOthers: [] };

export function watch(always, ofMessages, ofOthers) {
  const list = (names) => (names === "" ? [] : names.split("\n"));
  watched = { always: list(always), ofMessages: list(ofMessages), ofOthers: list(ofOthers) };
}

const encoder = new TextEncoder();

// Writes text as UTF-8 into a piece of WebAssembly's memory; returns the number of bytes, or -1 if it does not fit.
function encode(text, into) {
  const { read, written } = encoder.encodeInto(text, into);
  return read === text.length ? written : -1;
}

// Writes bytes in the same way; of `null` it returns -2, of `undefined` -3.
export function copy(bytes, into) {
  if (bytes === null) return -2;
  if (bytes === undefined) return -3;
  if (bytes.length > into.length) return -1;
  into.set(bytes);
  return bytes.length;
}

const line = (value) => (value === null ? "\n" : `\n=${value}`);

// A line for each header: `=` and its value, or nothing. Of headers that are not to be read, nothing.
function lines(headers, names, isRead) {
  let text = "";
  for (const name of names) text += isRead(name) ? line(headers.get(name)) : "\n";
  return text;
}

const all = () => true;
const none = () => false;
// Those that no preflight has.
const unlessOfPreflights = (name) => !name.startsWith("access-control-request-");

// Time in milliseconds, method, URL, then the lines of all watched headers and of the credentials; see `encode`.
export function head(request, into) {
  const { method, headers } = request;
  const { always, ofMessages, ofOthers } = watched;
  const credentials = headers.get("authorization");
  const isPost = method === "POST";
  const text =
    `${Date.now()}\n${method}\n${request.url}` +
    lines(headers, always, all) +
    lines(headers, ofMessages, isPost && credentials !== null ? all : none) +
    lines(headers, ofOthers, isPost ? none : method === "OPTIONS" ? all : unlessOfPreflights) +
    line(credentials);
  return encode(text, into);
}

// The promise of the bytes of a request's body, or of `null` if there are more than `limit`. Only for requests of clients,
// whose length is that of their body: the length of a compressed response is not.
export function body(request, limit) {
  const announced = request.headers.get("content-length");
  if (announced === null) return bytes(request, limit);
  return Number(announced) > limit ? Promise.resolve(null) : request.bytes();
}

// The bytes of a whole body, or `null` as soon as there are more than `limit`. The runtime fills them from chunks of any
// size: each chunk that comes to JavaScript takes 50 microseconds and leaves up to 40 bytes on its heap, which for chunks
// of one byte is minutes, and more than there is. `allocate` may throw, which rejects.
export async function bytes(message, limit, allocate = (size) => new Uint8Array(size)) {
  if (message.body === null) return new Uint8Array();
  const reader = message.body.getReader({ mode: "byob" });
  let all = allocate(Math.min(16_384, limit + 1));
  for (let length = 0; ; ) {
    const { done, value } = await reader.readAtLeast(all.length - length, all.subarray(length));
    // What was handed over comes back in another buffer.
    if (value !== undefined) {
      length += value.byteLength;
      all = new Uint8Array(value.buffer);
    }
    if (done || length < all.length) return all.subarray(0, length);
    if (length > limit) {
      reader.cancel().catch(() => {});
      return null;
    }
    const more = allocate(Math.min(2 * length, limit + 1));
    more.set(all);
    all = more;
  }
}

const decoder = new TextDecoder();

// The same as text, with U+FFFD in place of invalid UTF-8: for answers of other servers.
export async function text(message, limit, allocate) {
  const all = await bytes(message, limit, allocate);
  return all === null ? null : decoder.decode(all);
}

// Takes what resumes a request, see `suspend`.
let resume;
export function onResume(callback) {
  resume = callback;
}

// Awaits what a request wants and resumes the request with it: its answer, or the promise of one.
export async function suspend(number, promise) {
  // The instance that the number is from. After a crash there is another one, which counts from the beginning.
  const resumeThis = resume;
  let value;
  try {
    value = await promise;
  } catch {
    // The request finds that there is nothing.
  }
  try {
    return resumeThis(number, value);
  } catch (error) {
    // A crash. The listener that starts WebAssembly anew is notified in this way.
    reportError(error);
    throw error;
  }
}

// Rejects the promises that Rust has made. If it crashes they would never be settled, and their requests would hang
// until the runtime loses patience.
const rejectors = new Set();

addEventListener("error", ({ error }) => {
  if (!(error instanceof WebAssembly.RuntimeError)) return;
  for (const reject of rejectors) reject(error);
  rejectors.clear();
});

// A promise that is settled by Rust, or rejected when Rust crashes.
export function abortable(promise) {
  return new Promise((resolve, reject) => {
    rejectors.add(reject);
    promise.then(resolve, reject).finally(() => rejectors.delete(reject));
  });
}

// Sets of headers that many responses share, by their numbers.
const headerSets = [];

export function keepHeaders(number, lines) {
  headerSets[number] = headersOf(lines);
}

// Headers of lines of names and values in turn.
export function headersOf(lines) {
  const parts = lines.split("\n");
  const headers = new Headers();
  for (let at = 0; at + 1 < parts.length; at += 2) headers.append(parts[at], parts[at + 1]);
  return headers;
}

// A response with a set of headers, or with headers of its own.
export function respond(status, number, body) {
  return new Response(body, { status, headers: headerSets[number] });
}

export function respondOnce(status, lines, body) {
  return new Response(body, { status, headers: headersOf(lines) });
}

// Whether the client has disconnected; needs the compatibility flag `enable_request_signal`.
export function isGone(request) {
  return request.signal.aborted;
}

// The answer to an outgoing request: a line with status and challenge, and the body; or `!kind` and an explanation.
//
// What it sends is created here: nothing of a request to the Worker gets into it.
export async function call(method, url, authorization, mediaType, content, milliseconds, limit) {
  try {
    // Some services refuse requests that do not name their software (GitHub's API does).
    const headers = { accept: "application/json", "user-agent": "mcp-edge" };
    if (authorization !== undefined) headers.authorization = authorization;
    if (mediaType !== undefined) headers["content-type"] = mediaType;
    const response = await fetch(url, {
      method,
      headers,
      body: content,
      redirect: "manual",
      signal: AbortSignal.timeout(milliseconds),
    });
    if (response.status >= 300 && response.status < 400 && response.status !== 304) {
      await response.body?.cancel();
      return `!redirect\n${response.status}`;
    }
    const answer = await text(response, limit);
    return answer === null ? "!large\n" : `${response.status} ${response.headers.get("www-authenticate") ?? ""}\n${answer}`;
  } catch (error) {
    return error?.name === "TimeoutError" ? "!timeout\n" : `!network\n${error?.message ?? error}`;
  }
}

// Keeps the event that is being answered alive until the promise is settled, without an object of that event.
export function waitUntil(promise) {
  platform.waitUntil(promise);
}

function namespace(env, binding) {
  if (env[binding] === undefined) throw new Error(`there is no key-value namespace bound to ${binding}`);
  return env[binding];
}

// The text under a key of Workers KV, or `null`. Rejects if the store fails, and so does `save`.
export async function load(env, binding, key, cacheTtl) {
  return await namespace(env, binding).get(key, { cacheTtl });
}

export async function save(env, binding, key, value, expirationTtl) {
  await namespace(env, binding).put(key, value, { expirationTtl });
}

// Counts one for the key, and says whether that is too many. A limiter that is not there or fails says no.
export async function isOverLimit(env, binding, key) {
  try {
    return !(await env[binding].limit({ key })).success;
  } catch {
    return false;
  }
}

export function hasBinding(env, binding) {
  return env[binding] !== undefined;
}

// One data point; `blobs` are lines. A lost one is not worth a failed request.
export function writeDataPoint(env, binding, index, blobs, ...doubles) {
  try {
    env[binding].writeDataPoint({ indexes: [index], blobs: blobs.split("\n"), doubles });
  } catch {
    // Lost.
  }
}

const rsa = (name, hash, saltLength) => ({ key: { name, hash }, signature: { name, saltLength } });
const ecdsa = (namedCurve, hash) => ({ key: { name: "ECDSA", namedCurve }, signature: { name: "ECDSA", hash } });

// How WebCrypto calls the algorithms of RFC 7518 and RFC 8037.
const algorithms = {
  RS256: rsa("RSASSA-PKCS1-v1_5", "SHA-256"),
  RS384: rsa("RSASSA-PKCS1-v1_5", "SHA-384"),
  RS512: rsa("RSASSA-PKCS1-v1_5", "SHA-512"),
  PS256: rsa("RSA-PSS", "SHA-256", 32),
  PS384: rsa("RSA-PSS", "SHA-384", 48),
  PS512: rsa("RSA-PSS", "SHA-512", 64),
  ES256: ecdsa("P-256", "SHA-256"),
  ES384: ecdsa("P-384", "SHA-384"),
  ES512: ecdsa("P-521", "SHA-512"),
  EdDSA: { key: { name: "Ed25519" }, signature: { name: "Ed25519" } },
};

// A CryptoKey; rejects if the key is none.
export async function importKey(algorithm, jwk) {
  return await crypto.subtle.importKey("jwk", JSON.parse(jwk), algorithms[algorithm].key, false, ["verify"]);
}

// Whether the signature verifies. Ed25519 throws for some malformed signatures where the others say no.
export async function verify(algorithm, key, signature, message) {
  try {
    return await crypto.subtle.verify(algorithms[algorithm].signature, key, signature, message);
  } catch {
    return false;
  }
}

export function now() {
  return Date.now();
}

// A setting: text as it is, anything else (numbers, lists, tables of wrangler.toml) as JSON.
export function setting(env, name) {
  const value = env[name];
  if (value === undefined || value === null) return undefined;
  return typeof value === "string" ? value : JSON.stringify(value);
}
