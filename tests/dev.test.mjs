// `make dev`, also in front of a server, and `make whoami`.

import assert from "node:assert/strict";
import { once } from "node:events";
import { readFile, stat } from "node:fs/promises";
import { createServer as createHttpServer } from "node:http";
import { createServer } from "node:net";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js";
import { StreamableHTTPServerTransport } from "@modelcontextprotocol/sdk/server/streamableHttp.js";
import { createRemoteJWKSet, jwtVerify } from "jose";
import { startHostileUpstream } from "./gateway/upstreams/hostile.mjs";
import { User } from "./support/account.mjs";
import { legacyCall } from "./support/messages.mjs";
import { commandLinesOf, descendantsOf, processes } from "./support/processes.mjs";
import { printed, run, start } from "./support/program.mjs";
import { Browser, signIn } from "./support/sign-in.mjs";
import { freePort, post, send } from "./support/worker.mjs";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

describe("make dev", () => {
  let ports;
  let dev;
  let mcpUrl;
  let whoami;

  before(async () => {
    ports = { PORT: String(await freePort()), IDP_PORT: String(await freePort()), VAULT_PORT: String(await freePort()) };
    mcpUrl = `http://localhost:${ports.PORT}/mcp`;
    whoami = (...args) => start("dev/whoami.mjs", [mcpUrl, ...args]);
    dev = start("dev/start.mjs", [], ports);
    // The first build may take minutes.
    await printed(dev, /Ctrl-C stops everything/);
  });

  after(async () => {
    dev.child.kill("SIGINT");
    await dev.ended;
  });

  test("prints the URL of the page first", async () => {
    const [url] = /http\S+/.exec(dev.output.slice(dev.output.indexOf("────")));
    assert.equal(url, `http://localhost:${ports.PORT}/`);
    const page = await (await fetch(url)).text();
    assert.ok(page.includes("Sign in and call whoami"), page);
  });

  test("prints the endpoint, the accounts and how to connect", () => {
    assert.match(dev.output, new RegExp(`MCP endpoint +${mcpUrl}\n`));
    assert.match(dev.output, /alice \/ alice +bob \/ bob/);
    assert.match(dev.output, new RegExp(`Access keys +http://localhost:${ports.PORT}/account/keys\n`));
    assert.ok(dev.output.includes(`PORT=${ports.PORT} make whoami`));
    assert.ok(dev.output.includes(`claude mcp add --transport http mcp-edge ${mcpUrl}`));
  });

  test("prints URLs of existing pages", async () => {
    const [pages] = await printed(dev, /Pages\n\n(?: +http\S+\n)+/);
    for (const [url] of pages.matchAll(/http\S+/g)) assert.equal((await fetch(url)).status, 200, url);
  });

  test("a client signs in and gets its user's identity", async () => {
    const program = whoami("--login", "alice");
    assert.equal(await program.ended, 0, program.output);
    assert.match(program.output, /^\n {2}Alice Doe\n\n/);
    assert.match(program.output, /e-mail +alice@example\.com \(verified\)\n/);
    assert.match(program.output, /scopes +whoami:read\n/);
  });

  test("another user gets another identity, with --json as JSON", async () => {
    const program = whoami("--login", "bob", "--password", "bob", "--json");
    assert.equal(await program.ended, 0, program.output);
    assert.equal(JSON.parse(program.output).username, "bob");
  });

  test("whoami prints the URL of the sign-in page and waits for the redirect", async () => {
    const program = whoami();
    const [authorizationUrl] = await printed(program, /http:\/\/localhost:\S+/);
    const callback = await signIn({ authorizationUrl });
    const page = await fetch(callback);
    assert.match(await page.text(), /You are signed in/);
    assert.equal(await program.ended, 0, program.output);
    assert.match(program.output, /Alice Doe/);
  });

  test("keeps access keys: one that alice makes calls whoami", async () => {
    const origin = `http://localhost:${ports.PORT}`;
    const alice = new User({ origin }, "alice");
    await alice.signIn();
    const key = await alice.make({ name: "for this test" });
    const { status, text } = await post({ origin: `http://127.0.0.1:${ports.PORT}` }, { token: key, message: legacyCall("whoami") });
    assert.equal(status, 200, text);
    assert.ok(text.includes("alice"), text);
  });

  test("whoami reports that access was denied", async () => {
    const program = whoami();
    const [authorizationUrl] = await printed(program, /http:\/\/localhost:\S+/);
    const callback = await signIn({ authorizationUrl, decision: "deny" });
    const page = await fetch(callback);
    assert.match(await page.text(), /You are not signed in/);
    assert.equal(await program.ended, 1);
    assert.match(program.output, /whoami: you denied access, so there is nothing to show\n$/);
  });

  test("whoami refuses a response of another sign-in", async () => {
    const program = whoami();
    const [authorizationUrl] = await printed(program, /http:\/\/localhost:\S+/);
    const callback = new URL(new URL(authorizationUrl).searchParams.get("redirect_uri"));
    callback.search = new URLSearchParams({ code: "another", state: "another" });
    await fetch(callback).then((page) => page.text());
    assert.equal(await program.ended, 1);
    assert.match(program.output, /belongs to another sign-in/);
  });

  test("whoami reports a wrong password", async () => {
    const program = whoami("--login", "alice", "--password", "wrong");
    assert.equal(await program.ended, 1);
    assert.match(program.output, /^whoami: .*User name or password is wrong/);
  });

  test("whoami reports a URL without an endpoint", async () => {
    const { code, output } = await run("dev/whoami.mjs", [`http://localhost:${ports.PORT}/elsewhere`]);
    assert.equal(code, 1);
    assert.match(output, /^whoami: there is no MCP endpoint at http:\S+\/elsewhere\n$/);
  });

  test("shows the Worker's log", async () => {
    await send({ origin: `http://127.0.0.1:${ports.PORT}` }, { path: "/nowhere" });
    await printed(dev, /worker +│ \{.*"route":"elsewhere"/);
  });

  test("a second one reports the port that is in use and how to choose another", async () => {
    const { code, output } = await run("dev/start.mjs", [], ports);
    assert.equal(code, 1);
    const next = Number(ports.PORT) + 1;
    assert.equal(
      output,
      `dev: port ${ports.PORT} is taken; stop the program that uses it, or choose another: PORT=${next} make dev\n`,
    );
  });

  // The last test, because it stops the Worker.
  test("ends all of its processes", async () => {
    const descendants = await descendantsOf(dev.child.pid);
    assert.ok(descendants.length > 0);
    dev.child.kill("SIGINT");
    assert.equal(await dev.ended, 0, dev.output);
    const left = (await processes()).filter(({ pid }) => descendants.includes(pid));
    assert.deepEqual(left, []);
    for (const port of Object.values(ports)) await assertFree(Number(port));
  });
});

describe("make dev UPSTREAM=…", () => {
  let ports;
  let dev;
  let mcpUrl;
  let upstream;

  before(async () => {
    ports = { PORT: String(await freePort()), IDP_PORT: String(await freePort()), VAULT_PORT: String(await freePort()) };
    mcpUrl = `http://localhost:${ports.PORT}/mcp`;
    const port = await freePort();
    dev = start("dev/start.mjs", [], { ...ports, UPSTREAM: `http://localhost:${port}/mcp` });
    await printed(dev, /Nothing answers at http:\S+ yet\. Start your MCP server/);
    // It verifies assertions from the beginning: `make dev` must be able to ask it.
    upstream = await startVerifyingServer({ port, gateway: `http://localhost:${ports.PORT}` });
    await printed(dev, /Ctrl-C stops everything/);
  });

  after(async () => {
    dev.child.kill("SIGINT");
    await dev.ended;
    await upstream.close();
  });

  test("waits for the server, and prints who may use what", () => {
    assert.match(dev.output, /Protects +notes 1\.0\.0 at http:\/\/localhost:\d+\/mcp\n/);
    assert.match(dev.output, /^ +list +reads +notes:read +Lists notes\n/m);
    assert.match(dev.output, /^ +add +notes:write +Adds a note\n/m);
    assert.match(dev.output, /^ +remove +deletes +notes:delete +Removes a note\n/m);
  });

  test("prints how to verify assertions, and that the server is open until it does", () => {
    const origin = `http://localhost:${ports.PORT}`;
    assert.match(dev.output, /! Until your server verifies the gateway's assertions, everybody who reaches http/);
    assert.ok(dev.output.includes(`JWTVerifier(jwks_uri="${origin}/.well-known/jwks.json", issuer="${origin}"`));
    assert.ok(dev.output.includes(`createRemoteJWKSet(new URL("${origin}/.well-known/jwks.json"))`));
    assert.ok(dev.output.includes(`audience="${upstream.url}"`));
  });

  test("shows no secret, and keeps them where only their owner can read them", async () => {
    const { signingKey, stateSecret } = JSON.parse(await readFile(`${ROOT}.wrangler/gateway/keys.json`, "utf8"));
    for (const secret of [signingKey.d, stateSecret]) assert.ok(!dev.output.includes(secret));
    for (const file of ["keys.json", "secrets.env"]) assert.equal((await stat(`${ROOT}.wrangler/gateway/${file}`)).mode & 0o777, 0o600, file);
    const commandLines = await commandLinesOf(dev.child.pid);
    for (const secret of [signingKey.d, stateSecret]) assert.ok(!commandLines.includes(secret));
  });

  test("the consent page names the scopes and what they are for", async () => {
    const program = start("dev/whoami.mjs", [mcpUrl]);
    const [authorizationUrl] = await printed(program, /http:\/\/localhost:\S+/);
    const browser = new Browser();
    const signInPage = await browser.open(authorizationUrl);
    const consent = await browser.submit(signInPage, { login: "alice", password: "alice" });
    for (const text of ["Use list", "Use add", "Use remove", "notes:delete"]) assert.ok(consent.text.includes(text), consent.text);
    await fetch((await browser.submit(consent, { decision: "deny" })).leftTo);
    await program.ended;
  });

  test("whoami lists the tools of a server that has no whoami", async () => {
    const program = start("dev/whoami.mjs", [mcpUrl, "--login", "alice"]);
    assert.equal(await program.ended, 0, program.output);
    assert.match(program.output, /has no tool "whoami"; you may use:/);
    assert.match(program.output, /^ +add +Adds a note$/m);
    const json = start("dev/whoami.mjs", [mcpUrl, "--login", "alice", "--json"]);
    assert.equal(await json.ended, 0, json.output);
    assert.deepEqual(JSON.parse(json.output).map(({ name }) => name), ["list", "add", "remove"]);
  });

  test("the server learns who is calling, and refuses others", async () => {
    const program = start("dev/whoami.mjs", [mcpUrl, "--login", "bob", "--token"]);
    assert.equal(await program.ended, 0);
    const headers = { authorization: `Bearer ${program.output.trim()}` };
    const client = new Client({ name: "test", version: "1" }, { versionNegotiation: { mode: "auto" } });
    await client.connect(new StreamableHTTPClientTransport(new URL(mcpUrl), { requestInit: { headers } }));
    const { content } = await client.callTool({ name: "add", arguments: {} });
    await client.close();
    const payload = JSON.parse(content[0].text);
    assert.equal(payload.iss, `http://localhost:${ports.PORT}`);
    assert.deepEqual(payload.scope.split(" ").sort(), ["notes:delete", "notes:read", "notes:write"]);
    assert.deepEqual(payload.act, { sub: mcpUrl });
    assert.equal((await fetch(upstream.url, { method: "POST", headers })).status, 401);
  });

  test("the page is that of the server", async () => {
    const page = await (await fetch(`http://localhost:${ports.PORT}/`)).text();
    assert.ok(page.includes("notes (local)"));
  });
});

test("make dev UPSTREAM_AUTH=secret shows the secret to the server alone", async () => {
  const secret = "the-static-key-of-the-server";
  const ports = { PORT: String(await freePort()), IDP_PORT: String(await freePort()), VAULT_PORT: String(await freePort()) };
  const upstream = await startHostileUpstream({ tools: ["search"] });
  const env = { ...ports, UPSTREAM: upstream.url, UPSTREAM_AUTH: "secret", UPSTREAM_SECRET: secret, UPSTREAM_SECRET_HEADER: "x-api-key" };
  const dev = start("dev/start.mjs", [], env);
  try {
    await printed(dev, /Ctrl-C stops everything/);
    const whoami = start("dev/whoami.mjs", [`http://localhost:${ports.PORT}/mcp`, "--login", "alice"]);
    assert.equal(await whoami.ended, 0, whoami.output);
    assert.match(whoami.output, /search/);
    // Those of `make dev` itself, and those of the Worker.
    assert.ok(upstream.requests.length > 3);
    assert.ok(upstream.requests.every(({ headers }) => headers["x-api-key"] === secret && headers.authorization === undefined));
    assert.ok(!(await commandLinesOf(dev.child.pid)).includes(secret));
    for (const { output } of [dev, whoami]) assert.ok(!output.includes(secret));
    assert.equal((await stat(`${ROOT}.wrangler/gateway/secrets.env`)).mode & 0o777, 0o600);
  } finally {
    dev.child.kill("SIGINT");
    await dev.ended;
    await upstream.stop();
  }
});

/** An MCP server of the official SDK that verifies assertions, as docs/gateway.md shows it. */
async function startVerifyingServer({ port, gateway }) {
  const url = `http://localhost:${port}/mcp`;
  const keys = createRemoteJWKSet(new URL("/.well-known/jwks.json", gateway));
  const server = createHttpServer(async (request, response) => {
    const [, token] = /^Bearer (.+)$/.exec(request.headers.authorization ?? "") ?? [];
    const verified = await jwtVerify(token ?? "", keys, { issuer: gateway, audience: url, typ: "at+jwt", algorithms: ["ES256"] }).catch(() => undefined);
    if (verified === undefined) return response.writeHead(401, { "www-authenticate": "Bearer" }).end();
    const mcp = new McpServer({ name: "notes", version: "1.0.0" });
    const answer = (value) => ({ content: [{ type: "text", text: JSON.stringify(value) }] });
    mcp.registerTool("list", { description: "Lists notes", annotations: { readOnlyHint: true } }, () => answer([]));
    mcp.registerTool("add", { description: "Adds a note", annotations: { destructiveHint: false } }, () => answer(verified.payload));
    mcp.registerTool("remove", { description: "Removes a note", annotations: { destructiveHint: true } }, () => answer({}));
    const transport = new StreamableHTTPServerTransport({ sessionIdGenerator: undefined });
    await mcp.connect(transport);
    return transport.handleRequest(request, response);
  });
  server.listen(port, "localhost");
  await once(server, "listening");
  return {
    url,
    close: () => new Promise((resolve) => {
      server.close(resolve);
      server.closeAllConnections();
    }),
  };
}

describe("without a server", () => {
  test("whoami explains how to start one", async () => {
    const port = await freePort();
    const { code, output } = await run("dev/whoami.mjs", [], { PORT: String(port) });
    assert.equal(code, 1);
    assert.equal(
      output,
      `whoami: nothing answers at http://localhost:${port}/mcp; start the server with "make dev" in another terminal\n`,
    );
  });

  test("whoami explains its arguments", async () => {
    const help = await run("dev/whoami.mjs", ["--help"]);
    assert.equal(help.code, 0);
    assert.match(help.output, /^Usage: /);
    const wrong = await run("dev/whoami.mjs", ["--nonsense"]);
    assert.equal(wrong.code, 1);
    assert.match(wrong.output, /^whoami: Unknown option '--nonsense'.*\n\nUsage: /s);
  });

  test("make dev refuses an invalid port", async () => {
    const { code, output } = await run("dev/start.mjs", [], { IDP_PORT: "many" });
    assert.equal(code, 1);
    assert.equal(output, "dev: IDP_PORT=many is not a port: expected a number from 1 to 65535\n");
  });

  test("make dev refuses an upstream that it cannot protect", async () => {
    const env = { PORT: String(await freePort()), IDP_PORT: String(await freePort()), VAULT_PORT: String(await freePort()) };
    for (const [upstream, expected] of [
      ["upstream", /^dev: UPSTREAM is not a URL\n/],
      ["http://upstream.example.com/mcp", /^dev: UPSTREAM is not https\n/],
      [`http://localhost:${env.PORT}/mcp`, /^dev: UPSTREAM is http:\S+, the gateway itself\n/],
    ]) {
      const { code, output } = await run("dev/start.mjs", [], { ...env, UPSTREAM: upstream });
      assert.equal(code, 1);
      assert.match(output, expected);
    }
  });
});

function assertFree(port) {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", () => reject(new Error(`port ${port} is in use`)));
    server.listen(port, "127.0.0.1", () => server.close(resolve));
  });
}
