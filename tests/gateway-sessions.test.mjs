// Sessions, event streams and eras of an upstream: whose they are, and when they end.

import assert from "node:assert/strict";
import { once } from "node:events";
import { request as httpRequest } from "node:http";
import { after, afterEach, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { answer, event, stream } from "./gateway/upstreams/answers.mjs";
import { startHostileUpstream } from "./gateway/upstreams/hostile.mjs";
import { OPEN, startGateway } from "./support/gateway-deployment.mjs";
import { MODERN, initialize, legacyCall, legacyRequest, modernCall, modernRequest } from "./support/messages.mjs";
import "./support/report-failures.mjs";
import { post, send } from "./support/worker.mjs";

const SESSION = "0123-session-of-the-upstream";

const upstream = await startHostileUpstream();
const gateway = await startGateway({ upstream: upstream.url, settings: OPEN });
const { worker } = gateway;
const alice = await gateway.alice("one");
const bob = await gateway.bob("one");
afterEach(() => upstream.forget());
after(async () => {
  await gateway.stop();
  await upstream.stop();
});

/** A response whose body is read by hand. */
async function open({ token = alice, method = "POST", message, headers = {} }) {
  const request = httpRequest(worker.mcpUrl, {
    method,
    agent: false,
    headers: {
      authorization: `Bearer ${token}`,
      accept: method === "GET" ? "text/event-stream" : "application/json, text/event-stream",
      ...(message && { "content-type": "application/json" }),
      ...headers,
    },
  });
  request.on("error", () => {});
  request.end(message && JSON.stringify(message));
  const [response] = await once(request, "response");
  response.on("error", () => {});
  const chunks = response[Symbol.asyncIterator]();
  return { request, response, next: async () => `${(await chunks.next()).value ?? ""}` };
}

/** Goes away. For workerd a client that closes its side may only have said that it will send no more. */
const leave = (request) => request.socket.resetAndDestroy();

/** Waits until a response has ended, or is broken off. */
const endOf = (response) =>
  new Promise((resolve, reject) => {
    const patience = setTimeout(() => reject(new Error("it does not end")) || response.destroy(), 15_000);
    response.once("close", () => clearTimeout(patience) || resolve()).resume();
  });

describe("a session", () => {
  const withSession = (id = SESSION) =>
    upstream.on("initialize", ({ response, honest }) => {
      response.writeHead(200, { "content-type": "application/json", "mcp-session-id": id }).end(JSON.stringify(honest));
    });
  async function begin(token = alice) {
    withSession();
    const { headers } = await post(worker, { token, message: initialize() });
    upstream.forget();
    return headers["mcp-session-id"];
  }
  const inSession = (session, { token = alice, message = legacyCall("search") } = {}) =>
    post(worker, { token, message, headers: { "mcp-session-id": session, "mcp-protocol-version": "2025-11-25" } });

  test("is the upstream's, and its id is sealed", async () => {
    const session = await begin();
    assert.match(session, /^[\x21-\x7e]+$/);
    assert.ok(!session.includes(SESSION) && !Buffer.from(session, "base64url").includes(SESSION));
    assert.equal((await inSession(session)).status, 200);
    assert.equal(upstream.last("tools/call").headers["mcp-session-id"], SESSION);
    assert.notEqual(await begin(), session);
  });

  test("continues with a renewed token", async () => {
    const session = await begin();
    const renewed = await gateway.alice("one two", { exp: Math.floor(Date.now() / 1000) + 60 });
    assert.equal((await inSession(session, { token: renewed })).status, 200);
  });

  for (const [what, other] of [
    ["of Bob with Alice's id", () => bob],
    ["of another client", () => gateway.alice("one", { client_id: "another" })],
    ["of another organization", () => gateway.alice("one", { organization_id: "another" })],
  ]) {
    test(`${what} is lost, in every method`, async () => {
      const session = await begin();
      const token = await other();
      for (const message of [legacyCall("search"), legacyRequest("tools/list"), { jsonrpc: "2.0", method: "notifications/initialized" }]) {
        const { status, headers, json } = await inSession(session, { token, message });
        assert.equal(status, 404);
        assert.equal(typeof json.error.code, "number");
        assert.equal(headers["mcp-session-id"], undefined);
      }
      for (const method of ["GET", "DELETE"]) {
        const headers = { authorization: `Bearer ${token}`, accept: "text/event-stream", "mcp-session-id": session };
        assert.equal((await send(worker, { method, headers })).status, 404, method);
      }
      assert.deepEqual(upstream.requests, []);
    });
  }

  test("that is no sealed one is lost", async () => {
    const session = await begin();
    const changed = (at) => session.slice(0, at) + (session[at] === "A" ? "B" : "A") + session.slice(at + 1);
    for (const id of [SESSION, "", "a", changed(0), changed(Math.floor(session.length / 2)), changed(session.length - 3), `${session}A`, session.slice(1)]) {
      assert.equal((await inSession(id)).status, 404, id);
    }
    assert.deepEqual(upstream.requests, []);
  });

  test("that the upstream has lost is lost for its client", async () => {
    const session = await begin();
    upstream.on("tools/call", answer({ status: 404, body: '{"jsonrpc":"2.0","id":null,"error":{"code":-32001,"message":"Session not found"}}' }));
    const { status, headers } = await inSession(session);
    assert.equal(status, 404);
    assert.equal(headers["content-type"], "application/json");
  });

  test("is none in the modern era", async () => {
    upstream.on("tools/call", ({ response, honest }) => {
      response.writeHead(200, { "content-type": "application/json", "mcp-session-id": SESSION }).end(JSON.stringify(honest));
    });
    const session = await begin();
    const { message, headers } = modernCall("search");
    const answered = await post(worker, { token: alice, message, headers: { ...headers, "mcp-session-id": session } });
    assert.equal(answered.status, 200);
    assert.equal(answered.headers["mcp-session-id"], undefined);
    assert.equal(upstream.last("tools/call").headers["mcp-session-id"], undefined);
  });
});

describe("an event stream", () => {
  const progress = (n) => ({ jsonrpc: "2.0", method: "notifications/progress", params: { progressToken: 1, progress: n } });

  test("arrives event by event", async () => {
    const parts = [];
    upstream.on("tools/call", stream((writer) => parts.push(writer)));
    const { response, next } = await open({ message: legacyCall("search") });
    assert.equal(response.headers["content-type"], "text/event-stream");
    for (const n of [1, 2, 3]) {
      parts[0].send(progress(n));
      assert.equal(await next(), event(progress(n)));
    }
    parts[0].end();
    assert.equal(await next(), "");
  });

  test("arrives in drops", async () => {
    upstream.on("tools/call", stream(async ({ raw, end }, { honest }) => {
      for (const letter of event(honest)) {
        raw(letter);
        await sleep(1);
      }
      end();
    }));
    const { text } = await post(worker, { token: alice, message: legacyCall("search") });
    assert.match(text, /^event: message\ndata: \{.*called search.*\}\n\n$/);
  });

  for (const [what, request] of Object.entries({
    "of a call": { message: legacyCall("search") },
    "of a modern call": modernCall("search"),
    "of a listening client": modernRequest("subscriptions/listen", { notifications: { toolsListChanged: true } }),
    "of GET": { method: "GET" },
  })) {
    test(`${what} is aborted at the upstream when its client goes`, async () => {
      const method = request.method ?? request.message.method;
      upstream.on(method, stream(({ raw }) => raw(": open\n\n")));
      const { request: connection, next } = await open(request);
      await next();
      const at = upstream.requests.at(-1);
      leave(connection);
      await worker.waitFor(() => at.aborted === true, "the upstream's connection is still open");
    });
  }

  test("is aborted before its head, too", async () => {
    upstream.on("tools/call", () => {});
    const opening = open({ message: legacyCall("search") }).catch(() => {});
    const { request } = await new Promise((resolve) => {
      const connection = httpRequest(worker.mcpUrl, {
        method: "POST", agent: false,
        headers: { authorization: `Bearer ${bob}`, "content-type": "application/json", accept: "application/json, text/event-stream" },
      });
      connection.on("error", () => {});
      connection.end(JSON.stringify(legacyCall("search")));
      resolve({ request: connection });
    });
    await worker.waitFor(() => upstream.of("tools/call").length === 2, "the calls do not arrive");
    leave(request);
    await worker.waitFor(() => upstream.of("tools/call").some(({ aborted }) => aborted), "the upstream's connection is still open");
    assert.equal(upstream.of("tools/call").filter(({ aborted }) => aborted).length, 1, "another's goes on");
    for (const { response } of upstream.of("tools/call")) response.end();
    await opening;
  });

  test("breaks off at its client when it does at the upstream", async () => {
    const writers = [];
    upstream.on("tools/call", stream((writer, { response }) => writers.push({ ...writer, response })));
    const { response, next } = await open({ message: legacyCall("search") });
    writers[0].send(progress(1));
    await next();
    writers[0].response.destroy();
    await endOf(response);
  });

  test("ends when the token does", async () => {
    // A token that ends within five seconds is good for five.
    const exp = Math.floor(Date.now() / 1000) + 7;
    const token = await gateway.alice("one", { exp });
    const streaming = stream(({ raw }, { response }) => {
      const timer = setInterval(() => raw(": still here\n\n"), 50);
      response.once("close", () => clearInterval(timer));
    });
    upstream.on("GET", streaming);
    upstream.on("tools/call", streaming);
    upstream.on("prompts/get", ({ response }) => {
      response.writeHead(200, { "content-type": "application/json" });
      const timer = setInterval(() => response.write(" "), 50);
      response.once("close", () => clearInterval(timer));
    });
    const opened = await Promise.all([
      open({ token, method: "GET" }), open({ token, message: legacyCall("search") }),
      open({ token, message: legacyRequest("prompts/get", { name: "a" }) }),
    ]);
    const [get, call, json] = await Promise.all(opened.map(async ({ response }) => {
      await endOf(response);
      return { at: Date.now() / 1000, complete: response.complete };
    }));
    for (const { at } of [get, call, json]) assert.ok(at >= exp - 0.5 && at < exp + 3, `${at - exp} s after its end`);
    assert.deepEqual([get.complete, call.complete], [true, true], "an event stream is closed");
    assert.equal(json.complete, false, "JSON is broken off");
    await worker.waitFor(() => upstream.requests.every(({ aborted }) => aborted === true), "the upstream's connections are still open");
  });

  test("of one user never has another's events", async () => {
    upstream.on("tools/call", stream(async ({ send: write, end }, { request, honest }) => {
      const sub = JSON.parse(Buffer.from(request.headers.authorization.split(".")[1], "base64url")).sub;
      for (let n = 1; n <= 20; n += 1) {
        write({ ...progress(n), params: { progressToken: 1, progress: n, message: sub } });
        await sleep(2);
      }
      write({ ...honest, result: { content: [{ type: "text", text: sub }] } });
      end();
    }));
    const calls = Array.from({ length: 20 }, (_, each) => (each % 2 ? { token: alice, sub: "alice" } : { token: bob, sub: "bob" }));
    await Promise.all(calls.map(async ({ token, sub }) => {
      // The same id for all: nothing may tell them apart but their connections.
      const { text } = await post(worker, { token, message: { ...legacyCall("search"), id: 1 } });
      const [own, others] = sub === "alice" ? [gateway.subjects.alice, gateway.subjects.bob] : [gateway.subjects.bob, gateway.subjects.alice];
      assert.equal(text.split(own).length - 1, 21);
      assert.ok(!text.includes(others));
    }));
  });
});

describe("an upstream of one era", () => {
  for (const [era, other] of [["legacy", "modern"], ["modern", "legacy"]]) {
    test(`alone, the ${era} one: says so to others, and passes its own`, async () => {
      const single = await startHostileUpstream({ eras: [era] });
      const deployment = await startGateway({ upstream: single.url, settings: OPEN });
      try {
        const token = await deployment.alice("one");
        const requests = {
          modern: [modernRequest("server/discover"), modernCall("search"), modernRequest("tools/list")],
          legacy: [{ message: initialize() }, { message: legacyCall("search") }],
        };
        for (const request of requests[era]) {
          const { status, json, text } = await post(deployment.worker, { token, ...request });
          assert.equal(status, 200, text);
          assert.ok(json.result, text);
        }
        const refused = other === "modern" ? requests.modern : requests.legacy.slice(0, 1);
        for (const request of refused) {
          const { status, json, text } = await post(deployment.worker, { token, ...request });
          assert.deepEqual([status, json?.error?.code], [400, -32022], text);
          const { supported } = json.error.data;
          assert.equal(supported.includes(MODERN), era === "modern", text);
          assert.ok(supported.length > 0);
        }
        assert.ok(single.of("server/discover").length <= 2, "the era is found out once");
      } finally {
        await deployment.stop();
        await single.stop();
      }
    });
  }
});
