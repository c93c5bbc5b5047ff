// Requests that are passed on, and responses that are passed back. Their bodies stay here.

import { bytes, text, waitUntil } from "./bridge.js";

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

// What stops a request until its head has arrived, or all of its response if that is small JSON; and its response until that
// has ended. The reason is the error of the request. One timer serves both limits: it is set anew for the end only if the
// response is still under way when the time for the head is over. `AbortSignal.timeout` would cut off the body, too.
class Stop {
  #controller = new AbortController();
  #hasHead = false;
  #hasEnd;
  #timer;

  constructor(timeout, endsAfter = Infinity) {
    const [late, end] = [timeout, endsAfter].map((milliseconds) => Math.min(milliseconds, MAX_TIMER));
    this.#hasEnd = endsAfter !== Infinity;
    this.#timer = end < late ? this.#after(end, "!ended\n") : setTimeout(() => this.#headIsDue(late, end), late);
  }

  #after(milliseconds, reason) {
    return setTimeout(() => this.abort(reason), milliseconds);
  }

  #headIsDue(late, end) {
    if (this.#hasHead) this.#timer = this.#after(end - late, "!ended\n");
    else this.abort("!timeout\n");
  }

  get signal() {
    return this.#controller.signal;
  }

  abort(reason) {
    this.#controller.abort(reason);
  }

  // Only the end stops it from now on.
  headHasArrived() {
    this.#hasHead = true;
    if (!this.#hasEnd) this.clear();
  }

  clear() {
    clearTimeout(this.#timer);
  }
}

// The promise of the response with its head and what stops it, or of `!kind` and an explanation. `lines` are the binding and
// the prefix of the client's headers that go with it, with `=` in front of each if there is one; the method; the names of the
// headers of the response that are read, each with a comma behind it; then names and values of the headers in turn. The body
// is `content`, or that of the request if `isClientBody`.
//
// It is awaited to its end even if the client leaves: the runtime drops the request otherwise, and the memory of the Rust that
// waits for it is never given back.
export function forward(...request) {
  const response = send(...request);
  waitUntil(response);
  return response;
}

async function send(env, request, url, lines, isClientBody, content, timeout, endsAfter) {
  const stop = new Stop(timeout, endsAfter);
  const fail = (error) => {
    stop.clear();
    return error;
  };
  try {
    const parts = lines.split("\n");
    const [binding, prefix, method, names] = parts;
    const target = binding === "" ? globalThis : env[binding.slice(1)];
    if (typeof target?.fetch !== "function") return fail("!unbound\n");
    if (isClientBody && request.bodyUsed) return fail("!used\n");
    const headers = new Headers();
    for (let at = 4; at + 1 < parts.length; at += 2) headers.append(parts[at], parts[at + 1]);
    if (prefix !== "" && !copyHeaders(request.headers, prefix.slice(1), headers)) return fail("!headers\n");
    const response = await target.fetch(url, {
      method,
      headers,
      body: isClientBody ? request.body : content,
      duplex: "half",
      redirect: "manual",
      signal: AbortSignal.any([request.signal, stop.signal]),
    });
    const { status, headers: received } = response;
    const coding = received.get("content-encoding");
    const isRedirect = status >= 300 && status < 400 && status !== 304;
    const upstream = { response, stop, hasEnd: endsAfter !== undefined };
    // Of other statuses no response can be made.
    if (!isRedirect && status >= 200 && status < 600 && UNDONE.includes(coding)) {
      upstream.head = describe(status, received, names);
      if (!upstream.hasEnd || !isSmall(received)) {
        stop.headHasArrived();
        return upstream;
      }
      upstream.bytes = await bytes(response, SMALL_BYTES);
      if (upstream.bytes === null) return fail("!network\nthe body is longer than its content-length");
      stop.clear();
      return upstream;
    }
    cancel(upstream);
    if (isRedirect) return `!redirect\n${status}`;
    return UNDONE.includes(coding) ? `!network\nthe status is ${status}` : `!encoding\n${coding}`;
  } catch (error) {
    return fail(request.signal.aborted ? "!disconnected\n" : (stop.signal.reason ?? `!network\n${error?.message ?? error}`));
  }
}

// Whether a body should be JSON of so few bytes that it is read at once: a stream that has an end costs ten times as much.
// Only what is not compressed has the length that is announced. Even then it is not proven: a body in chunks and that of
// another Worker may be longer.
function isSmall(headers) {
  const length = headers.get("content-length");
  const isCompressed = ![null, "identity"].includes(headers.get("content-encoding"));
  return length !== null && Number(length) <= SMALL_BYTES && !isCompressed && JSON_TYPE.test(headers.get("content-type"));
}

// Adds the headers of a client whose names begin with the prefix; whether they are few and short enough, and can be sent.
function copyHeaders(from, prefix, to) {
  let count = 0;
  let length = 0;
  // Nearly no client sends any, so their values are not asked for before.
  for (const name of from.keys()) {
    if (!name.startsWith(prefix) || to.has(name)) continue;
    const value = from.get(name);
    count += 1;
    length += name.length + value.length;
    if (count > MAX_CLIENT_HEADERS || length > MAX_CLIENT_HEADER_BYTES || /[^\t -~]/.test(value)) return false;
    to.set(name, value);
  }
  return true;
}

// The status, then a line for each header: `=` and its value, or nothing.
function describe(status, headers, names) {
  let head = `${status}`;
  for (const name of names.split(",")) {
    const value = name === "" ? null : headers.get(name);
    head += value === null ? "\n" : `\n=${value}`;
  }
  return head;
}

// The head of a response as `describe` writes it, or why there is none.
export function headOf(upstream) {
  return typeof upstream === "string" ? upstream : (upstream?.head ?? "");
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

async function read({ response, stop, bytes }, limit, timeout) {
  if (bytes !== undefined) return bytes.byteLength > limit ? 1 : decoder.decode(bytes);
  const late = setTimeout(() => stop.abort("!timeout\n"), Math.min(timeout, MAX_TIMER));
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
    stop.clear();
  }
}

// The body as a stream or as bytes, or `null` if there is none. What has an end goes through a stream of its own: the signal
// of a request does not reach a body that the runtime passes on by itself, and the end of an event stream is no error. The
// runtime passes the bytes from one stream to the other without JavaScript.
export function streamOf({ response, stop, hasEnd, bytes }) {
  if (bytes !== undefined) return bytes;
  const { body, headers } = response;
  if (body === null) stop.clear();
  if (!hasEnd || body === null) return body;
  const isEvents = /^text\/event-stream\s*(;|$)/i.test(headers.get("content-type"));
  const { readable, writable } = new IdentityTransformStream();
  body
    .pipeTo(writable, { preventAbort: true })
    .catch((error) => (isEvents && stop.signal.aborted ? writable.close() : writable.abort(error)))
    .catch(() => {})
    .finally(() => stop.clear());
  return readable;
}

export function cancel({ response, stop }) {
  stop.clear();
  if (!response.bodyUsed) response.body?.cancel().catch(() => {});
}

// Whether requests can be sent to a binding; those of the text and of the JSON in the settings have no functions.
export function isBound(env, binding) {
  return typeof env[binding]?.fetch === "function";
}
