// What JavaScript does for the Worker. Every call from WebAssembly to JavaScript and back costs more than the work that
// is done in it, so each function here does one thing completely. None throws: a synchronous exception would take the
// whole isolate's memory with it.

// Header names to read, in the order in which `head` returns their values.
let names = [];

export function watch(list) {
  names = list === "" ? [] : list.split("\n");
}

// Time in milliseconds, method, URL, then one line for each watched header: `=` and its value, or nothing.
export function head(request) {
  const headers = request.headers;
  let text = `${Date.now()}\n${request.method}\n${request.url}`;
  for (const name of names) {
    const value = headers.get(name);
    text += value === null ? "\n" : `\n=${value}`;
  }
  return text;
}

// The body as text; `null` if it is longer than `limit` bytes, `undefined` if it broke off.
export async function body(request, limit) {
  try {
    const announced = request.headers.get("content-length");
    if (announced !== null && Number(announced) > limit) return null;
    return await text(request, Number(announced ?? Infinity) <= limit ? Infinity : limit);
  } catch {
    return undefined;
  }
}

// A whole body as text, or `null` as soon as it is longer than `limit` bytes.
async function text(message, limit) {
  if (limit === Infinity || message.body === null) return await message.text();
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

// A response; `headers` are lines of names and values in turn.
export function respond(status, headers, body) {
  const lines = headers.split("\n");
  const pairs = [];
  for (let at = 0; at + 1 < lines.length; at += 2) pairs.push([lines[at], lines[at + 1]]);
  return new Response(body, { status, headers: pairs });
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

// A setting: text as it is, anything else (numbers, lists, tables of wrangler.toml) as JSON.
export function setting(env, name) {
  const value = env[name];
  if (value === undefined || value === null) return undefined;
  return typeof value === "string" ? value : JSON.stringify(value);
}
