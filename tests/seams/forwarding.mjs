// Bodies that never enter WebAssembly: requests that are passed on, responses that are passed back.

import assert from "node:assert/strict";
import { once } from "node:events";
import { request as httpRequest } from "node:http";
import { after, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { send } from "../support/worker.mjs";
import { restartsOf, start } from "./start.mjs";
import { startUpstream } from "./upstream.mjs";

const MEGABYTE = 1024 * 1024;
const BODY_MEGABYTES = 64;

// What the process may grow by, all buffers of the runtime and of the sockets included.
const GROWTH_BYTES = 24 * MEGABYTE;

const upstream = await startUpstream();
// A heap that a quarter of the body would not fit into, and so with WebAssembly's memory.
const limits = { v8Flags: ["--max-heap-size=16"], memoryPages: 256 };
const worker = await start({ ...limits, settings: { UPSTREAM: upstream.origin } });
after(async () => {
  await worker.stop();
  await upstream.stop();
});

const forward = (path, options = {}) => send(worker, { path: `/forward/${path}`, ...options });

/** A response whose body is read by hand. */
async function open(path, { method = "GET", headers } = {}) {
  const { hostname, port } = new URL(worker.origin);
  const request = httpRequest({ hostname, port, method, headers, path: `/forward/${path}`, agent: false });
  request.on("error", () => {});
  if (method === "GET") request.end();
  const response = once(request, "response").then(([response]) => response.on("error", () => {}));
  // If it is never looked at.
  response.catch(() => {});
  return { request, response };
}

/** What the upstream has seen of the last request. */
const seen = () => upstream.seen.at(-1);
const isAborted = (entry) => worker.waitFor(() => entry.aborted === true, "the upstream's connection is still open");

describe("a request that is passed on", () => {
  test("has the headers that were chosen, and no others", async () => {
    const headers = { "x-chosen": "chosen", "x-other": "other", authorization: "Bearer a", cookie: "a=b" };
    await forward("pass/status/200", { headers });
    const { headers: received } = seen();
    assert.equal(received["x-chosen"], "chosen");
    for (const name of ["x-other", "authorization", "cookie"]) assert.equal(received[name], undefined, name);
  });

  test("has its body, as it arrives", async () => {
    const { request, response } = await open("pass/echo", { method: "POST", headers: { "content-type": "text/x-test" } });
    request.write("first ");
    const answer = await response;
    assert.equal(answer.headers["content-type"], "text/x-test");
    const chunks = answer[Symbol.asyncIterator]();
    assert.equal(`${(await chunks.next()).value}`, "first ");
    request.write("second");
    assert.equal(`${(await chunks.next()).value}`, "second", "before the request has ended");
    request.end();
    assert.equal((await chunks.next()).done, true);
  });

  test("of many megabytes takes little memory", async () => {
    const before = await worker.memory();
    const { request, response } = await open("pass/count", { method: "POST" });
    for (let sent = 0; sent < BODY_MEGABYTES; sent += 1) {
      if (!request.write(Buffer.alloc(MEGABYTE, sent))) await once(request, "drain");
    }
    request.end();
    const text = (await (await response).toArray()).join("");
    assert.equal(text, `${BODY_MEGABYTES * MEGABYTE}`);
    const { peak } = await worker.memory();
    assert.ok(peak - before.resident < GROWTH_BYTES, `it has grown by ${(peak - before.resident) / MEGABYTE} MB`);
  });

  test("is aborted when its client leaves in the middle of its body", async () => {
    const { request } = await open("pass/count", { method: "POST" });
    request.write("a part");
    await worker.waitFor(() => seen().path === "/count" && seen().received === 6, "the part did not arrive");
    const entry = seen();
    request.destroy();
    await isAborted(entry);
  });
});

describe("a response that is passed back", () => {
  test("has its status, the headers that were chosen, and no others", async () => {
    const { status, headers, text } = await forward("pass/status/418");
    assert.deepEqual([status, text], [418, "body"]);
    assert.equal(headers["x-chosen"], "chosen");
    assert.equal(headers["x-forwarded-by"], "seams");
    assert.equal((await forward("pass/status/204")).status, 204);
    assert.equal((await forward("pass/status/500")).status, 500);
    const { headers: ofStream } = await forward("pass/echo", { method: "POST", body: "" });
    assert.equal(ofStream["x-other"], undefined);
  });

  test("lacks a header that could not be sent", async () => {
    const { status, headers, text } = await forward("pass/umlaut");
    assert.deepEqual([status, text, headers["x-chosen"]], [200, "body", undefined]);
  });

  test("passes events as they come", async () => {
    const { response } = await open("pass/open");
    const answer = await response;
    assert.equal(answer.headers["content-type"], "text/event-stream");
    assert.equal(answer.headers["x-other"], undefined);
    const chunks = answer[Symbol.asyncIterator]();
    for (const event of ["data: 1\n\n", ": comment\n\n", "data: 2\n\n"]) {
      seen().response.write(event);
      assert.equal(`${(await chunks.next()).value}`, event);
    }
    seen().response.end();
    assert.equal((await chunks.next()).done, true);
  });

  test(`of ${BODY_MEGABYTES} MB takes little memory while a reader is slow`, async () => {
    const before = await worker.memory();
    const { response } = await open(`pass/megabytes/${BODY_MEGABYTES}`);
    const answer = await response;
    await sleep(1_000);
    const ahead = seen().sent;
    // The buffers of two connections in the kernel are not the Worker's; they grow to several megabytes each.
    assert.ok(ahead < BODY_MEGABYTES / 2, `${ahead} MB were taken before anybody read`);
    let length = 0;
    let pauseAt = 8 * MEGABYTE;
    for await (const chunk of answer) {
      length += chunk.length;
      if (length < pauseAt) continue;
      pauseAt += 8 * MEGABYTE;
      await sleep(100);
    }
    assert.equal(length, BODY_MEGABYTES * MEGABYTE);
    const { peak } = await worker.memory();
    assert.ok(peak - before.resident < GROWTH_BYTES, `it has grown by ${(peak - before.resident) / MEGABYTE} MB`);
    assert.equal(restartsOf(worker), 0);
  });

  test("takes longer than its head may take", async () => {
    const { response } = await open("pass/open");
    const answer = await response;
    await sleep(1_500);
    seen().response.end("late");
    assert.equal((await answer.toArray()).join(""), "late");
  });

  test("is aborted when its client leaves in the middle of its body", async () => {
    const { request, response } = await open(`pass/megabytes/${BODY_MEGABYTES}`);
    await once(await response, "readable");
    const entry = seen();
    request.destroy();
    await isAborted(entry);
    assert.ok(entry.sent < BODY_MEGABYTES);
  });

  test("is aborted when its client leaves while nothing comes", async () => {
    const { request, response } = await open("pass/open");
    await response;
    const entry = seen();
    request.socket.resetAndDestroy();
    await isAborted(entry);
  });

  // For workerd it may only have said that it will send no more.
  test("is aborted when its client has closed its side, with what comes next", async () => {
    const { request, response } = await open("pass/open");
    await response;
    const entry = seen();
    request.destroy();
    await sleep(50);
    entry.response.write(": keep-alive\n\n");
    await isAborted(entry);
  });

  test("is aborted when its client leaves before there is a head", async () => {
    const { request } = await open("pass/silent");
    await worker.waitFor(() => seen().path === "/silent", "the request did not arrive");
    const entry = seen();
    request.socket.resetAndDestroy();
    // Not because it takes too long.
    await worker.waitFor(() => entry.aborted === true, "the upstream's connection is still open", 800);
  });

  for (const kind of ["length", "chunks"]) {
    test(`that breaks off is broken off, not ended (${kind})`, async () => {
      const { response } = await open(`pass/broken/${kind}`);
      await assert.rejects(async () => (await response).toArray(), /aborted/);
    });
  }

  test("goes on while WebAssembly crashes", async () => {
    const { response } = await open("pass/open");
    const chunks = (await response)[Symbol.asyncIterator]();
    seen().response.write("before");
    assert.equal(`${(await chunks.next()).value}`, "before");
    const entry = seen();
    assert.equal((await send(worker, { path: "/crash" })).status, 500);
    assert.equal((await forward("pass/status/200")).status, 200);
    entry.response.end("after");
    assert.equal(`${(await chunks.next()).value}`, "after");
    assert.equal((await chunks.next()).done, true);
  });

  test("can come from a binding, whose Worker sees the URL that was chosen", async () => {
    assert.equal((await forward("bound/ledger/one", { method: "POST", body: "{}" })).status, 200);
    assert.equal((await forward("bound/elsewhere")).status, 404);
  });
});

describe("a response that is not passed back", () => {
  test("can be read as text that is not UTF-8 throughout", async () => {
    assert.equal((await forward("read/bytes/efbbbf61ff62")).json.body, 'Ok("a\u{fffd}b")');
  });

  test("can be read, up to a limit", async () => {
    assert.deepEqual((await forward("read/status/401")).json, { status: 401, body: 'Ok("body")' });
    assert.equal((await forward("read/megabytes/1")).json.body, "Err(TooLarge(1024))");
    assert.equal((await forward("read/broken/length")).json.body, "Err(Truncated)");
    // The length that is announced is that of the compressed body.
    assert.equal((await forward("read/gzip/0.5")).json.body, "Err(TooLarge(1024))");
  });

  test("is aborted", async () => {
    const { json } = await forward(`refuse/megabytes/${BODY_MEGABYTES}`);
    assert.deepEqual(json, { refused: 200 });
    await isAborted(seen());
  });

  test("is not asked for by a request whose header would be two", async () => {
    assert.equal((await forward("inject/status/200")).json.error, 'Header("x-user")');
  });

  test("is an error that tells why there is none", async () => {
    assert.equal((await forward("pass/redirect")).json.error, "Redirect(307)");
    assert.equal((await forward("pass/silent")).json.error, "Timeout(1s)");
    const { status, json } = await send(worker, { path: "/forward/pass/status/999" });
    assert.deepEqual([status, json.error], [502, "Network"]);
  });
});
