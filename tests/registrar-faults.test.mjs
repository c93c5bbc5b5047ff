// The registrar on workerd while the provider or the store fails, and its scheduled run.

import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { requestsTo } from "../dev/identity-provider/testing/requests.mjs";
import { connect } from "./support/mcp-client.mjs";
import { tenants } from "./support/registrar.mjs";
import { AGENT, recorded, register } from "./support/registrar-client.mjs";
import "./support/report-failures.mjs";

const start = tenants();
const tenant = await start({
  settings: { REGISTRATION: "open", REGISTRATIONS_PER_HOUR: "1000", MAX_CLIENTS: "10000", CLEANUP: "on" },
  withMcpServer: true,
});
const { api, provider, registrar } = tenant;
beforeEach(() => {
  api.mood = () => undefined;
  api.calls.length = 0;
  tenant.store.mood.writes = "answer";
});

describe("when the provider fails", () => {
  // Every step in every way is tried natively; repeating takes its time here.
  const steps = {
    lose: ["POST /applications", "/user-consent-scopes", "/sign-in-experience", "/custom-data"],
    drop: ["POST /applications", "/custom-data"],
    500: ["POST /applications", "/user-consent-scopes"],
  };
  for (const [name, atSteps] of Object.entries(steps)) {
    const mood = Number(name) || name;
    test(`${mood} at any step: 503, and nothing is left behind`, async () => {
      for (const step of atSteps) {
        const before = [api.applications.all().length, recorded(tenant).length];
        api.mood = (it) => (it.endsWith(step) ? mood : undefined);
        const { status, headers, json } = await register(tenant, { client_name: `Unlucky ${mood} ${step.slice(-6)}` });
        assert.equal(status, 503, step);
        assert.ok(Number(headers.get("retry-after")) > 0);
        assert.equal(json.error, "temporarily_unavailable");
        assert.deepEqual([api.applications.all().length, recorded(tenant).length], before, step);
      }
    });
  }

  test("a store that fails: 503, and nothing is left at the provider", async () => {
    const before = api.applications.all().length;
    tenant.store.mood.writes = "fail";
    const { status } = await register(tenant, { client_name: "Unrecorded" });
    assert.equal(status, 503);
    const { detail } = await registrar.logged(({ detail }) => detail?.startsWith("the store: "));
    assert.match(detail, /^the store: KV PUT failed: 5\d\d [\w ]+$/, "what the platform says, on one line, without a trace");
    assert.equal(api.applications.all().length, before);
  });

  test("a 429 and a lost machine token are got over", async () => {
    const seen = new Set();
    api.mood = (it) => (seen.has(it) ? undefined : (seen.add(it), 429));
    assert.equal((await register(tenant, { client_name: "Patient" })).status, 201);
    await provider.rotateKeys();
    await provider.rotateKeys();
    api.mood = () => undefined;
    assert.equal((await register(tenant, { client_name: "After two rotations" })).status, 201);
  });

  test("a stranger learns nothing of the reason, the operator does", async () => {
    api.mood = () => 403;
    const { status, json } = await register(tenant, { client_name: "Curious" });
    assert.deepEqual([status, json], [500, { error: "server_error", error_description: "This server is not set up correctly" }]);
    await registrar.logged(({ detail }) => detail?.includes("role for Management API access"));
  });
});

test("the scheduled run ends what nobody uses, and keeps what somebody signed in through", async () => {
  const { client, oauth } = await connect(tenant.mcpResource);
  await client.close();
  const used = oauth.clientInformation().client_id;
  const unused = (await register(tenant, { client_name: "Unused" })).json.client_id;
  // Both are a year old from now on.
  for (const client_id of [used, unused]) {
    const key = `client/${client_id}`;
    const old = Math.floor(Date.now() / 1000) - 365 * 86_400;
    const record = { ...JSON.parse(tenant.store.entries.get(key)), created_at: old };
    tenant.store.entries.set(key, JSON.stringify(record));
    tenant.store.metadata.set(key, JSON.stringify({ name: "old", created_at: old }));
  }
  // The log reaches further back than they do.
  api.signIns.note({ clientId: "another", grantType: "refresh_token", createdAt: Date.now() - 366 * 86_400_000 });
  // An application that a registration left half made, long ago.
  const { record } = api.applications.get(unused);
  await api.applications.add({ ...record, id: "abandoned", createdAt: 0, customData: { registrar: "pending x" } });

  assert.equal(await registrar.runScheduled(), "ok");
  const { cleanup } = await registrar.logged(({ cleanup }) => cleanup);
  assert.deepEqual([cleanup.looked_at, cleanup.ended, cleanup.abandoned, cleanup.failures], [2, 1, 1, []]);
  assert.ok(api.applications.get(used) && !api.applications.get(unused) && !api.applications.get("abandoned"));
  assert.ok(!tenant.store.entries.has(`client/${unused}`));
  await registrar.logged(({ audit, client_id }) => audit === "client_ended" && client_id === unused);
});

describe("a scheduled run that cannot be carried out is a failed event, and the isolate goes on", () => {
  const causes = {
    "settings that are wrong": [{ REGISTRATION: "everybody" }, /REGISTRATION = "everybody" must be/],
    "a provider that cannot be reached": [{ ISSUER: "http://127.0.0.1:9/oidc", CLEANUP: "on" }, /127\.0\.0\.1:9/],
  };
  for (const [cause, [settings, failure]] of Object.entries(causes)) {
    test(cause, async () => {
      const { registrar, origin } = await start({ settings });
      for (let run = 0; run < 2; run += 1) {
        registrar.clearLogs();
        assert.equal(await registrar.runScheduled(), "exception");
        const line = await registrar.logged(({ cleanup }) => cleanup === null);
        assert.match(line.failure, failure);
      }
      assert.ok((await fetch(`${origin}/register`)).status >= 400);
      assert.doesNotMatch(registrar.raw(), /starting WebAssembly anew|Critical/);
    });
  }
});

test("a stranger who knows the id of a client cannot make it look unused", async () => {
  const { client, oauth } = await connect(tenant.mcpResource);
  await client.close();
  const used = oauth.clientInformation().client_id;
  const unused = (await register(tenant, { client_name: "Filled" })).json.client_id;
  const old = Math.floor(Date.now() / 1000) - 365 * 86_400;
  const makeOld = (client_id) => {
    const key = `client/${client_id}`;
    tenant.store.entries.set(key, JSON.stringify({ ...JSON.parse(tenant.store.entries.get(key)), created_at: old }));
    tenant.store.metadata.set(key, JSON.stringify({ name: "old", created_at: old }));
    tenant.store.entries.delete(`usage/${client_id}`);
    tenant.store.metadata.delete(`usage/${client_id}`);
  };
  makeOld(used);
  makeOld(unused);
  api.signIns.note({ clientId: "another", grantType: "refresh_token", createdAt: Date.now() - 366 * 86_400_000 });
  const { postForm } = requestsTo(provider);
  for (const client_id of [used, unused]) {
    for (let n = 0; n < 20; n += 1) {
      await postForm("/token", { client_id, grant_type: "refresh_token", refresh_token: "x" });
      const form = { client_id, grant_type: "authorization_code", code: "x", redirect_uri: AGENT.redirect_uris[0], code_verifier: "x".repeat(43) };
      await postForm("/token", form);
    }
  }
  registrar.clearLogs();
  assert.equal(await registrar.runScheduled(), "ok");
  const first = (await registrar.logged(({ cleanup }) => cleanup)).cleanup;
  assert.deepEqual([first.ended, first.unknown, first.failures], [1, [], []]);
  assert.ok(api.applications.get(used) && !api.applications.get(unused));

  // However many there are, and however long: what was not read is not known.
  const others = [];
  for (const params of [{}, { resource: "x".repeat(50_000) }]) {
    const client_id = (await register(tenant, { client_name: "Flooded" })).json.client_id;
    others.push(client_id);
    makeOld(client_id);
    api.signIns.note({ clientId: client_id, grantType: "refresh_token", createdAt: Date.now() - 5_000_000 });
    for (let n = 0; n < 300; n += 1) {
      api.signIns.note({ clientId: client_id, grantType: "refresh_token", result: "Error", params, createdAt: Date.now() - n });
    }
  }
  registrar.clearLogs();
  assert.equal(await registrar.runScheduled(), "ok");
  const { cleanup } = await registrar.logged(({ cleanup }) => cleanup);
  assert.deepEqual([cleanup.ended, cleanup.unknown.toSorted(), cleanup.failures], [0, others.toSorted(), []]);
  for (const client_id of others) assert.ok(api.applications.get(client_id));
});
