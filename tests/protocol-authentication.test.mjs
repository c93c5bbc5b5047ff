// Authentication comes before everything else in both eras of the protocol.

import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { startDeployment } from "./support/deployment.mjs";
import { initialize, legacyCall, legacyRequest, modernRequest } from "./support/messages.mjs";
import "./support/report-failures.mjs";
import { forgeToken } from "./support/tokens.mjs";
import { post, send, sendPart } from "./support/worker.mjs";

const deployment = await startDeployment();
const { worker } = deployment;
after(() => deployment.stop());

const token = await forgeToken(deployment);
const ask = (message, headers) => post(worker, { token, message, headers });

const CHALLENGE = `Bearer resource_metadata="${worker.origin}/.well-known/oauth-protected-resource/mcp", scope="whoami:read"`;

const MEGABYTE = 1024 * 1024;

const METHODS = [
  "initialize",
  "ping",
  "server/discover",
  "tools/list",
  "tools/call",
  "prompts/list",
  "resources/list",
  "resources/read",
  "completion/complete",
  "logging/setLevel",
  "subscriptions/listen",
  "no/such/method",
];

describe("authentication comes before everything else", () => {
  for (const method of ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "PROPFIND"]) {
    test(`${method} without a token is refused with the challenge`, async () => {
      const { status, headers } = await send(worker, { method });
      assert.equal(status, 401);
      assert.equal(headers["www-authenticate"], CHALLENGE);
    });
  }

  for (const method of METHODS) {
    test(`${method} without a token is refused in both eras`, async () => {
      for (const request of [{ message: legacyRequest(method, {}) }, modernRequest(method)]) {
        const { status, headers, json } = await post(worker, request);
        assert.equal(status, 401);
        assert.equal(headers["www-authenticate"], CHALLENGE);
        assert.equal(json.jsonrpc, undefined, "an authorization error is no JSON-RPC answer");
      }
    });
  }

  for (const [what, request] of [
    ["a body that is no JSON", { message: "{" }],
    ["another media type", { message: {}, headers: { "content-type": "text/plain" } }],
    ["an unknown version", { message: initialize(), headers: { "mcp-protocol-version": "1900-01-01" } }],
    ["a notification", { message: { jsonrpc: "2.0", method: "notifications/initialized" } }],
    ["a batch", { message: [legacyRequest("ping")] }],
    ["a session id", { message: legacyRequest("ping"), headers: { "mcp-session-id": "made-up" } }],
  ]) {
    test(`${what} is not read without a token`, async () => {
      const { status } = await post(worker, request);
      assert.equal(status, 401);
    });
  }

  test("without a token, the response does not wait for a body that is too large", async () => {
    const headers = { "content-type": "application/json", "content-length": 5 * MEGABYTE };
    const { status } = await sendPart(worker, { headers });
    assert.equal(status, 401);
  });

  test("a session id never replaces a token", async () => {
    await ask(initialize(), { "mcp-session-id": "known" });
    const { status } = await post(worker, {
      message: legacyCall("whoami"),
      headers: { "mcp-session-id": "known" },
    });
    assert.equal(status, 401);
  });
});
