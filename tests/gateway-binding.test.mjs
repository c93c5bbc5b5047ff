// A gateway whose upstream is a service binding: a server that nobody reaches but through the gateway.

import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, describe, test } from "node:test";
import { createRemoteJWKSet, jwtVerify } from "jose";
import { startHostileUpstream } from "./gateway/upstreams/hostile.mjs";
import { OPEN, startGateway } from "./support/gateway-deployment.mjs";
import { initialize, legacyCall, modernCall } from "./support/messages.mjs";
import "./support/report-failures.mjs";
import { post, startWorker } from "./support/worker.mjs";

const UPSTREAM_URL = "https://docs.internal/v1/mcp";

const upstream = await startHostileUpstream({ tools: ["search"] });
const gateway = await startGateway({
  settings: { ...OPEN, UPSTREAM_URL, UPSTREAM_SECONDS: "1" },
  worker: { externals: { UPSTREAM: upstream.port } },
});
const { worker } = gateway;
const token = await gateway.alice("one");
afterEach(() => upstream.forget());
after(async () => {
  await gateway.stop();
  await upstream.stop();
});

const call = (from = worker) => post(from, { token, ...modernCall("search") });

describe("through a binding", () => {
  test("a call reaches the upstream, at the path of UPSTREAM_URL and under its host", async () => {
    const { status, json } = await call();
    assert.equal(status, 200);
    assert.equal(json.result.resultType, "complete");
    const { path, headers } = upstream.last("tools/call");
    assert.equal(path, "/v1/mcp");
    assert.equal(headers.host, "docs.internal");
  });

  test("assertions are for UPSTREAM_URL", async () => {
    await call();
    const [scheme, assertion] = upstream.last("tools/call").headers.authorization.split(" ");
    assert.equal(scheme, "Bearer");
    const { payload } = await jwtVerify(assertion, createRemoteJWKSet(new URL(gateway.jwksUrl)), {
      issuer: gateway.origin, audience: UPSTREAM_URL, typ: "at+jwt", algorithms: ["ES256"],
    });
    assert.equal(payload.sub, gateway.subjects.alice);
  });

  test("only the headers of the allow-list pass, both ways", async () => {
    upstream.on("tools/call", ({ response, honest }) => {
      const headers = { "content-type": "application/json", "set-cookie": "a=b", "x-powered-by": "upstream", "www-authenticate": "Basic" };
      response.writeHead(200, headers).end(JSON.stringify(honest));
    });
    const { message, headers } = modernCall("search");
    const answer = await post(worker, { token, message, headers: { ...headers, cookie: "a=b", "x-forwarded-for": "192.0.2.1" } });
    assert.equal(answer.status, 200);
    for (const name of ["set-cookie", "x-powered-by", "www-authenticate"]) assert.equal(answer.headers[name], undefined, name);
    const received = upstream.last("tools/call").headers;
    for (const name of ["cookie", "x-forwarded-for"]) assert.equal(received[name], undefined, name);
    assert.notEqual(received.authorization, `Bearer ${token}`);
  });

  test("an event stream arrives event by event", async () => {
    let finish;
    const finished = new Promise((resolve) => (finish = resolve));
    upstream.on("tools/call", async ({ response, honest }) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.write(`data: ${JSON.stringify({ jsonrpc: "2.0", method: "notifications/message", params: { level: "info", data: "first" } })}\n\n`);
      await finished;
      response.end(`data: ${JSON.stringify(honest)}\n\n`);
    });
    const { message, headers } = modernCall("search");
    const response = await fetch(worker.mcpUrl, {
      method: "POST",
      headers: { ...headers, authorization: `Bearer ${token}`, "content-type": "application/json", accept: "application/json, text/event-stream" },
      body: JSON.stringify(message),
    });
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    const { value } = await reader.read();
    assert.match(value, /first/);
    finish();
    let rest = "";
    for (let part = await reader.read(); !part.done; part = await reader.read()) rest += part.value;
    assert.match(rest, /"result"/);
  });

  test("a session of the handshake era is sealed", async () => {
    upstream.on("initialize", ({ response, honest }) => {
      response.writeHead(200, { "content-type": "application/json", "mcp-session-id": "session-1" }).end(JSON.stringify(honest));
    });
    const { headers } = await post(worker, { token, message: initialize() });
    const session = headers["mcp-session-id"];
    assert.ok(session !== undefined && !session.includes("session-1"));
    await post(worker, { token, message: legacyCall("search"), headers: { "mcp-session-id": session } });
    assert.equal(upstream.last("tools/call").headers["mcp-session-id"], "session-1");
  });

  for (const [what, status, answer] of [
    ["a 401", 502, ({ response }) => response.writeHead(401, { "www-authenticate": "Bearer" }).end()],
    ["a redirect", 502, ({ response }) => response.writeHead(302, { location: "https://elsewhere.example/" }).end()],
    ["a 500", 502, ({ response }) => response.writeHead(500).end()],
    ["a page", 502, ({ response }) => response.writeHead(200, { "content-type": "text/html" }).end("<html>")],
    ["a connection that breaks off", 502, ({ response }) => response.destroy()],
    ["silence", 504, () => {}],
  ]) {
    test(`${what} is the upstream's fault, and never shows as the client's`, async () => {
      upstream.on("tools/call", answer);
      const refused = await call();
      assert.equal(refused.status, status);
      assert.equal(refused.headers["www-authenticate"], undefined);
      assert.ok(!refused.text.includes("docs.internal"), refused.text);
    });
  }
});

test("a bound Worker that throws is the upstream's fault", async () => {
  const folder = await mkdtemp(join(tmpdir(), "throwing-worker-"));
  await writeFile(join(folder, "index.js"), `export default { fetch() { throw new Error("secret detail"); } };`);
  const bound = await startWorker({ settings: {}, build: folder });
  const other = await startGateway({ settings: OPEN, worker: { externals: { UPSTREAM: bound.port } } });
  try {
    const refused = await post(other.worker, { token: await other.alice("one"), ...modernCall("search") });
    assert.equal(refused.status, 502);
    assert.ok(!refused.text.includes("secret detail"), refused.text);
  } finally {
    await other.stop();
    await bound.stop();
    await rm(folder, { recursive: true });
  }
});

test("a URL to request through a binding that is none is a settings error", async () => {
  const other = await startGateway({
    upstream: "https://docs.example/mcp",
    settings: { ...OPEN, UPSTREAM_URL },
    worker: { externals: { OTHER: upstream.port } },
  });
  try {
    const { status } = await post(other.worker, { token: await other.alice("one"), ...modernCall("search") });
    assert.equal(status, 500);
    assert.match(other.worker.raw(), /UPSTREAM_URL is for a binding named UPSTREAM, and UPSTREAM is a URL/);
  } finally {
    await other.stop();
  }
});
