// The official clients read the list of a Worker with tools of awkward types, drop none, and call each.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { after, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { Client as ClientV2, StreamableHTTPClientTransport as TransportV2 } from "@modelcontextprotocol/client";
import { Client as ClientV1 } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport as TransportV1 } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { startHostileProvider } from "../support/hostile-provider.mjs";
import { legacyCall, legacyRequest } from "../support/messages.mjs";
import { createSigner, tokensFor } from "../support/signers.mjs";
import { post, startWorker } from "../support/worker.mjs";
import { anthropicProblems, commonProblems, geminiProblems, openAiProblems } from "./model-apis.mjs";

const signer = await createSigner("ES256");
const provider = await startHostileProvider({ keys: [signer.jwk] });
const worker = await startWorker({ build: "tests/conformance/build", settings: { ISSUER: provider.issuer } });
after(async () => {
  await worker.stop();
  await provider.stop();
});
const token = tokensFor({ issuer: provider.issuer, resource: worker.mcpUrl, signer })({});

const shape = { kind: "square", side: 2, rounded: null };
const place = { city: "Oslo", zip: null };
const leaf = { name: "leaf", children: [] };

/** Arguments of the tools, as models write them. */
const CALLS = {
  awkward_nothing: { toolCallId: "call_1", sessionId: "s" },
  awkward_optional: { place, limit: null, unit: null, tags: null },
  awkward_anything: { value: null, maybe: null, list: [null, 1, {}], object: { a: null } },
  awkward_choices: { size: "Large", shape, id: "a", other: null },
  awkward_collections: {
    ...{ pair: [1, "a"], point: [0.5, 1.5], triple: [1, 2, 3], letters: ["a"], words: ["a", null] },
    ...{ by_name: { a: place }, by_number: { 7: "seven" } },
  },
  awkward_flattened: { query: "a", offset: null, limit: null },
  awkward_tree: { tree: { name: null, children: [leaf] } },
  awkward_numbers: { byte: 255, signed: -128, long: 1, wide: 1, ratio: 0.5, real: 1e3, letter: "ü" },
};

const listed = async () => {
  const { json } = await post(worker, { token, message: legacyRequest("tools/list") });
  return json.result.tools;
};
const names = async () => (await listed()).map(({ name }) => name).sort();

/** Lists all tools with a client of the TypeScript SDK, and calls the awkward ones. */
async function readWith(client, transport) {
  await client.connect(transport);
  try {
    const { tools } = await client.listTools();
    assert.deepEqual(tools.map(({ name }) => name).sort(), await names());
    for (const [name, args] of Object.entries(CALLS)) {
      const result = await client.callTool({ name, arguments: args });
      assert.ok(!result.isError, `${name}: ${result.content?.[0]?.text}`);
    }
  } finally {
    await client.close();
  }
}

const url = new URL(worker.mcpUrl);
const options = { requestInit: { headers: { Authorization: `Bearer ${token}` } } };
const info = { name: "clients.test", version: "1" };

describe("the official clients drop no tool, and call each", () => {
  test("TypeScript, v1", () => readWith(new ClientV1(info), new TransportV1(url, options)));

  for (const mode of ["legacy", "auto"]) {
    test(`TypeScript, v2, ${mode}`, () =>
      readWith(new ClientV2(info, { versionNegotiation: { mode } }), new TransportV2(url, options)));
  }

  const python = process.env.MCP_PYTHON ?? "";
  const skip = existsSync(python) ? false : "no Python client: dev/setup conformance says why";
  for (const mode of ["legacy", "auto"]) {
    test(`Python, ${mode}`, { skip }, async () => {
      const script = fileURLToPath(new URL("./client.py", import.meta.url));
      const input = JSON.stringify({ url: worker.mcpUrl, token, mode, calls: CALLS });
      const { stdout } = await promisify(execFile)(python, [script, input], { timeout: 60_000 });
      const { tools, failed } = JSON.parse(stdout);
      assert.deepEqual(tools.sort(), await names());
      assert.deepEqual(failed, {});
    });
  }
});

describe("every published schema", async () => {
  const tools = await listed();
  for (const tool of tools) {
    const { name, title, annotations, inputSchema, outputSchema } = tool;
    test(`of ${name}`, () => {
      assert.deepEqual(commonProblems(inputSchema), []);
      if (outputSchema !== undefined) assert.deepEqual(commonProblems(outputSchema), []);
      const hints = ["readOnlyHint", "destructiveHint", "idempotentHint", "openWorldHint"];
      for (const hint of hints) assert.equal(typeof annotations[hint], "boolean", hint);
      assert.equal(annotations.title, title ?? name);
      // Written by hand, as the suite prescribes it.
      if (name === "json_schema_2020_12_tool") return;
      assert.deepEqual(anthropicProblems(tool), []);
      assert.deepEqual(openAiProblems(tool), []);
      assert.deepEqual(geminiProblems(tool), []);
    });
  }

  test("there are the awkward ones", () => {
    const awkward = tools.filter(({ name }) => name.startsWith("awkward_")).map(({ name }) => name);
    assert.deepEqual(awkward.sort(), Object.keys(CALLS).sort());
  });
});

test("a misfit within an optional argument is reported where it is", async () => {
  const call = legacyCall("awkward_optional", { place: { city: "Oslo", zipcode: "1" } });
  const { json } = await post(worker, { token, message: call });
  assert.match(json.result.content[0].text, /arguments\.place\.zipcode: no such property/);
});
