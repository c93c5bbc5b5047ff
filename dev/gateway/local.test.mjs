// The gateway of `make dev`, without a Worker: what it asks, chooses and keeps. tests/dev.test.mjs starts all of it.

import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, test } from "node:test";
import { createRemoteJWKSet, jwtVerify } from "jose";
import { writeEnvFile } from "./env-file.mjs";
import { accessLines, upstreamLines } from "./local-banner.mjs";
import { prepareGateway } from "./local.mjs";
import { startUpstream } from "./testing/upstream.mjs";

const tool = (name, annotations = {}) => JSON.stringify({ name, inputSchema: { type: "object" }, annotations });
const LISTS = { tools: [[tool("search", { readOnlyHint: true }), tool("add")]], resources: [['{"uri":"notes://a"}', '{"uri":"notes://b"}']] };

let root;
let port;
let upstream;
let printed;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "mcp-edge-local-"));
  await writeFile(join(root, "wrangler.toml"), '[vars]\nREQUIRED_SCOPES = "whoami:read"\n');
  port = await freePort();
  printed = [];
});
afterEach(async () => {
  await upstream?.stop();
  upstream = undefined;
  await rm(root, { recursive: true, force: true });
});

const freePort = () =>
  new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port: free } = server.address();
      server.close(() => resolve(free));
    });
  });

const prepare = (env = {}) => prepareGateway({ env: { UPSTREAM: upstream?.url, ...env }, mcpUrl: `http://localhost:${port}/mcp`, port, print: (line) => printed.push(line), root });
const secretsOf = async ({ envFiles }) => readFile(envFiles.at(-1), "utf8");

describe("the tables", () => {
  test("are proposed, and the provider gets their scopes with descriptions", async () => {
    upstream = await startUpstream({ lists: LISTS });
    const { vars, scopes, isProposed } = await prepare();
    assert.equal(vars.TOOL_SCOPES, "search=notes:read add=notes:write");
    assert.equal(vars.RESOURCE_SCOPES, "notes://a=notes:read notes://b=notes:read");
    assert.equal(vars.REQUIRED_SCOPES, "");
    assert.deepEqual(scopes, { "notes:read": "Use search; read 2 resources", "notes:write": "Use add" });
    assert.ok(isProposed);
  });

  test("of the environment count before those of wrangler.toml, and these before the proposal", async () => {
    await writeFile(join(root, "wrangler.toml"), '[vars]\nREQUIRED_SCOPES = "base"\nTOOL_SCOPES = "*=a"\nRESOURCE_SCOPES = "*=b"\nTASK_SCOPES = "t,user"\n');
    upstream = await startUpstream({ lists: LISTS });
    const { vars, scopes } = await prepare({ TOOL_SCOPES: "search=c *=deny", LIST_TOOLS: "obtainable" });
    assert.equal(vars.TOOL_SCOPES, "search=c *=deny");
    assert.equal(vars.RESOURCE_SCOPES, "*=b");
    assert.equal(vars.LIST_TOOLS, "obtainable");
    assert.equal(vars.REQUIRED_SCOPES, "base");
    assert.deepEqual(Object.keys(scopes).sort(), ["b", "base", "c", "t"]);
  });

  test("are proposed so that the Worker takes them, and what is left out or grouped is said", async () => {
    const tools = Array.from({ length: 201 }, (_, index) => tool(`get_${index}`));
    upstream = await startUpstream({ lists: { tools: [tools], resources: [['{"uri":"note://x/A"}', '{"uri":"note://x/a"}', '{"uri":"file:///x%FF"}']] } });
    const gateway = await prepare();
    assert.deepEqual([gateway.vars.TOOL_SCOPES, gateway.vars.RESOURCE_SCOPES], ["get_*=notes:write", ""]);
    const text = accessLines(gateway).join("\n").replaceAll(/\n +/g, " ");
    assert.match(text, /! TOOL_SCOPES: For a table of 200 entries, there are patterns: get_\*\./);
    for (const left of [/note:\/\/x\/A: another differs from it only in case/, /file:\/\/\/x%FF: it has percent-encoding/]) assert.match(text.slice(text.indexOf("Not in the proposal")), left);
  });

  test("with errors end the program before the Worker is built", async () => {
    upstream = await startUpstream({ lists: LISTS });
    await assert.rejects(prepare({ TOOL_SCOPES: "a*=x *b=y" }), /TOOL_SCOPES: a\* and \*b match the same names/);
  });
});

describe("the credentials", () => {
  test("are an assertion that the upstream can verify while it is asked", async () => {
    const origin = `http://localhost:${port}`;
    let keys;
    upstream = await startUpstream({ lists: LISTS });
    const requests = [];
    const front = await startUpstream({ lists: LISTS, refuse: (request) => void requests.push(request.headers.authorization) });
    // The upstream looks the key up when the request arrives, at the gateway's place.
    const seen = startUpstream({ lists: LISTS, refuse: (request) => void (keys ??= fetch(`${origin}/.well-known/jwks.json`).then((response) => response.json())) });
    const verifying = await seen;
    await prepare({ UPSTREAM: verifying.url });
    assert.equal((await keys).keys.length, 1);
    assert.equal((await keys).keys[0].d, undefined);
    await verifying.stop();

    await prepare({ UPSTREAM: front.url, UPSTREAM_AUDIENCE: "urn:notes" });
    await front.stop();
    const publisher = await startUpstream({ refuse: async (_request, response) => response.end(JSON.stringify(await keys)) });
    const { payload } = await jwtVerify(requests[0].replace("Bearer ", ""), createRemoteJWKSet(new URL(publisher.url)), { issuer: origin, audience: "urn:notes", typ: "at+jwt", algorithms: ["ES256"] });
    await publisher.stop();
    assert.equal(payload.exp - payload.iat, 60);
  });

  test("are kept between runs, for their owner only", async () => {
    upstream = await startUpstream({ lists: LISTS });
    const first = await secretsOf(await prepare());
    const second = await prepare();
    assert.equal(await secretsOf(second), first);
    assert.match(first, /^STATE_SECRET='[\w-]{43}'\nUPSTREAM_SIGNING_KEY='\{"kty":"EC"/);
    assert.equal((await stat(second.envFiles[0])).mode & 0o777, 0o600);
    assert.ok(!JSON.stringify(second.vars).includes('"d"'));
  });

  test("are a secret of the environment, in its header, and no key then", async () => {
    upstream = await startUpstream({ lists: LISTS, refuse: (request, response) => request.headers["x-api-key"] !== "s3cret" && Boolean(response.writeHead(401).end()) });
    const gateway = await prepare({ UPSTREAM_AUTH: "secret", UPSTREAM_SECRET: "s3cret", UPSTREAM_SECRET_HEADER: "X-Api-Key" });
    assert.match(await secretsOf(gateway), /^STATE_SECRET='[\w-]{43}'\nUPSTREAM_SECRET='s3cret'\n$/);
    assert.ok(!JSON.stringify([gateway.vars, accessLines(gateway), upstreamLines(gateway, `http://localhost:${port}/mcp`)]).includes("s3cret"));
    assert.match(upstreamLines(gateway, `http://localhost:${port}/mcp`).join("\n"), /can be used at http:\S+ without sign-in/);
    await assert.rejects(prepare({ UPSTREAM_AUTH: "secret" }), /UPSTREAM_SECRET is missing/);
  });

  test("of the project's .dev.vars stay", async () => {
    await writeFile(join(root, ".dev.vars"), "MORE=1\n");
    upstream = await startUpstream({ lists: LISTS });
    assert.deepEqual((await prepare()).envFiles.map((file) => file.slice(root.length)), ["/.dev.vars", "/.wrangler/gateway/secrets.env"]);
  });
});

test("what an upstream calls things cannot write to the terminal, nor to the consent page", async () => {
  upstream = await startUpstream({ name: "n\u001b]0;x\u0007", lists: { tools: [[tool("a\u001b[2J"), tool("b"), tool("c d")]] } });
  const gateway = await prepare();
  const text = [...accessLines(gateway), gateway.vars.RESOURCE_NAME, ...Object.values(gateway.scopes)].join("\n");
  assert.doesNotMatch(text, /[\u0000-\u0009\u000b-\u001f\u007f]/);
  assert.match(text, /Not in the proposal, and denied therefore:\n[\s\S]*c d: it has white space/);
});

test("without UPSTREAM there is no gateway", async () => {
  assert.equal(await prepare(), undefined);
  await writeFile(join(root, "wrangler.toml"), '[vars]\nUPSTREAM = "http://upstream.example.com/mcp"\n');
  await assert.rejects(prepare(), /UPSTREAM is not https/);
});

test("an upstream that refuses is named, and what to do, which is nothing that `make dev` does not read", async () => {
  upstream = await startUpstream({ refuse: (_request, response) => Boolean(response.writeHead(401).end()) });
  const linesOf = async (env) => {
    const { lines } = await prepare(env).then(() => assert.fail("it is accepted"), (error) => error);
    assert.doesNotMatch(lines.join(), /HEADER=|ARGS=/);
    return lines.join(" ");
  };
  const trusts = new RegExp(`keys at http://localhost:${port}/\\.well-known/jwks\\.json, the issuer http://localhost:${port} and the audience ${upstream.url}`);
  assert.match(await linesOf(), /the upstream refuses this request with 401/);
  assert.match(await linesOf(), trusts);
  assert.match(await linesOf({ UPSTREAM_AUTH: "secret", UPSTREAM_SECRET: "s3cret" }), /UPSTREAM_SECRET/);
  assert.match(await linesOf({ UPSTREAM_AUTH: "none" }), /UPSTREAM_AUTH is "none"/);
  await writeFile(join(root, "wrangler.toml"), `[vars]\nUPSTREAM = "${upstream.url}"\n`);
  assert.match(await linesOf({ UPSTREAM: "" }), /UPSTREAM is that of wrangler\.toml.*make dev UPSTREAM=http:\/\/localhost:3001\/mcp/);
});

describe("secrets for wrangler", () => {
  test("are quoted so that nothing in them is replaced", async () => {
    const file = join(root, "x/secrets.env");
    await writeEnvFile(file, { A: "a b#c", B: "it's $HOME", C: `'"` });
    assert.equal(await readFile(file, "utf8"), "A='a b#c'\nB=\"it's \\$HOME\"\nC=`'\"`\n");
    for (const value of ["a\nB=1", "a\\", `'"\``]) await assert.rejects(writeEnvFile(file, { A: value }), /A cannot be passed to wrangler/);
  });
});
