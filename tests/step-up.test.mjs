// STEP_UP: how clients learn that a tool needs scopes that the user has not granted: by the status, by a result, or by both.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { describe, test } from "node:test";
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { startHostileUpstream } from "./gateway/upstreams/hostile.mjs";
import { startDeployment } from "./support/deployment.mjs";
import { startGateway } from "./support/gateway-deployment.mjs";
import { legacyCall, modernCall, modernRequest } from "./support/messages.mjs";
import "./support/report-failures.mjs";
import { forgeToken } from "./support/tokens.mjs";
import { post } from "./support/worker.mjs";

const CALL = { title: "x", text: "y" };

/** examples/notes, whose tool `create_note` needs a scope of its own. */
async function startNotes(STEP_UP) {
  const toml = await readFile(new URL("../examples/notes/wrangler.toml", import.meta.url), "utf8");
  const settings = Object.fromEntries([...toml.matchAll(/^([A-Z_]+) = "([^"]+)"$/gm)].map(([, name, value]) => [name, value]));
  const started = await startDeployment({
    settings: { ...settings, CLAIM_SCOPES: undefined, ...(STEP_UP && { STEP_UP }) },
    worker: { build: "examples/notes/build" },
  });
  return { ...started, token: await forgeToken(started, { claims: { scope: "notes:read" } }), tool: "create_note", scope: "notes:read notes:write" };
}

/** A gateway whose tool `search` needs a scope. */
async function startOfUpstream(STEP_UP) {
  const upstream = await startHostileUpstream({ tools: ["search"] });
  const started = await startGateway({
    upstream: upstream.url,
    settings: { TOOL_SCOPES: "search=docs:read", ...(STEP_UP && { STEP_UP }) },
  });
  const stop = async () => {
    await started.stop();
    await upstream.stop();
  };
  return { ...started, stop, token: await started.alice("one"), tool: "search", scope: "docs:read" };
}

for (const [what, start] of [["a tool of our own", startNotes], ["a tool behind a gateway", startOfUpstream]]) {
  describe(`a call that lacks a scope, of ${what},`, () => {
    for (const [stepUp, status] of [[undefined, 403], ["http", 403], ["result", 200], ["both", 403]]) {
      test(`with STEP_UP ${stepUp ?? "not set"}`, async (test) => {
        const server = await start(stepUp);
        test.after(server.stop);
        const hasResult = stepUp === "result" || stepUp === "both";
        for (const [request, kind] of [
          [{ message: legacyCall(server.tool, CALL) }, undefined],
          [modernCall(server.tool, CALL), "complete"],
        ]) {
          const answer = await post(server.worker, { token: server.token, ...request });
          assert.equal(answer.status, status);
          const challenge = answer.headers["www-authenticate"];
          assert.equal(challenge === undefined, status === 200);
          const { result, error } = answer.json;
          if (hasResult) {
            assert.deepEqual([answer.json.id, result.isError, result.resultType], [request.message.id, true, kind]);
            const [inResult, ...more] = result._meta["mcp/www_authenticate"];
            assert.deepEqual(more, []);
            assert.match(inResult, /^Bearer error="insufficient_scope".*resource_metadata="http/);
            assert.match(inResult, new RegExp(`scope="${server.scope}"`));
            if (challenge !== undefined) assert.equal(inResult, challenge);
          } else {
            assert.deepEqual([result, error], [undefined, "insufficient_scope"]);
          }
          const line = await server.worker.logged(({ reason }) => reason === "insufficient_scope");
          assert.equal(line.status, status);
          server.worker.clearLogs();
        }
      });
    }

    test("is answered with a result only if it is a call, and only where a scope is missing", async (test) => {
      const server = await start("result");
      test.after(server.stop);
      const unknown = await post(server.worker, { token: server.token, ...modernCall("nothing_of_that_name") });
      assert.equal(unknown.json.result?._meta, undefined);
      const without = await post(server.worker, { ...modernCall(server.tool, CALL) });
      assert.equal(without.status, 401);
      const list = await post(server.worker, { token: server.token, ...modernRequest("tools/list") });
      assert.equal(list.status, 200);
    });

    test("reaches the model through the official client", async (test) => {
      const server = await start("result");
      test.after(server.stop);
      const client = new Client({ name: "step-up", version: "1.0.0" }, { versionNegotiation: { mode: "auto" } });
      const authProvider = { token: async () => server.token };
      await client.connect(new StreamableHTTPClientTransport(new URL(server.worker.mcpUrl), { authProvider }));
      const { isError, content, _meta } = await client.callTool({ name: server.tool, arguments: CALL });
      assert.ok(isError && content[0].text.includes("further scopes"));
      assert.equal(_meta["mcp/www_authenticate"].length, 1);
      await client.close();
    });
  });
}
