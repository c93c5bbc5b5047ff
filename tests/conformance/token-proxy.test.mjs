// The proxy in front of the conformance suite's Worker: it adds a token and changes nothing else.

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, request as httpRequest } from "node:http";
import { after, describe, test } from "node:test";
import { startTokenProxy } from "../support/token-proxy.mjs";
import { freePort } from "../support/worker.mjs";

// Replaces the Worker; each test sets its response.
let answer;
const server = createServer((request, response) => answer(request, response));
server.listen(0, "127.0.0.1");
await once(server, "listening");

const port = await freePort();
const proxy = await startTokenProxy({ port, to: server.address().port, token: "secret" });

after(async () => {
  await proxy.close();
  server.closeAllConnections();
  server.close();
});

const HEADERS = ["Host", "evil.example", "Origin", "http://evil.example", "mCp-Name", " a ", "X", "1", "X", "2"];

/** Starts a request with exactly these headers, without a body. */
function begin({ method = "POST", path = "/mcp", headers = HEADERS } = {}) {
  const all = [...headers, "Connection", "close", "Transfer-Encoding", "chunked"];
  return { sent: all, request: httpRequest({ host: "127.0.0.1", port, method, path, headers: all, agent: false }) };
}

describe("the proxy that adds a token", () => {
  test("adds a token and changes nothing else", async () => {
    const seen = new Promise((resolve) => {
      answer = (request, response) => {
        resolve(request);
        response.end();
      };
    });
    const { sent, request } = begin({ method: "DELETE", path: "//mcp?a=%2f&b" });
    request.end();
    const { method, url, rawHeaders } = await seen;
    assert.equal(method, "DELETE");
    assert.equal(url, "//mcp?a=%2f&b");
    const values = sent.map((value) => value.trim());
    assert.deepEqual(rawHeaders, [...values, "Authorization", "Bearer secret"]);
  });

  test("keeps an existing token", async () => {
    const seen = new Promise((resolve) => {
      answer = (request, response) => {
        resolve(request.rawHeaders);
        response.end();
      };
    });
    const { sent, request } = begin({ headers: ["Host", "x", "authorization", "Bearer other"] });
    request.end();
    assert.deepEqual(await seen, sent);
  });

  test("returns status and headers unchanged", async () => {
    const headers = ["Content-Type", "text/plain", "X", "1", "x", "2", "Content-Length", "2"];
    answer = (request, response) => {
      response.sendDate = false;
      response.writeHead(418, "Of Course", [...headers, "Connection", "close"]);
      response.end("ok");
    };
    const { request } = begin();
    request.end();
    const [response] = await once(request, "response");
    assert.equal(response.statusCode, 418);
    assert.equal(response.statusMessage, "Of Course");
    assert.deepEqual(response.rawHeaders, [...headers, "Connection", "close"]);
    response.resume();
  });

  test("streams bodies in both directions", async () => {
    answer = async (request, response) => {
      response.writeHead(200, { "content-type": "text/event-stream" }).flushHeaders();
      for await (const chunk of request) response.write(`echo ${chunk}`);
      response.end();
    };
    const { request } = begin();
    request.write("one");
    const [response] = await once(request, "response");
    const [first] = await once(response, "data");
    assert.equal(String(first), "echo one");
    request.write("two");
    const [second] = await once(response, "data");
    assert.equal(String(second), "echo two");
    request.end();
    await once(response, "end");
  });

  test("closes the connection to the server if the client closes its own", async () => {
    const gone = new Promise((resolve) => {
      answer = (request, response) => {
        response.once("close", () => resolve(response.writableFinished));
        response.writeHead(200).flushHeaders();
      };
    });
    const { request } = begin();
    request.end();
    const [response] = await once(request, "response");
    response.once("error", () => {});
    request.destroy();
    assert.equal(await gone, false);
  });

  test("closes the connection to the client if the server closes its own", async () => {
    answer = (request, response) => {
      response.writeHead(200);
      response.write("half");
      setImmediate(() => response.destroy());
    };
    const { request } = begin();
    request.end();
    const [response] = await once(request, "response");
    await assert.rejects(async () => {
      for await (const chunk of response) void chunk;
    });
  });
});
