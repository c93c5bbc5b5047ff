// The doctor on a gateway and the server behind it: it must see whether the way around the gateway is closed, what the
// gateway does not show, and what comes through that should not.

import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { after, afterEach, describe, test } from "node:test";
import { createRemoteJWKSet, decodeJwt, jwtVerify } from "jose";
import { assertFound, diagnose, serve } from "./support/doctor.mjs";
import { startGateway } from "./support/gateway-deployment.mjs";
import "./support/report-failures.mjs";

const OPERATOR = "Bearer of-the-operator";
const LEGACY = "2025-11-25";
const MODERN = "2026-07-28";

const tool = (name) => ({
  name,
  description: "Does something.",
  inputSchema: { type: "object", properties: {} },
  annotations: { title: name, readOnlyHint: true, destructiveHint: false, openWorldHint: false },
});

/** Whom an upstream lets in, besides its operator. */
const verify = async (token) => (await jwtVerify(token, keys, { issuer: gateway.origin, audience: upstream.url, typ: "at+jwt" })).payload;
const decode = (token) => decodeJwt(token);
const anybody = () => ({ sub: "anybody" });

const GOOD = { authenticate: verify, eras: [LEGACY, MODERN] };
let behaviour = GOOD;

const sessions = new Set();

// The server that exists already: it keeps sessions, sets cookies, and lets every page in.
const upstream = await serve(async (request, response) => {
  if (request.method !== "POST") return response.writeHead(405).end();
  const { id, method, params } = JSON.parse(await text(request));
  response.setHeader("set-cookie", "sid=1; Path=/");
  response.setHeader("access-control-allow-origin", "*");
  response.setHeader("content-type", "application/json");
  const bearer = request.headers.authorization ?? "";
  try {
    if (bearer !== OPERATOR) await behaviour.authenticate(bearer.replace(/^Bearer /, ""));
  } catch {
    return response.writeHead(401, { "www-authenticate": "Bearer" }).end("{}");
  }
  const era = params?._meta?.["io.modelcontextprotocol/protocolVersion"] === MODERN ? MODERN : LEGACY;
  const respond = (status, content) => response.writeHead(status).end(JSON.stringify({ jsonrpc: "2.0", id, ...content }));
  if (!behaviour.eras.includes(era)) {
    return respond(400, { error: { code: -32022, message: "Unsupported", data: { supported: behaviour.eras, requested: era } } });
  }
  if (era === LEGACY && method === "initialize") {
    const session = crypto.randomUUID();
    sessions.add(session);
    response.setHeader("mcp-session-id", session);
  } else if (era === LEGACY && !sessions.has(request.headers["mcp-session-id"])) {
    return respond(404, { error: { code: -32001, message: "Session not found" } });
  }
  if (id === undefined) return response.writeHead(202).end();
  const complete = { resultType: "complete", ttlMs: 0, cacheScope: "public" };
  const serverInfo = { name: "docs", version: "1.0.0" };
  const capabilities = { tools: {} };
  const result = {
    initialize: { protocolVersion: LEGACY, capabilities, serverInfo },
    "server/discover": { supportedVersions: [MODERN], capabilities, serverInfo, ...complete },
    "tools/list": { tools: ["search", "delete_all", "drop"].map(tool), ...(era === MODERN ? complete : {}) },
    ping: {},
  }[method];
  return respond(200, result === undefined ? { error: { code: -32601, message: "Method not found" } } : { result });
});

const TOOL_SCOPES = "search*=docs:read delete_*=docs:delete drop=deny";
const gateway = await startGateway({ upstream: upstream.url, settings: { TOOL_SCOPES } });
const keys = createRemoteJWKSet(new URL(gateway.jwksUrl));
const token = await gateway.alice("docs:read");
const folder = await mkdtemp(join(tmpdir(), "mcp-edge-doctor-"));

afterEach(() => (behaviour = GOOD));
after(async () => {
  await gateway.stop();
  await upstream.close();
  await rm(folder, { recursive: true });
});

/** The parameters for settings with this table. */
async function settings(table = TOOL_SCOPES) {
  const file = join(folder, "wrangler.toml");
  await writeFile(file, `[vars]\nTOOL_SCOPES = "${table}"\nUPSTREAM = "${upstream.url}"\n`);
  return ["--settings", file];
}

const examine = ({ parameters = [], ...options } = {}) =>
  diagnose(gateway.resource, {
    token,
    upstreamAuthorization: OPERATOR,
    parameters: ["--upstream", upstream.url, ...parameters],
    ...options,
  });

describe("a gateway", () => {
  test("without problems has no findings, and says what it does not show", async () => {
    const report = await examine({ parameters: await settings() });
    assertFound(report, {});
    assert.deepEqual(report.skipped, ["preflight", "whoami", "user_claims"]);
    assert.match(report.finding("gateway_lists").observed, /1 of 3 tools.*"delete_all" \(docs:delete\), "drop" \(deny\)/);
    assert.match(report.finding("upstream_sessions").observed, /does not know it/);
    assert.match(report.finding("assertion_keys").observed, new RegExp(gateway.signingKey.public.kid));
    for (const secret of [...token.split("."), OPERATOR.split(" ")[1]]) assert.ok(!report.output.includes(secret));
  });

  test("gets the names of tools that its settings leave out, and of patterns without one", async () => {
    const report = await examine({ parameters: await settings("search=docs:read find_old=docs:read Drop=deny") });
    assertFound(report, { warnings: ["access_table"] });
    const { observed } = report.finding("access_table");
    assert.match(observed, /nobody can use "delete_all" \(matches no pattern\), "drop" \(differs from "Drop" in case\)/);
    assert.match(observed, /match nothing: "find_old" in TOOL_SCOPES/);
  });

  test("with other settings than those that are deployed is recognised", async () => {
    const report = await examine({ parameters: await settings("*=allow") });
    assertFound(report, { warnings: ["gateway_lists"] });
  });

  test("is compared only with access to the upstream", async () => {
    const report = await examine({ upstreamAuthorization: undefined, parameters: await settings() });
    assertFound(report, {});
    const compared = ["upstream_eras", "gateway_lists", "access_table", "upstream_sessions"];
    assert.deepEqual(report.skipped, ["preflight", "whoami", "user_claims", ...compared]);
  });
});

describe("an upstream", () => {
  test("that decodes assertions without verifying them is found out", async () => {
    behaviour = { ...GOOD, authenticate: decode };
    const report = await examine();
    assertFound(report, { failures: ["forged_assertion"] });
    assert.match(report.finding("forged_assertion").observed, /an unsigned assertion/);
    assert.equal(report.connects.claude_code, "yes");
  });

  test("that answers everybody is found out, with or without credentials", async () => {
    behaviour = { ...GOOD, authenticate: anybody };
    for (const upstreamAuthorization of [OPERATOR, undefined]) {
      const report = await examine({ upstreamAuthorization });
      assertFound(report, { failures: ["upstream_direct"] });
      assert.match(report.finding("upstream_direct").observed, /initialize, server\/discover, tools\/list/);
      assert.equal(report.finding("gateway_lists").verdict, "ok");
    }
  });

  test("that is not reachable is protected from here", async () => {
    const report = await examine({ parameters: ["--upstream", "http://127.0.0.1:9/mcp"] });
    assert.match(report.finding("upstream_direct").observed, /not reachable from here/);
    assert.equal(report.finding("upstream_direct").verdict, "ok");
    assert.equal(report.finding("forged_assertion").verdict, "skipped");
  });
});

describe("an upstream of one era", () => {
  for (const [era, warnings] of [
    // It shows a secret to the upstream, so it has no keys; without settings the doctor cannot know.
    [LEGACY, ["modern", "assertion_keys"]],
    [MODERN, ["legacy", "assertion_keys", "upstream_eras"]],
  ]) {
    test(`(${era}) is named with the clients that cannot connect`, async (test) => {
      behaviour = { ...GOOD, eras: [era] };
      // Another gateway: what one has found out about eras it keeps for minutes.
      const secret = { UPSTREAM_AUTH: "secret", UPSTREAM_SECRET: OPERATOR, UPSTREAM_SIGNING_KEY: undefined };
      const other = await startGateway({ upstream: upstream.url, settings: { TOOL_SCOPES, ...secret } });
      test.after(() => other.stop());
      const parameters = ["--upstream", upstream.url];
      const report = await diagnose(other.resource, { token: await other.alice("docs:read"), upstreamAuthorization: OPERATOR, parameters });
      assertFound(report, { warnings });
      const { observed, affected } = report.finding("upstream_eras");
      assert.ok(observed.includes(`${era} only`), observed);
      assert.equal(affected.includes("cursor"), era === MODERN);
    });
  }
});

// What gateways do that forward requests and responses as they are.
test("a gateway that passes on everything is found out", async (test) => {
  const naive = await serve(async (request, response) => {
    if (request.url !== "/mcp") return response.writeHead(404).end();
    const body = await text(request);
    if (request.headers.authorization !== "Bearer user") {
      return response.writeHead(401, { "www-authenticate": 'Bearer realm="naive"' }).end();
    }
    const headers = { ...request.headers, authorization: OPERATOR };
    for (const name of ["host", "connection", "content-length"]) delete headers[name];
    const passed = await fetch(upstream.url, { method: request.method, headers, ...(body === "" ? {} : { body }) });
    const copied = [...passed.headers].filter(([name]) => !["connection", "transfer-encoding", "keep-alive"].includes(name));
    return response.writeHead(passed.status, Object.fromEntries(copied)).end(await passed.text());
  });
  test.after(naive.close);
  const report = await diagnose(naive.url, { token: "user", upstreamAuthorization: OPERATOR, parameters: ["--upstream", upstream.url] });
  assert.match(report.finding("upstream_headers").observed, /access-control-allow-origin, set-cookie/);
  assert.match(report.finding("upstream_sessions").observed, /accepts the session ID/);
  for (const slug of ["upstream_headers", "upstream_sessions"]) assert.equal(report.finding(slug).verdict, "failure");
});
