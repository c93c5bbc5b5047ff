// How the playground speaks to the server, without a browser: handshakes, sessions and event streams.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { createClient } from "../crates/mcp-edge/src/page/browser/playground/client.js";
import { send } from "../crates/mcp-edge/src/page/browser/playground/exchange.js";
import { mcpAnswer, newestWithHandshake } from "../crates/mcp-edge/src/page/browser/playground/mcp.js";
import { rpc } from "../crates/mcp-edge/src/page/browser/playground/problems.js";

const URL = "https://mcp.example.com/mcp";
const UNSUPPORTED = (...supported) => ({ status: 400, error: { code: -32022, message: "unsupported", data: { supported } } });
const AGREED = (protocolVersion = "2025-11-25", session = "session-1") => ({ session, result: { protocolVersion } });
const ACCEPTED = { status: 202 };
const LISTED = { result: { tools: [] } };

/** A client of a server that gives these answers in order. */
function clientOf(context, answers) {
  const sent = [];
  const steps = [];
  context.mock.method(globalThis, "fetch", async (url, { headers, body }) => {
    const { id, method } = JSON.parse(body);
    sent.push({ method, id, revision: headers["mcp-protocol-version"], session: headers["mcp-session-id"] });
    const { status = 200, session, ...message } = answers[sent.length - 1] ?? assert.fail(`${method} is one request too many`);
    const reply = status === 202 ? null : JSON.stringify({ jsonrpc: "2.0", id, ...message });
    return new Response(reply, { status, headers: { "content-type": "application/json", ...(session && { "mcp-session-id": session }) } });
  });
  const begin = (title) => {
    const step = { title, state: "open", done: () => (step.state = "done"), failed: (problem) => ((step.state = "failed"), problem) };
    steps.push(step);
    return step;
  };
  const judge = ({ status }, error) => (error ? rpc(error) : status >= 400 ? new Error(`refused with ${status}`) : undefined);
  const request = createClient(URL, { trace: { begin }, judge, exchange: (_, message) => send(message) });
  const list = () => request(["List", "…"], "tools/list", {}, { token: "t" });
  return { sent, steps, list, methods: () => sent.map(({ method }) => method) };
}

describe("the era", () => {
  test("is the one without a handshake, where the server has it", async (context) => {
    const client = clientOf(context, [LISTED, LISTED]);
    await client.list();
    await client.list();
    const [{ id, ...first }, second] = client.sent;
    assert.deepEqual(first, { method: "tools/list", revision: "2026-07-28", session: undefined });
    assert.notEqual(id, second.id);
  });

  test("is the other one where only that is supported, with the newest revision", async (context) => {
    const client = clientOf(context, [UNSUPPORTED("2025-03-26", "2025-06-18", "1.0"), AGREED("2025-03-26"), ACCEPTED, LISTED, LISTED]);
    assert.deepEqual(await client.list(), LISTED.result);
    await client.list();
    assert.deepEqual(client.methods(), ["tools/list", "initialize", "notifications/initialized", "tools/list", "tools/list"]);
    assert.deepEqual(client.steps.map(({ state }) => state), Array(5).fill("done"));
    const [, initialize, initialized, ...lists] = client.sent;
    assert.deepEqual([initialize.revision, initialize.session], [undefined, undefined]);
    assert.equal(initialized.id, undefined);
    for (const { revision, session } of [initialized, ...lists]) assert.deepEqual([revision, session], ["2025-03-26", "session-1"]);
    const ids = client.sent.map(({ id }) => id).filter(Boolean);
    assert.equal(new Set(ids).size, ids.length, "no id is used twice in a session");
  });

  test("may have no sessions", async (context) => {
    const client = clientOf(context, [UNSUPPORTED("2025-11-25"), AGREED("2025-11-25", null), ACCEPTED, LISTED, { status: 404 }]);
    await client.list();
    assert.deepEqual([client.sent[3].revision, client.sent[3].session], ["2025-11-25", undefined]);
    // Without a session none is lost.
    await assert.rejects(client.list(), { message: "refused with 404" });
  });

  test("that this page does not speak is an error", async (context) => {
    for (const supported of [["2027-01-01"], []]) {
      const client = clientOf(context, [UNSUPPORTED(...supported)]);
      await assert.rejects(client.list(), { title: "The server speaks other revisions of MCP" });
      assert.equal(client.steps[0].state, "failed");
    }
    const client = clientOf(context, [{ status: 400, error: { code: -32022, message: "?" } }]);
    await assert.rejects(client.list(), { title: "The server speaks other revisions of MCP" });
    const other = clientOf(context, [UNSUPPORTED("2025-11-25"), AGREED("2099-01-01")]);
    await assert.rejects(other.list(), { title: "The server speaks other revisions of MCP" });
  });

  test("is refused once only", async (context) => {
    const client = clientOf(context, [UNSUPPORTED("2025-11-25"), AGREED(), ACCEPTED, UNSUPPORTED("2025-11-25")]);
    await assert.rejects(client.list(), { title: "The server refused the call" });
  });

  test("has revisions that are known by name", () => {
    assert.equal(newestWithHandshake(["2025-03-26", "2025-11-25"]), "2025-11-25");
    for (const none of [undefined, null, [], "2026-07-28", {}, ["2025"]]) assert.equal(newestWithHandshake(none), undefined);
  });
});

describe("a session", () => {
  const BEGUN = [UNSUPPORTED("2025-11-25"), AGREED(), ACCEPTED, LISTED];

  for (const lost of [{ status: 404 }, { status: 400, error: { code: -32000, message: "No valid session ID provided" } }]) {
    test(`that is lost, ${lost.status}, is begun anew`, async (context) => {
      const client = clientOf(context, [...BEGUN, lost, AGREED("2025-11-25", "session-2"), ACCEPTED, LISTED]);
      await client.list();
      await client.list();
      assert.equal(client.sent[5].session, undefined, "initialize is no request of the lost session");
      assert.equal(client.sent.at(-1).session, "session-2");
    });
  }

  test("that is lost again at once is an error, and the next request begins a session", async (context) => {
    const answers = [...BEGUN, { status: 404 }, AGREED("2025-11-25", "session-2"), ACCEPTED, { status: 404 }];
    const client = clientOf(context, [...answers, { status: 404 }, AGREED("2025-11-25", "session-3"), ACCEPTED, LISTED]);
    await client.list();
    await assert.rejects(client.list(), { message: "refused with 404" });
    await client.list();
    assert.equal(client.sent.at(-1).session, "session-3");
  });

  test("that cannot begin is an error, and the next request begins at the beginning", async (context) => {
    const client = clientOf(context, [...BEGUN, { status: 404 }, { status: 403 }, UNSUPPORTED("2025-11-25"), AGREED(), { status: 403 }, LISTED]);
    await client.list();
    await assert.rejects(client.list(), { message: "refused with 403" });
    assert.equal(client.steps.at(-1).state, "failed");
    await assert.rejects(client.list(), { message: "refused with 403" }, "the notification is refused");
    await client.list();
    assert.equal(client.sent.at(-1).revision, "2026-07-28");
  });

  test("in which the server fails shows what it says", async (context) => {
    const client = clientOf(context, [...BEGUN, { status: 502, error: { code: -32603, message: "the upstream failed" } }]);
    await client.list();
    await assert.rejects(client.list(), ({ title, explanation }) => title === "The server failed" && /the upstream failed/.test(explanation));
  });
});

describe("an event stream", () => {
  const stream = new Headers({ "content-type": "text/event-stream" });
  const event = (message) => `event: message\ndata: ${JSON.stringify(message)}\n\n`;
  const progress = event({ method: "notifications/progress", params: {} });

  /** Sends a request that is answered with these chunks, and perhaps an end. */
  function answered(context, chunks, { end } = {}) {
    const state = { isCancelled: false };
    const body = new ReadableStream({
      start(controller) {
        for (const chunk of chunks) controller.enqueue(new TextEncoder().encode(chunk));
        end?.(controller);
      },
      cancel: () => void (state.isCancelled = true),
    });
    context.mock.method(globalThis, "fetch", async () => new Response(body, { headers: stream }));
    return send({ method: "POST", url: URL, id: 7 }).then((answer) => Object.assign(answer, { state }));
  }

  test("is read as far as the response, in whichever pieces it comes", async (context) => {
    const text = progress + event({ id: 7, method: "ping" }) + event({ id: 6, result: {} }) + event({ id: 7, result: { a: "ä" } });
    for (const chunks of [[text], text.split(/(?<=\n)/), [...text], [text.replaceAll("\n", "\r\n")]]) {
      const answer = await answered(context, chunks);
      assert.deepEqual(mcpAnswer(answer, 7).result, { a: "ä" });
      await setTimeout(10);
      assert.ok(answer.state.isCancelled);
    }
  });

  test("may end without a response", async (context) => {
    const answer = await answered(context, [progress], { end: (controller) => controller.close() });
    assert.equal(mcpAnswer(answer, 7), undefined);
  });

  test("may be cut off, and what arrived is kept", async (context) => {
    let fail;
    const reading = answered(context, [progress], { end: (controller) => (fail = () => controller.error(new Error("connection lost"))) });
    await setTimeout(50);
    fail();
    const answer = await reading;
    assert.ok(answer.text.startsWith(progress) && answer.text.endsWith("(cut off: connection lost)"), answer.text);
    assert.equal(mcpAnswer(answer, 7), undefined);
  });

  test("has errors without an id, too", () => {
    const text = event({ id: null, error: { code: 1 } });
    assert.deepEqual(mcpAnswer({ headers: stream, text }, 7).error, { code: 1 });
  });
});

test("a response without a result is an error", async (context) => {
  const client = clientOf(context, [{}]);
  await assert.rejects(client.list(), { title: "The response ended without a result" });
});
