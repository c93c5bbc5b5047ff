// Keys from the store: their age, their renewal, and records that cannot be trusted. (For stores that fail, see
// restart.test.mjs.)

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
  MAX_LEAD_SECONDS,
  onlyUnusable,
  repeat,
  second,
  tally,
} from "./support/key-deployment.mjs";
import { ask, assertAccepted, assertRefused } from "./support/refusals.mjs";
import "./support/report-failures.mjs";
import { seconds } from "./support/signers.mjs";
import { send } from "./support/worker.mjs";

describe("old keys from the store", () => {
  test("are used at once, and renewed in the background", async () => {
    const { worker, provider, token } = await deploy({ record: fetchedAgo(FRESH_SECONDS + 1) });
    const held = faults.held();
    provider.misbehave("discovery", held);
    // The provider has not responded yet.
    const { line } = await ask(worker, { token: token() });
    assert.deepEqual([line.status, line.tier], [200, "store"]);
    await worker.waitFor(() => provider.count("discovery") === 1, "no renewal began");
    assert.equal(provider.count("jwks"), 0);
    held.release();
    await worker.waitFor(() => provider.count("jwks") === 1, "the keys were not renewed");
  });

  test("are not renewed while they are fresh", async () => {
    // An isolate draws how much earlier than at ten minutes it renews them: eight minutes at most.
    const { worker, provider, token } = await deploy({ record: fetchedAgo(FRESH_SECONDS - MAX_LEAD_SECONDS - 30) });
    await repeat(50, 10, () => assertAccepted(worker, { token: token() }));
    assert.equal(provider.count(), 0);
  });

  test("are renewed once for many requests", async () => {
    const { worker, provider, token } = await deploy({ record: fetchedAgo(FRESH_SECONDS + 1) });
    const answers = await repeat(100, 50, () => call(worker, token()));
    assert.deepEqual(tally(answers), { 200: 100 });
    await worker.waitFor(() => provider.count("jwks") > 0, "the keys were not renewed");
    assert.deepEqual([provider.count("discovery"), provider.count("jwks")], [1, 1]);
  });

  test("are not renewed again for half a minute if the renewal fails", async () => {
    const { worker, provider, token } = await deploy({ record: fetchedAgo(FRESH_SECONDS + 1) });
    provider.misbehave("discovery", faults.status(500));
    provider.misbehave("jwks", faults.status(500));
    const answers = await repeat(200, 20, () => call(worker, token()));
    assert.deepEqual(tally(answers), { 200: 200 });
    await worker.waitFor(() => provider.count("jwks") > 0, "no renewal began");
    assert.deepEqual([provider.count("discovery"), provider.count("jwks")], [1, 1]);
  });

  test("are written to the store when they have been renewed, once", async () => {
    const { worker, provider, kv, token } = await deploy({ record: fetchedAgo(FRESH_SECONDS + 1) });
    const before = seconds();
    await assertAccepted(worker, { token: token() });
    await worker.waitFor(() => kv.writes.length === 1, "the store was not written");
    assert.ok(JSON.parse(kv.entries.get(provider.recordName)).jwks_fetched_at >= before);
    await repeat(20, 5, () => assertAccepted(worker, { token: token() }));
    assert.deepEqual([kv.writes.length, provider.count("jwks")], [1, 1]);
  });

  test("are written to the store after half of their lifetime", async () => {
    const { worker, kv, provider, token } = await deploy({ record: fetchedAgo(CEILING_SECONDS / 2 + 10) });
    const before = seconds();
    await assertAccepted(worker, { token: token() });
    await worker.waitFor(() => kv.writes.length === 1, "the store was not written");
    assert.ok(JSON.parse(kv.entries.get(provider.recordName)).jwks_fetched_at >= before);
  });

  test("almost a day old: used during an outage", async () => {
    const { worker, provider, token } = await deploy({ record: fetchedAgo(CEILING_SECONDS - 60) });
    await provider.stop();
    await assertAccepted(worker, { token: token() });
  });

  test("a day old: not used, even during an outage", async () => {
    const { worker, provider, token } = await deploy({ record: fetchedAgo(CEILING_SECONDS) });
    await provider.stop();
    await assertRefused(worker, { token: token() }, "keys_unavailable");
  });

  test("a day old: renewed before a request is accepted", async () => {
    const { worker, provider, token } = await deploy({ record: fetchedAgo(CEILING_SECONDS + 1), keys: [second.jwk] });
    const withdrawn = { keys: [first.jwk] };
    worker.kv.entries.set(provider.recordName, JSON.stringify({ ...provider.record(), ...fetchedAgo(CEILING_SECONDS + 1), jwks: withdrawn }));
    await assertRefused(worker, { token: token() }, "unknown_key");
    await assertAccepted(worker, { token: token({ signer: second }) });
  });

  test("that become a day old while in use are not used any more, also for cached tokens", async () => {
    const { worker, provider, token } = await deploy({ record: fetchedAgo(CEILING_SECONDS - 3) });
    await provider.stop();
    const remembered = token();
    await assertAccepted(worker, { token: remembered });
    await worker.waitFor(async () => (await call(worker, remembered)).status !== 200, "still accepted", 10_000);
    await assertRefused(worker, { token: remembered }, "keys_unavailable");
    await assertRefused(worker, { token: token() }, "keys_unavailable");
  });
});

describe("keys from the store that are older than an hour", () => {
  const HOUR = 3600;

  test("are renewed before a request is accepted: a withdrawn key is refused", async () => {
    const { worker, provider, token } = await deploy({ record: fetchedAgo(HOUR) });
    provider.keys = [second.jwk];
    await assertRefused(worker, { token: token() }, "unknown_key");
    await assertAccepted(worker, { token: token({ signer: second }) });
    assert.equal(provider.count("jwks"), 1);
  });

  test("are renewed once for many requests, which wait for it", async () => {
    const { worker, provider, token } = await deploy({ record: fetchedAgo(2 * HOUR) });
    provider.keys = [second.jwk];
    provider.misbehave("discovery", (response, honest) => {
      setTimeout(() => response.writeHead(200, { "content-type": honest.type }).end(honest.body), 700);
    });
    const answers = await repeat(100, 50, () => call(worker, token({ signer: second })));
    assert.deepEqual(tally(answers), { 200: 100 });
    assert.deepEqual([provider.count("discovery"), provider.count("jwks")], [1, 1]);
    const withdrawn = await repeat(50, 10, () => call(worker, token()));
    assert.deepEqual(tally(withdrawn), { 401: 50 });
  });

  for (const [what, fault] of [
    ["fails", faults.status(503)],
    ["hangs", faults.silent()],
    ["shows a web page", faults.says("<!doctype html>")],
  ]) {
    test(`are used if the provider ${what}, and the next one does not wait`, async () => {
      const { worker, provider, token } = await deploy({ record: fetchedAgo(23 * HOUR) });
      for (const endpoint of ["discovery", "jwks"]) provider.misbehave(endpoint, fault);
      await assertAccepted(worker, { token: token() });
      const answers = await repeat(50, 10, () => call(worker, token()));
      assert.deepEqual(tally(answers), { 200: 50 });
      assert.equal(provider.count("discovery"), 1);
    });
  }
});

describe("an invalid record in the store", () => {
  const now = seconds();
  const records = [
    ["comes from the future", { jwks_fetched_at: now + 86_400, provider_fetched_at: now + 86_400 }],
    ["has keys from the future", { jwks_fetched_at: now + 86_400 }],
    ["has a time in a string", { jwks_fetched_at: String(now) }],
    ["has a negative time", { jwks_fetched_at: -1 }],
    ["has a time with a fraction", { jwks_fetched_at: now + 0.5 }],
    ["has no time", { jwks_fetched_at: undefined }],
    ["has no provider", { provider: undefined }],
    ["has no keys", { jwks: undefined }],
    ["has an empty set", { jwks: { keys: [] } }],
    ["has unusable keys only", { jwks: JSON.parse(onlyUnusable) }],
    ["names a key URL of another host over http", { provider: { issuer: "@", jwks_uri: "http://keys.example/jwks" } }],
    ["belongs to another issuer", { provider: { issuer: "https://other.example/oidc", jwks_uri: "https://other.example/jwks" } }],
    ["has the record in a string", "text"],
    ["is a megabyte of lists", "[".repeat(1024 * 1024)],
    ["is a number", "1"],
    ["is binary", "\u0000\u0001\ufffd"],
  ];
  for (const [what, changes] of records) {
    test(`${what}: it is ignored`, async () => {
      const { worker, provider, kv, token } = await deploy();
      const honest = provider.record({ keys: [attacker.jwk] });
      const record = typeof changes === "string" ? changes : JSON.stringify({ ...honest, ...changes }).replace('"issuer":"@"', `"issuer":"${provider.issuer}"`);
      kv.entries.set(provider.recordName, changes === "text" ? JSON.stringify(JSON.stringify(honest)) : record);
      const { line } = await ask(worker, { token: token() });
      assert.deepEqual([line.status, line.tier], [200, "provider"]);
      await assertRefused(worker, { token: token({ signer: attacker }) }, "unknown_key");
    });
  }

  test("a record from a clock that is half a minute ahead is used", async () => {
    const { worker, provider, token } = await deploy({ record: { jwks_fetched_at: now + 50, provider_fetched_at: now + 50 } });
    await assertAccepted(worker, { token: token() });
    assert.equal(provider.count(), 0);
  });

  test("is replaced by a valid one", async () => {
    const { worker, provider, kv, token } = await deploy({ record: "nonsense" });
    await assertAccepted(worker, { token: token() });
    await worker.waitFor(() => kv.writes.length === 1, "the store was not written");
    assert.equal(JSON.parse(kv.entries.get(provider.recordName)).provider.issuer, provider.issuer);
  });
});

describe("a record in the store with genuine keys and endpoints of an attacker", () => {
  const settings = {
    OPAQUE_TOKEN_CLIENTS: "*",
    INTROSPECTION_CLIENT_ID: "us",
    INTROSPECTION_CLIENT_SECRET: "our secret",
    AUTHORIZATION_SERVER_MIRROR: "true",
  };

  test("gets no secret and no token: the issuer's endpoints are used", async () => {
    const thief = await startHostileProvider();
    cleanUp(() => thief.stop());
    const { worker, provider, kv, token } = await deploy({ settings });
    const record = provider.record();
    const evil = { introspection_endpoint: `${thief.issuer}/introspection`, userinfo_endpoint: `${thief.issuer}/me` };
    kv.entries.set(provider.recordName, JSON.stringify({ ...record, provider: { ...record.provider, ...evil } }));
    await assertAccepted(worker, { token: token() });
    assert.equal(provider.count(), 0, "the keys of the store are good");
    await assertRefused(worker, { token: "an-opaque-token" }, "inactive");
    assert.equal(provider.count("introspection"), 1);
    const { text } = await send(worker, { path: "/.well-known/oauth-authorization-server" });
    assert.ok(!text.includes(thief.origin), text);
    assert.equal(thief.count(), 0);
  });

  test("is not used for either during an outage", async () => {
    const thief = await startHostileProvider();
    cleanUp(() => thief.stop());
    const { worker, provider, kv, token } = await deploy({ settings });
    const record = provider.record();
    const evil = { introspection_endpoint: `${thief.issuer}/introspection` };
    kv.entries.set(provider.recordName, JSON.stringify({ ...record, provider: { ...record.provider, ...evil } }));
    await provider.stop();
    await assertAccepted(worker, { token: token() });
    await assertRefused(worker, { token: "an-opaque-token" }, "keys_unavailable");
    assert.equal((await send(worker, { path: "/.well-known/oauth-authorization-server" })).status, 503);
    assert.equal(thief.count(), 0);
  });
});
