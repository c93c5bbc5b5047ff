// What a client receives from an upstream that misbehaves: never its headers, its redirects or its errors as the client's
// fault, and never more than is read of it.

import assert from "node:assert/strict";
import { after, afterEach, describe, test } from "node:test";
import {
  FOREIGN_HEADERS, answer, breakOff, changed, event, flood, gzipBomb, headOnly, silent, stalled, stream, streamed,
} from "./gateway/upstreams/answers.mjs";
import { startHostileUpstream } from "./gateway/upstreams/hostile.mjs";
import { OPEN, startGateway } from "./support/gateway-deployment.mjs";
import { initialize, legacyCall, legacyRequest, modernCall, modernRequest } from "./support/messages.mjs";
import "./support/report-failures.mjs";
import { post, send } from "./support/worker.mjs";

const PATIENCE_SECONDS = 1;
const MEGABYTE = 1024 * 1024;

const upstream = await startHostileUpstream({ tools: ["search"], prompts: ["greet"], resources: ["file:///a"] });
const settings = { ...OPEN, TOOL_SCOPES: "search=allow", UPSTREAM_SECONDS: `${PATIENCE_SECONDS}` };
const gateway = await startGateway({ upstream: upstream.url, settings });
const { worker } = gateway;
const token = await gateway.alice("one");
afterEach(() => upstream.forget());
after(async () => {
  await gateway.stop();
  await upstream.stop();
});

const call = () => post(worker, { token, message: legacyCall("search") });
const list = (method = "tools/list") => post(worker, { token, message: legacyRequest(method) });

/** A failure of the upstream: a JSON-RPC error that says what happened, and nothing of the upstream. */
function assertFailure({ status, headers, text, json }, expected = 502) {
  assert.equal(status, expected, text);
  assert.equal(json?.error?.code, -32603, text);
  assert.equal(headers["www-authenticate"], undefined);
  assertOurs(headers);
  for (const secret of [`${upstream.port}`, "127.0.0.1", "elsewhere", "<html", "secret"]) {
    assert.ok(!text.includes(secret), `${secret} in ${text}`);
  }
  return json.error.message;
}

/** None of the headers is the upstream's. */
function assertOurs(headers) {
  for (const name of ["set-cookie", "location", "etag", "server", "x-powered-by", "x-secret", "link", "www-authenticate"]) {
    assert.equal(headers[name], undefined, name);
  }
  assert.ok(!JSON.stringify(headers).includes("elsewhere"));
  assert.equal(headers["access-control-allow-credentials"], undefined);
  assert.equal(headers["x-content-type-options"], "nosniff");
  assert.match(headers["cache-control"], /no-store|no-cache/);
}

describe("of the upstream's headers a client sees", () => {
  test("none but the content type", async () => {
    for (const message of [legacyCall("search"), legacyRequest("tools/list"), initialize()]) {
      upstream.on(message.method, answer({ headers: FOREIGN_HEADERS, type: "application/json; charset=utf-8; x=elsewhere" }));
      const { status, headers, text } = await post(worker, { token, message });
      assert.equal(status, 200, text);
      assertOurs(headers);
      assert.equal(headers["content-type"], "application/json");
      assert.equal(headers["cache-control"], "no-store");
      assert.equal(headers["retry-after"], undefined);
    }
  });

  test("of an event stream likewise", async () => {
    upstream.on("tools/call", ({ response, honest }) => {
      response.writeHead(200, { ...FOREIGN_HEADERS, "content-type": "text/event-stream;charset=utf-8" }).end(event(honest));
    });
    const { status, headers, text } = await call();
    assert.equal(status, 200);
    assertOurs(headers);
    assert.equal(headers["content-type"], "text/event-stream");
    assert.equal(headers["cache-control"], "no-cache, no-transform");
    assert.equal(headers["x-accel-buffering"], "no");
    assert.match(text, /called search/);
  });

  test("what CORS allows by our settings, not by the upstream's", async () => {
    upstream.on("tools/call", answer({ headers: FOREIGN_HEADERS }));
    const { headers } = await post(worker, { token, message: legacyCall("search"), headers: { origin: "https://elsewhere.example" } });
    assert.notEqual(headers["access-control-allow-origin"], "https://elsewhere.example");
    assert.ok(!`${headers["access-control-expose-headers"]}`.includes("x-secret"));
  });

  test("none of an accepted notification", async () => {
    const message = { jsonrpc: "2.0", method: "notifications/initialized" };
    upstream.on(message.method, answer({ status: 202, headers: FOREIGN_HEADERS, body: "" }));
    const { status, headers, text } = await post(worker, { token, message });
    assert.deepEqual([status, text], [202, ""]);
    for (const name of ["set-cookie", "x-secret", "location"]) assert.equal(headers[name], undefined);
  });

  test("nor the body of one that is answered with 200", async () => {
    const message = { jsonrpc: "2.0", method: "notifications/initialized" };
    for (const body of ['{"secret":1}', ""]) {
      upstream.on(message.method, answer({ status: 200, headers: FOREIGN_HEADERS, body }));
      const { status, headers, text } = await post(worker, { token, message });
      assert.deepEqual([status, text], [202, ""]);
      assert.equal(headers["content-type"], undefined);
      assert.equal(headers["x-secret"], undefined);
    }
  });
});

describe("is the upstream's fault, not the client's:", () => {
  const faults = {
    "a redirect": answer({ status: 307, headers: { location: "https://elsewhere.example/" }, body: "" }),
    "a redirect to itself": answer({ status: 302, headers: { location: "/mcp" }, body: "" }),
    "HTML": answer({ type: "text/html", body: "<html>secret</html>" }),
    "no content type": ({ response, honest }) => response.writeHead(200).end(JSON.stringify(honest)),
    "401": answer({ status: 401, headers: FOREIGN_HEADERS, body: '{"error":"invalid_token"}' }),
    "401 with an error of JSON-RPC": answer({ status: 401, body: '{"jsonrpc":"2.0","id":1,"error":{"code":-32000,"message":"secret"}}' }),
    "403": answer({ status: 403, headers: FOREIGN_HEADERS, body: "secret" }),
    "404 without a session": answer({ status: 404, type: "text/html", body: "<html>" }),
    "400 that is no error of JSON-RPC": answer({ status: 400, body: '{"secret":1}' }),
    "500": answer({ status: 500, body: '{"secret":1}' }),
    "503": answer({ status: 503, headers: { "retry-after": "9" }, body: "" }),
    "202, as if nothing had been asked": answer({ status: 202, body: "" }),
  };
  for (const [what, fault] of Object.entries(faults)) {
    for (const method of ["tools/call", "tools/list"]) {
      test(`${what}, to ${method}`, async () => {
        upstream.on(method, fault);
        assertFailure(await (method === "tools/call" ? call() : list()));
        assert.equal(upstream.of(method).length, 1, "a request is not repeated");
      });
    }
  }

  test("too many requests, which says when to come back", async () => {
    upstream.on("tools/call", answer({ status: 429, headers: { "retry-after": "7" }, body: "secret" }));
    const answered = await call();
    assertFailure(answered, 503);
    assert.equal(answered.headers["retry-after"], "7");
  });

  for (const [what, fault] of [
    ["no answer", silent()],
    ["a small body that does not come", headOnly({ "content-type": "application/json", "content-length": "50" })],
    ["a small body that stalls", stalled],
  ]) {
    for (const method of ["tools/call", "tools/list"]) {
      test(`${what}, after so many seconds, to ${method}`, async () => {
        upstream.on(method, fault);
        const started = Date.now();
        const message = assertFailure(await (method === "tools/call" ? call() : list()), 504);
        const seconds = (Date.now() - started) / 1000;
        assert.ok(seconds >= PATIENCE_SECONDS - 0.1 && seconds < PATIENCE_SECONDS + 2, `${seconds} s`);
        assert.match(message, /1 s/);
        await worker.waitFor(() => upstream.last(method).aborted, "the request is not aborted");
      });
    }
  }

  test("an outage, which ends", async () => {
    await upstream.stop();
    try {
      assertFailure(await call());
      assertFailure(await list());
      assertFailure(await post(worker, { token, ...modernCall("search") }));
    } finally {
      await upstream.start();
    }
    assert.equal((await call()).status, 200);
    const { status } = await post(worker, { token, ...modernCall("search") });
    assert.equal(status, 200, "the outage decided no era");
  });

  test("a head without a body where one is read", async () => {
    upstream.on("tools/list", headOnly({ "content-type": "application/json" }));
    const { status } = await list();
    assert.ok([502, 504].includes(status), `${status}`);
  });

  test("a body that breaks off", async () => {
    upstream.on("tools/list", breakOff());
    assertFailure(await list());
    upstream.on("tools/call", breakOff());
    await assert.rejects(call(), /aborted|hang up|ECONNRESET|terminated/);
  });

  test("and its line in the log says which failure it was", async () => {
    upstream.on("tools/call", answer({ status: 500, body: "" }));
    worker.clearLogs();
    await call();
    const line = await worker.logged((each) => each.upstream_failure !== undefined);
    assert.match(JSON.stringify(line), /500/);
    assert.ok(!JSON.stringify(line).includes(token.split(".")[2]));
  });
});

describe("what is read is bounded, and checked:", () => {
  for (const [what, fault] of Object.entries({
    "a list of 5 MB": changed(({ result }) => ({ result: { ...result, x: "a".repeat(5 * MEGABYTE) } })),
    "a list without end": flood(10_000),
    "a list that is compressed to nothing": gzipBomb(16),
    "an id of another request": changed(({ id }) => ({ id: id + 1 })),
    "an id of another type": changed(({ id }) => ({ id: Array.isArray(id) ? id : [id] })),
    "no id": changed(() => ({ id: undefined })),
    "neither result nor error": changed(() => ({ result: undefined })),
    "a list that is none": changed(() => ({ result: { tools: {} } })),
    "broken JSON": answer({ body: '{"jsonrpc":"2.0",' }),
    "an event stream without the response": stream(({ raw, end }) => (raw(": nothing\n\n"), end())),
    "an event stream without end": stream(({ raw }, { response }) => {
      const timer = setInterval(() => raw(`: ${"a".repeat(MEGABYTE)}\n\n`), 5);
      response.once("close", () => clearInterval(timer));
    }),
  })) {
    test(what, async () => {
      upstream.on("tools/list", fault);
      assertFailure(await list());
      await worker.waitFor(() => upstream.last("tools/list").aborted !== undefined, "the connection stays open");
      assert.equal((await call()).status, 200);
    });
  }

  const hidden = { name: "delete", inputSchema: { type: "object" } };
  for (const [what, tools] of Object.entries({
    "in a second list": `"tools":[{"name":"search","inputSchema":{}}],"tools":[${JSON.stringify(hidden)}]`,
    "by a second name": '"tools":[{"name":"search","name":"delete","inputSchema":{}}]',
    "in a list of another case": `"tools":[{"name":"search","inputSchema":{}}],"Tools":[${JSON.stringify(hidden)}]`,
    "without a name": '"tools":[{"title":"delete","inputSchema":{}},{"name":["delete"],"inputSchema":{}}]',
    "in a second result": `"tools":[]},"result":{"tools":[${JSON.stringify(hidden)}]`,
  })) {
    test(`a tool is not shown ${what}`, async () => {
      upstream.on("tools/list", ({ response, message }) =>
        response.writeHead(200, { "content-type": "application/json" })
          .end(`{"jsonrpc":"2.0","id":${message.id},"result":{${tools}}}`));
      const { status, text } = await list();
      assert.ok(status === 502 || status === 200);
      assert.ok(!text.includes("delete"), text);
    });
  }

  test("an error of the upstream passes", async () => {
    const error = { code: -32602, message: "no such cursor", data: { x: 1 } };
    for (const status of [200, 400]) {
      upstream.on("tools/list", ({ response, message }) =>
        response.writeHead(status, { "content-type": "application/json" })
          .end(JSON.stringify({ jsonrpc: "2.0", id: message.id, error })));
      const answered = await list();
      assert.equal(answered.status, status);
      assert.deepEqual(answered.json.error, error);
    }
  });

  test("a list in an event stream is read as well", async () => {
    upstream.tools.push(hidden);
    upstream.on("tools/list", streamed({ jsonrpc: "2.0", method: "notifications/message", params: { level: "info", data: 1 } }));
    try {
      const { status, headers, json } = await list();
      assert.deepEqual([status, headers["content-type"]], [200, "application/json"]);
      assert.deepEqual(json.result.tools.map(({ name }) => name), ["search"]);
    } finally {
      upstream.tools.pop();
    }
  });

  test("no cache may keep what one caller may see", async () => {
    for (const [method, params] of [
      ["server/discover"], ["tools/list"], ["prompts/list"], ["resources/list"], ["resources/templates/list"],
      ["resources/read", { uri: "file:///a" }],
    ]) {
      const { status, json, text } = await post(worker, { token, ...modernRequest(method, params) });
      assert.equal(status, 200, text);
      assert.equal(json.result.cacheScope, "private", method);
      assert.equal(json.result.resultType, "complete");
      assert.equal(typeof json.result.ttlMs, "number");
    }
  });

  test("capabilities of what is not offered are taken out", async () => {
    for (const { json } of [await post(worker, { token, message: initialize() }), await post(worker, { token, ...modernRequest("server/discover") })]) {
      const { capabilities } = json.result;
      assert.ok(capabilities.tools && capabilities.prompts && capabilities.resources, JSON.stringify(capabilities));
      assert.equal(capabilities.tasks, undefined);
      assert.equal(capabilities.extensions?.["io.modelcontextprotocol/tasks"], undefined);
    }
  });
});

describe("what is not read passes as it is", () => {
  test("a result with members that nobody knows", async () => {
    const result = { content: [], structuredContent: { n: 12345678901234567890n.toString() }, x: "é" };
    upstream.on("tools/call", changed(() => ({ result })));
    assert.deepEqual((await call()).json.result, result);
  });

  test("one that is compressed, which a client can read", async () => {
    upstream.on("tools/call", gzipBomb(1));
    const { status, json } = await call();
    assert.equal(status, 200);
    assert.match(json.result.content[0].text, /called search/);
  });

  test("that the upstream does not have GET and DELETE", async () => {
    upstream.on("initialize", ({ response, honest }) => {
      response.writeHead(200, { "content-type": "application/json", "mcp-session-id": "a-session" }).end(JSON.stringify(honest));
    });
    const { headers: begun } = await post(worker, { token, message: initialize() });
    for (const [method, more] of [["GET", { accept: "text/event-stream" }], ["DELETE", { "mcp-session-id": begun["mcp-session-id"] }]]) {
      const { status, headers } = await send(worker, { method, headers: { authorization: `Bearer ${token}`, ...more } });
      assert.equal(status, 405, method);
      assert.equal(headers["www-authenticate"], undefined);
      const { method: received, headers: sent } = upstream.requests.at(-1);
      assert.equal(received, method, `${method} reaches the upstream`);
      assert.equal(sent["mcp-session-id"], more["mcp-session-id"] && "a-session");
    }
  });
});
