// The provider's keys under attack, in outages and over time: how often the provider and the store are asked, whom an
// outage locks out, and for how long a withdrawn key opens the door.
//
// Time is made by giving the store a record that was fetched long ago. (What a store that fails does to honest
// requests is in restart.test.mjs.)

import assert from "node:assert/strict";
import { afterEach, describe, test } from "node:test";
import { calculateJwkThumbprint } from "jose";
import { faults, startHostileProvider } from "./support/hostile-provider.mjs";
import { legacyCall } from "./support/messages.mjs";
import { ask, assertAccepted, assertRefused } from "./support/refusals.mjs";
import "./support/report-failures.mjs";
import { createSigner, seconds, tokensFor } from "./support/signers.mjs";
import { post, send, startKeyValueStore, startWorker } from "./support/worker.mjs";

const FRESH_SECONDS = 600;
const CEILING_SECONDS = 24 * 3600;

const [first, second, third, attacker] = await Promise.all(
  ["first", "second", "third", "attacker"].map((kid) => createSigner("ES256", { kid })),
);

const cleanups = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/**
 * A Worker and its provider, for one test.
 * @param {{keys?: object[], record?: object | string, settings?: object, cleanUp?: (job: () => Promise<void>) => void}} [options]
 *   `record`: what the store holds at first, as changes to the provider's record or as text
 */
async function deploy({ keys = [first.jwk], record, settings = {}, cleanUp = (job) => cleanups.push(job) } = {}) {
  const provider = await startHostileProvider({ keys });
  cleanUp(() => provider.stop());
  const kv = await startKeyValueStore();
  cleanUp(() => kv.close());
  if (record !== undefined) {
    const text = typeof record === "string" ? record : JSON.stringify({ ...provider.record(), ...record });
    kv.entries.set(provider.recordName, text);
  }
  const worker = await startWorker({ kv, settings: { ISSUER: provider.issuer, REQUIRED_SCOPES: "whoami:read", ...settings } });
  cleanUp(() => worker.stop());
  const token = tokensFor({ issuer: provider.issuer, resource: worker.mcpUrl, signer: first });
  /** A token issued just now, as an honest client has it. */
  const newToken = (signer = first, claims = {}) => token({ signer, claims: { iat: seconds(), ...claims } });
  return { provider, kv, worker, token, newToken };
}

/** What the store holds of keys that were fetched so many seconds ago. */
const fetchedAgo = (age) => ({ provider_fetched_at: seconds() - age, jwks_fetched_at: seconds() - age });

const call = (worker, token) => post(worker, { token, message: legacyCall("whoami") });

/** How many answers had which status. */
function tally(answers) {
  const counts = {};
  for (const { status } of answers) counts[status] = (counts[status] ?? 0) + 1;
  return counts;
}

/** Does this so often, so many at a time, and gives all results. */
async function repeat(times, atOnce, work) {
  const results = [];
  let next = 0;
  const loop = async () => {
    while (next < times) {
      const number = next;
      next += 1;
      results[number] = await work(number);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, loop));
  return results;
}

describe("a flood of tokens under invented key ids", () => {
  const invented = ({ newToken }, number) => newToken({ ...attacker, kid: `invented-${number}` });

  test("minted beforehand: each is refused, none with an outage, and the provider is asked at most three times", async (context) => {
    const deployment = await deploy();
    const { worker, provider, newToken } = deployment;
    await assertAccepted(worker, { token: newToken() });
    const tokens = Array.from({ length: 300 }, (_, number) => invented(deployment, number));
    const answers = await repeat(300, 20, (number) => call(worker, tokens[number]));
    context.diagnostic(`${JSON.stringify(tally(answers))}, ${provider.count("jwks")} fetches, ${worker.kv.reads.length} reads`);
    assert.deepEqual(tally(answers), { 401: 300 });
    assert.ok(provider.count("jwks") <= 3, `${provider.count("jwks")} fetches of the keys`);
    assert.equal(provider.count("discovery"), 1);
    assert.ok(worker.kv.reads.length <= 3, `${worker.kv.reads.length} reads of the store`);
  });

  test("against a Worker that knows no key yet: each is refused, and the provider is asked at most three times", async () => {
    const deployment = await deploy();
    const { worker, provider, newToken } = deployment;
    const tokens = Array.from({ length: 300 }, (_, number) => invented(deployment, number));
    const answers = await repeat(300, 20, (number) => call(worker, tokens[number]));
    assert.deepEqual(tally(answers), { 401: 300 });
    assert.ok(provider.count("jwks") <= 3, `${provider.count("jwks")} fetches of the keys`);
    await assertAccepted(worker, { token: newToken() });
  });

  test("minted on the fly: none gets through, none is kept waiting in vain, and honest clients notice nothing", async (context) => {
    const deployment = await deploy();
    const { worker, provider, newToken } = deployment;
    await assertAccepted(worker, { token: newToken() });
    const honest = [];
    const answers = await repeat(300, 20, async (number) => {
      if (number % 10 === 0) honest.push(await call(worker, newToken()));
      return call(worker, invented(deployment, number));
    });
    context.diagnostic(`${JSON.stringify(tally(answers))}, ${provider.count("jwks")} fetches`);
    for (const { status, headers, json } of answers) {
      assert.ok(status === 401 || status === 503, String(status));
      if (status === 503) assert.ok(Number(headers["retry-after"]) <= 30, headers["retry-after"]);
      assert.equal(json.error, status === 401 ? "invalid_token" : "temporarily_unavailable");
    }
    assert.deepEqual(tally(honest), { 200: 30 });
    assert.ok(provider.count("jwks") <= 3, `${provider.count("jwks")} fetches of the keys`);
  });

  test("while the provider is away: it is not asked once for each", async () => {
    const deployment = await deploy();
    const { worker, provider, newToken } = deployment;
    await assertAccepted(worker, { token: newToken() });
    provider.misbehave("jwks", faults.status(500));
    provider.forget();
    const answers = await repeat(300, 20, (number) => call(worker, invented(deployment, number)));
    assert.ok(answers.every(({ status }) => status === 401 || status === 503), JSON.stringify(tally(answers)));
    assert.ok(provider.count("jwks") <= 3, `${provider.count("jwks")} fetches of the keys`);
    await assertAccepted(worker, { token: newToken() });
  });

  test("without a key id, or all with the same one, costs no more", async () => {
    const { worker, provider, newToken, token } = await deploy();
    await assertAccepted(worker, { token: newToken() });
    const same = await repeat(100, 20, () => call(worker, token({ signer: attacker })));
    const none = await repeat(100, 20, () => call(worker, token({ signer: attacker, header: { kid: undefined } })));
    assert.deepEqual([tally(same), tally(none)], [{ 401: 100 }, { 401: 100 }]);
    assert.ok(provider.count("jwks") <= 3, `${provider.count("jwks")} fetches of the keys`);
  });

  test("a client whose key is new is never told that its token is bad, and is served within half a minute", async () => {
    const deployment = await deploy();
    const { worker, provider, newToken } = deployment;
    await assertAccepted(worker, { token: newToken() });
    // The whole burst is spent on invented keys.
    await repeat(100, 20, (number) => call(worker, invented(deployment, number)));
    provider.keys = [second.jwk, first.jwk];
    const issued = newToken(second);
    const statuses = new Set();
    await worker.waitFor(async () => {
      const { status } = await call(worker, issued);
      statuses.add(status);
      return status === 200;
    }, "the new key was not taken", 35_000);
    statuses.delete(200);
    assert.ok([...statuses].every((status) => status === 503), [...statuses].join(" "));
  });
});

describe("a flood of forged signatures under the published key id", () => {
  test("is refused, and the provider is asked once more at most", async () => {
    const { worker, provider, newToken } = await deploy();
    await assertAccepted(worker, { token: newToken() });
    const forged = () => newToken({ ...attacker, kid: first.kid });
    const answers = await repeat(200, 20, () => call(worker, forged()));
    assert.deepEqual(tally(answers), { 401: 200 });
    assert.ok(provider.count("jwks") <= 2, `${provider.count("jwks")} fetches of the keys`);
  });
});

describe("rotation of the keys under traffic", () => {
  /** Twenty clients that send what `tokenNow` gives them until `during` has ended. */
  async function underTraffic(worker, tokenNow, during) {
    const answers = [];
    let isOver = false;
    const clients = Array.from({ length: 20 }, async (_, number) => {
      while (!isOver) {
        answers.push(await call(worker, tokenNow(number)));
      }
    });
    await during(answers).finally(() => (isOver = true));
    await Promise.all(clients);
    return answers;
  }

  const answered = (worker, answers, more) => {
    const until = answers.length + more;
    return worker.waitFor(() => answers.length >= until, "the traffic stopped", 20_000);
  };

  test("no honest client is refused: old tokens, new tokens, and new clients", async (context) => {
    const { worker, provider, newToken } = await deploy();
    let signers = [first];
    const olds = Array.from({ length: 10 }, () => newToken(first));
    const tokenNow = (number) => (number < 10 ? olds[number] : newToken(signers[0]));
    const answers = await underTraffic(worker, tokenNow, async (sent) => {
      await answered(worker, sent, 200);
      provider.keys = [second.jwk, first.jwk];
      signers = [second, first];
      await answered(worker, sent, 500);
      provider.keys = [third.jwk, second.jwk, first.jwk];
      signers = [third];
      await answered(worker, sent, 500);
    });
    context.diagnostic(`${JSON.stringify(tally(answers))}, ${provider.count("jwks")} fetches`);
    assert.deepEqual(Object.keys(tally(answers)), ["200"]);
    assert.ok(provider.count("jwks") <= 4);
  });

  test("no honest client is refused while forged and invented tokens are in flight", async (context) => {
    const { worker, provider, newToken } = await deploy();
    await assertAccepted(worker, { token: newToken() });
    let signer = first;
    const bad = newToken({ ...attacker, kid: first.kid });
    const refused = [];
    const honest = await underTraffic(worker, () => newToken(signer), async (sent) => {
      const attack = repeat(300, 5, async () => refused.push(await call(worker, bad)));
      await answered(worker, sent, 100);
      provider.keys = [second.jwk, first.jwk];
      signer = second;
      await answered(worker, sent, 300);
      await attack;
    });
    context.diagnostic(`${JSON.stringify(tally(honest))}, attack ${JSON.stringify(tally(refused))}`);
    assert.deepEqual(Object.keys(tally(honest)), ["200"]);
    assert.deepEqual(Object.keys(tally(refused)), ["401"]);
  });

  test("a published key that does not sign yet is known when it does", async () => {
    const { worker, provider, newToken } = await deploy({ keys: [first.jwk, second.jwk] });
    await assertAccepted(worker, { token: newToken(first) });
    await assertAccepted(worker, { token: newToken(second) });
    assert.equal(provider.count("jwks"), 1);
  });
});

describe("a crowd that arrives at a Worker without keys", () => {
  for (const [what, prepare] of [
    ["fifty at once", () => {}],
    ["fifty at once, while the provider takes its time", ({ provider }) => {
      const held = faults.held();
      provider.misbehave("jwks", held);
      return (worker) => worker.waitFor(() => provider.count("jwks") > 0, "nobody asked").then(held.release);
    }],
    ["fifty at once, while the store does not answer", ({ kv }) => void (kv.mood.reads = "hang")],
  ]) {
    test(`${what}: one discovery, one fetch of the keys, all are answered`, async () => {
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
    cleanups.push(() => partner.stop());
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

test("a thousand requests read the store once, write it once, and ask the provider twice in all", async () => {
  const { worker, kv, provider, newToken } = await deploy();
  const remembered = newToken();
  const answers = await repeat(1_000, 20, (number) => call(worker, number % 2 ? remembered : newToken()));
  assert.deepEqual(tally(answers), { 200: 1_000 });
  assert.deepEqual([kv.reads.length, kv.writes.length, provider.count()], [1, 1, 2]);
});

// The two documents, and what may become of them. Each is survived in two ways: a Worker without keys says that it
// cannot check the token, one with old keys goes on with those.
const [evil, evilKey] = [await startHostileProvider(), await createSigner("ES256", { kid: "first" })];
evil.keys = [evilKey.jwk];
const onlyUnusable = JSON.stringify({
  keys: [
    { ...first.jwk, use: "enc" },
    { kty: "oct", k: "AAAA", kid: "first", alg: "HS256" },
    { ...first.privateJwk, kid: "first" },
    { ...first.jwk, key_ops: ["sign"] },
    { ...first.jwk, crv: "P-384" },
    null,
    "key",
  ],
});

const BOTH = [
  ["is not there", faults.status(404)],
  ["fails", faults.status(500)],
  ["is overloaded", faults.status(503, { "retry-after": "1" })],
  ["asks to come less often", faults.status(429, { "retry-after": "3600" })],
  ["wants credentials", faults.status(401, { "www-authenticate": "Basic" })],
  ["has the right document under status 201", faults.status(201)],
  ["has the right document under status 206", faults.status(206)],
  ["has no content", (response) => response.writeHead(204).end()],
  ["has an empty body", faults.says("")],
  ["is a web page", faults.says("<!doctype html><title>Sign in</title>")],
  ["is half a document", faults.says('{"keys":[{"kty":"EC",')],
  ["is bytes that are no text", faults.says(Buffer.from([0xff, 0xfe, 0x00, 0x80, 0xc3, 0x28]))],
  ["is a list", faults.says("[]")],
  ["is null", faults.says("null")],
  ["is a hundred thousand lists deep", faults.says("[".repeat(60_000))],
  ["has 10 MB, and says so", faults.padded(10 * 1024 * 1024)],
  ["has 10 MB without saying so", faults.paddedInChunks(10 * 1024 * 1024)],
  ["has a little more than 64 KB", faults.padded(64 * 1024 + 1)],
  ["redirects to another provider", faults.redirect(`${evil.issuer}/jwks`)],
  ["redirects for ever", faults.redirect(`${evil.issuer}/jwks`, 308)],
  ["hangs up at once", faults.hangingUp()],
  ["hangs up in the middle", faults.breaking()],
  ["never answers", faults.silent()],
  ["stops in the middle of its answer", faults.halting()],
];
const DISCOVERY = [
  ...BOTH,
  ["speaks of another issuer", faults.saysWith({ issuer: evil.issuer })],
  ["speaks of the issuer with a slash", (response, honest) => faults.saysWith({ issuer: `${JSON.parse(honest.body).issuer}/` })(response, honest)],
  ["speaks of no issuer", faults.saysWith({ issuer: undefined })],
  ["names no keys", faults.saysWith({ jwks_uri: undefined })],
  ["names keys over plain http elsewhere", faults.saysWith({ jwks_uri: "http://keys.example/jwks" })],
  ["names keys in a file", faults.saysWith({ jwks_uri: "file:///etc/passwd" })],
  ["names keys by a relative address", faults.saysWith({ jwks_uri: "/oidc/jwks" })],
  ["names keys under a host that only begins like loopback", faults.saysWith({ jwks_uri: "http://127.0.0.1.evil.example/jwks" })],
  ["names keys with user information", faults.saysWith({ jwks_uri: "http://127.0.0.1@evil.example/jwks" })],
  ["names several places", faults.saysWith({ jwks_uri: ["http://127.0.0.1/jwks"] })],
];
const JWKS = [
  ...BOTH,
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
      test(`${what}: nobody is let in, and nobody who was in is locked out`, async () => {
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

// 503 with a time, for a token of the right key and for one of the key at the redirect's target alike.
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
  // Until the renewal has failed, and after it.
  await worker.waitFor(async () => {
    const { status, line } = await ask(worker, { token: token() });
    assert.equal(status, 200);
    return line.provider_failure !== undefined || (endpoint === "discovery" && provider.count("jwks") > 0);
  }, "the renewal did not fail", 10_000);
  await assertAccepted(worker, { token: token() });
  await assertRefused(worker, { token: token({ signer: evilKey }) }, "bad_signature");
}

test("nobody was sent to the other provider", async () => {
  assert.equal(evil.count(), 0);
  await evil.stop();
});

describe("the provider is away", () => {
  test("and nothing is at hand: 503, and after the stated seconds the same process serves again", async () => {
    const { worker, provider, newToken } = await deploy();
    await provider.stop();
    const { headers } = await assertRefused(worker, { token: newToken() }, "keys_unavailable");
    await provider.start();
    const retryAt = Date.now() + Number(headers["retry-after"]) * 1000;
    await worker.waitFor(() => Date.now() >= retryAt, "time stands still", 61_000);
    await assertAccepted(worker, { token: newToken() });
  });

  test("and many ask all the time: it is tried every few seconds, not for each of them", async () => {
    const { worker, provider, newToken } = await deploy();
    provider.misbehave("discovery", faults.status(500));
    const started = Date.now();
    const answers = await repeat(500, 20, () => call(worker, newToken()));
    const elapsed = Math.ceil((Date.now() - started) / 1000);
    assert.deepEqual(tally(answers), { 503: 500 });
    assert.ok(provider.count("discovery") <= 1 + elapsed / 5, `${provider.count("discovery")} tries in ${elapsed} seconds`);
  });

  test("and the keys are in memory: nobody notices", async () => {
    const { worker, provider, newToken } = await deploy();
    await assertAccepted(worker, { token: newToken() });
    await provider.stop();
    const answers = await repeat(100, 20, () => call(worker, newToken()));
    assert.deepEqual(tally(answers), { 200: 100 });
  });

  test("one of two issuers is away: the tokens of the other are accepted", async () => {
    const partner = await startHostileProvider({ keys: [second.jwk] });
    cleanups.push(() => partner.stop());
    const audience = "https://partner.example/mcp";
    const { worker, provider, newToken } = await deploy({
      settings: { MORE_ISSUERS: [{ issuer: partner.issuer, audience: [audience] }] },
    });
    await provider.stop();
    await assertRefused(worker, { token: newToken() }, "keys_unavailable");
    const foreign = tokensFor({ issuer: partner.issuer, resource: audience, signer: second });
    await assertAccepted(worker, { token: foreign() });
  });

  test("a provider that sends a byte in each chunk is understood", async () => {
    const { worker, provider, newToken } = await deploy();
    for (const what of ["discovery", "jwks"]) provider.misbehave(what, faults.dripping());
    await assertAccepted(worker, { token: newToken() });
  });

  test("a slow provider is waited for", async () => {
    const { worker, provider, newToken } = await deploy();
    const held = faults.held();
    provider.misbehave("discovery", held);
    const asking = assertAccepted(worker, { token: newToken() });
    await worker.waitFor(() => provider.count("discovery") === 1, "nobody asked");
    held.release();
    await asking;
  });
});

describe("where the documents are", () => {
  test("at the place of RFC 8414, if there is none at that of OpenID Connect", async () => {
    const { worker, provider, newToken } = await deploy();
    const { issuer } = provider;
    provider.misbehave("discovery", faults.status(404));
    provider.misbehave("metadata", faults.says(JSON.stringify({ issuer, jwks_uri: `${issuer}/jwks` })));
    await assertAccepted(worker, { token: newToken() });
  });

  test("a document of another issuer at that place is not used either", async () => {
    const { worker, provider, newToken } = await deploy();
    provider.misbehave("discovery", faults.status(404));
    provider.misbehave("metadata", faults.says(JSON.stringify({ issuer: provider.origin, jwks_uri: `${provider.issuer}/jwks` })));
    await assertRefused(worker, { token: newToken() }, "keys_unavailable");
  });

  test("keys that moved are found when the old copy is renewed", async () => {
    const { worker, provider, token } = await deploy({ record: fetchedAgo(FRESH_SECONDS + 1) });
    provider.discovery = { jwks_uri: `${provider.origin}/elsewhere` };
    provider.misbehave("elsewhere", faults.says(JSON.stringify({ keys: [second.jwk] })));
    await assertAccepted(worker, { token: token() });
    await worker.waitFor(async () => (await call(worker, token({ signer: second }))).status === 200, "not found");
  });

  test("requests carry no credentials, and are plain GETs", async () => {
    const { worker, provider, newToken } = await deploy();
    await assertAccepted(worker, { token: newToken() });
    for (const { method, headers, body } of provider.requests) {
      assert.equal(method, "GET");
      assert.equal(body, "");
      for (const name of ["authorization", "cookie", "cf-ray"]) assert.equal(headers[name], undefined, name);
    }
  });
});

describe("a key that is withdrawn", () => {
  test("opens nothing once the keys were renewed, not even for tokens that are remembered", async () => {
    const { worker, provider, token } = await deploy({ keys: [first.jwk, second.jwk], record: fetchedAgo(FRESH_SECONDS + 1) });
    provider.keys = [second.jwk];
    const held = faults.held();
    provider.misbehave("jwks", held);
    const [remembered, unseen] = [token(), token()];
    await assertAccepted(worker, { token: remembered });
    const { line } = await ask(worker, { token: remembered });
    assert.deepEqual([line.status, line.tier], [200, "verified"]);
    held.release();
    await worker.waitFor(async () => (await call(worker, remembered)).status === 401, "the withdrawn key still opens");
    await assertRefused(worker, { token: remembered }, "unknown_key");
    await assertRefused(worker, { token: unseen }, "unknown_key");
    await assertAccepted(worker, { token: token({ signer: second }) });
  });

  test("opens nothing after a token of its successor made the Worker look", async () => {
    const { worker, provider, newToken, token } = await deploy({ record: fetchedAgo(100) });
    const remembered = token();
    await assertAccepted(worker, { token: remembered });
    provider.keys = [second.jwk];
    await assertAccepted(worker, { token: newToken(second) });
    await assertRefused(worker, { token: remembered }, "unknown_key");
  });

  test("is dropped from the store, too", async () => {
    const { worker, provider, kv, newToken } = await deploy({ record: fetchedAgo(100) });
    provider.keys = [second.jwk];
    await assertAccepted(worker, { token: newToken(second) });
    await worker.waitFor(() => kv.writes.length === 1, "the store was not written");
    const { jwks } = JSON.parse(kv.entries.get(provider.recordName));
    assert.deepEqual(jwks.keys.map(({ kid }) => kid), ["second"]);
  });
});

describe("another key under the same name", () => {
  const successor = { ...second, kid: "first", jwk: { ...second.jwk, kid: "first" } };

  test("is found at once, and the key before it opens nothing any more", async () => {
    const { worker, provider, token, newToken } = await deploy({ record: fetchedAgo(100) });
    const remembered = token();
    await assertAccepted(worker, { token: remembered });
    provider.keys = [successor.jwk];
    await assertAccepted(worker, { token: newToken(successor) });
    await assertRefused(worker, { token: remembered }, "bad_signature");
    await assertRefused(worker, { token: token() }, "bad_signature");
  });

  test("does not make every bad signature a fetch", async () => {
    const { worker, provider, token } = await deploy({ record: fetchedAgo(100) });
    for (let round = 0; round < 20; round += 1) {
      await assertRefused(worker, { token: token({ signer: successor }) }, "bad_signature");
    }
    assert.equal(provider.count("jwks"), 1);
  });
});

describe("keys from the store that have grown old", () => {
  test("are used at once, and renewed behind the request's back", async () => {
    const { worker, provider, token } = await deploy({ record: fetchedAgo(FRESH_SECONDS + 1) });
    const held = faults.held();
    provider.misbehave("discovery", held);
    // Answered though the provider has not answered.
    const { line } = await ask(worker, { token: token() });
    assert.deepEqual([line.status, line.tier], [200, "store"]);
    await worker.waitFor(() => provider.count("discovery") === 1, "no renewal began");
    assert.equal(provider.count("jwks"), 0);
    held.release();
    await worker.waitFor(() => provider.count("jwks") === 1, "the keys were not renewed");
  });

  test("are not renewed while they are fresh", async () => {
    const { worker, provider, token } = await deploy({ record: fetchedAgo(FRESH_SECONDS - 60) });
    await repeat(50, 10, () => assertAccepted(worker, { token: token() }));
    assert.equal(provider.count(), 0);
  });

  test("are renewed once for a crowd", async () => {
    const { worker, provider, token } = await deploy({ record: fetchedAgo(FRESH_SECONDS + 1) });
    const answers = await repeat(100, 50, () => call(worker, token()));
    assert.deepEqual(tally(answers), { 200: 100 });
    await worker.waitFor(() => provider.count("jwks") > 0, "the keys were not renewed");
    assert.deepEqual([provider.count("discovery"), provider.count("jwks")], [1, 1]);
  });

  test("are tried once in half a minute if the renewal fails, whoever comes", async () => {
    const { worker, provider, token } = await deploy({ record: fetchedAgo(FRESH_SECONDS + 1) });
    provider.misbehave("discovery", faults.status(500));
    provider.misbehave("jwks", faults.status(500));
    const answers = await repeat(200, 20, () => call(worker, token()));
    assert.deepEqual(tally(answers), { 200: 200 });
    await worker.waitFor(() => provider.count("jwks") > 0, "no renewal began");
    assert.deepEqual([provider.count("discovery"), provider.count("jwks")], [1, 1]);
  });

  test("are not written back while they are the same and young enough", async () => {
    const { worker, provider, kv, token } = await deploy({ record: fetchedAgo(FRESH_SECONDS + 1) });
    await assertAccepted(worker, { token: token() });
    await worker.waitFor(() => provider.count("jwks") === 1, "the keys were not renewed");
    await repeat(20, 5, () => assertAccepted(worker, { token: token() }));
    assert.equal(kv.writes.length, 0);
  });

  test("are written back when half their life is over", async () => {
    const { worker, kv, provider, token } = await deploy({ record: fetchedAgo(CEILING_SECONDS / 2 + 10) });
    const before = seconds();
    await assertAccepted(worker, { token: token() });
    await worker.waitFor(() => kv.writes.length === 1, "the store was not written");
    assert.ok(JSON.parse(kv.entries.get(provider.recordName)).jwks_fetched_at >= before);
  });

  test("almost a day old: used, if the provider is away", async () => {
    const { worker, provider, token } = await deploy({ record: fetchedAgo(CEILING_SECONDS - 60) });
    await provider.stop();
    await assertAccepted(worker, { token: token() });
  });

  test("a day old: never used, though the provider is away and the token is right", async () => {
    const { worker, provider, token } = await deploy({ record: fetchedAgo(CEILING_SECONDS) });
    await provider.stop();
    await assertRefused(worker, { token: token() }, "keys_unavailable");
  });

  test("a day old: the provider is asked before anybody is let in", async () => {
    const { worker, provider, token } = await deploy({ record: fetchedAgo(CEILING_SECONDS + 1), keys: [second.jwk] });
    const withdrawn = { keys: [first.jwk] };
    worker.kv.entries.set(provider.recordName, JSON.stringify({ ...provider.record(), ...fetchedAgo(CEILING_SECONDS + 1), jwks: withdrawn }));
    await assertRefused(worker, { token: token() }, "unknown_key");
    await assertAccepted(worker, { token: token({ signer: second }) });
  });

  test("that become a day old while they are in use open nothing from then on, not even for remembered tokens", async () => {
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

  test("are renewed before anybody is let in: a withdrawn key opens nothing", async () => {
    const { worker, provider, token } = await deploy({ record: fetchedAgo(HOUR) });
    provider.keys = [second.jwk];
    await assertRefused(worker, { token: token() }, "unknown_key");
    await assertAccepted(worker, { token: token({ signer: second }) });
    assert.equal(provider.count("jwks"), 1);
  });

  test("are renewed once for a crowd, which waits for it", async () => {
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

describe("what a client sends", () => {
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

describe("keys and times that the operator denies", () => {
  test("a denied key opens nothing, by its kid or its thumbprint, and the others go on", async () => {
    const thumbprint = await calculateJwkThumbprint(second.jwk);
    const { worker, provider, newToken } = await deploy({
      keys: [first.jwk, second.jwk, third.jwk],
      settings: { DENIED_KEYS: `first ${thumbprint}` },
    });
    await assertRefused(worker, { token: newToken(first) }, "key_denied");
    assert.equal(provider.count(), 0, "fetched for a key that is denied by name");
    await assertRefused(worker, { token: newToken(second) }, "key_denied");
    provider.keys = [{ ...second.jwk, kid: "other" }, third.jwk];
    await assertAccepted(worker, { token: newToken(third) });
  });

  test("what was issued before the time is refused, what was issued since is not", async () => {
    const cutoff = seconds() - 100;
    const { worker, newToken } = await deploy({
      settings: { DENIED_ISSUED_BEFORE: new Date(cutoff * 1000).toISOString().replace(/\.\d+Z$/, "Z") },
    });
    const { line } = await assertRefused(worker, { token: newToken(first, { iat: cutoff - 1 }) }, "issued_before_cutoff");
    assert.equal(line.detail, `iat ${cutoff - 1}, DENIED_ISSUED_BEFORE ${cutoff}`);
    await assertRefused(worker, { token: newToken(first, { iat: undefined }) }, "issued_before_cutoff");
    await assertAccepted(worker, { token: newToken(first, { iat: cutoff }) });
  });
});

describe("a token that names a key which is published and cannot be used", () => {
  const odd = {
    "of 1,024 bits": { kty: "RSA", n: "x".repeat(171), e: "AQAB" },
    "for encryption": { ...second.jwk, use: "enc" },
    "with the exponent 1": { kty: "RSA", n: "x".repeat(342), e: "AQ" },
    "with a broken number": { kty: "RSA", n: "x y", e: "AQAB" },
  };
  for (const [what, jwk] of Object.entries(odd)) {
    test(`${what} is refused at once, and nothing is asked`, async () => {
      const { worker, provider, newToken } = await deploy({ keys: [first.jwk, { ...jwk, kid: "odd" }] });
      await assertAccepted(worker, { token: newToken() });
      provider.forget();
      for (let round = 0; round < 5; round += 1) {
        const { line } = await assertRefused(worker, { token: newToken({ ...attacker, kid: "odd" }) }, "unknown_key");
        assert.match(line.detail, /published and cannot be used/);
      }
      assert.equal(provider.count(), 0);
    });
  }

  test("off its curve likewise", async () => {
    const off = { ...second.jwk, kid: "odd", y: second.jwk.x };
    const { worker, provider, newToken } = await deploy({ keys: [first.jwk, off] });
    await assertAccepted(worker, { token: newToken() });
    provider.forget();
    await assertRefused(worker, { token: newToken({ ...attacker, kid: "odd" }) }, "unusable_key");
    assert.equal(provider.count(), 0);
  });
});

test("an invented key of a token that is older than the copy is refused also while the provider is away", async () => {
  const { worker, provider, newToken } = await deploy();
  await assertAccepted(worker, { token: newToken() });
  await provider.stop();
  const invented = (number, iat) => newToken({ ...attacker, kid: `invented-${number}` }, { iat });
  const old = await repeat(100, 10, (number) => call(worker, invented(number, seconds() - 400)));
  assert.deepEqual(tally(old), { 401: 100 });
  const { headers } = await call(worker, invented(0, seconds() + 1)).then((answer) => {
    assert.equal(answer.status, 503);
    return answer;
  });
  assert.ok(Number(headers["retry-after"]) <= 30);
});

describe("a record in the store that is not what it should be", () => {
  const now = seconds();
  const records = [
    ["comes from the future", { jwks_fetched_at: now + 86_400, provider_fetched_at: now + 86_400 }],
    ["has keys from the future", { jwks_fetched_at: now + 86_400 }],
    ["has a time that is text", { jwks_fetched_at: String(now) }],
    ["has a negative time", { jwks_fetched_at: -1 }],
    ["has a time with a fraction", { jwks_fetched_at: now + 0.5 }],
    ["has no time", { jwks_fetched_at: undefined }],
    ["has no provider", { provider: undefined }],
    ["has no keys", { jwks: undefined }],
    ["has an empty set", { jwks: { keys: [] } }],
    ["has unusable keys only", { jwks: JSON.parse(onlyUnusable) }],
    ["names the keys of a stranger over plain http", { provider: { issuer: "@", jwks_uri: "http://keys.example/jwks" } }],
    ["belongs to another issuer", { provider: { issuer: "https://other.example/oidc", jwks_uri: "https://other.example/jwks" } }],
    ["has the record in a text", "text"],
    ["is a megabyte of lists", "[".repeat(1024 * 1024)],
    ["is a number", "1"],
    ["is binary", "\u0000\u0001\ufffd"],
  ];
  for (const [what, changes] of records) {
    test(`${what}: it is as good as none`, async () => {
      const { worker, provider, kv, token } = await deploy();
      const honest = provider.record({ keys: [attacker.jwk] });
      const record = typeof changes === "string" ? changes : JSON.stringify({ ...honest, ...changes }).replace('"issuer":"@"', `"issuer":"${provider.issuer}"`);
      kv.entries.set(provider.recordName, changes === "text" ? JSON.stringify(JSON.stringify(honest)) : record);
      const { line } = await ask(worker, { token: token() });
      assert.deepEqual([line.status, line.tier], [200, "provider"]);
      await assertRefused(worker, { token: token({ signer: attacker }) }, "unknown_key");
    });
  }

  test("a clock that is half a minute ahead elsewhere is no future", async () => {
    const { worker, provider, token } = await deploy({ record: { jwks_fetched_at: now + 50, provider_fetched_at: now + 50 } });
    await assertAccepted(worker, { token: token() });
    assert.equal(provider.count(), 0);
  });

  test("is replaced by what the provider says", async () => {
    const { worker, provider, kv, token } = await deploy({ record: "nonsense" });
    await assertAccepted(worker, { token: token() });
    await worker.waitFor(() => kv.writes.length === 1, "the store was not written");
    assert.equal(JSON.parse(kv.entries.get(provider.recordName)).provider.issuer, provider.issuer);
  });
});

describe("a record in the store with genuine keys and endpoints of somebody else", () => {
  const settings = {
    OPAQUE_TOKEN_CLIENTS: "*",
    INTROSPECTION_CLIENT_ID: "us",
    INTROSPECTION_CLIENT_SECRET: "our secret",
    AUTHORIZATION_SERVER_MIRROR: "true",
  };

  test("gets neither our secret nor a user: the issuer is asked", async () => {
    const thief = await startHostileProvider();
    cleanups.push(() => thief.stop());
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

  test("is of no use for either while the issuer is away", async () => {
    const thief = await startHostileProvider();
    cleanups.push(() => thief.stop());
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

describe("clients that hang up", () => {
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

  /** An honest answer, a little late. */
  const late = (milliseconds) => (response, honest) =>
    setTimeout(() => response.writeHead(200, { "content-type": honest.type }).end(honest.body), milliseconds);

  test("do not take the fetch of the keys with them: the next request is served by it", async () => {
    const { worker, provider, token } = await deploy();
    provider.misbehave("discovery", late(300));
    await hangUp(worker, token({ signer: attacker }));
    await assertAccepted(worker, { token: token() });
    assert.deepEqual([provider.count("discovery"), provider.count("jwks")], [1, 1]);
  });

  test("nor keep old keys from being renewed and written to the store", async () => {
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
