// An upstream that is another Worker, reached through a service binding named UPSTREAM.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { request as httpRequest } from "node:http";
import { after, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { createRemoteJWKSet, jwtVerify } from "jose";
import { startGateway } from "./support/gateway-deployment.mjs";
import { initialize, legacyCall, legacyRequest, modernCall, modernRequest } from "./support/messages.mjs";
import "./support/report-failures.mjs";
import { freePort, post } from "./support/worker.mjs";

const DEFAULT_URL = "https://upstream.internal/mcp";
const SERVER = await readFile(new URL("gateway/upstreams/bound-worker.js", import.meta.url), "utf8");
const ACCESS = { TOOL_SCOPES: "search=one", UPSTREAM_SECONDS: "1" };

/** Starts a gateway whose binding reaches the Worker. */
const startBound = (settings = {}, worker = { workers: { UPSTREAM: SERVER } }) =>
  startGateway({ settings: { ...ACCESS, ...settings }, worker });

const gateway = await startBound();
const token = await gateway.alice("one");
after(() => gateway.stop());

const call = (how = "answers", of = { ...gateway, token }) =>
  post(of.worker, { token: of.token, message: legacyCall("search", { how }) });

/** What the bound Worker has received, by its answer. */
async function received(answering) {
  const { status, text, json } = await answering;
  assert.equal(status, 200, text);
  return json.result.structuredContent;
}

/** None of the headers is the bound Worker's. */
function assertOurs(headers) {
  for (const name of ["set-cookie", "location", "www-authenticate"]) assert.equal(headers[name], undefined, name);
  assert.ok(!JSON.stringify(headers).includes("elsewhere"));
}

describe("a Worker that is bound", () => {
  test("receives a call at the default URL, with headers by allow-list", async () => {
    const { message, headers } = modernCall("search", { how: "answers" });
    const more = { cookie: "a=b", origin: gateway.worker.origin, "x-forwarded-for": "1.2.3.4", "mcp-param-q": "x" };
    const answered = await post(gateway.worker, { token, message, headers: { ...headers, ...more } });
    assertOurs(answered.headers);
    const { url, headers: sent, message: passed } = await received(answered);
    assert.equal(url, DEFAULT_URL);
    const names = Object.keys(sent).filter((name) => !["content-length", "accept-encoding", "host"].includes(name));
    assert.deepEqual(names.sort(), [
      "accept", "authorization", "content-type", "mcp-method", "mcp-name", "mcp-param-q", "mcp-protocol-version",
    ]);
    assert.deepEqual([sent["mcp-method"], sent["mcp-name"]], ["tools/call", "search"]);
    assert.equal(passed.params.name, "search");
    assert.ok(!JSON.stringify(sent).includes(token));
  });

  for (const [what, url] of [["the default URL", undefined], ["UPSTREAM_URL", "http://10.0.0.1:8080/a/mcp"]]) {
    test(`gets assertions for ${what}`, async () => {
      const bound = url === undefined ? gateway : await startBound({ UPSTREAM_URL: url });
      try {
        const { url: requested, headers } = await received(call("answers", { worker: bound.worker, token: await bound.alice("one") }));
        assert.equal(requested, url ?? DEFAULT_URL);
        const [, assertion] = headers.authorization.split(" ");
        const { payload } = await jwtVerify(assertion, createRemoteJWKSet(new URL(bound.jwksUrl)), {
          issuer: bound.origin, audience: url ?? DEFAULT_URL, typ: "at+jwt", algorithms: ["ES256"],
        });
        assert.deepEqual([payload.sub, payload.scope], [bound.subjects.alice, "one"]);
      } finally {
        if (bound !== gateway) await bound.stop();
      }
    });
  }

  test("is asked for its list, of which the caller sees what it may use", async () => {
    for (const request of [{ message: legacyRequest("tools/list") }, modernRequest("tools/list")]) {
      const { status, headers, json, text } = await post(gateway.worker, { token, ...request });
      assert.equal(status, 200, text);
      assertOurs(headers);
      assert.deepEqual(json.result.tools.map(({ name }) => name), ["search"]);
    }
  });

  test("that announces less than it sends is read as far as a small body goes", async () => {
    const { json } = await call("announces less");
    assert.equal(json.result.content[0].text.length, 1_000);
    gateway.worker.clearLogs();
    assert.equal((await call("announces far less")).status, 502);
    const { upstream_failure: failure } = await gateway.worker.logged((line) => line.upstream_failure !== undefined);
    assert.match(failure, /longer than its content-length/);
  });

  test("is not asked for what the caller may not use", async () => {
    const { status, headers } = await post(gateway.worker, { token: await gateway.bob("two"), message: legacyCall("search", { how: "throws" }) });
    assert.equal(status, 403);
    assert.match(headers["www-authenticate"], /scope="one"/);
  });

  test("has a session whose id is sealed", async () => {
    const { headers } = await post(gateway.worker, { token, message: initialize() });
    const sealed = headers["mcp-session-id"];
    assert.ok(sealed.length > 0 && !sealed.includes("of-the-worker"));
    const inSession = { message: legacyCall("search", { how: "answers" }), headers: { "mcp-session-id": sealed } };
    const { headers: sent } = await received(post(gateway.worker, { token, ...inSession }));
    assert.equal(sent["mcp-session-id"], "of-the-worker");
    const { status } = await post(gateway.worker, { token: await gateway.bob("one"), ...inSession });
    assert.equal(status, 404);
  });
});

describe("its event stream", () => {
  test("passes, to its end", async () => {
    const { status, headers, text } = await call("streams");
    assert.deepEqual([status, headers["content-type"]], [200, "text/event-stream"]);
    assertOurs(headers);
    const messages = [...text.matchAll(/^data: (.*)$/gm)].map(([, data]) => JSON.parse(data));
    assert.deepEqual(messages.map(({ params }) => params?.progress), [1, 2, 3, undefined]);
    assert.deepEqual(messages.at(-1).result.content, []);
  });

  test("ends at the Worker when its client goes", async () => {
    const connection = await startEndless();
    const before = (await received(call())).events;
    await waitForEvents((events) => events > before);
    connection.destroy();
    await assertStandsStill();
  });

  test("ends when the token does", { timeout: 20_000 }, async () => {
    // A token that ends within five seconds is good for five.
    const exp = Math.floor(Date.now() / 1000) + 6;
    const { response } = await open(await gateway.alice("one", { exp }));
    for await (const chunk of response) assert.ok(chunk.length > 0);
    const late = Date.now() / 1000 - exp;
    assert.ok(late >= -0.5 && late < 3, `${late} s after its end`);
    await assertStandsStill();
  });

  async function open(own) {
    const request = httpRequest(gateway.worker.mcpUrl, {
      method: "POST", agent: false,
      headers: { authorization: `Bearer ${own}`, "content-type": "application/json", accept: "application/json, text/event-stream" },
    });
    request.on("error", () => {});
    const answered = new Promise((resolve, reject) => request.once("response", resolve).once("error", reject));
    request.end(JSON.stringify(legacyCall("search", { how: "streams without end" })));
    const response = await answered;
    response.on("error", () => {});
    return { request, response };
  }

  async function startEndless() {
    const { request, response } = await open(token);
    response.resume();
    return request;
  }

  const waitForEvents = (isReached) =>
    gateway.worker.waitFor(async () => isReached((await received(call())).events), "the stream does not go on");

  // No stream of the bound Worker writes events any more.
  const assertStandsStill = () =>
    gateway.worker.waitFor(async () => {
      const { events } = await received(call());
      await sleep(200);
      return (await received(call())).events === events;
    }, "the stream goes on");
});

describe("is the upstream's fault, not the client's: a bound Worker that", () => {
  // What the client gets, and what the log has.
  const failures = {
    "throws": [502, /could not be reached/, /the words of the bound Worker/],
    "stays silent": [504, /within 1 s/, /no response within 1 s/],
    "redirects": [502, /failed/, /307/],
    "redirects to itself": [502, /failed/, /302/],
    "answers HTML": [502, /failed/, /text\/html/],
    "answers 401": [502, /failed/, /401/],
    "answers 403": [502, /failed/, /403/],
    "answers 500": [502, /failed/, /500/],
    "answers 503": [502, /failed/, /503/],
  };
  for (const [how, [expected, words, logged]] of Object.entries(failures)) {
    test(how, async () => {
      gateway.worker.clearLogs();
      const { status, headers, json, text } = await call(how);
      assert.equal(status, expected, text);
      assert.match(json.error.message, words);
      assert.ok(!text.includes("the words of"), text);
      assertOurs(headers);
      const { upstream_failure: failure } = await gateway.worker.logged((line) => line.upstream_failure !== undefined);
      assert.match(failure, logged);
      assert.ok(!gateway.worker.raw().includes(token));
      assert.equal((await call()).status, 200, "the next call succeeds");
    });
  }

  test("does not run", async () => {
    const bound = await startBound({}, { externals: { UPSTREAM: await freePort() } });
    try {
      const { status, json } = await call("answers", { worker: bound.worker, token: await bound.alice("one") });
      assert.equal(status, 502);
      assert.match(json.error.message, /could not be reached/);
    } finally {
      await bound.stop();
    }
  });
});

describe("are errors of the settings, which the log names:", () => {
  for (const [what, settings, worker, words] of [
    ["no binding, and no URL", {}, {}, /needs UPSTREAM: .* or a binding/],
    ["no binding, and the URL for one", { UPSTREAM_URL: DEFAULT_URL }, {}, /UPSTREAM_URL.*needs UPSTREAM/],
    ["a URL for the binding that is none", { UPSTREAM_URL: "/mcp" }, { workers: { UPSTREAM: SERVER } }, /UPSTREAM_URL/],
  ]) {
    test(what, async () => {
      const unbound = await startBound(settings, worker);
      try {
        const { status } = await call("answers", { worker: unbound.worker, token: await unbound.alice("one") });
        assert.equal(status, 500);
        await unbound.worker.waitFor(() => words.test(unbound.worker.raw()), "the log does not say it");
      } finally {
        await unbound.stop();
      }
    });
  }
});
