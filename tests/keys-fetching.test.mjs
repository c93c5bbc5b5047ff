// Fetching the keys: once for all requests, from the endpoints of the issuer, without data of the request.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { faults, startHostileProvider } from "./support/hostile-provider.mjs";
import {
  attacker,
  call,
  CEILING_SECONDS,
  cleanUp,
  deploy,
  fetchedAgo,
  first,
  FRESH_SECONDS,
  repeat,
  second,
  tally,
} from "./support/key-deployment.mjs";
import { legacyCall } from "./support/messages.mjs";
import { assertAccepted, assertRefused } from "./support/refusals.mjs";
import "./support/report-failures.mjs";
import { createSigner, seconds, tokensFor } from "./support/signers.mjs";
import { post, send } from "./support/worker.mjs";

describe("many requests at once to a Worker without keys", () => {
  for (const [what, prepare] of [
    ["fifty at once", () => {}],
    ["fifty at once, while the provider takes its time", ({ provider }) => {
      const held = faults.held();
      provider.misbehave("jwks", held);
      return (worker) => worker.waitFor(() => provider.count("jwks") > 0, "no request was sent").then(held.release);
    }],
    ["fifty at once, while the store does not answer", ({ kv }) => void (kv.mood.reads = "hang")],
  ]) {
    test(`${what}: one discovery, one fetch of the keys, all are accepted`, async () => {
      const deployment = await deploy();
      const { worker, provider, newToken } = deployment;
      const release = prepare(deployment);
      const crowd = repeat(50, 50, (number) => call(worker, newToken(first, { sub: `user-${number}` })));
      await release?.(worker);
      const answers = await crowd;
      assert.deepEqual(tally(answers), { 200: 50 });
      answers.forEach(({ json }, number) => assert.equal(json.result.structuredContent.sub, `user-${number}`));
      assert.deepEqual([provider.count("discovery"), provider.count("jwks"), provider.count()], [1, 1, 2]);
    });
  }

  test("of two issuers: one discovery and one fetch at each", async () => {
    const partner = await startHostileProvider({ keys: [second.jwk] });
    cleanUp(() => partner.stop());
    const { worker, provider, newToken } = await deploy({
      settings: { MORE_ISSUERS: [{ issuer: partner.issuer, audience: ["https://partner.example/mcp"] }] },
    });
    const foreign = tokensFor({ issuer: partner.issuer, resource: "https://partner.example/mcp", signer: second });
    const answers = await repeat(50, 50, (number) => call(worker, number % 2 ? newToken() : foreign()));
    assert.deepEqual(tally(answers), { 200: 50 });
    for (const { requests } of [provider, partner]) {
      assert.deepEqual(requests.map(({ endpoint }) => endpoint), ["discovery", "jwks"]);
    }
  });
});

test("a thousand requests cause one read of the store, one write and two requests to the provider", async () => {
  const { worker, kv, provider, newToken } = await deploy();
  const remembered = newToken();
  const answers = await repeat(1_000, 20, (number) => call(worker, number % 2 ? remembered : newToken()));
  assert.deepEqual(tally(answers), { 200: 1_000 });
  assert.deepEqual([kv.reads.length, kv.writes.length, provider.count()], [1, 1, 2]);
});

describe("the URLs of the documents", () => {
  test("the document is read at the URL of RFC 8414 if there is none at that of OpenID Connect", async () => {
    const { worker, provider, newToken } = await deploy();
    const { issuer } = provider;
    provider.misbehave("discovery", faults.status(404));
    provider.misbehave("metadata", faults.says(JSON.stringify({ issuer, jwks_uri: `${issuer}/jwks` })));
    await assertAccepted(worker, { token: newToken() });
  });

  test("a document of another issuer at that URL is not used", async () => {
    const { worker, provider, newToken } = await deploy();
    provider.misbehave("discovery", faults.status(404));
    provider.misbehave("metadata", faults.says(JSON.stringify({ issuer: provider.origin, jwks_uri: `${provider.issuer}/jwks` })));
    await assertRefused(worker, { token: newToken() }, "keys_unavailable");
  });

  test("keys at a new URL are found when the old copy is renewed", async () => {
    const { worker, provider, token } = await deploy({ record: fetchedAgo(FRESH_SECONDS + 1) });
    provider.discovery = { jwks_uri: `${provider.origin}/elsewhere` };
    provider.misbehave("elsewhere", faults.says(JSON.stringify({ keys: [second.jwk] })));
    await assertAccepted(worker, { token: token() });
    await worker.waitFor(async () => (await call(worker, token({ signer: second }))).status === 200, "not found");
  });

  test("requests are GETs without credentials", async () => {
    const { worker, provider, newToken } = await deploy();
    await assertAccepted(worker, { token: newToken() });
    for (const { method, headers, body } of provider.requests) {
      assert.equal(method, "GET");
      assert.equal(body, "");
      for (const name of ["authorization", "cookie", "cf-ray"]) assert.equal(headers[name], undefined, name);
    }
  });
});

describe("data of a client's request", () => {
  const traces = {
    "of another version with 16 KB behind it": `01-${"a".repeat(32)}-${"b".repeat(16)}-01-${"x".repeat(16 * 1024)}`,
    "of version 00": `00-${"a".repeat(32)}-${"b".repeat(16)}-01`,
  };
  for (const [what, traceparent] of Object.entries(traces)) {
    test(`does not reach the provider: a trace ${what}`, async () => {
      const { worker, provider, newToken } = await deploy();
      for (const endpoint of ["discovery", "jwks"]) {
        provider.misbehave(endpoint, (response, honest, request) => {
          const isTooLarge = JSON.stringify(request.headers).length > 8 * 1024;
          response.writeHead(isTooLarge ? 431 : 200, { "content-type": honest.type }).end(isTooLarge ? "" : honest.body);
        });
      }
      const headers = { traceparent, tracestate: "a=b", baggage: "a=b", "x-made-up": "y" };
      await send(worker, { path: "/healthz", headers });
      assert.equal((await post(worker, { token: newToken(), message: legacyCall("whoami"), headers })).status, 200);
      assert.deepEqual(new Set(provider.requests.map((request) => request.endpoint)), new Set(["discovery", "jwks"]));
      for (const request of provider.requests) {
        assert.deepEqual(Object.keys(request.headers).filter((name) => name in headers), []);
      }
    });
  }
});

describe("clients that close the connection", () => {
  /** Sends a request and closes the connection while the provider is being asked. */
  async function hangUp(worker, token, milliseconds = 60) {
    const aborted = fetch(worker.mcpUrl, {
      method: "POST",
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      body: JSON.stringify(legacyCall("whoami")),
      signal: AbortSignal.timeout(milliseconds),
    });
    await assert.rejects(aborted);
  }

  /** Responds correctly, with a delay. */
  const late = (milliseconds) => (response, honest) =>
    setTimeout(() => response.writeHead(200, { "content-type": honest.type }).end(honest.body), milliseconds);

  test("do not cancel the fetch of the keys, which serves the next request", async () => {
    const { worker, provider, token } = await deploy();
    provider.misbehave("discovery", late(300));
    await hangUp(worker, token({ signer: attacker }));
    await assertAccepted(worker, { token: token() });
    assert.deepEqual([provider.count("discovery"), provider.count("jwks")], [1, 1]);
  });

  test("do not prevent old keys from being renewed and stored", async () => {
    const { worker, provider, kv, token } = await deploy({ record: fetchedAgo(CEILING_SECONDS / 2) });
    provider.misbehave("jwks", late(200));
    const unknown = await createSigner("ES256", { kid: "invented" });
    for (let round = 0; round < 5; round += 1) {
      await hangUp(worker, token({ signer: unknown, claims: { iat: seconds() + 50 } }), 40);
    }
    await worker.waitFor(async () => {
      await call(worker, token());
      return kv.writes.length > 0;
    }, "the keys were never renewed");
    assert.ok(provider.count("jwks") <= 3, `${provider.count("jwks")} fetches of the keys`);
  });
});
