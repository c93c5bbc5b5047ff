// The Model Context Protocol on the wire, both eras at one endpoint.

import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { startDeployment } from "./support/deployment.mjs";
import {
  ENVELOPE,
  envelope,
  initialize,
  legacyCall,
  legacyRequest,
  MODERN,
  modernCall,
  modernRequest,
  NEWEST_LEGACY,
} from "./support/messages.mjs";
import { sendBytes } from "./support/raw.mjs";
import "./support/report-failures.mjs";
import { forgeToken } from "./support/tokens.mjs";
import { post, send, sendPart } from "./support/worker.mjs";

const deployment = await startDeployment();
const { worker } = deployment;
after(() => deployment.stop());

const token = await forgeToken(deployment);
const ask = (message, headers) => post(worker, { token, message, headers });
const askModern = ({ message, headers }) => ask(message, headers);

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
    test(`${what} is not looked at without a token`, async () => {
      const { status } = await post(worker, request);
      assert.equal(status, 401);
    });
  }

  test("a body that is too large is not even waited for without a token", async () => {
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

describe("the handshake (legacy)", () => {
  for (const revision of ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"]) {
    test(`${revision} is agreed to`, async () => {
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

  test("names the server and what it offers, and starts no session", async () => {
    const { json, headers } = await ask(initialize());
    assert.equal(json.result.serverInfo.name, "mcp-edge");
    assert.match(json.result.serverInfo.version, /^\d+\.\d+\.\d+/);
    assert.deepEqual(Object.keys(json.result.capabilities), ["tools"]);
    assert.equal(json.result.resultType, undefined, "that member belongs to the other era");
    assert.equal(headers["mcp-session-id"], undefined);
  });

  test("is not refused for a version header that names another revision", async () => {
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

  test("a response that nobody waits for is accepted", async () => {
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

  test("a version header that nobody knows is refused", async () => {
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

  test("arguments that the tool does not take are told to the model", async () => {
    const { status, json } = await ask(legacyCall("whoami", { sub: "k3v9tq27xwpd" }));
    assert.equal(status, 200);
    assert.equal(json.result.isError, true);
    assert.ok(!JSON.stringify(json).includes("alice@example.com"));
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

describe("without a handshake (2026-07-28)", () => {
  test("server/discover lists the revision, the capabilities and who is answering", async () => {
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

  test("methods that are unknown, removed or not offered are 404 with the id of the request", async () => {
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
  test("another version, where the body names one that nobody knows", () =>
    refused({ "mcp-protocol-version": MODERN }, modernRequest("tools/list", {}, { version: "1900-01-01" })));
  test("no method", () => refused({ "mcp-method": undefined }));
  test("another method", () => refused({ "mcp-method": "tools/list" }));
  test("the method in another case", () => refused({ "mcp-method": "Tools/Call" }));
  test("no name", () => refused({ "mcp-name": undefined }));
  test("another name", () => refused({ "mcp-name": "another" }));
  test("a name that is encoded wrongly", () => refused({ "mcp-name": "=?base64?d2hvYW1p!?=" }));
  test("a name twice", () => refused({ "mcp-name": ["whoami", "whoami"] }));
});

describe("versions that are not spoken (-32022)", () => {
  for (const version of ["1900-01-01", "2099-01-01", NEWEST_LEGACY]) {
    test(`${version} in the envelope is answered with what is`, async () => {
      const request = modernRequest("tools/list", {}, { version });
      const { status, json } = await askModern(request);
      assert.equal(status, 400);
      assert.equal(json.error.code, -32022);
      assert.deepEqual(json.error.data, { supported: [MODERN], requested: version });
      assert.equal(json.id, request.message.id);
    });
  }
});

describe("envelopes that are not complete (-32602)", () => {
  const refused = async (params) => {
    const { message, headers } = modernRequest("tools/list");
    const { status, json } = await ask({ ...message, params }, headers);
    assert.equal(status, 400);
    assert.equal(json.error.code, -32602);
  };

  test("no params", () => refused(undefined));
  test("no _meta", () => refused({}));
  test("no version", () => refused({ _meta: { [ENVELOPE.capabilities]: {} } }));
  test("a version that is no text", () => refused({ _meta: { ...envelope(), [ENVELOPE.version]: 20260728 } }));
  test("no capabilities", () => refused({ _meta: { [ENVELOPE.version]: MODERN } }));
  test("capabilities that are a list", () => refused({ _meta: { ...envelope(), [ENVELOPE.capabilities]: [] } }));

  test("the client need not say who it is", async () => {
    const request = modernRequest("tools/list");
    assert.equal(request.message.params._meta["io.modelcontextprotocol/clientInfo"], undefined);
    const { status } = await askModern(request);
    assert.equal(status, 200);
  });
});

describe("bodies that are no message", () => {
  for (const body of ["", "{", "nope", '{"jsonrpc":"2.0",}', "\u0000"]) {
    test(`${JSON.stringify(body)} is a parse error`, async () => {
      const { status, json } = await ask(body);
      assert.equal(status, 400);
      assert.equal(json.error.code, -32700);
    });
  }

  for (const body of ["{}", "1", "null", '"ping"', '{"jsonrpc":"1.0","id":1,"method":"ping"}']) {
    test(`${body} is an invalid request`, async () => {
      const { status, json } = await ask(body);
      assert.equal(status, 400);
      assert.equal(json.error.code, -32600);
    });
  }

  test("an id of null is refused", async () => {
    const { status, json } = await ask({ jsonrpc: "2.0", id: null, method: "ping" });
    assert.equal(status, 400);
    assert.equal(json.error.code, -32600);
  });

  test("a member that occurs twice is refused: another parser would read another message", async () => {
    const { status } = await ask('{"jsonrpc":"2.0","id":1,"method":"ping","method":"tools/list"}');
    assert.equal(status, 400);
  });

  test("bytes that are no UTF-8 do no harm", async () => {
    const body = Buffer.concat([Buffer.from('{"jsonrpc":"2.0","id":1,"method":"'), Buffer.from([0xff, 0xfe]), Buffer.from('"}')]);
    const { status } = await ask(body);
    assert.ok([200, 400].includes(status), String(status));
    const next = await ask(legacyRequest("ping"));
    assert.equal(next.status, 200);
  });

  test("a hundred thousand brackets do no harm", async () => {
    const deep = "[".repeat(100_000) + "]".repeat(100_000);
    await ask(deep);
    await ask(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"whoami","arguments":{"x":${deep}}}}`);
    const next = await ask(legacyRequest("ping"));
    assert.equal(next.status, 200);
    assert.doesNotMatch(worker.raw(), /panic|unreachable|hung/i);
  });
});

describe("what is not posted as JSON", () => {
  const headers = { authorization: `Bearer ${token}` };

  for (const method of ["GET", "HEAD", "PUT", "PATCH", "DELETE"]) {
    test(`${method} is not allowed, and Allow says what is`, async () => {
      const { status, headers: answer } = await send(worker, { method, headers });
      assert.equal(status, 405);
      assert.match(answer.allow, /\bPOST\b/);
      assert.doesNotMatch(answer.allow, /\b(?:GET|DELETE)\b/);
    });
  }

  for (const type of ["text/plain", "application/json-seq", "application/x-www-form-urlencoded", undefined]) {
    test(`the media type ${type} is not supported`, async () => {
      const { status } = await ask(legacyRequest("ping"), { "content-type": type });
      assert.equal(status, 415);
    });
  }

  for (const type of ["application/json; charset=utf-8", "Application/JSON"]) {
    test(`the media type ${type} is`, async () => {
      const { status } = await ask(legacyRequest("ping"), { "content-type": type });
      assert.equal(status, 200);
    });
  }

  for (const accept of [undefined, "*/*", "application/json", "text/event-stream", "application/json, text/event-stream"]) {
    test(`Accept: ${accept} is answered`, async () => {
      const { status } = await ask(legacyRequest("ping"), { accept });
      assert.equal(status, 200);
    });
  }

  test("a body is refused as soon as it says that it is too large", async () => {
    const { status } = await sendPart(worker, {
      headers: { ...headers, "content-type": "application/json", "content-length": 5 * MEGABYTE },
    });
    assert.equal(status, 413);
  });

  test("a body that does not say so is refused as soon as it is too large", async () => {
    const { status } = await sendPart(worker, {
      headers: { ...headers, "content-type": "application/json", "transfer-encoding": "chunked" },
      body: "x".repeat(4 * MEGABYTE + 1),
    });
    assert.equal(status, 413);
  });

  test("four megabytes are not too large", async () => {
    const body = fourMegabytes();
    assert.equal(body.length, 4 * MEGABYTE);
    assert.equal((await ask(body)).status, 200);
  });
});

function fourMegabytes() {
  const empty = JSON.stringify(legacyRequest("ping", { filler: "" }));
  return empty.replace('""', `"${"x".repeat(4 * MEGABYTE - empty.length)}"`);
}

describe("a body in chunks, without a length", () => {
  const headers = {
    authorization: `Bearer ${token}`,
    "content-type": "application/json",
    accept: "application/json, text/event-stream",
  };
  const chunked = (body, more = {}) => send(worker, { method: "POST", headers: { ...headers, ...more }, body });
  const bytesOf = (body) => Array.from(Buffer.from(body), (byte) => Buffer.of(byte));

  /** A message whose id comes back in its answer, so that it tells how it was read. */
  const withId = (id) => JSON.stringify({ jsonrpc: "2.0", id, method: "ping" });

  /** A long message, whose id comes last. */
  const withText = (text, id) => JSON.stringify({ jsonrpc: "2.0", method: "ping", params: { text }, id });

  /** The same text, a body of its own for each of four beginnings: wherever a piece ends, a character lies across. */
  const texts = ["", "x", "xx", "xxx"].map((beginning) => beginning + "🥛".repeat(25_000));

  test("is read as the same body with a length is", async () => {
    for (const text of ["a", ...texts]) {
      const { status, json } = await chunked([Buffer.from(withText(text, "süß 🥛"))]);
      assert.deepEqual([status, json.id], [200, "süß 🥛"], `${text.length} characters`);
    }
  });

  test("may have characters across its chunks", async () => {
    for (const id of ["süß 🥛", "🥛".repeat(200)]) {
      const { status, json } = await chunked(bytesOf(withId(id)));
      assert.deepEqual([status, json.id], [200, id]);
    }
    for (const size of [1_000, 4_095, 4_096, 4_097, 65_537]) {
      const body = Buffer.from(withText(texts[1], "süß 🥛"));
      const chunks = Array.from({ length: Math.ceil(body.length / size) }, (_, n) => body.subarray(n * size, (n + 1) * size));
      const { status, json } = await chunked(chunks);
      assert.deepEqual([status, json.id], [200, "süß 🥛"], `chunks of ${size}`);
    }
  });

  test("has U+FFFD for what is no UTF-8, as with a length", async () => {
    const body = Buffer.concat([Buffer.from('{"jsonrpc":"2.0","id":"a'), Buffer.of(0xff, 0xf0, 0x9f), Buffer.from('","method":"ping"}')]);
    const announced = await send(worker, { method: "POST", headers: { ...headers, "content-length": body.length }, body });
    assert.equal(announced.json.id, "a\ufffd\ufffd");
    for (const chunks of [[body], Array.from(body, (byte) => Buffer.of(byte))]) {
      const { status, json } = await chunked(chunks);
      assert.deepEqual([status, json.id], [200, "a\ufffd\ufffd"]);
    }
  });

  test("may be empty", async () => {
    const { status } = await chunked([]);
    assert.equal(status, (await ask("")).status);
  });

  test("may have four megabytes and no byte more", async () => {
    const body = Buffer.from(fourMegabytes());
    assert.equal((await chunked([body])).status, 200);
    // Its end is missing: the answer does not wait for it.
    const { status } = await sendPart(worker, {
      headers: { ...headers, "transfer-encoding": "chunked" },
      body: `${fourMegabytes()} `,
    });
    assert.equal(status, 413);
  });

  test("is measured even if a length is announced as well", async () => {
    const head = Object.entries({ ...headers, Host: "a", "Content-Length": "3", "Transfer-Encoding": "chunked" });
    const lines = head.map(([name, value]) => `${name}: ${value}\r\n`).join("");
    const size = 4 * MEGABYTE + 1;
    const parts = [`POST /mcp HTTP/1.1\r\n${lines}\r\n`, `${size.toString(16)}\r\n`, Buffer.alloc(size, " "), "\r\n"];
    assert.equal(await sendBytes(worker, parts), 413);
  });

  test("that breaks off does no harm", async () => {
    const lines = Object.entries({ ...headers, Host: "a", "Transfer-Encoding": "chunked" }).map(([name, value]) => `${name}: ${value}\r\n`);
    const head = `POST /mcp HTTP/1.1\r\n${lines.join("")}\r\n`;
    for (const chunks of ["", "1\r\n", "1\r\n{\r\n", "1\r\n{\r\nZZ\r\n", "2\r\n{", "1000\r\n".padEnd(4_000)]) {
      const status = await sendBytes(worker, [head, chunks], { andNoMore: true });
      assert.ok(status === undefined || status === 400, `${status} for ${JSON.stringify(chunks.slice(0, 20))}`);
    }
    assert.equal((await ask(legacyRequest("ping"))).status, 200);
  });
});
