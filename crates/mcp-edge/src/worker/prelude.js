// What JavaScript does for the Worker. Every call from WebAssembly to JavaScript and back costs more than the work that
// is done in it, so each function here does one thing completely. None throws: a synchronous exception would take the
// whole isolate's memory with it.

// Header names to read, in the order in which `head` returns their values.
let names = [];

export function watch(list) {
  names = list === "" ? [] : list.split("\n");
}

const encoder = new TextEncoder();

// Time in milliseconds, method, URL, then one line for each watched header: `=` and its value, or nothing. Written as
// UTF-8 into a piece of WebAssembly's memory; gives the number of bytes, or -1 if it does not fit.
export function head(request, into) {
  const headers = request.headers;
  let text = `${Date.now()}\n${request.method}\n${request.url}`;
  for (const name of names) {
    const value = headers.get(name);
    text += value === null ? "\n" : `\n=${value}`;
  }
  const { read, written } = encoder.encodeInto(text, into);
  return read === text.length ? written : -1;
}

// The body as text; `null` if it is longer than `limit` bytes, `undefined` if it broke off.
export async function body(request, limit) {
  try {
    const announced = request.headers.get("content-length");
    if (announced === null) return await text(request, limit);
    return Number(announced) > limit ? null : await request.text();
  } catch {
    return undefined;
  }
}

// A whole body as text, or `null` as soon as it is longer than `limit` bytes.
async function text(message, limit) {
  if (message.body === null) return "";
  const decoder = new TextDecoder();
  let decoded = "";
  let length = 0;
  for await (const chunk of message.body) {
    length += chunk.byteLength;
    if (length > limit) return null;
    decoded += decoder.decode(chunk, { stream: true });
  }
  return decoded + decoder.decode();
}

// Takes what resumes a request, see `bring`.
let resume;
export function onBrought(callback) {
  resume = callback;
}

// Awaits what a request wants and resumes the request with it: its answer, or the promise of one.
export async function bring(number, promise) {
  // The instance that the number is from. After a crash there is another one, which counts from the beginning.
  const resumeThis = resume;
  const brought = await promise;
  try {
    return resumeThis(number, brought);
  } catch (error) {
    // A crash. Whoever starts WebAssembly anew hears of it in this way.
    reportError(error);
    throw error;
  }
}

// How to break the promises that Rust has given. If it crashes they would never be settled, and their requests would hang
// until the runtime loses patience.
const breakings = new Set();

addEventListener("error", ({ error }) => {
  if (!(error instanceof WebAssembly.RuntimeError)) return;
  for (const breakOne of breakings) breakOne(error);
  breakings.clear();
});

// A promise that Rust keeps, or else is broken when Rust crashes.
export function given(promise) {
  return new Promise((resolve, reject) => {
    breakings.add(reject);
    promise.then(resolve, reject).finally(() => breakings.delete(reject));
  });
}

// Few different sets of headers are ever sent, and copying one costs less than half of making it.
const MAX_HEADER_SETS = 64;
const headerSets = new Map();

function headerSet(lines) {
  const known = headerSets.get(lines);
  if (known !== undefined) return known;
  const parts = lines.split("\n");
  const headers = new Headers();
  for (let at = 0; at + 1 < parts.length; at += 2) headers.append(parts[at], parts[at + 1]);
  // Cookies and redirects are for one request.
  if (headers.has("set-cookie") || headers.has("location")) return headers;
  if (headerSets.size >= MAX_HEADER_SETS) headerSets.clear();
  headerSets.set(lines, headers);
  return headers;
}

// A response; `headers` are lines of names and values in turn.
export function respond(status, headers, body) {
  return new Response(body, { status, headers: headerSet(headers) });
}

// Whether the client has left; needs the compatibility flag `enable_request_signal`.
export function isGone(request) {
  return request.signal.aborted;
}

// The answer to an outgoing request: status line and body, or `!kind` and an explanation.
export async function call(method, url, authorization, mediaType, content, traceparent, milliseconds, limit) {
  try {
    const headers = { accept: "application/json" };
    if (authorization !== undefined) headers.authorization = authorization;
    if (traceparent !== undefined) headers.traceparent = traceparent;
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
    return answer === null ? "!large\n" : `${response.status}\n${answer}`;
  } catch (error) {
    return error?.name === "TimeoutError" ? "!timeout\n" : `!network\n${error?.message ?? error}`;
  }
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
