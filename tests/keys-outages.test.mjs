// Outages and wrong documents of the provider: which requests are refused and which are served.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { faults, startHostileProvider } from "./support/hostile-provider.mjs";
import {
  call,
  cleanUp,
  deploy,
  fetchedAgo,
  FRESH_SECONDS,
  onlyUnusable,
  repeat,
  second,
  tally,
} from "./support/key-deployment.mjs";
import { ask, assertAccepted, assertRefused } from "./support/refusals.mjs";
import "./support/report-failures.mjs";
import { createSigner, seconds, tokensFor } from "./support/signers.mjs";

// Errors of the two documents. With each, a Worker without keys responds with 503, and a Worker with old keys uses them.
const [evil, evilKey] = [await startHostileProvider(), await createSigner("ES256", { kid: "first" })];
evil.keys = [evilKey.jwk];

const BOTH = [
  ["is missing", faults.status(404)],
  ["fails", faults.status(500)],
  ["is overloaded", faults.status(503, { "retry-after": "1" })],
  ["limits the rate", faults.status(429, { "retry-after": "3600" })],
  ["requires credentials", faults.status(401, { "www-authenticate": "Basic" })],
  ["has the right document under status 201", faults.status(201)],
  ["has the right document under status 206", faults.status(206)],
  ["has no content", (response) => response.writeHead(204).end()],
  ["has an empty body", faults.says("")],
  ["is a web page", faults.says("<!doctype html><title>Sign in</title>")],
  ["is half a document", faults.says('{"keys":[{"kty":"EC",')],
  ["is not UTF-8", faults.says(Buffer.from([0xff, 0xfe, 0x00, 0x80, 0xc3, 0x28]))],
  ["is a list", faults.says("[]")],
  ["is null", faults.says("null")],
  ["is a hundred thousand lists deep", faults.says("[".repeat(60_000))],
  ["has 10 MB, with a Content-Length", faults.padded(10 * 1024 * 1024)],
  ["has 10 MB, without a Content-Length", faults.paddedInChunks(10 * 1024 * 1024)],
  ["redirects to another provider", faults.redirect(`${evil.issuer}/jwks`)],
  ["redirects permanently", faults.redirect(`${evil.issuer}/jwks`, 308)],
  ["closes the connection at once", faults.hangingUp()],
  ["closes the connection in the middle", faults.breaking()],
  ["never responds", faults.silent()],
  ["stops in the middle of its response", faults.halting()],
];
const DISCOVERY = [
  ...BOTH,
  ["has a little more than 64 KB", faults.padded(64 * 1024 + 1)],
  ["names another issuer", faults.saysWith({ issuer: evil.issuer })],
  ["names the issuer with a slash", (response, honest) => faults.saysWith({ issuer: `${JSON.parse(honest.body).issuer}/` })(response, honest)],
  ["names no issuer", faults.saysWith({ issuer: undefined })],
  ["names no keys", faults.saysWith({ jwks_uri: undefined })],
  ["names keys over plain http elsewhere", faults.saysWith({ jwks_uri: "http://keys.example/jwks" })],
  ["names keys in a file", faults.saysWith({ jwks_uri: "file:///etc/passwd" })],
  ["names keys by a relative address", faults.saysWith({ jwks_uri: "/oidc/jwks" })],
  ["names keys under a host that only begins like loopback", faults.saysWith({ jwks_uri: "http://127.0.0.1.evil.example/jwks" })],
  ["names keys with user information", faults.saysWith({ jwks_uri: "http://127.0.0.1@evil.example/jwks" })],
  ["names several URLs", faults.saysWith({ jwks_uri: ["http://127.0.0.1/jwks"] })],
];
const JWKS = [
  ...BOTH,
  ["has a little more than 512 KB", faults.padded(512 * 1024 + 1)],
  ["is empty", faults.says('{"keys":[]}')],
  ["has no list of keys", faults.says('{"keys":{}}')],
  ["has unusable keys only", faults.says(onlyUnusable)],
  ["is the discovery document", faults.says('{"issuer":"x","jwks_uri":"y"}')],
];

for (const [endpoint, title, cases] of [
  ["discovery", "the discovery document", DISCOVERY],
  ["jwks", "the key set", JWKS],
]) {
  describe(title, { concurrency: 6 }, () => {
    for (const [what, fault] of cases) {
      test(`${what}: 503 without keys, and old keys are still used`, async () => {
        const jobs = [];
        const cleanUp = (job) => jobs.push(job);
        try {
          await Promise.all([withoutKeys(endpoint, fault, cleanUp), withOldKeys(endpoint, fault, cleanUp)]);
          assert.equal(evil.count(), 0, "a redirect was followed");
        } finally {
          for (const job of jobs.reverse()) await job();
        }
      });
    }
  });
}

// 503 with Retry-After, both for a valid token and for one of the key at the redirect's target.
async function withoutKeys(endpoint, fault, cleanUp) {
  const { worker, provider, token } = await deploy({ cleanUp });
  provider.misbehave(endpoint, fault);
  const refused = [token(), token({ signer: evilKey })].map((it) => assertRefused(worker, { token: it }, "keys_unavailable"));
  const [{ line }] = await Promise.all(refused);
  assert.ok(line.detail.includes(provider.origin), `the log does not say which document: ${line.detail}`);
  assert.equal(worker.kv.writes.length, 0, "something unusable was stored");
}

async function withOldKeys(endpoint, fault, cleanUp) {
  const { worker, provider, token } = await deploy({ cleanUp, record: fetchedAgo(FRESH_SECONDS + 100) });
  provider.misbehave(endpoint, fault);
  await assertAccepted(worker, { token: token() });
  // Accepted before and after the renewal has failed.
  await worker.waitFor(async () => {
    const { status, line } = await ask(worker, { token: token() });
    assert.equal(status, 200);
    return line.provider_failure !== undefined || (endpoint === "discovery" && provider.count("jwks") > 0);
  }, "the renewal did not fail", 10_000);
  await assertAccepted(worker, { token: token() });
  await assertRefused(worker, { token: token({ signer: evilKey }) }, "bad_signature");
}

test("no redirect was followed", async () => {
  assert.equal(evil.count(), 0);
  await evil.stop();
});

describe("during an outage of the provider", () => {
  test("without keys: 503, and the same process serves requests after Retry-After", async () => {
    const { worker, provider, newToken } = await deploy();
    await provider.stop();
    const { headers } = await assertRefused(worker, { token: newToken() }, "keys_unavailable");
    await provider.start();
    const retryAt = Date.now() + Number(headers["retry-after"]) * 1000;
    await worker.waitFor(() => Date.now() >= retryAt, "Retry-After is not over", 61_000);
    await assertAccepted(worker, { token: newToken() });
  });

  test("many requests cause an attempt every few seconds, not one each", async () => {
    const { worker, provider, newToken } = await deploy();
    provider.misbehave("discovery", faults.status(500));
    const started = Date.now();
    const answers = await repeat(500, 20, () => call(worker, newToken()));
    const elapsed = Math.ceil((Date.now() - started) / 1000);
    assert.deepEqual(tally(answers), { 503: 500 });
    assert.ok(provider.count("discovery") <= 1 + elapsed / 5, `${provider.count("discovery")} tries in ${elapsed} seconds`);
  });

  test("keys in memory are used", async () => {
    const { worker, provider, newToken } = await deploy();
    await assertAccepted(worker, { token: newToken() });
    await provider.stop();
    const answers = await repeat(100, 20, () => call(worker, newToken()));
    assert.deepEqual(tally(answers), { 200: 100 });
  });

  test("tokens of another issuer are accepted", async () => {
    const partner = await startHostileProvider({ keys: [second.jwk] });
    cleanUp(() => partner.stop());
    const audience = "https://partner.example/mcp";
    const { worker, provider, newToken } = await deploy({
      settings: { MORE_ISSUERS: [{ issuer: partner.issuer, audience: [audience] }] },
    });
    await provider.stop();
    await assertRefused(worker, { token: newToken() }, "keys_unavailable");
    const foreign = tokensFor({ issuer: partner.issuer, resource: audience, signer: second });
    await assertAccepted(worker, { token: foreign() });
  });

  test("a provider may send a byte per chunk", async () => {
    const { worker, provider, newToken } = await deploy();
    for (const what of ["discovery", "jwks"]) provider.misbehave(what, faults.dripping());
    await assertAccepted(worker, { token: newToken() });
  });

  test("a request waits for a slow provider", async () => {
    const { worker, provider, newToken } = await deploy();
    const held = faults.held();
    provider.misbehave("discovery", held);
    const asking = assertAccepted(worker, { token: newToken() });
    await worker.waitFor(() => provider.count("discovery") === 1, "no request was sent");
    held.release();
    await asking;
  });
});
