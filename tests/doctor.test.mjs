// The doctor on real servers: a good one, which must have nothing, and broken ones, where it must name what was broken
// and nothing else.

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { after, afterEach, describe, test } from "node:test";
import { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js";
import { StreamableHTTPServerTransport } from "@modelcontextprotocol/sdk/server/streamableHttp.js";
import { startDeployment } from "./support/deployment.mjs";
import { diagnose, PATIENTLY, runDoctor } from "./support/doctor.mjs";
import "./support/report-failures.mjs";
import { startTamperingProxy } from "./support/tampering-proxy.mjs";
import { forgeToken, tokenOf } from "./support/tokens.mjs";
import { freePort } from "./support/worker.mjs";

const ALLOWED = "https://app.example.com";
const NEED_A_TOKEN = ["token", "legacy", "modern", "stream", "tools", "whoami", "user_claims"];

// In front of the server stands a proxy, as in front of most; clients know its URL.
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

/** Asserts that nothing but this was found. */
function assertFound({ failures, warnings, code }, expected) {
  assert.deepEqual({ failures, warnings }, { failures: [], warnings: [], ...expected });
  assert.equal(code, expected.failures === undefined ? 0 : 1);
}

describe("a server with which everything is right", () => {
  test("has nothing, without a token", async () => {
    const report = await diagnose(resource);
    assertFound(report, {});
    assert.deepEqual(report.skipped, ["preflight", ...NEED_A_TOKEN]);
  });

  test("has nothing, with a token, which is not shown", async () => {
    const report = await diagnose(resource, { token });
    assertFound(report, {});
    assert.deepEqual(report.skipped, ["preflight"]);
    assert.match(report.finding("whoami").seen, /in both eras/);
    for (const part of token.split(".")) assert.ok(!report.output.includes(part));
  });

  test("has nothing, for a page that its operator lists", async () => {
    const report = await diagnose(resource, { token, parameters: ["--origin", ALLOWED] });
    assertFound(report, {});
    assert.deepEqual(report.skipped, []);
  });

  test("lets in the clients that can reach it, each by its way", async () => {
    const { connects, clients } = await diagnose(resource);
    assert.deepEqual([...new Set(Object.values(connects))].toSorted(), ["from_listed_origins", "not_from_outside", "yes"]);
    assert.equal(connects.claude, "not_from_outside");
    const way = (name) => clients.find(({ client }) => client === name).how;
    assert.equal(way("claude_code"), "client id metadata document");
    assert.equal(way("cursor"), "dynamic registration");
  });
});

describe("what stands in front of a server", () => {
  test("may drop the challenge", async () => {
    proxy.tampering = { headers: (headers) => delete headers["www-authenticate"] };
    const report = await diagnose(resource);
    assertFound(report, { failures: ["challenge"] });
    assert.equal(report.connects.claude_code, "no");
  });

  test("may take agents for bots", async () => {
    const refused = { status: 403, headers: { "content-type": "text/html" }, body: "<html>Attention Required!" };
    const isAgent = ({ headers }) => /python-httpx|openai-mcp/.test(headers["user-agent"]);
    proxy.tampering = { instead: (request) => (isAgent(request) ? refused : undefined) };
    const report = await diagnose(resource);
    assertFound(report, { failures: ["bot_protection"] });
    assert.deepEqual(report.finding("bot_protection").clients, ["claude", "chatgpt"]);
    assert.equal(report.connects.codex, "yes");
  });

  test("may stop everybody", async () => {
    proxy.tampering = { instead: () => ({ status: 403, headers: { "cf-mitigated": "challenge" }, body: "<html>" }) };
    const { failures, finding } = await diagnose(resource);
    assert.equal(failures[0], "endpoint");
    assert.match(finding("endpoint").seen, /bot protection/);
  });

  test("may send people elsewhere, and the doctor does not follow", async () => {
    const visited = [];
    proxy.tampering = {
      instead({ url }) {
        visited.push(url);
        return { status: 302, headers: { location: "/login" } };
      },
    };
    const report = await diagnose(resource, { token });
    assertFound(report, { failures: ["redirect"] });
    assert.match(report.finding("redirect").seen, /302 to "\/login"/);
    assert.deepEqual(visited, ["/mcp"]);
  });

  test("may strip what pages need", async () => {
    proxy.tampering = {
      headers(headers) {
        for (const name of Object.keys(headers)) if (name.startsWith("access-control-")) delete headers[name];
      },
    };
    assertFound(await diagnose(resource), { warnings: ["cors_metadata"] });
    const report = await diagnose(resource, { parameters: ["--origin", ALLOWED] });
    assertFound(report, { failures: ["preflight", "cors_endpoint", "cors_metadata"] });
  });

  test("may hide the well-known documents", async () => {
    const page = { status: 200, headers: { "content-type": "text/html" }, body: "<!doctype html><title>Our product</title>" };
    proxy.tampering = { instead: ({ url }) => (url.startsWith("/.well-known/") ? page : undefined) };
    const report = await diagnose(resource);
    assertFound(report, { failures: ["metadata_path"] });
    assert.match(report.finding("metadata_path").seen, /a page for people/);
  });

  test("may have lost the server", async () => {
    proxy.tampering = { instead: () => ({ status: 502, headers: { "content-type": "text/html" }, body: "<html>" }) };
    const report = await diagnose(resource);
    assert.equal(report.failures[0], "endpoint");
    assert.match(report.finding("endpoint").seen, /does not reach the server/);
  });

  test("may answer at the URL with a slash, too", async () => {
    const challenge = { "www-authenticate": 'Bearer realm="x"' };
    proxy.tampering = { instead: ({ url }) => (url === "/mcp/" ? { status: 401, headers: challenge } : undefined) };
    assertFound(await diagnose(resource), { warnings: ["slash"] });
  });
});

describe("a server that was set up wrongly", () => {
  test("has another URL than its RESOURCE", async (test) => {
    const { worker, provider } = await deploymentFor(test, { settings: { RESOURCE: "https://mcp.example.com/mcp" } });
    const report = await diagnose(worker.mcpUrl);
    assertFound(report, { failures: ["challenge_metadata", "resource"], warnings: ["own_origin"] });
    assert.match(report.finding("resource").seen, /it is "https:\/\/mcp\.example\.com\/mcp", and the URL is "http:/);
    assert.ok(report.finding("issuer").seen.includes(provider.issuer));
  });

  test("is entered with a slash too many", async () => {
    const report = await diagnose(`${resource}/`);
    assert.equal(report.failures[0], "endpoint");
    assert.ok(report.finding("endpoint").mend.includes(`names "${resource}"`));
  });

  test("has wrong settings, which its log names", async (test) => {
    const { worker } = await deploymentFor(test, { settings: { LOG: "verbose" } });
    const report = await diagnose(worker.mcpUrl);
    assert.equal(report.failures[0], "endpoint");
    assert.match(report.finding("endpoint").mend, /wrangler tail/);
  });

  test("names the provider with a slash more than the provider itself", async (test) => {
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
    assert.match(report.finding("discovery").seen, /no connection/);
    assert.equal(report.connects.vs_code, "no");
  });

  test("may know no way for clients it does not know", async (test) => {
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
  const examined = async (claims) => {
    const forged = await forgeToken({ ...deployment, resource }, { claims });
    return diagnose(resource, { token: forged });
  };

  test("of the right kind is accepted", async () => {
    assertFound(await examined({ username: "alice" }), {});
  });

  test("that says nothing about its user is accepted, and the report says how to mend it", async () => {
    const report = await examined({});
    assertFound(report, { warnings: ["user_claims"] });
    const { seen, mend } = report.finding("user_claims");
    assert.match(seen, /knows nothing but sub/);
    assert.match(mend, /PUT \/api\/configs\/jwt-customizer\/access-token.*CLAIM_SCOPES/);
  });

  test("whose claims no scope discloses is told from one without", async () => {
    const report = await examined({ phone_number: "+1 555 0100" });
    assertFound(report, { warnings: ["user_claims"] });
    assert.match(report.finding("user_claims").seen, /the token has phone_number/);
    assert.match(report.finding("user_claims").mend, /CLAIM_SCOPES/);
    assert.ok(!report.output.includes("555"), "its value");
  });

  test("of a machine is accepted, and nobody asks for its user's name", async () => {
    const report = await examined({ sub: "third-party-agent" });
    assertFound(report, {});
    assert.match(report.finding("whoami").seen, /machine/);
    assert.deepEqual(report.skipped, ["preflight", "user_claims"]);
  });

  const opaque = "o".repeat(43);
  const idClaims = { client_id: undefined, scope: undefined, jti: undefined, aud: "third-party-agent", name: "Alice" };
  for (const [what, lent, why, mend] of [
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
    test(`that is ${what} is called so`, async () => {
      const it = typeof lent === "string" ? lent : await forgeToken({ ...deployment, resource }, lent);
      const report = await diagnose(resource, { token: it });
      assertFound(report, { failures: ["token"] });
      assert.match(report.finding("token").seen, why);
      assert.match(report.finding("token").mend, mend);
    });
  }

  for (const [what, claims, why] of [
    ["for another resource", { aud: "https://mcp.example.com/mcp" }, /not issued for this resource"; its audience is/],
    ["that has expired", { exp: 1_000_000_000 }, /expired"; it has expired/],
    ["of somebody else", { iss: "https://elsewhere.example" }, /its issuer is "https:\/\/elsewhere\.example"/],
    ["without the scope", { scope: "openid" }, /with 403/],
  ]) {
    test(`${what} is refused, and the report says why`, async () => {
      const report = await examined(claims);
      assertFound(report, { failures: ["token"] });
      assert.match(report.finding("token").seen, why);
      assert.deepEqual(report.skipped, ["preflight", ...NEED_A_TOKEN.filter((slug) => slug !== "token")]);
      // It says nothing about other people's clients.
      assert.equal(report.connects.claude_code, "yes");
    });
  }
});

async function openSession(sessions) {
  const server = new McpServer({ name: "somebody else's", version: "1.0.0" });
  server.registerTool("add", { description: "Adds.", inputSchema: {} }, () => ({ content: [] }));
  const transport = new StreamableHTTPServerTransport({
    sessionIdGenerator: () => crypto.randomUUID(),
    onsessioninitialized: (id) => sessions.set(id, transport),
  });
  await server.connect(transport);
  return transport;
}

/** Starts a server of another kind. Gives the URL of its endpoint. */
async function serve(listener) {
  const server = createServer(listener);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const close = async () => {
    const closed = once(server, "close");
    server.close();
    server.closeAllConnections();
    await closed;
  };
  return { url: `http://127.0.0.1:${server.address().port}/mcp`, close };
}

describe("somebody else's server", () => {
  // The official SDK's server: it keeps sessions, answers with event streams, and knows nothing of sign-in.
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
    assertFound(report, { warnings: ["endpoint", "preflight", "cors_endpoint", "modern", "tools"] });
    assert.match(report.finding("legacy").seen, /2025-11-25, 1 tool/);
    assert.match(report.finding("stream").seen, /opens a stream/);
    assert.match(report.finding("tools").seen, /no annotations .*"add"/);
    assert.equal(report.connects.cursor, "yes");
  });
});

describe("what is no MCP server", () => {
  test("is told from one that is down", async () => {
    const { url, close } = await serve((_request, response) =>
      response.writeHead(200, { "content-type": "text/html" }).end("<!doctype html><title>Hello</title>"),
    );
    const site = await diagnose(url);
    await close();
    assert.equal(site.failures[0], "endpoint");
    assert.match(site.finding("endpoint").seen, /which is no MCP/);

    const gone = await diagnose(url);
    assertFound(gone, { failures: ["reachable"] });
  });

  test("is not sent a token in the clear", async () => {
    const report = await diagnose("http://mcp-edge.invalid/mcp", { token });
    assertFound(report, { failures: ["url", "reachable", "token"] });
  });
});

describe("the program", () => {
  test("shows people what is wrong, why it matters, and how to mend it", async () => {
    proxy.tampering = { headers: (headers) => delete headers["www-authenticate"] };
    const { code, stdout, stderr } = await runDoctor([resource, ...PATIENTLY]);
    assert.equal(code, 1);
    assert.equal(stderr, "");
    assert.match(stdout, /✗ challenge +the 401 has no WWW-Authenticate header/);
    assert.match(stdout, /mend {2}Answer with WWW-Authenticate/);
    assert.match(stdout, /✗ Claude Code +no, because of challenge/);
    assert.match(stdout, /Begin with challenge/);
  });

  test("writes colours only where they are wanted", async () => {
    const hasColours = async (environment) => (await runDoctor([resource, ...PATIENTLY], environment)).stdout.includes("\u001b[");
    assert.equal(await hasColours({}), false);
    assert.equal(await hasColours({ CLICOLOR_FORCE: "1" }), true);
    assert.equal(await hasColours({ NO_COLOR: "1" }), false);
  });

  test("takes a token from the command line as well", async () => {
    const { code, stdout } = await runDoctor([resource, "--token", token, ...PATIENTLY]);
    assert.equal(code, 0);
    assert.match(stdout, /✓ whoami +sub "/);
    assert.ok(!stdout.includes(token));
  });

  test("explains itself", async () => {
    const help = await runDoctor(["--help"]);
    assert.equal(help.code, 0);
    assert.match(help.stdout, /MCP_EDGE_DOCTOR_TOKEN/);
    assert.match((await runDoctor(["--version"])).stdout, /^mcp-edge-doctor \d+\.\d+\.\d+\n$/);
  });

  test("that cannot run says why, with a status of its own", async () => {
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
