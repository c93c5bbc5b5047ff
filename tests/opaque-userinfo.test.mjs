// Opaque tokens and userinfo: the user's profile, and providers without introspection.

import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { faults } from "./support/hostile-provider.mjs";
import { ACCEPTING_ALL, asked, deploy, NO_SCOPES } from "./support/opaque-deployment.mjs";
import { ask, assertAccepted, assertRefused } from "./support/refusals.mjs";
import "./support/report-failures.mjs";
import { CANARY, seconds } from "./support/signers.mjs";

describe("the profile", async () => {
  const jobs = [];
  const { worker, provider, opaque } = await deploy(ACCEPTING_ALL, (job) => jobs.unshift(job));
  after(async () => {
    for (const job of jobs) await job();
  });
  const profile = { sub: "user-1", name: "Alice Example", username: "alice", email: "alice@example.com", email_verified: true, phone_number: CANARY };

  const shown = async (scope, changes = {}) => {
    provider.forget();
    const { username, name, email, email_verified, picture } = await assertAccepted(worker, {
      token: opaque({ scope, ...changes.token }, { ...profile, ...changes.profile }),
    });
    return { username, name, email, email_verified, picture, asked: provider.count("userinfo") };
  };
  const nothing = { username: undefined, name: undefined, email: undefined, email_verified: undefined, picture: undefined };

  test("is not requested if no scope covers a claim of it", async () => {
    assert.deepEqual(await shown("openid"), { ...nothing, asked: 0 });
    assert.deepEqual(await shown(undefined), { ...nothing, asked: 0 });
  });

  test("shows what the scope profile covers", async () =>
    assert.deepEqual(await shown("openid profile"), { ...nothing, username: "alice", name: "Alice Example", asked: 1 }));

  test("shows what the scope email covers", async () =>
    assert.deepEqual(await shown("openid email"), { ...nothing, email: "alice@example.com", email_verified: true, asked: 1 }));

  test("of another user is not shown", async () => {
    for (const sub of ["user-2", undefined, null, ["user-1"]]) {
      assert.deepEqual(await shown("openid profile email", { profile: { sub } }), { ...nothing, asked: 1 });
    }
  });

  test("does not disclose claims of the introspection response that no scope covers", async () => {
    const token = { name: CANARY, email: CANARY, username: CANARY };
    assert.deepEqual(await shown("openid", { token }), { ...nothing, asked: 0 });
  });

  test("cannot change scopes, client or subject", async () => {
    const changes = { scope: "email admin", client_id: "first-party", iss: "https://other.example", exp: 1 };
    const identity = await assertAccepted(worker, { token: opaque({ scope: "openid profile" }, { ...profile, ...changes }) });
    assert.deepEqual(
      [identity.scopes, identity.client_id, identity.issuer, identity.sub],
      [["openid", "profile"], "agent", provider.issuer, "user-1"],
    );
    assert.ok(identity.expires_at > seconds());
  });

  for (const [what, fault] of [
    ["an error", faults.status(500)], ["a refusal", faults.status(401)], ["a web page", faults.says("<html>")],
    ["a redirect", faults.redirect("/elsewhere")], ["a hang-up", faults.hangingUp()],
  ]) {
    test(`that is not available because of ${what} is left out, and the request is accepted`, async () => {
      provider.misbehave("userinfo", fault);
      // The runtime may repeat a request whose connection is closed without a response.
      const { asked: times, ...claims } = await shown("openid profile");
      provider.behave();
      assert.deepEqual(claims, nothing);
      assert.ok(times >= 1);
      assert.equal(provider.count("elsewhere"), 0);
    });
  }

  test("is requested for scopes of CLAIM_SCOPES as well", async () => {
    const mapped = await deploy({ ...ACCEPTING_ALL, CLAIM_SCOPES: "openid=username" });
    const identity = await assertAccepted(mapped.worker, { token: mapped.opaque({}, profile) });
    assert.deepEqual([identity.username, identity.name], ["alice", undefined]);
  });

  test("is requested once for many requests", async () => {
    provider.forget();
    const token = opaque({ scope: "openid profile" }, profile);
    for (let round = 0; round < 20; round += 1) {
      assert.equal((await assertAccepted(worker, { token })).name, "Alice Example");
    }
    assert.equal(provider.count("userinfo"), 1);
  });
});

describe("userinfo without introspection", () => {
  const USERINFO = { OPAQUE_TOKEN_CLIENTS: "*", OPAQUE_TOKEN_CHECK: "userinfo" };
  const profile = { sub: "user-1", name: "Alice Example", email: "alice@example.com" };
  const token = "an-opaque-token-of-forty-three-characters-x";
  const deployed = async (answer = profile, settings = {}) => {
    const deployment = await deploy({ ...USERINFO, ...settings });
    deployment.provider.profiles.set(token, answer);
    return deployment;
  };

  test("the response is the identity: a user, without a client, with the allowed claims", async () => {
    const { worker, provider } = await deployed();
    const identity = await assertAccepted(worker, { token });
    assert.deepEqual(
      [identity.sub, identity.name, identity.email, identity.client_id, identity.kind, identity.client_party, identity.scopes],
      ["user-1", "Alice Example", "alice@example.com", undefined, "user", "third", ["openid"]],
    );
    const [{ headers, method }] = provider.requests.filter(({ endpoint }) => endpoint === "userinfo");
    assert.deepEqual([method, headers.authorization], ["GET", `Bearer ${token}`]);
    assert.equal(asked(provider), 0);
  });

  test("client, scopes, audience and expiry in the response are ignored", async () => {
    const changes = { client_id: "first-party", azp: "first-party", scope: "admin", scp: "admin", aud: "x", exp: 1, nbf: 9e9, iat: 9e9, iss: "x" };
    const { worker, provider } = await deployed({ ...profile, ...changes }, { FIRST_PARTY_CLIENTS: "first-party" });
    const identity = await assertAccepted(worker, { token });
    assert.deepEqual(
      [identity.client_id, identity.client_party, identity.scopes, identity.issuer],
      [undefined, "third", ["openid"], provider.issuer],
    );
  });

  test("is requested once for many requests, and again when the set time is over", async () => {
    const { worker, provider } = await deployed(profile, { OPAQUE_TOKEN_SECONDS: "2" });
    await assertAccepted(worker, { token });
    await assertAccepted(worker, { token });
    provider.profiles.delete(token);
    await worker.waitFor(async () => (await ask(worker, { token })).status === 401, "a revoked token is still accepted", 6_000);
    assert.equal(provider.count("userinfo"), 2);
  });

  test("with a list of clients, all tokens are refused", async () => {
    const { worker } = await deployed(profile, { ALLOWED_CLIENTS: "agent" });
    await assertRefused(worker, { token }, "client_not_allowed");
  });

  test("with a required scope, all tokens are refused", async () => {
    const { worker } = await deployed(profile, { REQUIRED_SCOPES: "whoami:read" });
    await assertRefused(worker, { token }, "insufficient_scope");
  });

  test("a response without a subject is refused", async () => {
    const { worker } = await deployed({ name: "Alice Example", active: true });
    await assertRefused(worker, { token }, "missing_subject", NO_SCOPES);
  });

  for (const [what, fault, reason] of [
    ["401 invalid_token", faults.error(401, "invalid_token"), "inactive"],
    ["401 with only a challenge", faults.challenge('Bearer realm="Users", error="invalid_token"'), "inactive"],
    ["400, for an unknown client", faults.error(400, "invalid_client", "invalid client agent"), "inactive"],
    ["403 insufficient_scope", faults.error(403, "insufficient_scope"), "inactive"],
    ["401 without a code", faults.status(401), "inactive"],
    ["401 with a challenge of another scheme", faults.challenge("Basic"), "introspection_unavailable"],
    ["400 with a web page", faults.page(400), "introspection_unavailable"],
    ["401 with a web page", faults.page(401), "introspection_unavailable"],
    ["403 with a web page", faults.page(403), "introspection_unavailable"],
    ["429", faults.status(429), "introspection_unavailable"],
    ["500", faults.status(500), "introspection_unavailable"],
    ["a redirect", faults.redirect("/elsewhere"), "introspection_unavailable"],
    ["a web page", faults.says("<html>"), "introspection_unavailable"],
    ["a signed answer", faults.says("eyJhbGciOiJFUzI1NiJ9.e30.AAAA"), "introspection_unavailable"],
  ]) {
    test(`${what}: ${reason}`, async () => {
      const { worker, provider } = await deployed();
      provider.misbehave("userinfo", fault);
      await assertRefused(worker, { token }, reason, NO_SCOPES);
      assert.equal(provider.count("elsewhere"), 0);
    });
  }
});
