// The doctor on real servers: a good one, in which it must find no problem, and broken ones, in which it must find what
// was broken and nothing else.

import assert from "node:assert/strict";
import { after, afterEach, describe, test } from "node:test";
import { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js";
import { StreamableHTTPServerTransport } from "@modelcontextprotocol/sdk/server/streamableHttp.js";
import { startDeployment } from "./support/deployment.mjs";
import { assertFound, diagnose, LONG_TIMEOUT, runDoctor, serve } from "./support/doctor.mjs";
import "./support/report-failures.mjs";
import { startTamperingProxy } from "./support/tampering-proxy.mjs";
import { forgeToken, tokenOf } from "./support/tokens.mjs";
import { freePort } from "./support/worker.mjs";

const ALLOWED = "https://app.example.com";
const NEED_A_TOKEN = [
  "token", "legacy", "notification", "modern", "stream", "pages", "tools",
  "schema_properties", "schema_property_names", "schema_combinators", "schema_booleans", "schema_arrays", "schema_formats", "schema_references",
  "output_schema", "tool_names", "tool_titles", "prompts", "resources",
  "connections", "whoami", "user_claims",
];

const NEED_AN_UPSTREAM = [
  "assertion_keys", "upstream_direct", "forged_assertion", "upstream_eras", "gateway_lists", "access_table", "upstream_headers",
  "upstream_sessions", "upstream_address",
];

// Like most servers, this one is behind a proxy, whose URL clients know.
const port = await freePort();
const resource = `http://127.0.0.1:${port}/mcp`;
const deployment = await startDeployment({
  settings: { RESOURCE: resource, ALLOWED_ORIGINS: ALLOWED },
  provider: { resource },
});
const proxy = await startTamperingProxy({ port, to: () => deployment.worker.port });
const token = await tokenOf({ ...deployment, resource }, "alice");

afterEach(() => (proxy.tampering = {}));
after(async () => {
  await proxy.close();
  await deployment.stop();
});

/** A deployment that ends with the test. */
async function deploymentFor(test, options) {
  const started = await startDeployment(options);
  let isProviderUp = true;
  test.after(async () => {
    await started.worker.stop();
    if (isProviderUp) await started.provider.close();
  });
  const stopProvider = async () => {
    isProviderUp = false;
    await started.provider.close();
  };
  return { ...started, stopProvider };
}

describe("a server without problems", () => {
  test("has no findings, without a token", async () => {
    const report = await diagnose(resource);
    assertFound(report, {});
    assert.deepEqual(report.skipped, ["preflight", ...NEED_A_TOKEN, ...NEED_AN_UPSTREAM]);
  });

  test("has no findings, with a token, which is not shown", async () => {
    const report = await diagnose(resource, { token });
    assertFound(report, {});
    assert.deepEqual(report.skipped, ["preflight", ...NEED_AN_UPSTREAM]);
    assert.match(report.finding("whoami").observed, /in both eras/);
    for (const part of token.split(".")) assert.ok(!report.output.includes(part));
  });

  test("has no findings, for an origin that its operator allows", async () => {
    const report = await diagnose(resource, { token, parameters: ["--origin", ALLOWED] });
    assertFound(report, {});
    assert.deepEqual(report.skipped, NEED_AN_UPSTREAM);
  });

  test("lets the clients connect that can reach it, each by its registration method", async () => {
    const { connects, clients } = await diagnose(resource);
    assert.deepEqual([...new Set(Object.values(connects))].toSorted(), ["from_listed_origins", "not_from_outside", "yes"]);
    assert.equal(connects.claude, "not_from_outside");
    const how = (name) => clients.find(({ client }) => client === name).how;
    assert.equal(how("claude_code"), "client ID metadata document");
    assert.equal(how("cursor"), "dynamic client registration");
  });
});

describe("a proxy in front of a server", () => {
  test("may remove the challenge", async () => {
    proxy.tampering = { headers: (headers) => delete headers["www-authenticate"] };
    const report = await diagnose(resource);
    assertFound(report, { failures: ["challenge"] });
    assert.equal(report.connects.claude_code, "no");
  });

  test("may block agents as bots", async () => {
    const refused = { status: 403, headers: { "content-type": "text/html" }, body: "<html>Attention Required!" };
    const isAgent = ({ headers }) => /python-httpx|openai-mcp/.test(headers["user-agent"]);
    proxy.tampering = { instead: (request) => (isAgent(request) ? refused : undefined) };
    const report = await diagnose(resource);
    assertFound(report, { failures: ["bot_protection"] });
    assert.deepEqual(report.finding("bot_protection").affected, ["claude", "chatgpt"]);
    assert.equal(report.connects.codex, "yes");
  });

  test("may block everybody", async () => {
    proxy.tampering = { instead: () => ({ status: 403, headers: { "cf-mitigated": "challenge" }, body: "<html>" }) };
    const { failures, finding } = await diagnose(resource);
    assert.equal(failures[0], "endpoint");
    assert.match(finding("endpoint").observed, /bot protection/);
  });

  test("may redirect, and the doctor does not follow", async () => {
    const visited = [];
    proxy.tampering = {
      instead({ url }) {
        visited.push(url);
        return { status: 302, headers: { location: "/login" } };
      },
    };
    const report = await diagnose(resource, { token });
    assertFound(report, { failures: ["redirect"] });
    assert.match(report.finding("redirect").observed, /302 to "\/login"/);
    assert.deepEqual(visited, ["/mcp"]);
  });

  test("may reject an Authorization header without a token", async () => {
    const refused = { status: 400, headers: { "content-type": "application/json" }, body: "{}" };
    proxy.tampering = { instead: ({ headers }) => (/^Bearer *$/.test(headers.authorization ?? "") ? refused : undefined) };
    const report = await diagnose(resource);
    assertFound(report, { warnings: ["empty_bearer"] });
    assert.match(report.finding("empty_bearer").observed, /400 application\/json instead of 401/);
  });

  test("may remove CORS headers", async () => {
    proxy.tampering = {
      headers(headers) {
        for (const name of Object.keys(headers)) if (name.startsWith("access-control-")) delete headers[name];
      },
    };
    assertFound(await diagnose(resource), { warnings: ["cors_metadata"] });
    const report = await diagnose(resource, { parameters: ["--origin", ALLOWED] });
    assertFound(report, { failures: ["preflight", "cors_endpoint", "cors_metadata"] });
  });

  test("may hide the metadata", async () => {
    const page = { status: 200, headers: { "content-type": "text/html" }, body: "<!doctype html><title>Our product</title>" };
    proxy.tampering = { instead: ({ url }) => (url.startsWith("/.well-known/") ? page : undefined) };
    const report = await diagnose(resource);
    assertFound(report, { failures: ["metadata_path"] });
    assert.match(report.finding("metadata_path").observed, /a page for people/);
  });

  test("may not reach the server", async () => {
    proxy.tampering = { instead: () => ({ status: 502, headers: { "content-type": "text/html" }, body: "<html>" }) };
    const report = await diagnose(resource);
    assert.equal(report.failures[0], "endpoint");
    assert.match(report.finding("endpoint").observed, /does not reach the server/);
  });

  test("may serve the URL with a slash, too", async () => {
    const challenge = { "www-authenticate": 'Bearer realm="x"' };
    proxy.tampering = { instead: ({ url }) => (url === "/mcp/" ? { status: 401, headers: challenge } : undefined) };
    assertFound(await diagnose(resource), { warnings: ["slash"] });
  });
});

describe("a misconfigured server", () => {
  test("has another URL than its RESOURCE", async (test) => {
    const { worker, provider } = await deploymentFor(test, { settings: { RESOURCE: "https://mcp.example.com/mcp" } });
    const report = await diagnose(worker.mcpUrl);
    assertFound(report, { failures: ["challenge_metadata", "resource"], warnings: ["own_origin"] });
    assert.match(report.finding("resource").observed, /resource is "https:\/\/mcp\.example\.com\/mcp", and the URL is "http:/);
    assert.ok(report.finding("issuer").observed.includes(provider.issuer));
  });

  test("is entered with an additional slash", async () => {
    const report = await diagnose(`${resource}/`);
    assert.equal(report.failures[0], "endpoint");
    assert.ok(report.finding("endpoint").fix.includes(`names "${resource}"`));
  });

  test("has invalid settings, which its log names", async (test) => {
    const { worker } = await deploymentFor(test, { settings: { LOG: "verbose" } });
    const report = await diagnose(worker.mcpUrl);
    assert.equal(report.failures[0], "endpoint");
    assert.match(report.finding("endpoint").fix, /wrangler tail/);
  });

  test("names an issuer with an additional slash", async (test) => {
    const { worker } = await deploymentFor(test, { settings: { ISSUER: `${deployment.provider.issuer}/` } });
    assertFound(await diagnose(worker.mcpUrl), { failures: ["issuer"] });
  });
});

describe("the provider", () => {
  test("may be down", async (test) => {
    const { worker, stopProvider } = await deploymentFor(test);
    await stopProvider();
    const report = await diagnose(worker.mcpUrl);
    assertFound(report, { failures: ["discovery"] });
    assert.match(report.finding("discovery").observed, /no connection/);
    assert.equal(report.connects.vs_code, "no");
  });

  test("may support no registration method", async (test) => {
    const { worker } = await deploymentFor(test, {
      provider: { dynamicRegistration: false, clientIdMetadataDocuments: false },
    });
    const report = await diagnose(worker.mcpUrl);
    assertFound(report, { warnings: ["registration"] });
    assert.equal(report.connects.claude_code, "with_client_id");
    assert.match(report.clients.find(({ client }) => client === "claude_code").how, /--client-id/);
  });
});

describe("a token", () => {
  const diagnoseWith = async (claims) => {
    const forged = await forgeToken({ ...deployment, resource }, { claims });
    return diagnose(resource, { token: forged });
  };

  test("of the right kind is accepted", async () => {
    assertFound(await diagnoseWith({ username: "alice" }), {});
  });

  test("without claims about its user is accepted, and the report says how to fix it", async () => {
    const report = await diagnoseWith({});
    assertFound(report, { warnings: ["user_claims"] });
    const { observed, fix } = report.finding("user_claims");
    assert.match(observed, /returns only sub/);
    assert.match(fix, /PUT \/api\/configs\/jwt-customizer\/access-token.*CLAIM_SCOPES/);
  });

  test("whose claims no scope discloses is distinguished from one without claims", async () => {
    const report = await diagnoseWith({ phone_number: "+1 555 0100" });
    assertFound(report, { warnings: ["user_claims"] });
    assert.match(report.finding("user_claims").observed, /the token has phone_number/);
    assert.match(report.finding("user_claims").fix, /CLAIM_SCOPES/);
    assert.ok(!report.output.includes("555"), "the value is shown");
  });

  test("of a machine is accepted, without a check of its user's claims", async () => {
    const report = await diagnoseWith({ sub: "third-party-agent" });
    assertFound(report, {});
    assert.match(report.finding("whoami").observed, /machine/);
    assert.deepEqual(report.skipped, ["preflight", "user_claims", ...NEED_AN_UPSTREAM]);
  });

  const opaque = "o".repeat(43);
  const idClaims = { client_id: undefined, scope: undefined, jti: undefined, aud: "third-party-agent", name: "Alice" };
  for (const [what, given, observed, fix] of [
    ["a personal access token", `pat_${"p".repeat(32)}`, /personal access token/, /token-exchange.*subject_token_type=urn:logto:token-type:personal_access_token/],
    ["a subject token", `sub_${"s".repeat(32)}`, /subject token/, /token-exchange/],
    ["a registration access token", `mcpreg_${opaque}`, /registration access token/, /RFC 7592/],
    ["an initial access token", `mcpinit_${opaque}`, /initial access token/, /sign in/],
    ["an opaque token", opaque, /opaque.*refresh token/, /resource=/],
    ["an encrypted token", `${Buffer.from('{"alg":"dir","enc":"A256GCM"}').toString("base64url")}..aXY.Y2lwaGVy.dGFn`, /encrypted/, /audience/],
    ["an ID token", { header: { typ: undefined }, claims: idClaims }, /ID token/, /access_token/],
    ["a refresh token", { header: { typ: "JWT" }, claims: { typ: "Refresh" } }, /refresh token/, /access_token/],
    ["a logout token", { header: { typ: "logout+jwt" } }, /"logout\+jwt"/, /access_token/],
    ["a token for an organization", { claims: { aud: "urn:logto:organization:bmau4wzwiul2" } }, /token for an organization/, /resource/],
  ]) {
    test(`that is ${what} is named as such`, async () => {
      const it = typeof given === "string" ? given : await forgeToken({ ...deployment, resource }, given);
      const report = await diagnose(resource, { token: it });
      assertFound(report, { failures: ["token"] });
      assert.match(report.finding("token").observed, observed);
      assert.match(report.finding("token").fix, fix);
    });
  }

  for (const [what, claims, observed] of [
    ["for another resource", { aud: "https://mcp.example.com/mcp" }, /not issued for this resource"; its audience is/],
    ["that has expired", { exp: 1_000_000_000 }, /expired"; it has expired/],
    ["of somebody else", { iss: "https://elsewhere.example" }, /its issuer is "https:\/\/elsewhere\.example"/],
    ["without the scope", { scope: "openid" }, /with 403/],
  ]) {
    test(`${what} is rejected, and the report says why`, async () => {
      const report = await diagnoseWith(claims);
      assertFound(report, { failures: ["token"] });
      assert.match(report.finding("token").observed, observed);
      assert.deepEqual(report.skipped, ["preflight", ...NEED_A_TOKEN.filter((slug) => slug !== "token"), ...NEED_AN_UPSTREAM]);
      // A problem with this token does not affect clients.
      assert.equal(report.connects.claude_code, "yes");
    });
  }
});

async function openSession(sessions) {
  const server = new McpServer({ name: "another server", version: "1.0.0" });
  server.registerTool("add", { description: "Adds.", inputSchema: {} }, () => ({ content: [] }));
  const transport = new StreamableHTTPServerTransport({
    sessionIdGenerator: () => crypto.randomUUID(),
    onsessioninitialized: (id) => sessions.set(id, transport),
  });
  await server.connect(transport);
  return transport;
}

describe("a server other than mcp-edge", () => {
  // A server of the official SDK: it keeps sessions, answers with event streams, and does not require sign-in.
  test("that is open and keeps sessions is followed to the end", async (test) => {
    const sessions = new Map();
    const server = await serve(async (request, response) => {
      if (request.url !== "/mcp") return response.writeHead(404).end();
      const known = sessions.get(request.headers["mcp-session-id"]);
      const transport = known ?? (await openSession(sessions));
      return transport.handleRequest(request, response);
    });
    test.after(async () => {
      for (const transport of sessions.values()) await transport.close();
      await server.close();
    });
    const report = await diagnose(server.url);
    assertFound(report, { warnings: ["endpoint", "preflight", "cors_endpoint", "modern", "tools", "tool_titles"] });
    assert.match(report.finding("legacy").observed, /2025-11-25, 1 tool/);
    assert.match(report.finding("stream").observed, /opens a stream/);
    assert.match(report.finding("tools").observed, /no annotations .*"add"/);
    assert.equal(report.connects.cursor, "yes");
  });
});

describe("a URL that is not an MCP server", () => {
  test("is distinguished from one that is down", async () => {
    const { url, close } = await serve((_request, response) =>
      response.writeHead(200, { "content-type": "text/html" }).end("<!doctype html><title>Hello</title>"),
    );
    const site = await diagnose(url);
    await close();
    assert.equal(site.failures[0], "endpoint");
    assert.match(site.finding("endpoint").observed, /which is not an MCP response/);

    const gone = await diagnose(url);
    assertFound(gone, { failures: ["reachable"] });
  });

  test("does not get a token over plain http", async () => {
    const report = await diagnose("http://mcp-edge.invalid/mcp", { token });
    assertFound(report, { failures: ["url", "reachable", "token"] });
  });
});

describe("the program", () => {
  test("shows what is wrong, why it matters, and how to fix it", async () => {
    proxy.tampering = { headers: (headers) => delete headers["www-authenticate"] };
    const { code, stdout, stderr } = await runDoctor([resource, ...LONG_TIMEOUT]);
    assert.equal(code, 1);
    assert.equal(stderr, "");
    assert.match(stdout, /✗ challenge +the 401 has no WWW-Authenticate header/);
    assert.match(stdout, /fix {2}Send WWW-Authenticate/);
    assert.match(stdout, /✗ Claude Code +no, because of challenge/);
    assert.match(stdout, /Fix challenge first/);
  });

  test("writes colours only if they are enabled", async () => {
    const hasColours = async (environment) => (await runDoctor([resource, ...LONG_TIMEOUT], environment)).stdout.includes("\u001b[");
    assert.equal(await hasColours({}), false);
    assert.equal(await hasColours({ CLICOLOR_FORCE: "1" }), true);
    assert.equal(await hasColours({ NO_COLOR: "1" }), false);
  });

  test("accepts a token on the command line", async () => {
    const { code, stdout } = await runDoctor([resource, "--token", token, ...LONG_TIMEOUT]);
    assert.equal(code, 0);
    assert.match(stdout, /✓ whoami +sub "/);
    assert.ok(!stdout.includes(token));
  });

  test("prints its help and version", async () => {
    const help = await runDoctor(["--help"]);
    assert.equal(help.code, 0);
    assert.match(help.stdout, /MCP_EDGE_DOCTOR_TOKEN/);
    assert.match((await runDoctor(["--version"])).stdout, /^mcp-edge-doctor \d+\.\d+\.\d+\n$/);
  });

  test("exits with status 2 and an error if it cannot run", async () => {
    for (const [parameters, sentence] of [
      [[], /give the URL of an MCP endpoint/],
      [["mcp.example.com/mcp"], /is not a URL/],
      [[resource, "--ca-file", "/nowhere.pem"], /--ca-file \/nowhere\.pem: /],
    ]) {
      const { code, stdout, stderr } = await runDoctor(parameters);
      assert.equal(code, 2);
      assert.equal(stdout, "");
      assert.match(stderr, sentence);
    }
  });
});
