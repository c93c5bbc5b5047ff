// What an upstream receives: only what the gateway wrote, never what a client sent.

import assert from "node:assert/strict";
import { after, afterEach, describe, test } from "node:test";
import { createRemoteJWKSet, jwtVerify } from "jose";
import { startHostileUpstream } from "./gateway/upstreams/hostile.mjs";
import { OPEN, createSigningKey, startGateway } from "./support/gateway-deployment.mjs";
import { MODERN, NEWEST_LEGACY, initialize, legacyCall, legacyRequest, modernCall, modernRequest } from "./support/messages.mjs";
import "./support/report-failures.mjs";
import { post, send } from "./support/worker.mjs";

const upstream = await startHostileUpstream({ tools: ["search", "Search"], prompts: ["greet"], resources: ["file:///a"] });
const nextKey = await createSigningKey();
const PUBLIC_KEYS = JSON.stringify([nextKey.public]);
const gateway = await startGateway({ upstream: upstream.url, settings: { ...OPEN, TASK_SCOPES: "allow", UPSTREAM_PUBLIC_KEYS: PUBLIC_KEYS } });
const { worker } = gateway;
const token = await gateway.alice("one two");
afterEach(() => upstream.forget());
after(async () => {
  await gateway.stop();
  await upstream.stop();
});

/** Headers of the connection, which the runtime writes. */
const OF_THE_CONNECTION = ["host", "connection", "content-length", "transfer-encoding", "accept-encoding"];

const ours = ({ headers }) => Object.keys(headers).filter((name) => !OF_THE_CONNECTION.includes(name)).sort();

const CLIENT_HEADERS = {
  cookie: "a=b",
  origin: undefined,
  referer: "https://client.example/",
  "user-agent": "client/1.0",
  "x-forwarded-for": "192.0.2.1",
  "x-forwarded-host": "elsewhere.example",
  forwarded: "for=192.0.2.1",
  "cf-connecting-ip": "192.0.2.1",
  "x-api-key": "secret",
  "mcp-secret": "secret",
  "accept-language": "de",
  traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
  "x-mcp-edge": "1",
};

async function forwarded(request) {
  const answer = await post(worker, { token, ...request, headers: { ...CLIENT_HEADERS, ...request.headers } });
  assert.ok(answer.status < 300, `${answer.status} ${answer.text}`);
  return { answer, received: upstream.requests.at(-1) };
}

describe("the upstream receives the headers of the allow-list alone", () => {
  test("with a request of the handshake era", async () => {
    const headers = { "mcp-protocol-version": NEWEST_LEGACY, "mcp-method": "ping", "mcp-name": "other" };
    const { received } = await forwarded({ message: legacyCall("search"), headers });
    assert.deepEqual(ours(received), ["accept", "authorization", "content-type", "mcp-protocol-version"]);
    assert.equal(received.headers.accept, "application/json, text/event-stream");
    assert.equal(received.headers["content-type"], "application/json");
    assert.equal(received.headers["mcp-protocol-version"], NEWEST_LEGACY);
  });

  test("with a request without a version", async () => {
    const { received } = await forwarded({ message: initialize() });
    assert.deepEqual(ours(received), ["accept", "authorization", "content-type"]);
  });

  test("with a modern request, computed from the body", async () => {
    const { message, headers } = modernCall("Search", { query: "é" });
    const { received } = await forwarded({ message, headers: { ...headers, "mcp-param-Region": "eu", "MCP-Param-q": "=?base64?w6k=?=" } });
    assert.deepEqual(ours(received), [
      ...["accept", "authorization", "content-type", "mcp-method", "mcp-name", "mcp-param-q", "mcp-param-region"],
      "mcp-protocol-version",
    ]);
    assert.equal(received.headers["mcp-protocol-version"], MODERN);
    assert.equal(received.headers["mcp-method"], "tools/call");
    assert.equal(received.headers["mcp-name"], "Search");
    assert.equal(received.headers["mcp-param-region"], "eu");
    assert.equal(received.headers["mcp-param-q"], "=?base64?w6k=?=");
  });

  test("with a name that is no text of a header, encoded", async () => {
    const uri = "note://räder";
    const { message, headers } = modernRequest("resources/read", { uri });
    headers["mcp-name"] = `=?base64?${Buffer.from(uri).toString("base64")}?=`;
    const { received } = await forwarded({ message, headers });
    assert.equal(received.headers["mcp-name"], headers["mcp-name"]);
    assert.equal(received.message.params.uri, uri);
  });

  test("with GET and DELETE, which have no body", async () => {
    upstream.on("initialize", ({ response, honest }) => {
      response.writeHead(200, { "content-type": "application/json", "mcp-session-id": "session-1" }).end(JSON.stringify(honest));
    });
    upstream.on("GET", ({ response }) => response.writeHead(200, { "content-type": "text/event-stream" }).end(": end\n\n"));
    upstream.on("DELETE", ({ response }) => response.writeHead(200, { "content-type": "application/json" }).end("{}"));
    const session = (await post(worker, { token, message: initialize() })).headers["mcp-session-id"];
    const headers = {
      ...CLIENT_HEADERS, authorization: `Bearer ${token}`, accept: "text/event-stream", "last-event-id": "7",
      "mcp-session-id": session, "mcp-protocol-version": NEWEST_LEGACY,
    };
    const named = Object.fromEntries(Object.entries(headers).filter(([, value]) => value !== undefined));
    assert.equal((await send(worker, { method: "GET", headers: named })).status, 200);
    const [get] = upstream.requests.slice(-1);
    assert.deepEqual(ours(get), ["accept", "authorization", "last-event-id", "mcp-protocol-version", "mcp-session-id"]);
    assert.deepEqual([get.headers["mcp-session-id"], get.headers["last-event-id"], get.body], ["session-1", "7", ""]);
    await send(worker, { method: "DELETE", headers: named });
    const [deletion] = upstream.requests.slice(-1);
    assert.equal(deletion.method, "DELETE");
    assert.equal(deletion.headers["mcp-session-id"], "session-1");
    assert.equal(deletion.headers["last-event-id"], undefined);
    assert.equal(deletion.body, "");
  });
});

describe("the upstream learns who calls from an assertion", () => {
  const verified = (received, options) => {
    const [scheme, assertion] = received.headers.authorization.split(" ");
    assert.equal(scheme, "Bearer");
    assert.notEqual(assertion, token);
    return jwtVerify(assertion, createRemoteJWKSet(new URL(gateway.jwksUrl)), {
      issuer: gateway.origin, audience: upstream.url, typ: "at+jwt", algorithms: ["ES256"], ...options,
    });
  };

  test("with the claims of the caller, for a minute", async () => {
    const { received } = await forwarded({ message: legacyCall("search") });
    const { payload, protectedHeader } = await verified(received);
    assert.deepEqual(protectedHeader, { alg: "ES256", typ: "at+jwt", kid: gateway.signingKey.public.kid });
    const { iat, exp, jti, ...claims } = payload;
    assert.equal(exp - iat, 60);
    assert.ok(Math.abs(iat - Date.now() / 1000) < 10);
    assert.match(jti, /^[A-Za-z0-9_-]{16,}$/);
    assert.deepEqual(claims, {
      iss: gateway.origin,
      aud: upstream.url,
      sub: gateway.subjects.alice,
      client_id: "third-party-agent",
      scope: "one two",
      act: { sub: gateway.resource },
      sub_id: { format: "iss_sub", iss: gateway.provider.issuer, sub: gateway.subjects.alice },
    });
  });

  test("which is a new one for every request, and ends with the token", async () => {
    const exp = Math.floor(Date.now() / 1000) + 20;
    const short = await gateway.bob("one", { exp });
    const ids = new Set();
    for (let each = 0; each < 3; each += 1) {
      const { received } = await forwarded({ token: short, message: legacyCall("search") });
      const { payload } = await verified(received);
      assert.equal(payload.sub, gateway.subjects.bob);
      assert.ok(payload.exp <= exp);
      ids.add(payload.jti);
    }
    assert.equal(ids.size, 3);
  });

  test("whose keys are published, without private parts, for everybody", async () => {
    const response = await fetch(gateway.jwksUrl);
    const { keys } = await response.json();
    assert.deepEqual(keys.map(({ kid }) => kid).sort(), [gateway.signingKey.public.kid, nextKey.public.kid].sort());
    for (const key of keys) {
      assert.equal(key.d, undefined);
      assert.deepEqual([key.kty, key.crv], ["EC", "P-256"]);
    }
    const { x, y } = gateway.signingKey.public;
    assert.ok(keys.some((key) => key.x === x && key.y === y));
  });

  for (const [what, auth, expected] of [
    ["a secret", { UPSTREAM_AUTH: "secret", UPSTREAM_SECRET: "Basic YTpi" }, { authorization: "Basic YTpi" }],
    [
      "a secret in a header of its own",
      { UPSTREAM_AUTH: "secret", UPSTREAM_SECRET: "s3cret", UPSTREAM_SECRET_HEADER: "x-api-key" },
      { "x-api-key": "s3cret", authorization: undefined },
    ],
    ["nothing", { UPSTREAM_AUTH: "none" }, { authorization: undefined }],
  ]) {
    test(`or shows ${what}`, async () => {
      const settings = { ...OPEN, ...auth, UPSTREAM_SIGNING_KEY: undefined };
      const other = await startGateway({ upstream: upstream.url, settings });
      try {
        const message = legacyCall("search");
        const token = await other.alice("");
        const { status, text } = await post(other.worker, { token, message, headers: CLIENT_HEADERS });
        assert.equal(status, 200, text);
        const { headers } = upstream.last("tools/call");
        for (const [name, value] of Object.entries(expected)) assert.equal(headers[name], value, name);
        // Nowhere else, and the client's token nowhere.
        const secret = auth.UPSTREAM_SECRET;
        const holders = Object.keys(headers).filter((name) => secret !== undefined && headers[name].includes(secret));
        assert.deepEqual(holders, Object.keys(expected).filter((name) => expected[name] !== undefined));
        assert.ok(!JSON.stringify(headers).includes(token), "the client's token is passed on");
      } finally {
        await other.stop();
      }
    });
  }
});

describe("the body is written anew", () => {
  test("names without their escapes, other members as they were", async () => {
    const args = String.raw`{"n":1.0,"big":12345678901234567890,"text":"\u00e9\/","n2":1e2,"a":{"b":[]}}`;
    const body = String.raw`{ "\u0069d": 7, "jsonrpc":"2.0","unknown":[1],"method":"\u0074ools\/call","params":{"n\u0061me":"se\u0061rch", "arguments":${args},"extra":null}}`;
    const { received } = await forwarded({ message: body });
    assert.ok(received.body.includes('"name":"search"'), received.body);
    assert.ok(received.body.includes('"method":"tools/call"'), received.body);
    assert.ok(received.body.includes(args), "arguments are not changed");
    assert.deepEqual(Object.keys(received.message).sort(), ["id", "jsonrpc", "method", "params"]);
    assert.equal(received.message.params.extra, null);
    assert.equal(received.message.id, 7);
  });

  test("also of notifications and of responses", async () => {
    const notification = { jsonrpc: "2.0", method: "notifications/initialized", x: 1 };
    const { answer, received } = await forwarded({ message: notification });
    assert.equal(answer.status, 202);
    assert.deepEqual(received.message, { jsonrpc: "2.0", method: "notifications/initialized" });
    const response = { jsonrpc: "2.0", id: "s-1", result: { action: "accept" }, x: 1 };
    const { answer: second, received: passed } = await forwarded({ message: response });
    assert.equal(second.status, 202);
    assert.deepEqual(passed.message, { jsonrpc: "2.0", id: "s-1", result: { action: "accept" } });
  });

  test("what a listening client asks for by name, in known members", async () => {
    const notifications = { toolsListChanged: true, resourceSubscriptions: ["file:///a"], somethingElse: true };
    const { message, headers } = modernRequest("subscriptions/listen", { notifications });
    upstream.on("subscriptions/listen", ({ response }) => response.writeHead(200, { "content-type": "text/event-stream" }).end());
    const { received } = await forwarded({ message, headers });
    assert.deepEqual(received.message.params.notifications, { toolsListChanged: true, resourceSubscriptions: ["file:///a"] });
  });
});

describe("does not reach the upstream:", () => {
  const call = (members) => `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"search"${members}}}`;
  const top = (members) => `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"search"}${members}}`;
  const refused = {
    "a second name": call(',"name":"delete"'),
    "a second name in escapes": call(String.raw`,"n\u0061me":"delete"`),
    "a name in another case": call(',"Name":"delete"'),
    "a name with a letter that folds to one of ASCII": call(',"argument\u017f":{}'),
    "a second method": top(',"method":"ping"'),
    "a method in another case": top(',"Method":"ping"'),
    "params in another case": top(',"PARAMS":{"name":"delete"}'),
    "an id in another case": top(',"ID":2'),
    "another member of params twice": call(',"x":1,"x":2'),
    "a second _meta": call(',"_meta":{},"_meta":{}'),
    "no object": "[[]]",
    "an empty batch": "[]",
    "broken JSON": '{"jsonrpc":"2.0","id":1,"method":"ping"',
    "a lone surrogate": String.raw`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"\ud800"}}`,
    "a name that is no string": '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":["search"]}}',
    "no name": '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{}}',
    "a completion for two things": String.raw`{"jsonrpc":"2.0","id":1,"method":"completion/complete","params":{"ref":{"type":"ref/prompt","name":"greet","Name":"x"},"argument":{"name":"a","value":""}}}`,
  };
  for (const [what, message] of Object.entries(refused)) {
    test(what, async () => {
      const { status, json, text } = await post(worker, { token, message });
      assert.ok(status === 400 || (status === 200 && json.error), `${status} ${text}`);
      assert.ok([-32700, -32600, -32602].includes(json.error.code), text);
      assert.deepEqual(upstream.requests, []);
    });
  }

  for (const method of ["sampling/createMessage", "elicitation/create", "roots/list", "tools/Call", "admin/reset", ""]) {
    test(`the method ${JSON.stringify(method)}`, async () => {
      const { json, text } = await post(worker, { token, message: legacyRequest(method, {}) });
      assert.equal(json.error.code, -32601, text);
      assert.deepEqual(upstream.requests, []);
    });
  }

  test("an unknown notification, which is accepted", async () => {
    const { status } = await post(worker, { token, message: { jsonrpc: "2.0", method: "notifications/reset" } });
    assert.equal(status, 202);
    assert.deepEqual(upstream.requests, []);
  });

  test("a modern request whose headers say something else", async () => {
    const { message, headers } = modernCall("search");
    for (const change of [{ "mcp-name": "other" }, { "mcp-method": "ping" }, { "mcp-name": undefined }, { "mcp-protocol-version": "2099-01-01" }]) {
      const { status, json, text } = await post(worker, { token, message, headers: { ...headers, ...change } });
      assert.deepEqual([status, json?.error.code], [400, -32020], text);
    }
    assert.deepEqual(upstream.of("tools/call"), []);
  });

  test("what is no request of MCP", async () => {
    const authorization = `Bearer ${token}`;
    const body = JSON.stringify(legacyCall("search"));
    const type = await post(worker, { token, message: body, headers: { "content-type": "text/plain" } });
    assert.equal(type.status, 415);
    for (const [method, path] of [["PUT", "/mcp"], ["PATCH", "/mcp"], ["POST", "/mcp/admin"], ["GET", "/admin"], ["POST", "/"]]) {
      // Its body is not read: such a connection is not used again.
      const headers = { authorization, "content-type": "application/json", connection: "close" };
      const { status } = await send(worker, { method, path, headers, body });
      assert.ok([404, 405].includes(status), `${method} ${path}: ${status}`);
    }
    assert.deepEqual(upstream.requests, []);
  });

  test("a request without a valid token", async () => {
    for (const credential of [undefined, "invalid", await gateway.alice("one", { exp: 1 })]) {
      assert.equal((await post(worker, { token: credential, message: legacyCall("search") })).status, 401);
    }
    assert.deepEqual(upstream.requests, []);
  });

  test("a query", async () => {
    const { status, text } = await post(worker, { token, message: legacyCall("search"), path: "/mcp?tenant=other" });
    assert.equal(status, 200, text);
    assert.equal(upstream.last("tools/call").path, "/mcp");
  });
});
