// Personal access tokens and their exchange, as Logto answers; suspended users; faults.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, afterEach, describe, test } from "node:test";
import { LOCAL_ACCOUNTS, startIdentityProvider } from "./index.mjs";
import { MACHINE, OFFLINE, requestsTo, RESOURCE } from "./testing/requests.mjs";

const [alice] = LOCAL_ACCOUNTS;
const CLIENT = { authorization: `Basic ${btoa("token-exchange:token-exchange-secret")}` };
const OTHER = "https://other.example/api";

const recorded = JSON.parse(
  await readFile(new URL("../../crates/oauth-resource-server/tests/logto/pat-exchange.json", import.meta.url)),
);

const provider = await startIdentityProvider({
  port: 0,
  rotateRefreshTokens: true,
  grantIdClaim: true,
  moreResources: { [OTHER]: { scopes: { "other:read": "Read" } } },
});
const { obtainTokens, postForm, refresh, verify } = requestsTo(provider);
after(() => provider.close());
afterEach(() => {
  provider.misbehave();
  provider.suspended.clear();
  provider.expiredSecrets.clear();
});

function exchange(token, changes = {}, headers = CLIENT) {
  const fields = {
    grant_type: "urn:ietf:params:oauth:grant-type:token-exchange",
    subject_token: token,
    subject_token_type: "urn:logto:token-type:personal_access_token",
    resource: RESOURCE,
    scope: "whoami:read",
    ...changes,
  };
  const pairs = Object.entries(fields).flatMap(([name, values]) => [values ?? []].flat().map((value) => [name, value]));
  return postForm("/token", pairs, headers);
}

const create = (more) => provider.createPersonalAccessToken({ subject: alice.sub, ...more });

/** Asserts that an answer is the recorded one. */
function assertRecorded({ status, body }, name) {
  assert.deepEqual({ status, body: withoutUri(body) }, { status: recorded[name].status, body: withoutUri(recorded[name].body) });
}
const withoutUri = ({ error_uri, ...body }) => body;

describe("the exchange", () => {
  test("gives a JWT for the resource, of the user and the client that asked", async () => {
    const before = provider.counts.exchanges;
    const { status, body } = await exchange(create());
    assert.equal(status, 200);
    assert.deepEqual(Object.keys(body).sort(), Object.keys(recorded.machine.body).sort());
    assert.equal(body.scope, "whoami:read");
    const { payload } = await verify(body.access_token);
    assert.deepEqual([payload.sub, payload.client_id, payload.scope], [alice.sub, "token-exchange", "whoami:read"]);
    assert.equal(provider.counts.exchanges, before + 1);
  });

  test("gives no scope that was not asked for", async () => {
    const { body } = await exchange(create(), { scope: undefined });
    assert.equal(body.scope, recorded.no_scope.body.scope);
    assert.equal((await verify(body.access_token)).payload.scope, undefined);
  });

  test("gives an opaque token without a resource and for two of them", async () => {
    for (const resource of [undefined, [RESOURCE, OTHER]]) {
      const { status, body } = await exchange(create(), { resource });
      assert.equal(status, 200);
      assert.ok(!body.access_token.includes("."));
    }
  });

  test("refuses as Logto does", async () => {
    const token = create();
    provider.deletePersonalAccessToken(token);
    assertRecorded(await exchange(token), "deleted_pat");
    assertRecorded(await exchange("pat_unknown"), "unknown_pat");
    assertRecorded(await exchange(create({ expiresAt: Date.now() - 1 })), "expired_pat");
    const type = "urn:ietf:params:oauth:token-type:access_token";
    assertRecorded(await exchange(create(), { subject_token_type: type }), "wrong_type_access_token");
    assertRecorded(await exchange(create(), { subject_token_type: undefined }), "no_type");
    assertRecorded(await exchange(create(), { resource: "https://unknown.example" }), "unknown_resource");
    assertRecorded(await exchange(create(), {}, MACHINE), "machine_without_setting");
    const wrong = { authorization: `Basic ${btoa("token-exchange:wrong")}` };
    assertRecorded(await exchange(create(), {}, wrong), "machine_wrong_secret");
    provider.expiredSecrets.add("token-exchange");
    assertRecorded(await exchange(create()), "expired_client_secret");
  });

  test("is refused while the user is suspended, and works again afterwards", async () => {
    const token = create();
    provider.suspended.add(alice.sub);
    assertRecorded(await exchange(token), "suspended_user");
    provider.suspended.clear();
    assert.equal((await exchange(token)).status, 200);
  });
});

test("refresh tokens rotate, name their grant and end with a suspension", async () => {
  const { refresh_token, access_token } = await obtainTokens({ changes: OFFLINE });
  const { body } = await refresh(refresh_token, { resource: RESOURCE });
  assert.notEqual(body.refresh_token, refresh_token);
  const grants = await Promise.all([access_token, body.access_token].map(async (token) => (await verify(token)).payload.grant_id));
  assert.ok(grants[0] && grants[0] === grants[1]);
  provider.suspended.add(alice.sub);
  assert.equal((await refresh(body.refresh_token, { resource: RESOURCE })).body.error, "invalid_grant");
});

test("revocations are counted", async () => {
  const { refresh_token } = await obtainTokens({ changes: OFFLINE });
  const before = provider.counts.revocations;
  await postForm("/token/revocation", { token: refresh_token, client_id: "third-party-agent" });
  assert.equal(provider.counts.revocations, before + 1);
  assert.equal((await refresh(refresh_token)).body.error, "invalid_grant");
});

describe("a fault", () => {
  test("before the work leaves everything as it was", async () => {
    const before = provider.counts.exchanges;
    provider.misbehave({ when: "before", how: "break", times: 1 });
    await assert.rejects(exchange(create()));
    assert.equal((await exchange(create())).status, 200);
    assert.equal(provider.counts.exchanges, before + 1);
  });

  test("after the work has done it all the same", async () => {
    const before = provider.counts.exchanges;
    provider.misbehave({ when: "after", how: "break" });
    await assert.rejects(exchange(create()));
    provider.misbehave({ when: "after", how: "fail", grantType: "refresh_token" });
    assert.equal((await exchange(create())).status, 200);
    assert.equal(provider.counts.exchanges, before + 2);
  });

  test("may be an answer that does not come", async () => {
    provider.misbehave({ when: "before", how: "hang", times: 1 });
    const late = Symbol("late");
    const answer = exchange(create()).catch(() => undefined);
    assert.equal(await Promise.race([answer, new Promise((wake) => setTimeout(wake, 200, late))]), late);
  });
});
