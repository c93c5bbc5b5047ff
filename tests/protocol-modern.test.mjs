// The protocol revision without a handshake, 2026-07-28.

import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { startDeployment } from "./support/deployment.mjs";
import { ENVELOPE, envelope, MODERN, modernCall, modernRequest, NEWEST_LEGACY } from "./support/messages.mjs";
import "./support/report-failures.mjs";
import { forgeToken } from "./support/tokens.mjs";
import { post } from "./support/worker.mjs";

const deployment = await startDeployment();
const { worker } = deployment;
after(() => deployment.stop());

const token = await forgeToken(deployment);
const ask = (message, headers) => post(worker, { token, message, headers });
const askModern = ({ message, headers }) => ask(message, headers);

describe("without a handshake (2026-07-28)", () => {
  test("server/discover lists revision, capabilities and server", async () => {
    const { status, json } = await askModern(modernRequest("server/discover"));
    assert.equal(status, 200);
    const { result } = json;
    assert.equal(result.resultType, "complete");
    assert.deepEqual(result.supportedVersions, [MODERN]);
    assert.deepEqual(Object.keys(result.capabilities), ["tools"]);
    assert.ok(Number.isInteger(result.ttlMs) && result.ttlMs >= 0);
    assert.ok(["public", "private"].includes(result.cacheScope));
    assert.equal(result._meta["io.modelcontextprotocol/serverInfo"].name, "mcp-edge");
    assert.equal(result.serverInfo, undefined);
  });

  test("tools/list carries caching hints", async () => {
    const { status, json } = await askModern(modernRequest("tools/list"));
    assert.equal(status, 200);
    assert.equal(json.result.resultType, "complete");
    assert.deepEqual(json.result.tools.map(({ name }) => name), ["whoami"]);
    assert.ok(Number.isInteger(json.result.ttlMs));
    assert.ok(["public", "private"].includes(json.result.cacheScope));
  });

  test("tools/call is answered, completely", async () => {
    const { status, json, headers } = await askModern(modernCall("whoami"));
    assert.equal(status, 200);
    assert.equal(json.result.resultType, "complete");
    assert.equal(json.result.structuredContent.sub, "unzlfabysh60");
    assert.equal(json.result.ttlMs, undefined);
    assert.equal(headers["mcp-session-id"], undefined);
  });

  test("Mcp-Name may be encoded", async () => {
    const { message, headers } = modernCall("whoami");
    const { status } = await ask(message, { ...headers, "mcp-name": "=?base64?d2hvYW1p?=" });
    assert.equal(status, 200);
  });

  test("a notification is accepted without a body", async () => {
    const message = { jsonrpc: "2.0", method: "notifications/whatever", params: { _meta: envelope() } };
    const { status, text } = await ask(message, { "mcp-protocol-version": MODERN });
    assert.equal(status, 202);
    assert.equal(text, "");
  });

  test("unknown, removed and unsupported methods get 404 with the id of the request", async () => {
    const gone = ["initialize", "ping", "logging/setLevel", "resources/subscribe", "resources/unsubscribe"];
    for (const method of [...gone, "no/such/method", "prompts/list", "resources/list"]) {
      const request = modernRequest(method);
      const { status, json } = await askModern(request);
      assert.equal(status, 404, method);
      assert.equal(json.error.code, -32601, method);
      assert.equal(json.id, request.message.id, method);
    }
  });

  test("an unknown tool is -32602", async () => {
    const { json } = await askModern(modernCall("no-such-tool"));
    assert.equal(json.error.code, -32602);
  });
});

describe("headers that contradict a modern body, or are missing (-32020)", () => {
  const refused = async (changes, request = modernCall("whoami")) => {
    const { message, headers } = request;
    const { status, json } = await ask(message, { ...headers, ...changes });
    assert.equal(status, 400);
    assert.equal(json.error.code, -32020);
    assert.equal(json.id, message.id);
  };

  test("no version", () => refused({ "mcp-protocol-version": undefined }));
  test("another version", () => refused({ "mcp-protocol-version": NEWEST_LEGACY }));
  test("another version, with an unknown one in the body", () =>
    refused({ "mcp-protocol-version": MODERN }, modernRequest("tools/list", {}, { version: "1900-01-01" })));
  test("no method", () => refused({ "mcp-method": undefined }));
  test("another method", () => refused({ "mcp-method": "tools/list" }));
  test("the method in another case", () => refused({ "mcp-method": "Tools/Call" }));
  test("no name", () => refused({ "mcp-name": undefined }));
  test("another name", () => refused({ "mcp-name": "another" }));
  test("a name that is encoded wrongly", () => refused({ "mcp-name": "=?base64?d2hvYW1p!?=" }));
  test("a name twice", () => refused({ "mcp-name": ["whoami", "whoami"] }));
});

describe("unsupported versions (-32022)", () => {
  for (const version of ["1900-01-01", "2099-01-01", NEWEST_LEGACY]) {
    test(`${version} in the envelope gets the supported versions`, async () => {
      const request = modernRequest("tools/list", {}, { version });
      const { status, json } = await askModern(request);
      assert.equal(status, 400);
      assert.equal(json.error.code, -32022);
      assert.deepEqual(json.error.data, { supported: [MODERN], requested: version });
      assert.equal(json.id, request.message.id);
    });
  }
});

describe("incomplete envelopes (-32602)", () => {
  const refused = async (params) => {
    const { message, headers } = modernRequest("tools/list");
    const { status, json } = await ask({ ...message, params }, headers);
    assert.equal(status, 400);
    assert.equal(json.error.code, -32602);
  };

  test("no params", () => refused(undefined));
  test("no _meta", () => refused({}));
  test("no version", () => refused({ _meta: { [ENVELOPE.capabilities]: {} } }));
  test("a version that is not a string", () => refused({ _meta: { ...envelope(), [ENVELOPE.version]: 20260728 } }));
  test("no capabilities", () => refused({ _meta: { [ENVELOPE.version]: MODERN } }));
  test("capabilities that are a list", () => refused({ _meta: { ...envelope(), [ENVELOPE.capabilities]: [] } }));

  test("clientInfo is optional", async () => {
    const request = modernRequest("tools/list");
    assert.equal(request.message.params._meta["io.modelcontextprotocol/clientInfo"], undefined);
    const { status } = await askModern(request);
    assert.equal(status, 200);
  });
});
