// A round with a wrong response must fail, because the throughput does not show it.

import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, beforeEach, describe, test } from "node:test";
import { shoot } from "./wrk.mjs";

describe("the load generator", () => {
  let server;
  let scratch;
  let received;
  let answer;
  before(async () => {
    scratch = await mkdtemp(join(tmpdir(), "mcp-edge-wrk-test-"));
    server = createServer((request, response) => {
      received.push(request.headers.authorization);
      answer(response, received.length);
    });
    await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  });
  beforeEach(() => {
    received = [];
    answer = (response) => response.end("ok");
  });
  after(async () => {
    server.closeAllConnections();
    server.close();
    await rm(scratch, { recursive: true, force: true });
  });

  const shot = (changes) => {
    const { port } = server.address();
    const request = { before: "GET / HTTP/1.1\r\nhost: a\r\nauthorization: Bearer ", after: "\r\n\r\n" };
    const origin = `http://127.0.0.1:${port}`;
    return shoot({ origin, request, status: 200, seconds: 0.3, connections: 2, scratch, ...changes });
  };
  const tokens = async (count, isOnce) => {
    const file = join(scratch, "tokens");
    await writeFile(file, Array.from({ length: count }, (_, number) => `token-${number + 1}`).join("\n"));
    return { file, first: 2, last: count, isOnce };
  };

  test("sends the selected tokens in turn", async () => {
    const { requests } = await shot({ tokens: await tokens(4, false) });
    assert.ok(requests > 4);
    assert.deepEqual(received.slice(0, 6).sort(), [2, 2, 3, 3, 4, 4].map((number) => `Bearer token-${number}`));
  });

  test("sends each token once and ends after the last one", async () => {
    // Far longer than the test may take.
    const { requests } = await shot({ tokens: await tokens(500, true), seconds: 10_000 });
    const sent = received.filter((value) => value !== "Bearer none");
    assert.equal(sent.length, 499);
    assert.equal(new Set(sent).size, 499);
    assert.ok(requests <= 499 && requests > 490, `${requests} counted`);
  });

  test("fails if a single response has another status", async () => {
    answer = (response, number) => response.writeHead(number === 20 ? 500 : 200).end();
    await assert.rejects(shot({ tokens: await tokens(4, false) }), /should have had status 200: .* 1 of them/);
  });

  test("fails if a request is accepted where a refusal is expected", async () => {
    answer = (response, number) => response.writeHead(number === 20 ? 200 : 401).end();
    await assert.rejects(shot({ tokens: await tokens(4, false), status: 401 }), /should have had status 401/);
  });

  test("fails if a connection breaks", async () => {
    answer = (response, number) => (number === 20 ? response.destroy() : response.end());
    await assert.rejects(shot({ tokens: await tokens(4, false) }), /[1-9]\d* broken connections/);
  });
});
