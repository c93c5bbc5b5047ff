// The doctor on servers whose lists, schemas and responses some clients cannot read: it must find what is wrong and nothing
// else.

import assert from "node:assert/strict";
import { text } from "node:stream/consumers";
import { describe, test } from "node:test";
import { gzipSync } from "node:zlib";
import { assertFound, diagnose, LONG_TIMEOUT, runDoctor, serve } from "./support/doctor.mjs";
import "./support/report-failures.mjs";

/**
 * Starts a server of 2025-11-25 that requires no sign-in. `results` has the result of each method, or a function from the
 * params to it; `respond` can replace a response.
 */
async function openServer(test, results, respond = () => undefined) {
  const { url, close } = await serve(async (request, response) => {
    if (request.url !== "/mcp" || request.method !== "POST") return response.writeHead(request.url === "/mcp" ? 405 : 404).end();
    const { id, method, params } = JSON.parse(await text(request));
    const other = respond(method, params);
    if (other !== undefined) return response.writeHead(other.status ?? 200, other.headers).end(other.body);
    if (id === undefined) return response.writeHead(202).end();
    const initialized = { protocolVersion: "2025-11-25", capabilities: { tools: {} } };
    const found = { initialize: initialized, ...results }[method];
    const result = typeof found === "function" ? found(params) : found;
    const error = { code: -32601, message: "Method not found" };
    const message = { jsonrpc: "2.0", id, ...(result === undefined ? { error } : { result }) };
    return response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(message));
  });
  test.after(close);
  return url;
}

const TOOL = {
  name: "add",
  description: "Adds.",
  inputSchema: { type: "object", properties: {} },
  annotations: { title: "Add", readOnlyHint: true, destructiveHint: false, openWorldHint: false },
};
const OPEN = ["endpoint", "preflight", "cors_endpoint", "modern"];

describe("lists that clients cannot read", () => {
  const properties = (it) => ({ inputSchema: { type: "object", properties: { a: it } } });
  test("are distinguished from one that they can", async (test) => {
    assertFound(await diagnose(await openServer(test, { "tools/list": { tools: [TOOL] } })), { warnings: OPEN });
  });

  for (const [slug, verdict, change, observed] of [
    ["tools", "failures", { inputSchema: { type: "string" } }, /no inputSchema of type object/],
    ["tools", "warnings", { description: "" }, /no description/],
    ["schema_properties", "warnings", { inputSchema: { type: "object" } }, /"add"/],
    [
      "schema_property_names",
      "warnings",
      { inputSchema: { type: "object", properties: { "filter[id]": { type: "string" } } } },
      /inputSchema\.properties\.filter\[id\]/,
    ],
    ["schema_combinators", "warnings", { inputSchema: { type: "object", properties: {}, oneOf: [{}] } }, /inputSchema\.oneOf/],
    ["schema_booleans", "warnings", properties(true), /properties\.a/],
    ["schema_arrays", "warnings", properties({ type: "array" }), /properties\.a/],
    ["schema_formats", "warnings", properties({ type: "integer", format: "uint32" }), /properties\.a/],
    ["schema_references", "warnings", properties({ $ref: "#/$defs/A" }), /nowhere/],
    ["schema_references", "warnings", properties({ $ref: "https://example.com/a.json" }), /another document/],
    ["output_schema", "failures", { outputSchema: { type: "array", items: {} } }, /"add"/],
    ["tool_names", "warnings", { name: "math.add" }, /math\.add/],
    ["tool_titles", "warnings", { description: "x".repeat(3000) }, /3000 characters/],
    ["tool_titles", "warnings", { annotations: { ...TOOL.annotations, title: undefined } }, /annotations\.title/],
  ]) {
    test(`${slug}: ${JSON.stringify(change).slice(0, 60)}`, async (test) => {
      const report = await diagnose(await openServer(test, { "tools/list": { tools: [{ ...TOOL, ...change }] } }));
      assertFound(report, verdict === "failures" ? { warnings: OPEN, failures: [slug] } : { warnings: [...OPEN, slug] });
      assert.match(report.finding(slug).observed, observed);
      assert.ok(report.finding(slug).affected.length > 0);
    });
  }

  for (const [what, slug, verdict, list, observed] of [
    ["with a tool twice", "tool_names", "failures", { tools: [TOOL, TOOL] }, /"add" \(2 times\)/],
    ["with nextCursor: null", "pages", "failures", { tools: [TOOL], nextCursor: null }, /null on page 1/],
    ["whose cursor repeats", "pages", "failures", ({ cursor }) => ({ tools: cursor ? [] : [TOOL], nextCursor: "x" }), /earlier page/],
    [
      "of several pages",
      "pages",
      "warnings",
      ({ cursor }) => (cursor === "2" ? { tools: [{ ...TOOL, name: "b" }] } : { tools: [TOOL], nextCursor: "2" }),
      /2 pages.*miss 1 of 2/,
    ],
    [
      "without end",
      "pages",
      "warnings",
      ({ cursor = "1" }) => ({ tools: [{ ...TOOL, name: `t${cursor}` }], nextCursor: `${Number(cursor) + 1}` }),
      /more than 8 pages/,
    ],
  ]) {
    test(`a list ${what}`, async (test) => {
      const report = await diagnose(await openServer(test, { "tools/list": list }));
      assertFound(report, verdict === "failures" ? { warnings: OPEN, failures: [slug] } : { warnings: [...OPEN, slug] });
      assert.match(report.finding(slug).observed, observed);
    });
  }

  test("a list whose second page is not there today", async (test) => {
    const respond = (method, params) => (method === "tools/list" && params?.cursor ? { status: 503 } : undefined);
    const url = await openServer(test, { "tools/list": { tools: [TOOL], nextCursor: "2" } }, respond);
    const report = await diagnose(url);
    assertFound(report, { warnings: [...OPEN, "pages"] });
    assert.match(report.finding("pages").observed, /page 2 cannot be read \(503\)/);
  });

  test("prompts and resources", async (test) => {
    const url = await openServer(test, {
      initialize: { protocolVersion: "2025-11-25", capabilities: { tools: {}, prompts: {}, resources: {} } },
      "tools/list": { tools: [TOOL] },
      "prompts/list": { prompts: [{ name: "a" }, { name: "a" }] },
      "resources/list": { resources: [{ name: "a", uri: "a.txt" }] },
    });
    const report = await diagnose(url);
    assertFound(report, { warnings: [...OPEN, "prompts", "resources"] });
    assert.match(report.finding("prompts").observed, /"a" \(2 times\)/);
    assert.match(report.finding("resources").observed, /not absolute: "a"/);
  });

  test("prompts that a server of 2026-07-28 alone announces", async (test) => {
    const answer = { resultType: "complete", ttlMs: 0, cacheScope: "private" };
    const url = await openServer(test, {
      initialize: undefined,
      "server/discover": { ...answer, supportedVersions: ["2026-07-28"], capabilities: { tools: {}, prompts: {} } },
      "tools/list": { ...answer, tools: [TOOL] },
      "prompts/list": { ...answer, prompts: [{ name: "a" }] },
    });
    const { finding } = await diagnose(url, { token: "opaque" });
    assert.deepEqual([finding("prompts").verdict, finding("prompts").observed], ["ok", "prompts: 1"]);
    assert.equal(finding("pages").observed, "one page: tools/list, prompts/list");
  });

  test("text of the server cannot control the terminal, and examples are few", async (test) => {
    const tools = Array.from({ length: 300 }, (_, index) => ({ ...TOOL, name: `\u001b[2J${index}` }));
    const url = await openServer(test, { "tools/list": { tools } });
    // Without colours every escape sequence is removed, so only a report with colours shows what is left of the server's.
    const { stdout } = await runDoctor([url, ...LONG_TIMEOUT], { CLICOLOR_FORCE: "1" });
    assert.match(stdout, /and 297 more/);
    assert.ok(stdout.includes("\u001b["));
    assert.ok(stdout.includes("\ufffd[2J0"));
    assert.ok(!stdout.includes("\u001b[2J"));
  });
});

describe("responses that look like invalid JSON", () => {
  const list = (body, headers) => (method) =>
    method === "tools/list" ? { headers: { "content-type": "application/json", ...headers }, body } : undefined;
  const message = JSON.stringify({ jsonrpc: "2.0", id: 1, result: { tools: [TOOL] } });

  test("are named if they are compressed", async (test) => {
    const url = await openServer(test, {}, list(gzipSync(message), { "content-encoding": "gzip" }));
    const report = await diagnose(url);
    assertFound(report, { failures: ["legacy"], warnings: ["endpoint", "encoding", "preflight", "cors_endpoint", "modern"] });
    assert.match(report.finding("encoding").observed, /compressed with "gzip"/);
    assert.match(report.finding("legacy").observed, /compressed \("gzip"\)/);
  });

  test("are named, and read, if they begin with a byte order mark", async (test) => {
    const report = await diagnose(await openServer(test, {}, list(`\ufeff${message}`)));
    assertFound(report, { warnings: ["endpoint", "encoding", "preflight", "cors_endpoint", "modern"] });
    assert.match(report.finding("encoding").observed, /byte order mark/);
  });

  test("a notification that is answered with a JSON-RPC message", async (test) => {
    const body = JSON.stringify({ jsonrpc: "2.0", id: 1, result: {} });
    const respond = (method) =>
      method.startsWith("notifications/") ? { headers: { "content-type": "application/json" }, body } : undefined;
    const report = await diagnose(await openServer(test, { "tools/list": { tools: [TOOL] } }, respond));
    assertFound(report, { warnings: ["endpoint", "preflight", "cors_endpoint", "notification", "modern"] });
  });

  test("a notification that is answered with 200", async (test) => {
    const respond = (method) =>
      method.startsWith("notifications/") ? { headers: { "content-type": "application/json" }, body: "null" } : undefined;
    const report = await diagnose(await openServer(test, { "tools/list": { tools: [TOOL] } }, respond));
    assertFound(report, { failures: ["notification"], warnings: OPEN });
    assert.deepEqual(report.finding("notification").affected, ["codex"]);
    assert.equal(report.connects.codex, "no");
  });
});
