// Request bodies: what is no message, what is too large, and bodies in chunks.

import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { gzipSync } from "node:zlib";
import { startDeployment } from "./support/deployment.mjs";
import { legacyRequest } from "./support/messages.mjs";
import { sendBytes } from "./support/raw.mjs";
import "./support/report-failures.mjs";
import { forgeToken } from "./support/tokens.mjs";
import { post, send, sendPart } from "./support/worker.mjs";

const deployment = await startDeployment();
const { worker } = deployment;
after(() => deployment.stop());

const token = await forgeToken(deployment);
const ask = (message, headers) => post(worker, { token, message, headers });

const MEGABYTE = 1024 * 1024;

describe("bodies that are not messages", () => {
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

  test("a duplicate member is refused: parsers disagree about its value", async () => {
    const { status } = await ask('{"jsonrpc":"2.0","id":1,"method":"ping","method":"tools/list"}');
    assert.equal(status, 400);
  });

  test("invalid UTF-8 is a parse error", async () => {
    const ping = JSON.stringify(legacyRequest("ping"));
    for (const bytes of [
      Buffer.concat([Buffer.from('{"jsonrpc":"2.0","id":"'), Buffer.of(0xff, 0xfe), Buffer.from('","method":"ping"}')]),
      Buffer.from('{"jsonrpc":"2.0","id":"ü","method":"ping"}', "latin1"),
      Buffer.from(`\ufeff${ping}`, "utf16le"),
      Buffer.concat([Buffer.from(ping.slice(0, -1)), Buffer.from(`,"x":"${"x".repeat(100_000)}`), Buffer.of(0xc3), Buffer.from('"}')]),
    ]) {
      const { status, json } = await ask(bytes);
      assert.equal(status, 400);
      assert.deepEqual(json, { jsonrpc: "2.0", id: null, error: { code: -32700, message: "the body is not UTF-8" } });
    }
    assert.equal((await ask(legacyRequest("ping"))).status, 200);
  });

  test("U+FFFD that a client has written is a character like others", async () => {
    const { json } = await ask({ jsonrpc: "2.0", id: "a\ufffd", method: "ping" });
    assert.equal(json.id, "a\ufffd");
  });

  test("a byte order mark at the start is skipped", async () => {
    for (const text of ["", "x".repeat(100_000)]) {
      const { status, json } = await ask(`\ufeff${JSON.stringify({ jsonrpc: "2.0", id: "a\ufeff", method: "ping", params: { text } })}`);
      assert.deepEqual([status, json.id], [200, "a\ufeff"]);
    }
    const twice = await ask(`\ufeff\ufeff${JSON.stringify(legacyRequest("ping"))}`);
    assert.equal(twice.json.error.code, -32700);
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

describe("methods, media types and sizes", () => {
  const headers = { authorization: `Bearer ${token}` };

  for (const method of ["GET", "HEAD", "PUT", "PATCH", "DELETE"]) {
    test(`${method} gets 405 with Allow`, async () => {
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

  for (const type of [
    "application/json; charset=utf-8",
    "application/json;charset=UTF-8",
    'application/json ; Charset="utf-8"',
    "Application/JSON",
    "application/json;",
  ]) {
    test(`the media type ${type} is supported`, async () => {
      const { status } = await ask(legacyRequest("ping"), { "content-type": type });
      assert.equal(status, 200);
    });
  }

  for (const accept of [undefined, "", "*/*", "text/html, */*;q=0.1", "application/*", "application/json", "text/event-stream", "application/json, text/event-stream"]) {
    test(`Accept: ${accept} is answered`, async () => {
      const { status } = await ask(legacyRequest("ping"), { accept });
      assert.equal(status, 200);
    });
  }

  for (const encoding of ["gzip", "br", "deflate", "zstd", "GZIP", "identity, gzip"]) {
    test(`Content-Encoding: ${encoding} is refused with the one that is accepted`, async () => {
      const message = gzipSync(JSON.stringify(legacyRequest("ping")));
      const { status, json, headers: answer } = await ask(message, { "content-encoding": encoding });
      assert.equal(status, 415);
      assert.equal(answer["accept-encoding"], "identity");
      assert.deepEqual([json.id, json.error.code], [null, -32600]);
      assert.match(json.error.message, /compressed/);
    });
  }

  test("a compressed body is challenged first, like any other", async () => {
    const message = gzipSync(JSON.stringify(legacyRequest("ping")));
    const { status, headers: answer } = await post(worker, { message, headers: { "content-encoding": "gzip" } });
    assert.equal(status, 401);
    assert.equal(answer["accept-encoding"], undefined);
  });

  for (const encoding of ["identity", "Identity", ""]) {
    test(`Content-Encoding: ${JSON.stringify(encoding)} is accepted`, async () => {
      assert.equal((await ask(legacyRequest("ping"), { "content-encoding": encoding })).status, 200);
    });
  }

  test("a body with a length that is too large is refused at once", async () => {
    const { status } = await sendPart(worker, {
      headers: { ...headers, "content-type": "application/json", "content-length": 5 * MEGABYTE },
    });
    assert.equal(status, 413);
  });

  test("a body without a length is refused as soon as it is too large", async () => {
    const { status } = await sendPart(worker, {
      headers: { ...headers, "content-type": "application/json", "transfer-encoding": "chunked" },
      body: "x".repeat(4 * MEGABYTE + 1),
    });
    assert.equal(status, 413);
  });

  test("four megabytes are accepted", async () => {
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

  /** A message whose id is repeated in the response, which shows how it was decoded. */
  const withId = (id) => JSON.stringify({ jsonrpc: "2.0", id, method: "ping" });

  /** A long message with its id at the end. */
  const withText = (text, id) => JSON.stringify({ jsonrpc: "2.0", method: "ping", params: { text }, id });

  /** A text with four different offsets, so that each boundary of a chunk splits a character in one of them. */
  const strings = ["", "x", "xx", "xxx"].map((beginning) => beginning + "🥛".repeat(25_000));

  test("is read like a body with a length", async () => {
    for (const text of ["a", ...strings]) {
      const { status, json } = await chunked([Buffer.from(withText(text, "süß 🥛"))]);
      assert.deepEqual([status, json.id], [200, "süß 🥛"], `${text.length} characters`);
    }
  });

  test("may split characters between chunks", async () => {
    for (const id of ["süß 🥛", "🥛".repeat(200)]) {
      const { status, json } = await chunked(bytesOf(withId(id)));
      assert.deepEqual([status, json.id], [200, id]);
    }
    for (const size of [1_000, 4_095, 4_096, 4_097, 65_537]) {
      const body = Buffer.from(withText(strings[1], "süß 🥛"));
      const chunks = Array.from({ length: Math.ceil(body.length / size) }, (_, n) => body.subarray(n * size, (n + 1) * size));
      const { status, json } = await chunked(chunks);
      assert.deepEqual([status, json.id], [200, "süß 🥛"], `chunks of ${size}`);
    }
  });

  test("is refused if it is not UTF-8, and may have a byte order mark, like a body with a length", async () => {
    const body = Buffer.concat([Buffer.from('{"jsonrpc":"2.0","id":"a'), Buffer.of(0xff, 0xf0, 0x9f), Buffer.from('","method":"ping"}')]);
    for (const chunks of [[body], bytesOf(body)]) {
      const { status, json } = await chunked(chunks);
      assert.deepEqual([status, json.error.code], [400, -32700]);
    }
    const { status, json } = await chunked(bytesOf(`\ufeff${withId("a")}`));
    assert.deepEqual([status, json.id], [200, "a"]);
  });

  test("may be empty", async () => {
    const { status } = await chunked([]);
    assert.equal(status, (await ask("")).status);
  });

  test("may have four megabytes, and no more", async () => {
    const body = Buffer.from(fourMegabytes());
    assert.equal((await chunked([body])).status, 200);
    // The response does not wait for the end of the body.
    const { status } = await sendPart(worker, {
      headers: { ...headers, "transfer-encoding": "chunked" },
      body: `${fourMegabytes()} `,
    });
    assert.equal(status, 413);
  });

  test("is limited also if the request has a Content-Length", async () => {
    const head = Object.entries({ ...headers, Host: "a", "Content-Length": "3", "Transfer-Encoding": "chunked" });
    const lines = head.map(([name, value]) => `${name}: ${value}\r\n`).join("");
    const size = 4 * MEGABYTE + 1;
    const parts = [`POST /mcp HTTP/1.1\r\n${lines}\r\n`, `${size.toString(16)}\r\n`, Buffer.alloc(size, " "), "\r\n"];
    assert.equal(await sendBytes(worker, parts), 413);
  });

  test("that is truncated does no harm", async () => {
    const lines = Object.entries({ ...headers, Host: "a", "Transfer-Encoding": "chunked" }).map(([name, value]) => `${name}: ${value}\r\n`);
    const head = `POST /mcp HTTP/1.1\r\n${lines.join("")}\r\n`;
    for (const chunks of ["", "1\r\n", "1\r\n{\r\n", "1\r\n{\r\nZZ\r\n", "2\r\n{", "1000\r\n".padEnd(4_000)]) {
      const status = await sendBytes(worker, [head, chunks], { andNoMore: true });
      assert.ok(status === undefined || status === 400, `${status} for ${JSON.stringify(chunks.slice(0, 20))}`);
    }
    assert.equal((await ask(legacyRequest("ping"))).status, 200);
  });
});
