// The program mcp-edge-doctor and the doctor for Node.js in the same worlds: what both send and what both report is equal.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { gzipSync } from "node:zlib";
import { makeAuthority, skipsCertificates } from "./support/certificates.mjs";
import { runDoctor, serve } from "./support/doctor.mjs";
import { startRawServer } from "./support/raw-server.mjs";
import "./support/report-failures.mjs";
import { freePort } from "./support/worker.mjs";

const KINDS = ["native", "node"];
const JSON_TYPE = "Content-Type: application/json\r\n";

/** The report of both programs, which are equal: `parsed`, the output, and the exit status. */
async function reportOfBoth(url, parameters = [], environment = {}) {
  const runs = [];
  for (const kind of KINDS) runs.push(await runDoctor([url, "--json", ...parameters], environment, kind));
  const [native, node] = runs;
  assert.deepEqual(JSON.parse(node.stdout), JSON.parse(native.stdout));
  assert.deepEqual([node.code, node.stdout, node.stderr], [native.code, native.stdout, native.stderr]);
  const report = JSON.parse(native.stdout);
  return { code: native.code, text: native.stdout, finding: (slug) => report.findings.find((it) => it.slug === slug) };
}

/** A server that answers each request so, until the test is over. */
async function world(test, respond, tls) {
  const server = await startRawServer(respond, tls);
  test.after(server.close);
  return { ...server, url: `${tls === undefined ? "http" : "https"}://${tls === undefined ? "127.0.0.1" : "localhost"}:${server.port}/mcp` };
}

/** Sends these bytes and closes the connection. */
const sending = (bytes) => (socket) => socket.end(typeof bytes === "string" ? Buffer.from(bytes) : bytes);

// It says that it closes: otherwise a request may be sent on a connection that is about to be closed.
const response = (status, headers, body = "") => `HTTP/1.1 ${status}\r\n${headers}Connection: close\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;

/** An open server of 2025-11-25, written out. */
function openServer(socket, { method, path }, body) {
  if (path !== "/mcp" || method !== "POST") return sending(response(path === "/mcp" ? "405 X" : "404 X", ""))(socket);
  const { id, method: called } = JSON.parse(body);
  if (id === undefined) return sending(response("202 X", ""))(socket);
  const tool = { name: "add", description: "Adds.", inputSchema: { type: "object", properties: {} }, annotations: { title: "Add", readOnlyHint: true, destructiveHint: false, openWorldHint: false } };
  const results = { initialize: { protocolVersion: "2025-11-25", capabilities: { tools: {} } }, "tools/list": { tools: [tool] } };
  const result = results[called];
  const message = JSON.stringify({ jsonrpc: "2.0", id, ...(result === undefined ? { error: { code: -32601, message: "Method not found" } } : { result }) });
  return sending(response("200 OK", `${JSON_TYPE}Mcp-Session-Id: s-1\r\n`, message))(socket);
}

describe("both programs report the same", () => {
  test("of a server without sign-in, whom they send the same", async (test) => {
    const server = await world(test, openServer);
    const sent = [];
    for (const kind of KINDS) {
      const { code } = await runDoctor([`${server.url}?a=/../b%20c`, "--json", "--origin", "https://app.example.com"], {}, kind);
      assert.equal(code, 1, "a query and no CORS");
      // Four requests are on their way at the same time.
      sent.push(server.requests.splice(0).map(({ head, body }) => JSON.stringify({ ...head, headers: head.headers.toSorted(), body })).toSorted());
    }
    assert.ok(sent[0].length > 20);
    assert.deepEqual(sent[1], sent[0]);
    const report = await reportOfBoth(server.url);
    assert.match(report.finding("legacy").observed, /1 tool/);
  });

  for (const [what, respond, slug, observed] of [
    ["blocks agents as bots", (socket, { headers }) => sending(response(/openai-mcp/.test(headers.join()) ? "403 X" : "401 X", "Content-Type: text/html\r\n", "<html>"))(socket), "bot_protection", /403/],
    ["redirects", sending(response("302 X", "Location: /login\r\n")), "redirect", /302 to "\/login"/],
    ["repeats headers, in UTF-8", sending(response("401 X", "WWW-Authenticate: Basic realm=\"é\"\r\nwww-authenticate: Bearer realm=\"ü\", error=\"x\"\r\n")), "challenge", /Basic/],
    ["sends hints before its response", sending(`HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n${response("401 X", "")}`), "challenge", /no WWW-Authenticate/],
    ["sends long headers", sending(response("401 X", `X-Long: ${"x".repeat(40_000)}\r\n`)), "challenge", /no WWW-Authenticate/],
    ["sends headers without end", sending(response("401 X", `X-Long: ${"x".repeat(90_000)}\r\n`)), "reachable", /cannot be read/],
    ["compresses without being asked", sending(Buffer.concat([Buffer.from(`HTTP/1.1 401 X\r\n${JSON_TYPE}Content-Encoding: gzip\r\n\r\n`), gzipSync("{}")])), "encoding", /gzip/],
    ["sends what is not UTF-8", sending(Buffer.concat([Buffer.from(`HTTP/1.1 200 X\r\n${JSON_TYPE}\r\n`), Buffer.from([0xff, 0xe2, 0x82, 0x28, 0x7b])])), "endpoint", /200/],
    ["sends bodies without end", (socket) => void (socket.write(`HTTP/1.1 200 OK\r\n${JSON_TYPE}\r\n`), endless(socket)), "endpoint", /200/],
    ["breaks off in the middle of a body", sending(`HTTP/1.1 200 OK\r\n${JSON_TYPE}Content-Length: 100\r\n\r\n{}`), "endpoint", /200/],
    ["sends chunks that are none", sending(`HTTP/1.1 200 OK\r\n${JSON_TYPE}Transfer-Encoding: chunked\r\n\r\nzz\r\n`), "endpoint", /200/],
    ["closes the connection", (socket) => socket.end(), "reachable", /the server closed it/],
    ["resets the connection", (socket) => socket.resetAndDestroy(), "reachable", /the server closed it/],
    ["does not speak HTTP", sending("SSH-2.0-OpenSSH_9.2\r\n"), "reachable", /cannot be read/],
  ]) {
    test(`of a server that ${what}`, async (test) => {
      const report = await reportOfBoth((await world(test, respond)).url);
      assert.match(report.finding(slug).observed, observed);
    });
  }

  for (const [what, respond, slug, observed] of [
    ["never responds", () => {}, "reachable", /no response in time/],
    ["stops in the middle of a body", (socket) => socket.write(`HTTP/1.1 200 OK\r\n${JSON_TYPE}Content-Length: 100\r\n\r\n{}`), "endpoint", /200/],
    ["keeps a stream open", (socket) => socket.write("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: {\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"protocolVersion\":\"2025-11-25\"}}\n\n"), "endpoint", /./],
  ]) {
    test(`of a server that ${what}`, async (test) => {
      const report = await reportOfBoth((await world(test, respond)).url, ["--timeout", "1"]);
      assert.match(report.finding(slug).observed, observed);
    });
  }

  test("of a port that is closed, a name that does not exist, and a URL that cannot be sent", async () => {
    const of = async (url) => (await reportOfBoth(url)).finding("reachable").observed;
    assert.equal(await of(`http://127.0.0.1:${await freePort()}/mcp`), "no connection (connection refused)");
    assert.equal(await of(`http://localhost:${await freePort()}/mcp`), "no connection (connection refused)");
    assert.equal(await of("https://mcp-edge-doctor.invalid/mcp"), "the host name does not resolve");
    assert.match(await of("http://127.0.0.1:1/a b"), /invalid uri character/);
  });

  test("through a proxy", async (test) => {
    const proxy = await world(test, sending("HTTP/1.1 502 No\r\nContent-Length: 0\r\n\r\n"));
    const environment = { HTTPS_PROXY: `http://127.0.0.1:${proxy.port}`, NO_PROXY: "" };
    const report = await reportOfBoth("https://mcp-edge-doctor.invalid/mcp", [], environment);
    assert.match(report.finding("reachable").observed, /no connection \(through the proxy/);
    assert.deepEqual(proxy.requests.map(({ head: { method, path } }) => `${method} ${path}`), Array(2).fill("CONNECT mcp-edge-doctor.invalid:443"));
    // Not to this machine.
    const local = await world(test, openServer);
    assert.equal((await reportOfBoth(local.url, [], { ALL_PROXY: environment.HTTPS_PROXY })).finding("reachable").verdict, "ok");
  });
});

describe("both programs trust the same certificates", { skip: skipsCertificates() }, () => {
  const NAMES = "DNS:localhost,IP:127.0.0.1";
  let authority;
  before(() => (authority = makeAuthority()));
  after(() => authority?.forget());

  for (const [what, options, observed] of [
    ["a good one", { names: NAMES }, /the endpoint responds, with a valid certificate/],
    ["one that has expired", { names: NAMES, days: ["20200101000000Z", "20210101000000Z"] }, /the certificate has expired/],
    ["one that is not valid yet", { names: NAMES, days: ["20980101000000Z", "20990101000000Z"] }, /the certificate is not valid yet/],
    ["one for another name", { names: "DNS:elsewhere.example" }, /the certificate is for another host name/],
    ["one without names", {}, /the certificate is for another host name/],
  ]) {
    test(what, async (test) => {
      const server = await world(test, openServer, authority.certificate(options));
      const report = await reportOfBoth(server.url, ["--ca-file", authority.file]);
      assert.match(report.finding("reachable").observed, observed);
    });
  }

  test("not one that signed itself", async (test) => {
    const { url } = await world(test, openServer, authority.own);
    // Nor if it is an authority that is trusted: clients in Rust and Go accept no certificate of an authority from a server.
    for (const parameters of [[], ["--ca-file", authority.file]]) {
      assert.match((await reportOfBoth(url, parameters)).finding("reachable").observed, /not from an authority that is trusted/);
    }
  });

  test("public ones, even if this machine or its environment trusts others", async (test) => {
    const server = await world(test, openServer, authority.certificate({ names: NAMES }));
    const environment = { NODE_EXTRA_CA_CERTS: authority.file, SSL_CERT_FILE: authority.file, NODE_TLS_REJECT_UNAUTHORIZED: "0" };
    for (const kind of KINDS) {
      const { code, stdout } = await runDoctor([server.url, "--json"], environment, kind);
      assert.equal(code, 1);
      assert.match(stdout, /no TLS connection \(the certificate is not from an authority that is trusted\)/, kind);
    }
    assert.equal(server.requests.length, 0);
  });

  test("and name a server that does not speak TLS, or refuses the handshake", async (test) => {
    const plain = await serve((_request, response) => response.end());
    test.after(plain.close);
    const report = await reportOfBoth(plain.url.replace("http:", "https:"));
    assert.match(report.finding("reachable").observed, /what answers there does not speak TLS/);
    const old = await world(test, openServer, { ...authority.certificate({ names: NAMES }), maxVersion: "TLSv1.1", minVersion: "TLSv1", ciphers: "DEFAULT@SECLEVEL=0" });
    assert.match((await reportOfBoth(old.url)).finding("reachable").observed, /the server refuses the handshake/);
  });

  test("files without certificates are refused", async () => {
    for (const [parameters, message] of [
      [["--ca-file", "/nowhere.pem"], "--ca-file /nowhere.pem: there is no such file"],
      [["--ca-file", "/"], "--ca-file /: it is a folder"],
      [["--ca-file", new URL(import.meta.url).pathname], "the file contains no certificate"],
    ]) {
      for (const kind of KINDS) {
        const { code, stderr } = await runDoctor(["https://mcp-edge-doctor.invalid/mcp", ...parameters], {}, kind);
        assert.equal(code, 2);
        assert.ok(stderr.includes(message), stderr);
      }
    }
  });
});

/** Writes until the client closes the connection. */
function endless(socket) {
  const more = () => socket.destroyed || (socket.write(Buffer.alloc(65_536, " ")) ? setImmediate(more) : socket.once("drain", more));
  more();
}
