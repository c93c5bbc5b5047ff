// The registrar's ledger on workerd: two isolates with one Durable Object, a deployment over clients that were there
// before, and no ledger at all.

import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { mint } from "../registrar/tokens.mjs";
import { tenants } from "./support/registrar.mjs";
import { AGENT, call, pathOf, register } from "./support/registrar-client.mjs";
import "./support/report-failures.mjs";
import { startKeyValueStore } from "./support/worker.mjs";

const start = tenants();

describe("two isolates with one ledger", () => {
  /** Calls at both isolates at the same moment, so many at each. */
  const atBoth = async (tenant, count, callOne) => {
    const origins = [tenant.origin, tenant.registrar.secondOrigin];
    const answers = origins.flatMap((origin) => Array.from({ length: count }, (_, n) => callOne({ ...tenant, origin }, n, origin)));
    return (await Promise.all(answers)).map(({ status }) => status).sort();
  };
  const times = (status, count) => Array(count).fill(status);

  test("have one limit for a network, and one for all clients", async () => {
    const tenant = await start({ secondIsolate: true, settings: { REGISTRATION: "open", REGISTRATIONS_PER_HOUR: "5", MAX_CLIENTS: "8" } });
    const flood = (of, n) => register(of, { client_name: `Flood ${n}` }, { headers: { "cf-connecting-ip": "192.0.2.1" } });
    assert.deepEqual(await atBoth(tenant, 10, flood), [...times(201, 5), ...times(429, 15)]);
    const fromEverywhere = (of, n, origin) =>
      register(of, { client_name: `Flood ${n}` }, { headers: { "cf-connecting-ip": `198.51.100.${n + (origin === tenant.origin ? 0 : 100)}` } });
    assert.deepEqual(await atBoth(tenant, 10, fromEverywhere), [...times(201, 3), ...times(503, 17)]);
    assert.equal(tenant.api.applications.all().length, 8);
  });

  test("have one number of uses for a token", async () => {
    const tenant = await start({ secondIsolate: true, settings: { REGISTRATION: "token" } });
    const { token, key, value } = mint({ name: "three", uses: 3 });
    tenant.store.entries.set(key, JSON.stringify(value));
    const use = (of, n) => register(of, { client_name: `Use ${n}` }, { token });
    assert.deepEqual(await atBoth(tenant, 5, use), [...times(201, 3), ...times(401, 7)]);
  });

  test("count the calls for one client together, and change it one after the other", async () => {
    const tenant = await start({ secondIsolate: true, settings: { REGISTRATION: "open" } });
    const { json } = await register(tenant);
    const token = json.registration_access_token;
    const put = async (of, name) => {
      const body = { ...AGENT, client_id: json.client_id, client_name: name, redirect_uris: [`http://127.0.0.1:9999/${name}`] };
      return (await call(of, "PUT", pathOf(json), { token, body })).status;
    };
    // Each step at the provider takes long enough for the other change to get between.
    tenant.api.mood = () => new Promise((resolve) => setTimeout(resolve, 50));
    const second = { ...tenant, origin: tenant.registrar.secondOrigin };
    assert.deepEqual(await Promise.all([put(tenant, "one"), put(second, "two")]), [200, 200]);
    tenant.api.mood = () => undefined;
    const { record, branding } = tenant.api.applications.get(json.client_id);
    const stored = JSON.parse(tenant.store.entries.get(`metadata/${json.client_id}`));
    assert.deepEqual(
      [record.oidcClientMetadata.redirectUris, branding.displayName, stored.client_name],
      [[`http://127.0.0.1:9999/${record.name}`], record.name, record.name],
    );
    const statuses = await atBoth(tenant, 15, (of) => call(of, "GET", pathOf(json), { token }));
    assert.deepEqual(statuses, [...times(200, 18), ...times(429, 12)]);
  });
});

test("clients that were registered before there was a ledger count from its first request on", async () => {
  const store = await startKeyValueStore();
  const before = await start({ store, settings: { REGISTRATION: "open", MAX_CLIENTS: "10", REGISTRATIONS_PER_HOUR: "100" } });
  for (let n = 0; n < 4; n += 1) assert.equal((await register(before, { client_name: `Earlier ${n}` })).status, 201);
  // Another ledger, the same store: as after the deployment of the first version that has one.
  const tenant = await start({ store, settings: { REGISTRATION: "open", MAX_CLIENTS: "7", REGISTRATIONS_PER_HOUR: "100" } });
  const statuses = [];
  for (let n = 0; n < 5; n += 1) statuses.push((await register(tenant, { client_name: `Later ${n}` })).status);
  assert.deepEqual(statuses, [201, 201, 201, 503, 503]);
  await store.close();
});

test("without its ledger the registrar asks to come back, makes nothing, and goes on when the ledger does", async () => {
  const objectsFolder = await mkdtemp(join(tmpdir(), "mcp-edge-objects-"));
  const store = await startKeyValueStore();
  const settings = { REGISTRATION: "open", MAX_CLIENTS: "2", REGISTRATIONS_PER_HOUR: "100" };
  const unbound = await start({ store, objects: {}, settings });
  const { status, headers, json } = await register(unbound);
  assert.deepEqual([status, json.error], [503, "temporarily_unavailable"]);
  assert.ok(Number(headers.get("retry-after")) > 0);
  assert.deepEqual(unbound.api.applications.all(), []);
  await unbound.registrar.logged(({ detail }) => detail === "the ledger: no binding named LEDGER");
  const first = await start({ store, objectsFolder, settings });
  assert.equal((await register(first)).status, 201);
  await first.registrar.stop();
  // The counts are kept when the process ends, also without the store.
  store.entries.clear();
  const second = await start({ store, objectsFolder, settings });
  assert.deepEqual([(await register(second)).status, (await register(second)).status], [201, 503]);
  await store.close();
  await rm(objectsFolder, { recursive: true });
});

test("the scheduled run counts what the ledger has missed, and no longer what is gone", async () => {
  const tenant = await start({ settings: { REGISTRATION: "open", MAX_CLIENTS: "4", REGISTRATIONS_PER_HOUR: "100", CLEANUP: "off" } });
  const { store, registrar } = tenant;
  const old = Math.floor(Date.now() / 1000) - 86_400;
  for (let n = 0; n < 2; n += 1) assert.equal((await register(tenant)).status, 201);
  const [[key, record]] = [...store.entries].filter(([name]) => name.startsWith("client/"));
  const client = (id) => {
    store.entries.set(`client/${id}`, record);
    store.metadata.set(`client/${id}`, JSON.stringify({ name: "Agent", created_at: old }));
  };
  // What an earlier version does that is still at work.
  for (const id of ["one", "two"]) client(id);
  assert.equal(await registrar.runScheduled(), "ok");
  await registrar.logged(({ ledger }) => ledger?.added === 2 && ledger.removed === 0);
  assert.equal((await register(tenant)).status, 503);
  // What an operator does.
  for (const id of ["one", "two"]) store.entries.delete(`client/${id}`);
  registrar.clearLogs();
  assert.equal(await registrar.runScheduled(), "ok");
  await registrar.logged(({ ledger }) => ledger?.added === 0 && ledger.removed === 2);
  assert.ok(store.entries.has(key), "what is so new stays");
  registrar.clearLogs();
  assert.equal(await registrar.runScheduled(), "ok");
  await registrar.logged(({ cleanup }) => cleanup === null);
  assert.ok(!registrar.raw().includes("ledger"), registrar.raw());
});
