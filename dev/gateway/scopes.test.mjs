// `make gateway-scopes` against MCP servers on this machine.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js";
import { StreamableHTTPServerTransport } from "@modelcontextprotocol/sdk/server/streamableHttp.js";
import { getStaticTOMLValue, parseTOML } from "toml-eslint-parser";
import { checkUpstream } from "./scopes-options.mjs";
import { startUpstream } from "./testing/upstream.mjs";
import { widthOf } from "./text.mjs";

const COMMAND = fileURLToPath(new URL("scopes.mjs", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "mcp-edge-gateway-"));
after(() => rmSync(folder, { recursive: true, force: true }));

let upstream;
afterEach(() => upstream?.stop());

/** Runs the command with settings of wrangler.toml. */
async function run(args = [], { settings = {}, env = {}, url = upstream?.url } = {}) {
  const config = join(folder, "wrangler.toml");
  writeFileSync(config, `[vars]\n${Object.entries(settings).map(([name, value]) => `${name} = ${JSON.stringify(value)}\n`).join("")}`);
  const child = spawn(process.execPath, [COMMAND, "--config", config, ...args], { env: { ...process.env, HEADER: "", URL: url ?? "", ...env } });
  let [stdout, stderr] = ["", ""];
  child.stdout.setEncoding("utf8").on("data", (text) => (stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text) => (stderr += text));
  const [code] = await once(child, "close");
  return { code, stdout, stderr };
}

const tool = (name, annotations = {}, more = {}) => JSON.stringify({ name, inputSchema: { type: "object" }, annotations, ...more });

const NOTES = {
  tools: [[tool("search", { readOnlyHint: true }, { description: "Finds notes" }), tool("add")], [tool("remove", { destructiveHint: true })]],
  prompts: [['{"name":"sum_up"}']],
  resources: [['{"uri":"notes://list","name":"All"}', '{"uri":"notes://note/1","name":"One"}']],
  resourceTemplates: [['{"uriTemplate":"notes://note/{id}","name":"note"}']],
};

/** The settings in an output, as a TOML parser reads them. */
const settingsIn = ({ stdout }) => getStaticTOMLValue(parseTOML(stdout.slice(stdout.search(/^(TOOL|PROMPT|RESOURCE)_(SCOPES|PINS) =/m)).split("\n\n")[0]));

describe("what an upstream offers", () => {
  for (const eras of [["legacy"], ["modern"], ["modern", "legacy"]]) {
    for (const isStream of [false, true]) {
      test(`is listed with its pages, in ${eras.join(" and ")}${isStream ? ", from event streams" : ""}`, async () => {
        upstream = await startUpstream({ eras, isStream, lists: NOTES });
        const { code, stdout, stderr } = await run();
        assert.equal(code, 0, stderr);
        assert.match(stdout, /^notes 1\.2\.3 at http/m);
        assert.equal(/modern era \(2026-07-28\)/.test(stdout), eras.includes("modern"));
        assert.equal(/handshake era \(2025-11-25\)/.test(stdout), eras.includes("legacy"));
        assert.match(stdout, /^ {2}search +reads +notes:read +Finds notes$/m);
        assert.match(stdout, /^ {2}add +notes:write$/m);
        assert.match(stdout, /^ {2}remove +deletes +notes:delete$/m);
        assert.deepEqual(settingsIn({ stdout }), {
          TOOL_SCOPES: "search=notes:read add=notes:write remove=notes:delete",
          PROMPT_SCOPES: "sum_up=notes:read",
          RESOURCE_SCOPES: "notes://note/*=notes:read notes://list=notes:read",
        });
      });
    }
  }

  test("of the official SDK's server, with sessions", async () => {
    const sessions = new Map();
    const http = createServer(async (request, response) => {
      const known = sessions.get(request.headers["mcp-session-id"]);
      if (known !== undefined) return known.handleRequest(request, response);
      const server = new McpServer({ name: "real", version: "1" });
      server.registerTool("look", { description: "Looks", annotations: { readOnlyHint: true } }, () => ({ content: [] }));
      // As server-everything does: a tool for clients that can answer questions.
      server.server.oninitialized = () => {
        if (server.server.getClientCapabilities()?.elicitation) server.registerTool("ask", { description: "Asks" }, () => ({ content: [] }));
      };
      const transport = new StreamableHTTPServerTransport({ sessionIdGenerator: () => crypto.randomUUID(), onsessioninitialized: (id) => void sessions.set(id, transport), onsessionclosed: (id) => void sessions.delete(id) });
      await server.connect(transport);
      await transport.handleRequest(request, response);
    });
    http.listen(0, "127.0.0.1");
    await once(http, "listening");
    const { code, stdout, stderr } = await run([], { url: `http://127.0.0.1:${http.address().port}/mcp` });
    http.close();
    http.closeAllConnections();
    assert.equal(code, 0, stderr);
    assert.match(stdout, /^ {2}look +reads +real:read +Looks$/m);
    assert.match(stdout, /^ {2}ask +real:write +Asks$/m);
    assert.equal(sessions.size, 0, "ends its session");
  });

  test("fits a terminal of 100 columns", async () => {
    const names = ["日本語".repeat(20), "x".repeat(200), "e\u0301".repeat(50)];
    upstream = await startUpstream({ name: "n".repeat(300), lists: { tools: [names.map((name) => tool(name, {}, { description: "字 ".repeat(100) }))] } });
    const { stdout } = await run();
    const table = stdout.split("\n").slice(stdout.split("\n").indexOf("Tools (3)"), stdout.split("\n").indexOf("Tools (3)") + 5);
    for (const line of table) assert.ok(widthOf(line) <= 100, `${widthOf(line)}: ${line}`);
  });

  test("cannot write to the terminal, nor break out of a line of TOML", async () => {
    const names = ["a\u001b[2J", 'b"\nEVIL = "x', 'c"""', "d\\", "e\u202e", "f g", "h*", "i\u0085", "j'''", "k=l", "", "m#", "\ud800n"];
    upstream = await startUpstream({ name: "x\u001b]0;title\u0007", lists: { tools: [names.map((name) => tool(name, { readOnlyHint: true }, { description: "\u001b[31m\r\nTOOL_SCOPES = \"*=allow\"" }))] } });
    const output = await run(["--prefix", "p"]);
    assert.doesNotMatch(output.stdout, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\ud800-\udfff]/);
    assert.deepEqual(settingsIn(output), { TOOL_SCOPES: 'c"""=p:read d\\=p:read j\'\'\'=p:read k=l=p:read m#=p:read' });
    for (const reason of [/f g: it has white space/, /h\*: it has a "\*"/, /\(no name\): it is empty/]) assert.match(output.stdout, reason);
    const pins = await run(["--pins"]);
    assert.doesNotMatch(pins.stdout, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\ud800-\udfff]/);
    assert.deepEqual(settingsIn(pins).TOOL_PINS.trim().split(/\s+/).map((entry) => entry.slice(0, entry.lastIndexOf("="))), ['c"""', "d\\", "h*", "j'''", "k=l", "m#"]);
  });

  test("names that differ in case only are not proposed, as the gateway denies them", async () => {
    upstream = await startUpstream({ lists: { tools: [[tool("Add"), tool("add"), tool("other")]] } });
    const output = await run();
    assert.deepEqual(settingsIn(output), { TOOL_SCOPES: "other=notes:write" });
    assert.match(output.stdout, /Add: another name differs from it in case only/);
  });

  test("URIs that an upstream may take for one another are not proposed, and many tools get patterns", async () => {
    const tools = [...Array.from({ length: 201 }, (_, index) => tool(`get_${index}`)), tool("add")];
    upstream = await startUpstream({ lists: { tools: [tools], resources: [['{"uri":"note://x/A"}', '{"uri":"note://x/a"}']] } });
    const output = await run();
    assert.deepEqual(settingsIn(output), { TOOL_SCOPES: "get_*=notes:write add=notes:write" });
    assert.match(output.stdout, /! TOOL_SCOPES: For a table of 200 entries, there are patterns: get_\*/);
    assert.match(output.stdout, /note:\/\/x\/A: another differs from it only in case/);
  });

  test("URIs that are denied in any case are not proposed", async () => {
    upstream = await startUpstream({ lists: { resources: [['{"uri":"file:///a/../b"}', '{"uri":"A:b"}', '{"uri":"x:ä"}']], resourceTemplates: [['{"uriTemplate":"{scheme}:a"}']] } });
    const output = await run();
    assert.deepEqual(settingsIn(output), { RESOURCE_SCOPES: "x:%C3%A4=notes:read" });
    assert.match(output.stdout, /file:\/\/\/a\/\.\.\/b: it has dot segments/);
  });

  test("many resources get one pattern for each host", async () => {
    const uris = Array.from({ length: 21 }, (_, index) => `{"uri":"notes://host/${index}"}`);
    upstream = await startUpstream({ lists: { resources: [[...uris, '{"uri":"urn:a"}']] } });
    assert.deepEqual(settingsIn(await run()), { RESOURCE_SCOPES: "notes://host/*=notes:read urn:*=notes:read" });
  });
});

describe("the tables of wrangler.toml", () => {
  test("that fit are confirmed", async () => {
    upstream = await startUpstream({ lists: NOTES });
    const settings = { TOOL_SCOPES: "search=a add=b,user *=deny", PROMPT_SCOPES: "*=allow", RESOURCE_SCOPES: "notes://*=a" };
    const { code, stdout } = await run([], { settings });
    assert.equal(code, 0, stdout);
    assert.match(stdout, /✓ cover what the upstream offers, and nothing else/);
    assert.match(stdout, /^ {2}add +b \+ a user$/m);
    assert.match(stdout, /^ {2}remove +deletes +– \(denied\)$/m);
    assert.doesNotMatch(stdout, /Proposed/);
  });

  test("are compared: not covered, no longer there, ambiguous", async () => {
    upstream = await startUpstream({ lists: NOTES });
    const settings = { TOOL_SCOPES: "s*=a *h=b old=c", RESOURCE_SCOPES: "notes://list=a" };
    const { code, stdout } = await run([], { settings });
    assert.equal(code, 1);
    for (const line of [/s\* and \*h match the same names/, /not covered, and denied therefore: remove \(proposed: notes:delete\)/, /nothing of the upstream's matches old/, /denied therefore: notes:\/\/note\/\{id\}/, /PROMPT_SCOPES = "sum_up=notes:read"/]) {
      assert.match(stdout.replaceAll("\n  ", " "), line);
    }
  });

  test("may be too long for Cloudflare", async () => {
    upstream = await startUpstream({ lists: { tools: [Array.from({ length: 150 }, (_, index) => tool(`${"long".repeat(10)}${index}`))] } });
    assert.match((await run()).stdout, /TOOL_SCOPES: it is longer than 5 KB/);
  });
});

describe("--pins", () => {
  test("prints the digests of the definitions as they are on the wire", async () => {
    const [, example] = JSON.parse(readFileSync(new URL("../../crates/gateway/tests/pins.json", import.meta.url), "utf8"));
    upstream = await startUpstream({ lists: { tools: [[example.definition, '{"name":"n","inputSchema":{"type":"object","x":1.0}}', '{"name":"m","inputSchema":{"type":"object","x":1}}']] } });
    const { code, stdout } = await run(["--pins"]);
    assert.equal(code, 0);
    assert.ok(stdout.includes(`a=${example.digest}\n`), stdout);
    const digests = settingsIn({ stdout }).TOOL_PINS.match(/[\w-]{43}/g);
    assert.equal(new Set(digests).size, 3);
  });

  test("compares with TOOL_PINS", async () => {
    upstream = await startUpstream({ lists: { tools: [[tool("a"), tool("b")]] } });
    const { TOOL_PINS } = settingsIn(await run(["--pins"]));
    assert.match((await run(["--pins"], { settings: { TOOL_PINS } })).stdout, /✓ approve what the upstream offers/);
    const changed = await run(["--pins"], { settings: { TOOL_PINS: TOOL_PINS.replace(/a=.{4}/, "a=AAAA").replace("b=", "old=") } });
    assert.equal(changed.code, 1);
    for (const line of [/changed since it was approved: a/, /not approved: b/, /no longer there: old/]) assert.match(changed.stdout, line);
  });
});

describe("an upstream that wants credentials", () => {
  const refuse = (request, response) => request.headers.authorization !== "Bearer top-secret-value" && Boolean(response.writeHead(401, { "www-authenticate": "Bearer" }).end());

  test("gets the header of the environment, which is not shown", async () => {
    upstream = await startUpstream({ refuse, lists: { tools: [[tool("a", {}, { description: "You sent Bearer top-secret-value" })]] } });
    const without = await run();
    assert.equal(without.code, 2);
    assert.match(without.stderr, /refuses this request with 401[\s\S]*HEADER=/);
    const { code, stdout, stderr } = await run([], { env: { HEADER: "Authorization: Bearer top-secret-value" } });
    assert.equal(code, 0, stderr);
    assert.match(stdout, /^ {2}a +notes:write +You sent \(hidden\)$/m);
    assert.doesNotMatch(stdout + stderr, /top-secret-value/);
  });

  test("an invalid header is not repeated", async () => {
    upstream = await startUpstream();
    const { code, stderr } = await run([], { env: { HEADER: "top-secret-value" } });
    assert.equal(code, 2);
    assert.match(stderr, /HEADER must have the form/);
    assert.doesNotMatch(stderr, /top-secret-value/);
    assert.equal(upstream.requests.length, 0);
  });

  test("does not get it through a redirect, nor over plain http of others", async () => {
    const elsewhere = await startUpstream();
    upstream = await startUpstream({ refuse: (_request, response) => Boolean(response.writeHead(307, { location: elsewhere.url }).end()) });
    const { code, stderr } = await run([], { env: { HEADER: "authorization: Bearer top-secret-value" } });
    assert.equal(code, 2);
    assert.match(stderr, /redirects to http/);
    assert.equal(elsewhere.requests.length, 0);
    await elsewhere.stop();
    assert.match((await run([], { url: "http://upstream.example.com/mcp" })).stderr, /URL is not https/);
  });
});

describe("what is no MCP server is named", () => {
  for (const [what, answer, expected] of [
    ["a web page", (response) => response.writeHead(200, { "content-type": "text/html" }).end("<h1>Hello</h1>"), /is a web page, not an MCP endpoint/],
    ["404", (response) => response.writeHead(404).end(), /there is no MCP endpoint at/],
    ["500", (response) => response.writeHead(500).end("\u001b[31mboom"), /does not answer as an MCP server/],
    ["a list of 5 MiB", undefined, /larger than 4 MiB/],
  ]) {
    test(what, async () => {
      const lists = { tools: [[tool("a", {}, { description: "x".repeat(5 * 1024 * 1024) })]] };
      upstream = await startUpstream({ lists: answer === undefined ? lists : {}, refuse: (_request, response) => answer !== undefined && Boolean(answer(response)) });
      const { code, stdout, stderr } = await run();
      assert.equal(code, 2);
      assert.equal(stdout, "");
      assert.match(stderr, expected);
      assert.doesNotMatch(stderr, /\u001b/);
    });
  }

  test("nothing at all", async () => {
    const gone = await startUpstream();
    await gone.stop();
    assert.match((await run([], { url: gone.url })).stderr, /nothing answers at http/);
  });

  test("a URL that the Worker refuses, with one that it takes", async () => {
    for (const [url, expected] of [
      ["https://upstream.example.com/mcp?key=abc", /URL must have neither query nor fragment/],
      ["https://upstream.example.com/mcp?", /URL must have neither query nor fragment/],
      ["https://upstream.example.com/mcp#", /URL must have neither query nor fragment/],
      ["https://Upstream.example.com/mcp", /Write URL=https:\/\/upstream\.example\.com\/mcp/],
      ["https://upstream.example.com:443/mcp", /Write URL=https:\/\/upstream\.example\.com\/mcp/],
      ["https://upstream.example.com/a/../mcp", /Write URL=https:\/\/upstream\.example\.com\/mcp/],
      ["https://upstream.example.com/%2e/mcp", /Write URL=https:\/\/upstream\.example\.com\/mcp/],
      [" https://upstream.example.com/mcp", /Write URL=https:\/\/upstream\.example\.com\/mcp/],
      ["https://upstream.example.com/m cp", /Write URL=https:\/\/upstream\.example\.com\/m%20cp/],
      ["https:/upstream.example.com/{id}", /Write URL=https:\/\/upstream\.example\.com\/%7Bid%7D/],
    ]) {
      assert.throws(() => checkUpstream(url), ({ lines }) => expected.test(lines.join("\n")), url);
    }
    for (const url of ["https://upstream.example.com", "https://upstream.example.com/", "http://localhost:3001/mcp/"]) assert.equal(checkUpstream(url), url);
  });

  test("no URL", async () => {
    assert.match((await run([], { url: "" })).stderr, /URL is missing/);
  });
});
