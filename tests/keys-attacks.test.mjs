// Floods of forged and invented tokens: how often the provider and the store are asked.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { faults } from "./support/hostile-provider.mjs";
import { attacker, call, deploy, first, repeat, second, tally } from "./support/key-deployment.mjs";
import { assertAccepted, assertRefused } from "./support/refusals.mjs";
import "./support/report-failures.mjs";
import { seconds } from "./support/signers.mjs";

describe("a flood of tokens with unknown key ids", () => {
  const invented = ({ newToken }, number, claims = {}) => newToken({ ...attacker, kid: `invented-${number}` }, claims);

  test("signed before the copy of the keys: each gets 401, and the provider gets at most three requests for keys", async (context) => {
    const deployment = await deploy();
    const { worker, provider, newToken } = deployment;
    await assertAccepted(worker, { token: newToken() });
    const before = { iat: seconds() - 60 };
    const tokens = Array.from({ length: 300 }, (_, number) => invented(deployment, number, before));
    const answers = await repeat(300, 20, (number) => call(worker, tokens[number]));
    context.diagnostic(`${JSON.stringify(tally(answers))}, ${provider.count("jwks")} fetches, ${worker.kv.reads.length} reads`);
    assert.deepEqual(tally(answers), { 401: 300 });
    assert.ok(provider.count("jwks") <= 3, `${provider.count("jwks")} fetches of the keys`);
    assert.equal(provider.count("discovery"), 1);
    assert.ok(worker.kv.reads.length <= 3, `${worker.kv.reads.length} reads of the store`);
  });

  test("to a Worker without keys: each gets 401, and the provider gets at most three requests for keys", async () => {
    const deployment = await deploy();
    const { worker, provider, newToken } = deployment;
    // Not in the second in which the keys are fetched: whether those are newer would be open.
    const before = { iat: seconds() - 60 };
    const tokens = Array.from({ length: 300 }, (_, number) => invented(deployment, number, before));
    const answers = await repeat(300, 20, (number) => call(worker, tokens[number]));
    assert.deepEqual(tally(answers), { 401: 300 });
    assert.ok(provider.count("jwks") <= 3, `${provider.count("jwks")} fetches of the keys`);
    await assertAccepted(worker, { token: newToken() });
  });

  test("signed during the flood: each is refused without waiting, and valid tokens are accepted", async (context) => {
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

  test("during an outage: the provider does not get a request for each", async () => {
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

  test("without a key id, or all with the same one: no additional requests to the provider", async () => {
    const { worker, provider, newToken, token } = await deploy();
    await assertAccepted(worker, { token: newToken() });
    const same = await repeat(100, 20, () => call(worker, token({ signer: attacker })));
    const none = await repeat(100, 20, () => call(worker, token({ signer: attacker, header: { kid: undefined } })));
    assert.deepEqual([tally(same), tally(none)], [{ 401: 100 }, { 401: 100 }]);
    assert.ok(provider.count("jwks") <= 3, `${provider.count("jwks")} fetches of the keys`);
  });

  test("a valid token under a new key never gets 401, and is accepted within half a minute", async () => {
    const deployment = await deploy();
    const { worker, provider, newToken } = deployment;
    await assertAccepted(worker, { token: newToken() });
    // Uses up the requests for unknown keys.
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

describe("a flood of forged signatures with the published key id", () => {
  test("is refused, with at most one more request to the provider", async () => {
    const { worker, provider, newToken } = await deploy();
    await assertAccepted(worker, { token: newToken() });
    const forged = () => newToken({ ...attacker, kid: first.kid });
    const answers = await repeat(200, 20, () => call(worker, forged()));
    assert.deepEqual(tally(answers), { 401: 200 });
    assert.ok(provider.count("jwks") <= 2, `${provider.count("jwks")} fetches of the keys`);
  });
});

describe("a token with the id of an unusable published key", () => {
  const odd = {
    "of 1,024 bits": { kty: "RSA", n: "x".repeat(171), e: "AQAB" },
    "for encryption": { ...second.jwk, use: "enc" },
    "with the exponent 1": { kty: "RSA", n: "x".repeat(342), e: "AQ" },
    "with a broken number": { kty: "RSA", n: "x y", e: "AQAB" },
  };
  for (const [what, jwk] of Object.entries(odd)) {
    test(`${what} is refused at once, without a request`, async () => {
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

  test("a point off its curve is refused at once, without a request", async () => {
    const off = { ...second.jwk, kid: "odd", y: second.jwk.x };
    const { worker, provider, newToken } = await deploy({ keys: [first.jwk, off] });
    await assertAccepted(worker, { token: newToken() });
    provider.forget();
    await assertRefused(worker, { token: newToken({ ...attacker, kid: "odd" }) }, "unusable_key");
    assert.equal(provider.count(), 0);
  });
});

test("a token that is older than the keys, with an unknown key id, gets 401 also during an outage", async () => {
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
