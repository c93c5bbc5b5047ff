// Many requests at once, valid and invalid ones shuffled, and malformed bytes: every response is correct, the provider gets
// few requests, memory is bounded, and the isolate does not restart.

import assert from "node:assert/strict";
import { connect } from "node:net";
import { after, describe, test } from "node:test";
import { startHostileProvider } from "./support/hostile-provider.mjs";
import { legacyCall, legacyRequest, modernCall } from "./support/messages.mjs";
import { postBytes, sendBytes } from "./support/raw.mjs";
import { ask, assertAccepted } from "./support/refusals.mjs";
import "./support/report-failures.mjs";
import { ALGORITHMS, CANARY, createSigner, encode, hmac, seconds, tokensFor } from "./support/signers.mjs";
import { post, startWorker } from "./support/worker.mjs";

const MEBIBYTE = 1024 * 1024;

const signers = await Promise.all(ALGORITHMS.map((algorithm) => createSigner(algorithm)));
const attacker = await createSigner("ES256", { kid: "key-ES256" });
const provider = await startHostileProvider({ keys: signers.map(({ jwk }) => jwk) });
const worker = await startWorker({ settings: { ISSUER: provider.issuer, REQUIRED_SCOPES: "whoami:read" } });
after(async () => {
  await worker.stop();
  await provider.stop();
});
const token = tokensFor({ issuer: provider.issuer, resource: worker.mcpUrl, signer: signers[6] });

describe("ten thousand requests, fifty at a time", () => {
  // Few users with many requests each, like agents, and some tokens that are used once.
  const users = Array.from({ length: 200 }, (_, number) => `user-${number}`);
  const valid = users.map((sub, number) => ({ sub, token: token({ signer: signers[number % signers.length], claims: { sub } }) }));
  const hostile = [
    [401, token({ signer: attacker })],
    [401, token({ claims: { exp: seconds() - 3600, iat: seconds() - 7200 } })],
    [401, token({ claims: { aud: "https://other.example" } })],
    [401, token({ claims: { iss: "https://other.example" } })],
    [401, token({ header: { typ: "JWT" } })],
    [401, token({ header: { crit: ["exp"] } })],
    [401, token({ header: { kid: "unknown" } })],
    [401, token({ header: { alg: "HS256" }, signature: (_, input) => hmac("secret", input) })],
    [401, `${encode({ alg: "none", typ: "at+jwt" })}.${encode({ sub: "admin" })}.`],
    [401, token({ signature: (bytes) => Buffer.alloc(bytes.length) })],
    [401, token({ claims: '{"sub":"a","sub":"b"}' })],
    [401, "opaque"],
    [401, "x".repeat(20_000)],
    [401, undefined],
    [400, "not a token"],
    [400, `${valid[0].token},${valid[1].token}`],
    [403, token({ claims: { scope: "other" } })],
  ];
  const unknownKeys = (number) => token({ signer: attacker, header: { kid: `invented-${number}` } });

  /** Returns the request with this number and its expected response. */
  function numbered(number) {
    const random = (number * 2_654_435_761) % 4_294_967_296;
    const user = valid[random % valid.length];
    switch (random % 11) {
      case 0:
      case 1: {
        const [status, credential] = hostile[number % hostile.length];
        return { request: { token: credential, message: legacyCall("whoami") }, status };
      }
      case 2:
        return { request: { token: unknownKeys(number), message: legacyCall("whoami") }, status: 401 };
      case 3: {
        const sub = `once-${number}`;
        const once = token({ signer: signers[number % 2 ? 6 : 9], claims: { sub } });
        return { request: { token: once, message: legacyCall("whoami") }, status: 200, sub };
      }
      case 4: {
        const { message, headers } = modernCall("whoami");
        return { request: { token: user.token, message, headers }, status: 200, sub: user.sub };
      }
      case 5:
        return { request: { token: user.token, message: legacyRequest("tools/list") }, status: 200 };
      case 6:
        return { request: { token: user.token, message: "{" }, status: 400 };
      default:
        return { request: { token: user.token, message: legacyCall("whoami") }, status: 200, sub: user.sub };
    }
  }

  async function run(from, to) {
    const wrong = [];
    let next = from;
    const client = async () => {
      while (next < to) {
        const { request, status, sub } = numbered(next);
        next += 1;
        const answer = await post(worker, request);
        const who = answer.json?.result?.structuredContent?.sub;
        if (answer.status !== status || who !== sub) wrong.push([next - 1, status, answer.status, sub, who]);
      }
    };
    await Promise.all(Array.from({ length: 50 }, client));
    assert.deepEqual(wrong, [], "[number, status wanted, status, user wanted, user]");
  }

  const memory = {};

  test("the first two thousand: every response is correct", async () => {
    await run(0, 2_000);
    memory.early = await worker.memory();
  });

  test("the other eight thousand: every response is correct", async (context) => {
    const started = Date.now();
    await run(2_000, 10_000);
    memory.late = await worker.memory();
    context.diagnostic(`8,000 requests in ${((Date.now() - started) / 1000).toFixed(1)} seconds, tokens made on the way`);
  });

  test("memory is bounded", (context) => {
    const mebibytes = (bytes) => `${(bytes / MEBIBYTE).toFixed(0)} MiB`;
    const { early, late } = memory;
    context.diagnostic(`after 2,000: ${mebibytes(early.resident)}, after 10,000: ${mebibytes(late.resident)}, at most ${mebibytes(late.peak)}`);
    assert.ok(late.resident - early.resident < 256 * MEBIBYTE, "it grows");
    assert.ok(late.peak < 512 * MEBIBYTE);
  });

  test("the provider got one request for the discovery document and a few for keys", (context) => {
    context.diagnostic(`${provider.count("jwks")} fetches of the keys, ${worker.kv.reads.length} reads and ${worker.kv.writes.length} writes of the store`);
    assert.equal(provider.count("discovery"), 1);
    // One at the beginning, and one per half minute with bad signatures and unknown keys.
    assert.ok(provider.count("jwks") <= 6, `${provider.count("jwks")} fetches`);
    assert.equal(worker.kv.writes.length, 1);
    assert.ok(worker.kv.reads.length <= 20, `${worker.kv.reads.length} reads`);
  });

  test("each has a line in the log, without claims and panics", async () => {
    await worker.waitFor(() => worker.logs().length >= 10_000, "lines are missing");
    assert.equal(worker.logs().length, 10_000);
    assert.ok(worker.logs().every(({ status }) => status < 500));
    assertCalm();
  });
});

describe("malformed bytes", () => {
  const honest = token({ claims: { sub: "honest" } });
  const bearer = `Authorization: Bearer ${honest}`;
  const json = "Content-Type: application/json";
  const accept = "Accept: application/json, text/event-stream";
  let before;

  test("(a valid token is cached, and earlier requests are counted)", async () => {
    await assertAccepted(worker, { token: honest });
    await assertRemembered();
    before = asked();
  });

  // Every header that the Worker reads, and some others.
  const headers = [
    "Authorization", "Origin", "Access-Control-Request-Headers", "If-None-Match", "CF-Connecting-IP", "CF-Ray", "Traceparent",
    "Content-Type", "Accept", "MCP-Protocol-Version", "Mcp-Method", "Mcp-Name", "Mcp-Param-X", "Mcp-Session-Id", "Last-Event-ID",
    "Content-Encoding", "Cookie", "X-Anything",
  ];
  const values = {
    "bytes that are no UTF-8": "\xff\xfe\x80\xc3(",
    "half a UTF-8 character": "\xe2\x82",
    "a surrogate in UTF-8": "\xed\xa0\x80",
    "an over-long slash in UTF-8": "\xc0\xaf",
    "Latin-1": "\xe9\xe8\xfc",
    "UTF-8": Buffer.from("Bearer ünïcödé 🔑").toString("latin1"),
    "control characters": "\x01\x02\x1b[2J\x7f",
    "NUL": "a\x00b",
    "a carriage return": "a\rb",
    "nothing": "",
    "white space": " \t \t ",
    "commas": ",,,,,,,,",
    "quotes and backslashes": '"\\"\\"\\',
    "base64 of MCP": "=?base64?SGVsbG8=?=",
    "broken base64 of MCP": "=?base64?\xff???=",
    "percent signs": "%00%ff%zz%",
    "a long value": "A".repeat(12_000),
    "a long value of letters beyond ASCII": "\xc3\xa9".repeat(6_000),
    "JSON that is deep": "[".repeat(10_000),
  };
  for (const [what, value] of Object.entries(values)) {
    test(`${what}, in every header, with and without a token`, async () => {
      const body = JSON.stringify(legacyCall("whoami"));
      for (const name of headers) {
        const line = `${name}: ${value}`;
        const others = [json, accept].filter((other) => !other.startsWith(`${name}:`));
        for (const lines of [[...others, line], [...others, bearer, line], [...others, line, line, bearer]]) {
          const status = await postBytes(worker, lines, body);
          assert.ok(status === undefined || (status >= 200 && status < 500), `${name}: ${status}`);
        }
      }
      await assertRemembered();
    });
  }

  test("a token of every single byte", async () => {
    for (let byte = 0; byte < 256; byte += 1) {
      const character = String.fromCharCode(byte);
      for (const value of [`Bearer ${character}`, `Bearer a${character}b`, `Bearer eyJ${character}.e30.e30`, `${character}Bearer a`]) {
        const status = await postBytes(worker, [json, accept, `Authorization: ${value}`], "{}");
        assert.ok(status === undefined || (status >= 400 && status < 500), `${byte}: ${status}`);
      }
    }
    await assertRemembered();
  });

  test("a valid token with any one byte changed", async () => {
    const changes = ["\x00", "\xff", ".", "=", "A", " "];
    for (let at = 0; at < honest.length; at += 1) {
      const change = changes[at % changes.length];
      const spoiled = honest.slice(0, at) + change + honest.slice(at + 1);
      if (spoiled === honest) continue;
      const status = await postBytes(worker, [json, accept, `Authorization: Bearer ${spoiled}`], "{}");
      assert.ok(status === undefined || (status >= 400 && status < 500), `${at}: ${status}`);
    }
    await assertRemembered();
  });

  const call = (name) => JSON.stringify(legacyCall("whoami")).replace('"whoami"', () => name);
  const deep = (open, close, depth = 10_000) => open.repeat(depth) + close.repeat(depth);
  const bodies = {
    "nothing": "",
    "NUL bytes": Buffer.alloc(1_000),
    "bytes that are no UTF-8": Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x31, 0x7d]),
    "every byte": Buffer.from(Array.from({ length: 256 }, (_, byte) => byte)),
    "a byte-order mark": `\ufeff${call('"whoami"')}`,
    "UTF-16": Buffer.from(call('"whoami"'), "utf16le"),
    "half a surrogate pair": call('"\\ud800"'),
    "a surrogate pair the wrong way round": call('"\\udc00\\ud800"'),
    "half a surrogate pair in a member's name": '{"jsonrpc":"2.0","id":1,"method":"ping","\\ud800":1}',
    "NUL in a text": call('"who\\u0000ami"'),
    "a broken escape": call('"\\uZZZZ"'),
    "lists ten thousand deep": deep("[", "]"),
    "objects ten thousand deep": `${'{"a":'.repeat(10_000)}1${"}".repeat(10_000)}`,
    "arguments ten thousand deep": call(`"whoami"`).replace("{}", () => deep("[", "]")),
    "lists a hundred thousand deep that are not closed": "[".repeat(100_000),
    "a number without an end": `{"jsonrpc":"2.0","id":${"9".repeat(10_000)},"method":"ping"}`,
    "a number beyond all": '{"jsonrpc":"2.0","id":1e999999,"method":"ping"}',
    "a number with a long fraction": `{"jsonrpc":"2.0","id":0.${"1".repeat(10_000)},"method":"ping"}`,
    "ten thousand members": `{${Array.from({ length: 10_000 }, (_, n) => `"m${n}":${n}`).join(",")}}`,
    "the same member ten thousand times": `{${Array.from({ length: 10_000 }, () => '"id":1').join(",")}}`,
    "a batch of ten thousand": `[${Array.from({ length: 10_000 }, () => call('"whoami"')).join(",")}]`,
    "a text of almost 4 MiB": call(JSON.stringify("x".repeat(4 * MEBIBYTE - 200))),
    "an id of a megabyte": JSON.stringify({ jsonrpc: "2.0", id: "i".repeat(MEBIBYTE), method: "ping" }),
    "a method of a megabyte": JSON.stringify({ jsonrpc: "2.0", id: 1, method: "m".repeat(MEBIBYTE) }),
    "a name of two megabytes beyond ASCII": call(JSON.stringify("é🔑".repeat(350_000))),
    "4 MiB and a byte": Buffer.alloc(4 * MEBIBYTE + 1, " "),
    "8 MiB of braces": Buffer.alloc(8 * MEBIBYTE, "{"),
    "prototypes": '{"jsonrpc":"2.0","id":1,"method":"ping","__proto__":{"a":1},"constructor":{"prototype":1}}',
  };
  for (const [what, body] of Object.entries(bodies)) {
    test(`a body of ${what}`, async () => {
      for (const lines of [[json, accept], [json, accept, bearer], [json, accept, bearer, "MCP-Protocol-Version: 2026-07-28"]]) {
        const status = await postBytes(worker, lines, body);
        assert.ok(status === undefined || (status >= 200 && status < 500), `${status}`);
      }
      await assertRemembered();
    });
  }

  const requests = {
    "headers at the limit of the runtime": ["POST /mcp HTTP/1.1\r\nHost: a\r\n", ...Array.from({ length: 60 }, (_, n) => `X-${n}: ${"v".repeat(1_000)}\r\n`), "\r\n"],
    "a thousand Authorization headers": ["POST /mcp HTTP/1.1\r\nHost: a\r\n", "Authorization: Bearer a\r\n".repeat(1_000), "\r\n"],
    "a path of ten thousand characters": [`GET /mcp/${"a".repeat(10_000)} HTTP/1.1\r\nHost: a\r\n\r\n`],
    "a query of ten thousand parameters": [`GET /mcp?${"a=b&".repeat(10_000)} HTTP/1.1\r\nHost: a\r\n\r\n`],
    "a path of bytes": ["GET /mcp\xff\xfe%00%ff%zz HTTP/1.1\r\nHost: a\r\n\r\n"],
    "an absolute address of another host": ["GET http://evil.example/mcp HTTP/1.1\r\nHost: a\r\n\r\n"],
    "no host": ["GET /mcp HTTP/1.1\r\n\r\n"],
    "a host of bytes": ["GET /mcp HTTP/1.1\r\nHost: \xff\xfe\r\n\r\n"],
    "an invented method": ["BREW /mcp HTTP/1.1\r\nHost: a\r\n\r\n"],
    "another protocol": ["\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n"],
  };
  for (const [what, parts] of Object.entries(requests)) {
    test(`a request with ${what}`, async () => {
      const status = await sendBytes(worker, parts);
      assert.ok(status === undefined || status < 500 || status === 501, String(status));
      await assertRemembered();
    });
  }

  test("a truncated body", async () => {
    const head = `POST /mcp HTTP/1.1\r\nHost: a\r\n${json}\r\n${accept}\r\n${bearer}\r\nContent-Length: 1000\r\n\r\n{"jsonrpc"`;
    await new Promise((resolve) => {
      const socket = connect(worker.port, "127.0.0.1", () => socket.write(head, () => socket.destroy()));
      socket.on("close", resolve);
    });
    await assertRemembered();
  });

  test("malformed chunks", async () => {
    const head = `POST /mcp HTTP/1.1\r\nHost: a\r\n${json}\r\n${accept}\r\n${bearer}\r\nTransfer-Encoding: chunked\r\n\r\n`;
    for (const chunks of ["ZZ\r\n", "5\r\nab", "ffffffffffffffff\r\na\r\n", "-1\r\n\r\n"]) {
      await sendBytes(worker, [head, chunks, "\r\n0\r\n\r\n"], { andNoMore: true });
    }
    await assertRemembered();
  });

  test("nothing was fetched or read again, and nothing has crashed", () => {
    assert.deepEqual(asked(), before);
    assertCalm();
  });

  /** Asserts that the isolate has not restarted: the token is still cached. */
  async function assertRemembered() {
    const { status, line, json: answer } = await ask(worker, { token: honest });
    assert.deepEqual([status, answer.result.structuredContent.sub, line.tier], [200, "honest", "verified"]);
  }

  const asked = () => ({ discovery: provider.count("discovery"), reads: worker.kv.reads.length, writes: worker.kv.writes.length });
});

function assertCalm() {
  assert.doesNotMatch(worker.raw(), /Critical|panicked|unreachable|RuntimeError|uncaught/i);
  assert.ok(!worker.raw().includes(CANARY), "the log holds a claim");
}
