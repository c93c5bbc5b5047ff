// How often the provider is asked about opaque tokens, and what is never sent to it.

import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { startHostileProvider } from "./support/hostile-provider.mjs";
import { legacyCall } from "./support/messages.mjs";
import { ACCEPTING_ALL, asked, cleanUp, deploy, NO_SCOPES, opaqueFor } from "./support/opaque-deployment.mjs";
import { ask, assertAccepted, assertRefused } from "./support/refusals.mjs";
import "./support/report-failures.mjs";
import { encode, seconds } from "./support/signers.mjs";
import { post } from "./support/worker.mjs";

describe("the number of introspection requests", () => {
  test("one for many requests with one token", async () => {
    const { worker, provider, opaque } = await deploy();
    const token = opaque();
    for (let round = 0; round < 100; round += 1) await assertAccepted(worker, { token });
    assert.equal(asked(provider), 1);
  });

  test("one for each token: no token gets the response of another", async () => {
    const { worker, provider, opaque } = await deploy();
    const tokens = Array.from({ length: 20 }, (_, number) => opaque({ sub: `user-${number}` }));
    for (let round = 0; round < 3; round += 1) {
      const subjects = await Promise.all(tokens.map(async (token) => (await assertAccepted(worker, { token })).sub));
      assert.deepEqual(subjects, tokens.map((_, number) => `user-${number}`));
    }
    assert.equal(asked(provider), 20);
  });

  test("one for many requests with one bad token", async () => {
    const { worker, provider } = await deploy();
    for (let round = 0; round < 100; round += 1) await assertRefused(worker, { token: "never-issued" }, "inactive", NO_SCOPES);
    assert.equal(asked(provider), 1);
  });

  test("a new one when the set time is over: a revoked token is accepted for that time", async () => {
    const { worker, provider, opaque } = await deploy({ ...ACCEPTING_ALL, OPAQUE_TOKEN_SECONDS: "2" });
    const token = opaque();
    await assertAccepted(worker, { token });
    provider.tokens.delete(token);
    await worker.waitFor(async () => (await ask(worker, { token })).status === 401, "a revoked token lives on", 6_000);
    assert.equal(asked(provider), 2);
  });

  test("one for every request, if the set time is zero", async () => {
    const { worker, provider, opaque } = await deploy({ ...ACCEPTING_ALL, OPAQUE_TOKEN_SECONDS: "0" });
    const token = opaque();
    await assertAccepted(worker, { token });
    await assertAccepted(worker, { token });
    assert.equal(asked(provider), 2);
    provider.tokens.delete(token);
    await assertRefused(worker, { token }, "inactive", NO_SCOPES);
  });

  test("a new one when the token expires, before the set time is over", async () => {
    const { worker, provider, opaque } = await deploy({ ...ACCEPTING_ALL, OPAQUE_TOKEN_SECONDS: "600" });
    const token = opaque({ exp: seconds() + 2 });
    await assertAccepted(worker, { token });
    provider.tokens.delete(token);
    await worker.waitFor(async () => (await ask(worker, { token })).status === 401, "an expired token is still accepted", 6_000);
  });

  test("a new one sooner after a negative response: a token that becomes active is accepted", async () => {
    const { worker, provider, opaque } = await deploy({ ...ACCEPTING_ALL, OPAQUE_TOKEN_SECONDS: "600" });
    const token = opaque();
    const answer = provider.tokens.get(token);
    provider.tokens.delete(token);
    await assertRefused(worker, { token }, "inactive", NO_SCOPES);
    provider.tokens.set(token, answer);
    await worker.waitFor(async () => (await ask(worker, { token })).status === 200, "still refused", 12_000);
    assert.equal(asked(provider), 2);
  });

  test("fewer than one for each token of a flood of unknown tokens", async (context) => {
    const { worker, provider } = await deploy();
    const answers = await Promise.all(
      Array.from({ length: 300 }, (_, number) => post(worker, { token: `invented-${number}`, message: legacyCall("whoami") })),
    );
    context.diagnostic(`300 invented tokens, ${asked(provider)} introspections`);
    assert.ok(answers.every(({ status }) => status >= 400));
    assert.ok(asked(provider) < 300, `${asked(provider)} introspections`);
  });

  test("all of many requests at once with one new token are accepted", async (context) => {
    const { worker, provider, opaque } = await deploy();
    const token = opaque();
    await Promise.all(Array.from({ length: 50 }, () => assertAccepted(worker, { token })));
    context.diagnostic(`50 requests at once with one token, ${asked(provider)} introspections`);
    assert.deepEqual([provider.count("discovery"), provider.count("jwks")], [1, 1]);
  });
});

describe("JWTs", async () => {
  const jobs = [];
  const { worker, provider, jwt } = await deploy(ACCEPTING_ALL, (job) => jobs.unshift(job));
  after(async () => {
    for (const job of jobs) await job();
  });

  // Short enough for opaque tokens.
  const header = JSON.stringify({ alg: "ES256", typ: "at+jwt", kid: "k" });
  const short = (text, end = ".e30.AAAA") => `${encode(text)}${end}`;
  const broken = [
    ["expired", jwt({ claims: { exp: 1 } })],
    ["with a bad signature", jwt({ signature: (bytes) => Buffer.alloc(bytes.length) })],
    ["of another issuer", jwt({ claims: { iss: "https://other.example" } })],
    ["for another audience", jwt({ claims: { aud: "other" } })],
    ["under an unknown key", jwt({ header: { kid: "unknown" } })],
    ["without a signature", short('{"alg":"none"}', ".e30.")],
    ["with claims that are no base64url", short(header, ".~~~~.AAAA")],
    ["with two segments", short(header, ".e30")],
    ["with a header alone", short(header, "")],
    ["with four segments", short(header, ".e30.AAAA.AAAA")],
    ["encrypted", short('{"alg":"dir","enc":"A256GCM"}', "..AAAA.AAAA.AAAA")],
    ["with a header that is no JSON", short('{"alg":')],
    ["with a header that occurs twice", short('{"alg":"ES256","alg":"none"}')],
    ["without alg", short("{}")],
    ["with a header in plain base64", short(Buffer.from('{"alg":"ES256","x":"~~~???>>>"}'), "").replace(/[-_]/g, "+") + ".e30.AAAA"],
    ["with unused bits in the header", `${encode('{"alg":"ES256"}  ').slice(0, -1)}B.e30.AAAA`],
  ];
  for (const [what, token] of broken) {
    test(`${what} are never sent to the provider`, async () => {
      provider.forget();
      const { status } = await ask(worker, { token });
      assert.equal(status, 401);
      assert.equal(asked(provider), 0);
    });
  }

  test("with white space before the header are never sent to the provider", async () => {
    provider.forget();
    assert.equal((await ask(worker, { token: short(` ${header}`) })).status, 401);
    assert.equal(asked(provider), 0);
  });

  test("that are valid are accepted without a request", async () => {
    provider.forget();
    await assertAccepted(worker, { token: jwt() });
    assert.equal(asked(provider), 0);
    assert.equal(provider.count("userinfo"), 0);
  });
});

describe("endpoints in the discovery document", () => {
  for (const [what, discovery, reason] of [
    ["no introspection endpoint", { introspection_endpoint: undefined }, "introspection_unavailable"],
    ["one over plain http elsewhere", { introspection_endpoint: "http://login.example/introspect" }, "introspection_unavailable"],
  ]) {
    test(`${what}: token and secret are not sent`, async () => {
      const { worker, provider, opaque } = await deploy();
      provider.discovery = discovery;
      await assertRefused(worker, { token: opaque() }, reason);
      assert.ok(provider.requests.every(({ headers }) => headers.authorization === undefined));
    });
  }

  test("during an outage: 503, which is not cached", async () => {
    const { worker, provider, opaque } = await deploy();
    const token = opaque();
    await provider.stop();
    const { headers } = await assertRefused(worker, { token }, "keys_unavailable");
    await provider.start();
    const retryAt = Date.now() + Number(headers["retry-after"]) * 1000;
    await worker.waitFor(() => Date.now() >= retryAt, "Retry-After is not over", 61_000);
    await assertAccepted(worker, { token });
  });

  test("during an outage a cached response is used", async () => {
    const { worker, provider, opaque } = await deploy();
    const token = opaque();
    await assertAccepted(worker, { token });
    await provider.stop();
    await assertAccepted(worker, { token });
    await assertRefused(worker, { token: opaque() }, "introspection_unavailable");
  });
});

test("with several issuers, opaque tokens are checked with the first", async () => {
  const partner = await startHostileProvider({ keys: [] });
  cleanUp(() => partner.stop());
  const { worker, opaque } = await deploy({ ...ACCEPTING_ALL, MORE_ISSUERS: [{ issuer: partner.issuer, audience: ["x"] }] });
  const foreign = opaqueFor(partner)();
  await assertRefused(worker, { token: foreign }, "inactive", NO_SCOPES);
  await assertAccepted(worker, { token: opaque() });
  assert.equal(partner.count(), 0);
});
