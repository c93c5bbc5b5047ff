// Bodies that are small on the wire and large in memory, and checks that a Worker survives them.

import assert from "node:assert/strict";
import { ENVELOPE, MODERN } from "./messages.mjs";
import { post } from "./requests.mjs";

const MEBIBYTE = 1024 * 1024;

/** The default limit of a body. */
export const BODY_BYTES = 4 * MEBIBYTE;

/** 80 MiB for WebAssembly and 48 MiB for JavaScript: together the 128 MB of an isolate at Cloudflare. */
export const ISOLATE_LIMITS = { memoryPages: 1280, v8Flags: ["--max-heap-size=48"] };

/** For the message and the envelope around a value. */
const FRAME_BYTES = 1024;

const VALUE_BYTES = BODY_BYTES - FRAME_BYTES;

const fill = (piece, bytes = VALUE_BYTES) => piece.repeat(Math.floor(bytes / Buffer.byteLength(piece)));
const text = (piece, bytes) => `"${fill(piece, bytes)}"`;
const list = (item, bytes) => `[${fill(`${item},`, bytes)}0]`;
const object = (member, bytes) => `{${fill(`${member},`, bytes)}"z":0}`;
const distinct = (member, bytes) => {
  const members = [];
  for (let length = 0, number = 0; length < bytes; number += 1) {
    members.push(member(number.toString(36)));
    length += members.at(-1).length + 1;
  }
  return `{${members.slice(0, -1).join(",")}}`;
};
const nested = (open, close, depth) => open.repeat(depth) + "0" + close.repeat(depth);

/** JSON values of almost 4 MiB, or of this many bytes. @type {Record<string, (bytes?: number) => string>} */
export const SHAPES = {
  "small objects": (bytes) => list('{"":0}', bytes),
  "small lists": (bytes) => list("[0]", bytes),
  "empty objects": (bytes) => list("{}", bytes),
  "empty lists": (bytes) => list("[]", bytes),
  "numbers": (bytes) => list("0", bytes),
  "numbers with exponents": (bytes) => list("1e9", bytes),
  "empty strings": (bytes) => list('""', bytes),
  "members of one character or a few": (bytes = VALUE_BYTES) => distinct((name) => `"${name}":0`, bytes),
  "members with small objects": (bytes = VALUE_BYTES) => distinct((name) => `"${name}":{"":0}`, bytes),
  "members with empty strings": (bytes = VALUE_BYTES) => distinct((name) => `"${name}":""`, bytes),
  "one member again and again": (bytes) => object('"a":0', bytes),
  "objects 100 deep": (bytes) => list(nested('{"":', "}", 100), bytes),
  "lists 100 deep": (bytes) => list(nested("[", "]", 100), bytes),
  "lists as deep as they can be": (bytes = VALUE_BYTES) => nested("[", "]", Math.floor(bytes / 2)),
  "objects as deep as they can be": (bytes = VALUE_BYTES) => nested('{"":', "}", Math.floor(bytes / 5)),
  "lists that are not closed": (bytes) => fill("[", bytes),
  "one text": (bytes) => text("a", bytes),
  "one text with an escape at its end": (bytes = VALUE_BYTES) => `"${fill("a", bytes)}\\n"`,
  "escapes of one character": (bytes) => text("\\n", bytes),
  "escaped quotes": (bytes) => text('\\"', bytes),
  "escaped NULs": (bytes) => text("\\u0000", bytes),
  "escaped surrogate pairs": (bytes) => text("\\ud83d\\ude00", bytes),
  "characters that are printed as escapes": (bytes) => text("\x7f", bytes),
  "characters of two bytes": (bytes) => text("é", bytes),
  "characters of three bytes": (bytes) => text("€", bytes),
  "characters of four bytes": (bytes) => text("🔑", bytes),
  "one character beyond Latin-1, then ASCII": (bytes = VALUE_BYTES) => `"€${fill("a", bytes)}"`,
  "a long name of a member": (bytes) => `{${text("n", bytes)}:0}`,
  "a long name of a member, in escapes": (bytes) => `{${text("\\n", bytes)}:0}`,
  "a number of many digits": (bytes) => fill("1", bytes),
  "a number of many digits behind the point": (bytes = VALUE_BYTES) => `0.${fill("1", bytes)}`,
  "numbers beyond all": (bytes) => list("1e999", bytes),
  "white space": (bytes = VALUE_BYTES) => `[${fill(" ", bytes)}]`,
};

/** The most expensive ones of each kind. */
export const WORST = ["small objects", "small lists", "members with small objects", "one text with an escape at its end"];

const CLIENT = "io.modelcontextprotocol/clientInfo";
const MARK = "@";

/** @typedef {{message: string, headers: Record<string, string>}} Heavy */

/** Creates a message with a value in place of its marker. @returns {(value: string) => Heavy} */
function around(message, headers = {}) {
  const frame = JSON.stringify(message);
  return (value) => ({ message: frame.replace(`"${MARK}"`, () => value), headers });
}

const message = (method, params) => ({ jsonrpc: "2.0", id: 1, method, params });

/** A request of the era with a handshake. */
export const legacy = (method, params) => around(message(method, params), { "mcp-protocol-version": "2025-11-25" });

/** A request of the modern era; `meta` are members of its envelope. */
export function modern(method, params, meta = {}) {
  const named = params.name ?? params.uri;
  const envelope = { [ENVELOPE.version]: MODERN, [ENVELOPE.capabilities]: {}, ...meta };
  return around(message(method, { ...params, _meta: envelope }), {
    "mcp-protocol-version": MODERN,
    "mcp-method": method,
    ...(named !== undefined && named !== MARK && { "mcp-name": named }),
  });
}

/** Batches, which only this revision has: of one message, and of a hundred that share the size. */
export const batch = (params) => (value) => batchOf(params, [value]);
export const batchOfMany = (params) => (_, shape) => batchOf(params, Array(100).fill(shape(VALUE_BYTES / 100 - 200)));

function batchOf(params, values) {
  const frame = JSON.stringify(message("tools/call", params));
  const messages = values.map((value) => frame.replace(`"${MARK}"`, () => value));
  return { message: `[${messages.join(",")}]`, headers: { "mcp-protocol-version": "2025-03-26" } };
}

/**
 * Every place in a message where a value can be.
 * @param {string} tool  that is called
 * @param {object} args  its arguments; a member is added
 * @returns {Record<string, (value: string, shape: (bytes: number) => string) => Heavy>}
 */
export function placesOf(tool, args = {}) {
  const call = { name: tool, arguments: args };
  return {
    "arguments": legacy("tools/call", { name: tool, arguments: MARK }),
    "an argument": legacy("tools/call", { name: tool, arguments: { ...args, x: MARK } }),
    "an argument, modern": modern("tools/call", { name: tool, arguments: { ...args, x: MARK } }),
    "answers": modern("tools/call", { ...call, inputResponses: MARK }),
    "an answer": modern("tools/call", { ...call, inputResponses: { x: MARK } }),
    "state": modern("tools/call", { ...call, requestState: MARK }),
    "capabilities": modern("tools/call", call, { [ENVELOPE.capabilities]: MARK }),
    "a capability": modern("tools/call", call, { [ENVELOPE.capabilities]: { x: MARK } }),
    "a known capability": modern("tools/call", call, { [ENVELOPE.capabilities]: { elicitation: MARK } }),
    "extensions": modern("tools/call", call, { [ENVELOPE.capabilities]: { extensions: { x: MARK } } }),
    "the client's name": modern("tools/call", call, { [CLIENT]: { name: MARK } }),
    "the client": modern("tools/call", call, { [CLIENT]: MARK }),
    "an unknown member of the envelope": modern("tools/call", call, { x: MARK }),
    "a progress token": modern("tools/call", call, { progressToken: MARK }),
    "a level": modern("tools/call", call, { "io.modelcontextprotocol/logLevel": MARK }),
    "a version": modern("tools/call", call, { [ENVELOPE.version]: MARK }),
    "the name of a tool": legacy("tools/call", { name: MARK }),
    "the name of a tool, modern": modern("tools/call", { name: MARK }),
    "the name of a prompt": legacy("prompts/get", { name: MARK }),
    "the URI of a resource": legacy("resources/read", { uri: MARK }),
    "a cursor": legacy("tools/list", { cursor: MARK }),
    "capabilities of a handshake": legacy("initialize", { protocolVersion: "2025-11-25", capabilities: MARK }),
    "a version of a handshake": legacy("initialize", { protocolVersion: MARK, capabilities: {} }),
    "params": around(message("tools/call", MARK)),
    "an unknown member": around({ ...message("tools/call", call), x: MARK }),
    "an id": around({ ...message("tools/call", call), id: MARK }),
    "a method": around({ ...message(MARK, call) }),
    "a notification": around({ jsonrpc: "2.0", method: "notifications/x", params: { x: MARK } }),
    "a response": around({ jsonrpc: "2.0", id: 1, result: MARK }),
    "a batch": batch({ name: tool, arguments: { ...args, x: MARK } }),
    "a batch of a hundred": batchOfMany({ name: tool, arguments: { ...args, x: MARK } }),
    "everything": (value) => ({ message: value, headers: {} }),
  };
}

/**
 * Watches a Worker that gets no other requests.
 * @param {object} worker
 * @param {{token: string, message: object}} honest  a request that is answered with 200
 */
export function watch(worker, honest) {
  // An isolate numbers its requests, beginning with 1 after a crash.
  let asked = 0;
  const numberOf = ({ request_id: id }) => Number(/^local-(\d+)$/.exec(id)?.[1]);

  /** Asserts that the isolate has not restarted. */
  async function afterAll(requests) {
    const { status, text: answer } = await post(worker, honest);
    assert.equal(status, 200, answer);
    asked += requests + 1;
    try {
      await worker.logged((line) => numberOf(line) === asked);
      assert.doesNotMatch(worker.raw(), /starting WebAssembly anew|Critical/);
    } catch (error) {
      asked = Math.max(0, ...worker.logs().map(numberOf).filter(Number.isInteger));
      throw new Error(`it has crashed: ${error.message.slice(0, 4000)}`);
    } finally {
      worker.clearLogs();
    }
  }

  /** Sends requests at the same time. Each must get a response, and the isolate must not restart. */
  async function endures(...requests) {
    const answers = await Promise.allSettled(requests.map((request) => post(worker, request)));
    await afterAll(requests.length);
    return answers.map(({ value, reason }) => {
      if (reason) throw reason;
      if (value.status === 503) assert.match(value.headers["retry-after"] ?? "", /^[1-9]\d?$/, value.text);
      else assert.ok(value.status >= 200 && value.status < 500, `${value.status} ${value.text.slice(0, 200)}`);
      return value;
    });
  }

  return Object.assign(endures, { afterAll });
}

/** A request for each shape in this place. */
export function shapesIn(place, token) {
  return Object.keys(SHAPES).map((name) => shapeIn(place, name, token));
}

/** A request with this shape in this place. */
export function shapeIn(place, name, token) {
  known.set(name, known.get(name) ?? SHAPES[name]());
  return { token, ...place(known.get(name), SHAPES[name]) };
}

const known = new Map();

/** Splits items into groups of at most this many. */
export function inGroups(items, size) {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, number) => items.slice(number * size, (number + 1) * size));
}
