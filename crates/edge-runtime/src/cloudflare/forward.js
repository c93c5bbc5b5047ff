// Requests that are passed on, and responses that are passed back. Their bodies stay here.

import { headersOf, text, waitUntil } from "./bridge.js";

// As in `forward.rs`.
const MAX_CLIENT_HEADERS = 32;
const MAX_CLIENT_HEADER_BYTES = 16 * 1024;
const MAX_BYTES_READ_AT_ONCE = 24 * 1024 * 1024;

// Of a body that is read at once, and its type.
const SMALL_BYTES = 64 * 1024;
const JSON_TYPE = /^application\/json\s*(;|$)/i;

const decoder = new TextDecoder();

// What undoes itself when a body is read: the codings that the runtime knows, by exactly these names.
const UNDONE = [null, "identity", "gzip", "br"];

// A timer of more milliseconds would fire at once.
const MAX_TIMER = 2 ** 31 - 1;

// Stops a request, and its response as far as it has not ended, after some time; the reason is the error of the request.
const stopAfter = (stop, reason, milliseconds) => setTimeout(() => stop.abort(reason), Math.min(milliseconds, MAX_TIMER));

// The response with what stops it, or `!kind` and an explanation. The body is `content`, or that of the request if
// `isClientBody`.
//
// It is awaited to its end even if the client leaves: the runtime drops the request otherwise, and the memory of the Rust that
// waits for it is never given back.
export function forward(...request) {
  const response = send(...request);
  waitUntil(response);
  return response;
}

async function send(env, binding, request, method, url, lines, prefix, isClientBody, content, timeout, endsAfter) {
  const stop = new AbortController();
  // A timer that only limits the time until the head has arrived; `AbortSignal.timeout` would cut off the body, too.
  const late = stopAfter(stop, "!timeout\n", timeout);
  const end = endsAfter === undefined ? undefined : stopAfter(stop, "!ended\n", endsAfter);
  const fail = (error) => {
    clearTimeout(end);
    return error;
  };
  try {
    const target = binding === undefined ? globalThis : env[binding];
    if (typeof target?.fetch !== "function") return fail("!unbound\n");
    if (isClientBody && request.bodyUsed) return fail("!used\n");
    const headers = headersOf(lines);
    if (prefix !== undefined && !copyHeaders(request.headers, prefix, headers)) return fail("!headers\n");
    // Compressed events would wait for more of them.
    headers.set("accept-encoding", "identity");
    const response = await target.fetch(url, {
      method,
      headers,
      body: isClientBody ? request.body : content,
      duplex: "half",
      redirect: "manual",
      signal: AbortSignal.any([request.signal, stop.signal]),
    });
    const { status } = response;
    const coding = response.headers.get("content-encoding");
    const isRedirect = status >= 300 && status < 400 && status !== 304;
    const upstream = { response, stop, end };
    // Of other statuses no response can be made.
    if (!isRedirect && status >= 200 && status < 600 && UNDONE.includes(coding)) {
      clearTimeout(late);
      if (end !== undefined && isSmall(response.headers)) upstream.bytes = await response.arrayBuffer();
      return upstream;
    }
    cancel(upstream);
    if (isRedirect) return `!redirect\n${status}`;
    return UNDONE.includes(coding) ? `!network\nthe status is ${status}` : `!encoding\n${coding}`;
  } catch (error) {
    return fail(request.signal.aborted ? "!disconnected\n" : (stop.signal.reason ?? `!network\n${error?.message ?? error}`));
  } finally {
    clearTimeout(late);
  }
}

// Whether a body is JSON of so few bytes that it is read at once: a stream that has an end costs ten times as much.
function isSmall(headers) {
  const length = headers.get("content-length");
  return length !== null && Number(length) <= SMALL_BYTES && JSON_TYPE.test(headers.get("content-type"));
}

// Adds the headers of a client whose names begin with the prefix; whether they are few and short enough, and can be sent.
function copyHeaders(from, prefix, to) {
  let count = 0;
  let length = 0;
  for (const [name, value] of from) {
    if (!name.startsWith(prefix) || to.has(name)) continue;
    count += 1;
    length += name.length + value.length;
    if (count > MAX_CLIENT_HEADERS || length > MAX_CLIENT_HEADER_BYTES || /[^\t -~]/.test(value)) return false;
    to.set(name, value);
  }
  return true;
}

// The status, then a line for each header: `=` and its value, or nothing.
export function headOf({ response }, names) {
  const values = names.split("\n").map((name) => (name === "" ? null : response.headers.get(name)));
  return [response.status, ...values.map((value) => (value === null ? "" : `=${value}`))].join("\n");
}

// What the bodies that are being read have allocated: bytes, and until when they are read at the latest, in case that the
// runtime drops a request without another line of it being run.
const reads = new Set();

// The promise of the body as text, or of a number: 0 if it broke off, 1 if it has more than `limit` bytes, 2 if it takes
// too long, 3 if there is no memory for it now. It is another server's: what is not UTF-8 in it does not make the rest
// unreadable.
export function textOf(upstream, limit, timeout) {
  const reading = read(upstream, limit, timeout);
  // So that it gives back its memory even if its client leaves.
  waitUntil(reading);
  return reading;
}

async function read({ response, stop, end, bytes }, limit, timeout) {
  if (bytes !== undefined) {
    clearTimeout(end);
    return bytes.byteLength > limit ? 1 : decoder.decode(bytes);
  }
  const late = stopAfter(stop, "!timeout\n", timeout);
  const own = { bytes: 0, until: Date.now() + timeout };
  let isBusy = false;
  reads.add(own);
  let last = 0;
  const allocate = (size) => {
    // What it had before the last buffer is free again.
    own.bytes = last;
    let total = size;
    for (const other of reads) {
      if (other !== own && other.until < Date.now()) reads.delete(other);
      else total += other.bytes;
    }
    isBusy = total > MAX_BYTES_READ_AT_ONCE;
    if (isBusy) throw new Error();
    own.bytes += size;
    last = size;
    return new Uint8Array(size);
  };
  try {
    return (await text(response, limit, allocate)) ?? 1;
  } catch {
    if (isBusy) stop.abort();
    return isBusy ? 3 : stop.signal.aborted ? 2 : 0;
  } finally {
    reads.delete(own);
    clearTimeout(late);
    clearTimeout(end);
  }
}

// The body as a stream or as bytes, or `null` if there is none. What has an end goes through a stream of its own: the signal
// of a request does not reach a body that the runtime passes on by itself, and the end of an event stream is no error. The
// runtime passes the bytes from one stream to the other without JavaScript.
export function streamOf({ response, stop, end, bytes }) {
  if (bytes !== undefined) {
    clearTimeout(end);
    return bytes;
  }
  const { body, headers } = response;
  if (end === undefined || body === null) return body;
  const isEvents = /^text\/event-stream\s*(;|$)/i.test(headers.get("content-type"));
  const { readable, writable } = new IdentityTransformStream();
  body
    .pipeTo(writable, { preventAbort: true })
    .catch((error) => (isEvents && stop.signal.aborted ? writable.close() : writable.abort(error)))
    .catch(() => {})
    .finally(() => clearTimeout(end));
  return readable;
}

export function cancel({ response, end }) {
  clearTimeout(end);
  if (!response.bodyUsed) response.body?.cancel().catch(() => {});
}

// Whether requests can be sent to a binding; those of the text and of the JSON in the settings have no functions.
export function isBound(env, binding) {
  return typeof env[binding]?.fetch === "function";
}
