// Rotated, withdrawn, replaced and denied keys: for how long a key is accepted.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { calculateJwkThumbprint } from "jose";
import { faults } from "./support/hostile-provider.mjs";
import {
  attacker,
  call,
  deploy,
  fetchedAgo,
  first,
  FRESH_SECONDS,
  repeat,
  second,
  tally,
  third,
} from "./support/key-deployment.mjs";
import { ask, assertAccepted, assertRefused } from "./support/refusals.mjs";
import "./support/report-failures.mjs";
import { seconds } from "./support/signers.mjs";

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

  test("a published key is accepted when it begins to sign", async () => {
    const { worker, provider, newToken } = await deploy({ keys: [first.jwk, second.jwk] });
    await assertAccepted(worker, { token: newToken(first) });
    await assertAccepted(worker, { token: newToken(second) });
    assert.equal(provider.count("jwks"), 1);
  });
});

describe("a withdrawn key", () => {
  test("is refused after the keys were renewed, also for cached tokens", async () => {
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

  test("is refused after a token of its successor caused a renewal", async () => {
    const { worker, provider, newToken, token } = await deploy({ record: fetchedAgo(100) });
    const remembered = token();
    await assertAccepted(worker, { token: remembered });
    provider.keys = [second.jwk];
    await assertAccepted(worker, { token: newToken(second) });
    await assertRefused(worker, { token: remembered }, "unknown_key");
  });

  test("is removed from the store", async () => {
    const { worker, provider, kv, newToken } = await deploy({ record: fetchedAgo(100) });
    provider.keys = [second.jwk];
    await assertAccepted(worker, { token: newToken(second) });
    await worker.waitFor(() => kv.writes.length === 1, "the store was not written");
    const { jwks } = JSON.parse(kv.entries.get(provider.recordName));
    assert.deepEqual(jwks.keys.map(({ kid }) => kid), ["second"]);
  });
});

describe("another key with the same id", () => {
  const successor = { ...second, kid: "first", jwk: { ...second.jwk, kid: "first" } };

  test("is found at once, and the previous key is refused", async () => {
    const { worker, provider, token, newToken } = await deploy({ record: fetchedAgo(100) });
    const remembered = token();
    await assertAccepted(worker, { token: remembered });
    provider.keys = [successor.jwk];
    await assertAccepted(worker, { token: newToken(successor) });
    await assertRefused(worker, { token: remembered }, "bad_signature");
    await assertRefused(worker, { token: token() }, "bad_signature");
  });

  test("does not cause a fetch for every bad signature", async () => {
    const { worker, provider, token } = await deploy({ record: fetchedAgo(100) });
    for (let round = 0; round < 20; round += 1) {
      await assertRefused(worker, { token: token({ signer: successor }) }, "bad_signature");
    }
    assert.equal(provider.count("jwks"), 1);
  });
});

describe("denied keys and times", () => {
  test("a key is denied by its kid or its thumbprint; other keys are accepted", async () => {
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

  test("a token that was issued before the time is refused, a later one is accepted", async () => {
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
