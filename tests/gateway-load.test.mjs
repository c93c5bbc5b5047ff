// Long and many streams through a gateway: its memory does not grow with them.

import assert from "node:assert/strict";
import { once } from "node:events";
import { Agent, request as httpRequest } from "node:http";
import { after, afterEach, test } from "node:test";
import { answer, bomb, flood, silent, stream, underestimated } from "./gateway/upstreams/answers.mjs";
import { startHostileUpstream } from "./gateway/upstreams/hostile.mjs";
import { OPEN, startGateway } from "./support/gateway-deployment.mjs";
import { legacyCall, legacyRequest } from "./support/messages.mjs";
import "./support/report-failures.mjs";
import { post } from "./support/worker.mjs";

const MEGABYTE = 1024 * 1024;
const STREAMS = 500;

/** What the process may grow by while it does the same again: what is left of it is the fragmentation of its memory. */
const GROWTH_BYTES = 24 * MEGABYTE;
/** What eight streams take at most, with the buffers of their connections: not half of what they carry. */
const EIGHT_STREAMS_BYTES = 36 * MEGABYTE;
/** The same if they are compressed: those who undo Brotli keep the last 4 MB of each. A quarter of what they carry. */
const EIGHT_COMPRESSED_BYTES = 80 * MEGABYTE;
/** What an open event stream takes at most, with the buffers of both its connections. */
const STREAM_BYTES = 384 * 1024;

const upstream = await startHostileUpstream();
// A heap and a memory that three of the streams of 10 MB would not fit into.
const limits = { v8Flags: ["--max-heap-size=24"], memoryPages: 320 };
const gateway = await startGateway({ upstream: upstream.url, settings: OPEN, worker: limits });
const { worker } = gateway;
const token = await gateway.alice("one");
afterEach(() => upstream.forget());
after(async () => {
  await gateway.stop();
  await upstream.stop();
});

const agent = new Agent({ keepAlive: false, maxSockets: Infinity });
function send(message) {
  const headers = { authorization: `Bearer ${token}`, "content-type": "application/json", accept: "application/json, text/event-stream" };
  const request = httpRequest(worker.mcpUrl, { method: "POST", agent, headers });
  request.on("error", () => {});
  request.end(JSON.stringify(message));
  return request;
}

async function open(message) {
  const request = send(message);
  const [response] = await once(request, "response");
  response.on("error", () => {});
  return { request, response };
}

async function lengthOf(response) {
  let length = 0;
  for await (const chunk of response) length += chunk.length;
  return length;
}

const grownBy = async (before) => ((await worker.memory()).peak - before.resident) / MEGABYTE;

test("streams of 10 MB, eight at a time, take no memory of their size", async () => {
  upstream.on("tools/call", flood(10));
  assert.equal((await post(worker, { token, message: legacyRequest("tools/list") })).status, 200);
  const before = await worker.memory();
  for (let round = 0; round < 4; round += 1) {
    const lengths = await Promise.all(Array.from({ length: 8 }, async () => lengthOf((await open(legacyCall("search"))).response)));
    for (const length of lengths) assert.ok(length > 10 * MEGABYTE, `${length}`);
  }
  const grown = await grownBy(before);
  assert.ok(grown * MEGABYTE < EIGHT_STREAMS_BYTES, `it has grown by ${grown} MB`);
});

for (const coding of ["gzip", "br"]) {
  test(`nor do those of 40 MB that are compressed to little (${coding})`, async () => {
    upstream.on("tools/call", bomb(40, coding));
    const before = await worker.memory();
    const lengths = await Promise.all(Array.from({ length: 8 }, async () => lengthOf((await open(legacyCall("search"))).response)));
    assert.deepEqual(new Set(lengths), new Set([40 * MEGABYTE]));
    const grown = await grownBy(before);
    assert.ok(grown * MEGABYTE < EIGHT_COMPRESSED_BYTES, `it has grown by ${grown} MB`);
  });
}

test("a response that is larger than it says is not taken into memory", async () => {
  upstream.on("tools/call", underestimated(100));
  const before = await worker.memory();
  const { response } = await open(legacyCall("search"));
  assert.equal(response.statusCode, 502);
  assert.match((await response.toArray()).join(""), /-32603/);
  await worker.waitFor(() => upstream.last("tools/call").aborted === true, "the upstream still sends");
  const grown = await grownBy(before);
  assert.ok(grown * MEGABYTE < GROWTH_BYTES, `it has grown by ${grown} MB`);
});

test("a response of 10 GB waits for its client, and ends when the client goes", async () => {
  upstream.on("tools/call", flood(10_000));
  const before = await worker.memory();
  const { request, response } = await open(legacyCall("search"));
  let read = 0;
  for await (const chunk of response) {
    read += chunk.length;
    if (read > 256 * MEGABYTE) break;
  }
  request.socket.resetAndDestroy();
  const [seen] = upstream.of("tools/call");
  await worker.waitFor(() => seen.aborted === true, "the upstream still sends");
  assert.ok(seen.sent < read + 64 * MEGABYTE, `${seen.sent / MEGABYTE} MB were sent`);
  const grown = await grownBy(before);
  assert.ok(grown * MEGABYTE < GROWTH_BYTES, `it has grown by ${grown} MB`);
});

test(`${STREAMS} calls that wait for the upstream at once are all answered`, async () => {
  const waiting = [];
  upstream.on("tools/call", ({ response, honest }) => waiting.push(() => answer()({ response, honest })));
  const calls = Array.from({ length: STREAMS }, (_, id) => open({ ...legacyCall("search"), id }));
  await worker.waitFor(() => waiting.length === STREAMS, "some do not arrive", 20_000);
  for (const respond of waiting) respond();
  for (const [id, call] of calls.entries()) {
    const { response } = await call;
    const { id: answered } = JSON.parse((await response.toArray()).join(""));
    assert.deepEqual([response.statusCode, answered], [200, id]);
  }
});

test("calls whose clients leave while they wait leave nothing behind", async () => {
  upstream.on("tools/call", silent());
  // 8 MB a round in WebAssembly's memory, which has 20.
  const message = { ...legacyCall("search"), params: { name: "search", arguments: { text: "a".repeat(20_000) } } };
  for (let round = 0; round < 5; round += 1) {
    const requests = Array.from({ length: 200 }, () => send(message));
    const areThere = () => upstream.of("tools/call").length === (round + 1) * requests.length;
    await worker.waitFor(areThere, "some do not arrive", 20_000);
    for (const request of requests) request.socket.resetAndDestroy();
    await worker.waitFor(() => upstream.of("tools/call").every(({ aborted }) => aborted === true), "some stay open", 20_000);
  }
  assert.equal((await post(worker, { token, message: legacyRequest("ping") })).status, 200);
  assert.doesNotMatch(worker.raw(), /starting WebAssembly anew/);
});

test(`${STREAMS} event streams at once, each with its own events`, async () => {
  const before = await worker.memory();
  await useStreams();
  const grown = await grownBy(before);
  assert.ok(grown * MEGABYTE < STREAMS * STREAM_BYTES, `it has grown by ${grown} MB`);
  const used = { resident: (await worker.memory()).peak };
  await useStreams();
  const more = await grownBy(used);
  assert.ok(more * MEGABYTE < GROWTH_BYTES, `it has grown by another ${more} MB`);
});

async function useStreams() {
  const writers = [];
  upstream.forget();
  upstream.on("tools/call", stream((writer, { message }) => writers.push({ ...writer, id: message.id })));
  const opened = [];
  for (let from = 0; from < STREAMS; from += 50) {
    const some = Array.from({ length: 50 }, (_, each) => open({ ...legacyCall("search"), id: from + each }));
    opened.push(...(await Promise.all(some)));
  }
  assert.equal(writers.length, STREAMS);
  const received = opened.map(() => "");
  opened.forEach(({ response }, id) => response.on("data", (data) => (received[id] += data)));
  for (let round = 1; round <= 4; round += 1) {
    for (const { send, id } of writers) send({ jsonrpc: "2.0", method: "notifications/progress", params: { progressToken: id, progress: round } });
    await worker.waitFor(() => received.every((text) => text.includes(`"progress":${round}`)), "some events do not arrive", 20_000);
  }
  // Others are served meanwhile.
  assert.equal((await post(worker, { token, message: legacyRequest("ping") })).status, 200);
  for (const [id, text] of received.entries()) {
    const tokens = [...text.matchAll(/"progressToken":(\d+)/g)].map(([, each]) => Number(each));
    assert.deepEqual(tokens, [id, id, id, id]);
  }
  for (const { request } of opened) request.socket.resetAndDestroy();
  await worker.waitFor(() => upstream.of("tools/call").every(({ aborted }) => aborted === true), "some stay open", 20_000);
}
