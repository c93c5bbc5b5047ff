// Personal access tokens: who they stand for, who is refused, and what is an outage.

import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { startDeployment } from "./support/deployment.mjs";
import { alice, bob, deploy, PAT_SETTINGS, SECRET, withTokens } from "./support/pat-deployment.mjs";
import { ask, assertAccepted, assertRefused } from "./support/refusals.mjs";
import "./support/report-failures.mjs";

const { worker, provider, pat, stop } = withTokens(
  await startDeployment({ settings: { ...PAT_SETTINGS, FIRST_PARTY_CLIENTS: "token-exchange" } }),
);
after(stop);

describe("a personal access token", () => {
  test("stands for its user", async () => {
    for (const account of [alice, bob]) {
      const who = await assertAccepted(worker, { token: pat(account) });
      assert.equal(who.sub, account.sub);
      assert.equal(who.kind, "user");
      assert.equal(who.email, account.email);
    }
  });

  test("is never first-party, also of a client that is listed", async () => {
    const who = await assertAccepted(worker, { token: pat() });
    assert.equal(who.client_id, "token-exchange");
    assert.equal(who.client_party, "third");
    assert.equal(who.credential, "personal_access_token");
  });

  test("is exchanged once for many uses, and also for many at the same time", async () => {
    const before = provider.counts.exchanges;
    const token = pat();
    await Promise.all(Array.from({ length: 50 }, () => assertAccepted(worker, { token })));
    for (let round = 0; round < 50; round += 1) await assertAccepted(worker, { token });
    assert.equal(provider.counts.exchanges, before + 1);
  });

  test("of one user never gets the answer of another", async () => {
    const tokens = Array.from({ length: 10 }, (_, number) => (number % 2 === 0 ? [alice, pat(alice)] : [bob, pat(bob)]));
    for (let round = 0; round < 3; round += 1) {
      await Promise.all(tokens.map(async ([{ sub }, token]) => assert.equal((await assertAccepted(worker, { token })).sub, sub)));
    }
  });

  test("is refused if it is unknown, deleted, expired or another provider's", async () => {
    const deleted = pat();
    provider.deletePersonalAccessToken(deleted);
    for (const token of [deleted, pat(alice, { expiresAt: Date.now() - 1 }), "pat_unknownunknownunknown", "pat_", `pat_${"x".repeat(4000)}`]) {
      await assertRefused(worker, { token }, "personal_token_refused");
    }
    await assertRefused(worker, { token: `pat_${"x".repeat(4100)}` }, "token_too_large");
  });

  test("is refused while its user is suspended", async () => {
    provider.suspended.add(bob.sub);
    await assertRefused(worker, { token: pat(bob) }, "personal_token_refused");
    provider.suspended.clear();
    await assertAccepted(worker, { token: pat(bob) });
  });

  test("leaves neither token nor secret in the log", () => {
    assert.ok(!worker.raw().includes(SECRET) && !worker.raw().includes("pat_unknown"));
  });
});

describe("an outage", () => {
  for (const how of ["break", "fail"]) {
    test(`of the token endpoint (${how}) is no refusal, and those in use do not see it`, async () => {
      const known = pat();
      await assertAccepted(worker, { token: known });
      const token = pat();
      provider.misbehave({ when: "before", how });
      const { line } = await assertRefused(worker, { token }, "exchange_unavailable");
      assert.match(line.detail, /token endpoint/);
      await assertRefused(worker, { token }, "exchange_unavailable");
      await assertAccepted(worker, { token: known });
      provider.misbehave();
      await assertAccepted(worker, { token });
    });
  }

  test("is a token endpoint that does not answer", async () => {
    const token = pat();
    provider.misbehave({ when: "after", how: "hang", times: 1 });
    const { line } = await assertRefused(worker, { token }, "exchange_unavailable");
    assert.match(line.detail, /5s/);
    await assertAccepted(worker, { token });
  });

  test("is trouble with our own client, which the log explains", async () => {
    const token = pat();
    provider.expiredSecrets.add("token-exchange");
    const { line } = await assertRefused(worker, { token }, "exchange_refused");
    assert.match(line.detail, /expired.*PAT_CLIENT_SECRET/);
    provider.expiredSecrets.clear();
    await assertAccepted(worker, { token });

    for (const [settings, detail] of [
      [{ PAT_CLIENT_SECRET: "wrong" }, /PAT_CLIENT_ID and PAT_CLIENT_SECRET/],
      [{ PAT_CLIENT_ID: "mcp-edge", PAT_CLIENT_SECRET: "mcp-edge-secret" }, /invalid_request.*allowed to exchange tokens/],
    ]) {
      const { worker: other, pat: own } = await deploy(settings);
      assert.match((await assertRefused(other, { token: own() }, "exchange_refused")).line.detail, detail);
    }
  });

  test("is a resource that the provider does not know", async () => {
    const { worker: other, pat: own } = await deploy({}, { resource: "https://other.example/mcp" });
    const { line } = await assertRefused(other, { token: own() }, "exchange_refused");
    assert.match(line.detail, /RESOURCE/);
  });
});

describe("scopes", () => {
  test("are those of PAT_SCOPES that the user has", async () => {
    const scopes = { "whoami:read": "See who you are", "notes:write": "Write notes" };
    const { worker: other, pat: own } = await deploy({ PAT_SCOPES: "whoami:read" }, { scopes });
    assert.deepEqual((await assertAccepted(other, { token: own() })).scopes, ["whoami:read"]);
  });

  test("that the user lacks are lacking: 403, and no outage", async () => {
    const { worker: other, pat: own } = await deploy({}, { scopes: { "notes:write": "Write notes" } });
    const { status, line } = await ask(other, { token: own() });
    assert.deepEqual([status, line.reason], [403, "insufficient_scope"]);
  });
});
