// Tools whose definitions the operator has approved (TOOL_PINS): the digests of `make gateway-scopes ARGS=--pins` are those of
// the Worker, and no other tool is called.

import assert from "node:assert/strict";
import { after, afterEach, describe, test } from "node:test";
import { digest, parseRaw } from "../dev/gateway/canonical.mjs";
import { startHostileUpstream, tool } from "./gateway/upstreams/hostile.mjs";
import { OPEN, startGateway } from "./support/gateway-deployment.mjs";
import { legacyCall, legacyRequest, modernRequest } from "./support/messages.mjs";
import "./support/report-failures.mjs";
import { post } from "./support/worker.mjs";

const pin = (name) => `${name}=${digest(parseRaw(JSON.stringify(tool(name))))}`;
const OTHER_DIGEST = "A".repeat(43);

const upstream = await startHostileUpstream({ tools: ["search", "changed", "fresh"] });
const settings = { ...OPEN, TOOL_PINS: `${pin("search")} changed=${OTHER_DIGEST}` };
const gateway = await startGateway({ upstream: upstream.url, settings });
const alice = await gateway.alice("");
afterEach(() => upstream.forget());
after(async () => {
  await gateway.stop();
  await upstream.stop();
});

const ERAS = {
  "with a handshake": (name) => post(gateway.worker, { token: alice, message: legacyCall(name) }),
  "without one": (name) => post(gateway.worker, { token: alice, ...modernRequest("tools/call", { name, arguments: {} }) }),
};

for (const [era, call] of Object.entries(ERAS)) {
  describe(`in the era ${era}`, () => {
    test("a tool as it was approved is called", async () => {
      const { status, json, text } = await call("search");
      assert.deepEqual([status, json.error], [200, undefined], text);
      assert.equal(upstream.of("tools/call").length, 1);
    });

    for (const name of ["changed", "fresh"]) {
      test(`the tool "${name}" does not exist`, async () => {
        const { status, json } = await call(name);
        assert.deepEqual([status, json.error?.code], [200, -32602]);
        assert.deepEqual(upstream.of("tools/call"), []);
      });
    }
  });
}

test("lists show approved tools only, and the log has the digests of the others once", async () => {
  for (const _ of [1, 2]) {
    const { json } = await post(gateway.worker, { token: alice, message: legacyRequest("tools/list") });
    assert.deepEqual(json.result.tools.map(({ name }) => name), ["search"]);
    // What the gateway adds is not what the digest is of.
    const securitySchemes = [{ type: "oauth2", scopes: [] }];
    assert.deepEqual([json.result.tools[0].securitySchemes, json.result.tools[0]._meta], [securitySchemes, { securitySchemes }]);
  }
  const reported = gateway.worker.logs().filter((line) => "unapproved_tool" in line);
  const lines = reported.map(({ unapproved_tool: name, digest }) => `${name}=${digest}`).sort();
  assert.deepEqual(lines, [pin("changed"), pin("fresh")]);
});
