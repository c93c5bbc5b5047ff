// Whole requests that another Worker answers: what is passed on, and what comes back.

import assert from "node:assert/strict";
import { request as httpRequest } from "node:http";
import { after, describe, test } from "node:test";
import { send } from "../support/worker.mjs";
import { start } from "./start.mjs";
import { startUpstream } from "./upstream.mjs";

const upstream = await startUpstream();
const worker = await start({ externals: { PROXIED: Number(new URL(upstream.origin).port) } });
after(async () => {
  await worker.stop();
  await upstream.stop();
});

const proxied = (path, options = {}) => send(worker, { path: `/proxy/${path}`, ...options });

/** What the other Worker has seen of the last request. */
const seen = () => upstream.seen.at(-1);

describe("what is passed on", () => {
  test("is method, path, query, body and the headers that were chosen, and no others", async () => {
    const headers = { "x-chosen": "chosen", cookie: "a=b; c=d", "content-type": "text/x-test", "x-other": "other",
      authorization: "Bearer a", "x-forwarded-for": "192.0.2.1" };
    const { json } = await proxied("mirror/a%2Fb?code=a%20b&state=c", { method: "POST", headers, body: "a form" });
    assert.deepEqual([json.method, json.url, json.body], ["POST", "/mirror/a%2Fb?code=a%20b&state=c", "a form"]);
    const { host, "content-length": length, ...rest } = json.headers;
    assert.deepEqual([host, length], ["proxied.example", "6"]);
    assert.deepEqual(rest, { "x-chosen": "chosen", cookie: "a=b; c=d", "content-type": "text/x-test" });
  });

  for (const method of ["POST", "PUT", "DELETE"]) {
    test(`is a ${method} with an empty body, and with none`, async () => {
      for (const options of [{ headers: { "content-length": "0" } }, { body: "" }, {}]) {
        const { status, json } = await proxied("mirror", { method, ...options });
        assert.deepEqual([status, json.method, json.body], [200, method, ""], JSON.stringify(options));
      }
    });
  }

  for (const method of ["GET", "HEAD"]) {
    test(`is a ${method} without its body`, async () => {
      for (const options of [{}, { headers: { "content-length": "0" } }, { body: "a body", headers: { "content-length": "6" } }]) {
        const { status } = await proxied("mirror", { method, ...options });
        assert.deepEqual([status, seen().method], [200, method], JSON.stringify(options));
      }
      const { headers } = seen();
      assert.deepEqual([headers["content-length"], headers["transfer-encoding"]], [undefined, undefined]);
    });
  }
});

describe("what comes back", () => {
  test("is status, body and all headers, several cookies as well", async () => {
    const { status, headers, text } = await proxied("headers");
    assert.deepEqual([status, text], [200, "body"]);
    assert.deepEqual([headers["set-cookie"]].flat(), ["__Host-session=1", "b=2"]);
    assert.equal(headers["www-authenticate"], "Bearer");
  });

  test("is a redirect like any other response", async () => {
    const { status, headers, text } = await proxied("redirect");
    assert.deepEqual([status, headers.location, text], [307, "https://elsewhere.example/", "there"]);
  });

  for (const status of [204, 404, 500]) {
    test(`is the status ${status}`, async () => assert.equal((await proxied(`status/${status}`)).status, status));
  }
});

describe("a request to which nothing comes back", () => {
  const errorOf = async (path, options) => (await proxied(path, options)).json.error;

  test("says why", async () => {
    assert.equal(await errorOf("unbound/mirror"), 'Unbound("UNBOUND")');
    assert.equal(await errorOf("silent"), "Timeout(1s)");
    const before = upstream.seen.length;
    assert.equal(await errorOf("mirror", { method: "POST", body: "a".repeat(1025) }), "TooLarge(1024)");
    assert.equal(upstream.seen.length, before, "nothing was passed on");
    assert.equal((await proxied("mirror", { method: "POST", body: "a".repeat(1024) })).status, 200);
  });

  test("is aborted when its client leaves, which is no failure of the other Worker", async () => {
    const before = upstream.seen.length;
    const request = httpRequest({ port: worker.port, host: "127.0.0.1", path: "/proxy/silent", agent: false });
    request.on("error", () => {});
    request.end();
    await worker.waitFor(() => upstream.seen.length > before, "nothing was passed on");
    worker.clearLogs();
    request.socket.resetAndDestroy();
    await worker.waitFor(() => seen().aborted === true, "the connection to the other Worker is still open");
    const { error } = await worker.logged((line) => line.error !== undefined);
    assert.equal(error, "Disconnected");
  });
});
