// The protocol revisions with a handshake, 2024-11-05 to 2025-11-25.

import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { startDeployment } from "./support/deployment.mjs";
import { initialize, legacyCall, legacyRequest, MODERN, modernCall, NEWEST_LEGACY } from "./support/messages.mjs";
import "./support/report-failures.mjs";
import { forgeToken } from "./support/tokens.mjs";
import { post } from "./support/worker.mjs";

const deployment = await startDeployment();
const { worker } = deployment;
after(() => deployment.stop());

const token = await forgeToken(deployment);
const ask = (message, headers) => post(worker, { token, message, headers });

describe("the handshake (legacy)", () => {
  for (const revision of ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"]) {
    test(`${revision} is accepted`, async () => {
      const { status, json } = await ask(initialize(revision));
      assert.equal(status, 200);
      assert.equal(json.result.protocolVersion, revision);
    });
  }

  for (const revision of ["1900-01-01", "2026-07-28", "2099-01-01", "tomorrow"]) {
    test(`${revision} is answered with the newest revision that has a handshake`, async () => {
      const { status, json } = await ask(initialize(revision));
      assert.equal(status, 200);
      assert.equal(json.result.protocolVersion, NEWEST_LEGACY);
    });
  }

  test("returns name and capabilities of the server, and starts no session", async () => {
    const { json, headers } = await ask(initialize());
    assert.equal(json.result.serverInfo.name, "mcp-edge");
    assert.match(json.result.serverInfo.version, /^\d+\.\d+\.\d+/);
    assert.deepEqual(Object.keys(json.result.capabilities), ["tools"]);
    assert.equal(json.result.resultType, undefined, "that member belongs to the other era");
    assert.equal(headers["mcp-session-id"], undefined);
  });

  test("ignores a version header that names another revision", async () => {
    const { status } = await ask(initialize(), { "mcp-protocol-version": "1900-01-01", "mcp-method": "initialize" });
    assert.equal(status, 200);
  });

  test("is refused under a modern version header", async () => {
    const { status, json } = await ask(initialize(), { "mcp-protocol-version": MODERN });
    assert.equal(status, 400);
    assert.equal(json.error.code, -32020);
  });
});

describe("after the handshake (legacy)", () => {
  for (const method of ["notifications/initialized", "notifications/cancelled", "notifications/whatever"]) {
    test(`${method} is accepted without a body`, async () => {
      const { status, text } = await ask({ jsonrpc: "2.0", method });
      assert.equal(status, 202);
      assert.equal(text, "");
    });
  }

  test("an unexpected response is accepted", async () => {
    const { status, text } = await ask({ jsonrpc: "2.0", id: 1, result: {} });
    assert.equal(status, 202);
    assert.equal(text, "");
  });

  test("ping is answered with an empty object", async () => {
    const { status, json } = await ask(legacyRequest("ping"));
    assert.equal(status, 200);
    assert.deepEqual(json.result, {});
  });

  test("tools/list names whoami and carries no caching hints", async () => {
    const { status, json } = await ask(legacyRequest("tools/list"));
    assert.equal(status, 200);
    assert.deepEqual(json.result.tools.map(({ name }) => name), ["whoami"]);
    assert.equal(json.result.ttlMs, undefined);
    assert.equal(json.result.cacheScope, undefined);
  });

  for (const revision of ["2025-03-26", "2025-06-18", "2025-11-25"]) {
    test(`tools/call is answered under the header of ${revision}`, async () => {
      const { status, json } = await ask(legacyCall("whoami"), { "mcp-protocol-version": revision });
      assert.equal(status, 200);
      assert.equal(json.result.structuredContent.sub, "unzlfabysh60");
    });
  }

  test("tools/call is answered without a version header", async () => {
    const { json } = await ask(legacyCall("whoami"));
    assert.equal(json.result.structuredContent.sub, "unzlfabysh60");
  });

  test("an answer has the id of its request, of the same type", async () => {
    for (const id of [0, -7, "a", "1", "ü\"\\"]) {
      const { json } = await ask({ jsonrpc: "2.0", id, method: "ping" });
      assert.strictEqual(json.id, id);
    }
  });

  test("an unknown version in the header is refused", async () => {
    const { status } = await ask(legacyRequest("ping"), { "mcp-protocol-version": "1900-01-01" });
    assert.equal(status, 400);
  });

  test("an unknown method is an error inside a 200", async () => {
    for (const method of ["no/such/method", "server/discover", "prompts/list", "resources/list"]) {
      const { status, json } = await ask(legacyRequest(method, {}));
      assert.equal(status, 200, method);
      assert.equal(json.error.code, -32601, method);
    }
  });

  test("an unknown tool is an error inside a 200", async () => {
    const { status, json } = await ask(legacyCall("no-such-tool"));
    assert.equal(status, 200);
    assert.equal(json.error.code, -32602);
  });

  test("whoami takes no arguments: what it is given selects nobody else", async () => {
    const own = (await ask(legacyCall("whoami"))).json.result.structuredContent;
    const { status, json } = await ask(legacyCall("whoami", { sub: "k3v9tq27xwpd" }));
    assert.equal(status, 200);
    assert.deepEqual(json.result.structuredContent, own);
    assert.notEqual(own.sub, "k3v9tq27xwpd");
  });

  test("routing headers of the other era are ignored", async () => {
    const { status } = await ask(legacyRequest("ping"), { "mcp-method": "tools/call", "mcp-name": "x" });
    assert.equal(status, 200);
  });
});

describe("batches, which only 2025-03-26 has", () => {
  test("are answered with one response for each request", async () => {
    const [ping, call] = [legacyRequest("ping"), legacyCall("whoami")];
    const { status, json } = await ask([ping, { jsonrpc: "2.0", method: "notifications/initialized" }, call]);
    assert.equal(status, 200);
    assert.deepEqual(new Set(json.map(({ id }) => id)), new Set([ping.id, call.id]));
  });

  test("of notifications alone are accepted without a body", async () => {
    const { status, text } = await ask([{ jsonrpc: "2.0", method: "notifications/initialized" }]);
    assert.equal(status, 202);
    assert.equal(text, "");
  });

  for (const revision of ["2025-06-18", "2025-11-25"]) {
    test(`are refused under the header of ${revision}`, async () => {
      const { status, json } = await ask([legacyRequest("ping")], { "mcp-protocol-version": revision });
      assert.equal(status, 400);
      assert.equal(json.error.code, -32600);
    });
  }

  test("without an element are refused", async () => {
    const { status, json } = await ask([]);
    assert.equal(status, 400);
    assert.equal(json.error.code, -32600);
  });

  test("with a modern request are refused as a whole", async () => {
    const { message, headers } = modernCall("whoami");
    for (const sent of [undefined, headers]) {
      const { status, json } = await ask([legacyRequest("ping"), message], sent);
      assert.equal(status, 400);
      assert.equal(json.error.code, -32600);
    }
  });
});
