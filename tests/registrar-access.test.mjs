// Who may register, on workerd: limits, initial access tokens, developers; and where the registrar's secrets go.

import assert from "node:assert/strict";
import { createServer } from "node:http";
import { after, describe, test } from "node:test";
import { describe as describeToken, mint } from "../registrar/tokens.mjs";
import { DEVELOPER_SCOPE, tenants } from "./support/registrar.mjs";
import { AGENT, call, pathOf, register } from "./support/registrar-client.mjs";
import "./support/report-failures.mjs";
import { forgeToken, tokenOf } from "./support/tokens.mjs";

const start = tenants();
const withTokens = await start({ settings: { REGISTRATION: "token" } });
const forDevelopers = await start({ settings: { MAX_CLIENTS_PER_DEVELOPER: "3" } });

describe("floods", () => {
  test("from one address stop at the limit, also if they differ", async () => {
    const tenant = await start({ settings: { REGISTRATION: "open", REGISTRATIONS_PER_HOUR: "5" } });
    const headers = { "cf-connecting-ip": "2001:db8:1:2::7" };
    const answers = await Promise.all(Array.from({ length: 40 }, (_, n) => register(tenant, { client_name: `Flood ${n}` }, { headers })));
    const statuses = answers.map(({ status }) => status);
    assert.equal(statuses.filter((status) => status === 201).length, 5, statuses.join(" "));
    assert.equal(statuses.filter((status) => status === 429).length, 35, statuses.join(" "));
    assert.equal(tenant.api.applications.all().length, 5);
    const late = await register(tenant, {}, { headers: { "cf-connecting-ip": "2001:db8:1:2:ffff::1" } });
    assert.equal(late.status, 429, "another address of the same network");
    assert.ok(Number(late.headers.get("retry-after")) > 0);
    const elsewhere = await register(tenant, {}, { headers: { "cf-connecting-ip": "192.0.2.1" } });
    assert.equal(elsewhere.status, 201);
    const statusOf = async (zone, n) => {
      const headers = { "cf-connecting-ip": "2a06:98c0:3600::103", "cf-worker": zone };
      return (await register(tenant, { client_name: `Worker ${n}` }, { headers })).status;
    };
    for (let n = 0; n < 5; n += 1) assert.equal(await statusOf("one.example", n), 201);
    assert.deepEqual([await statusOf("one.example", 5), await statusOf("other.example", 5)], [429, 201], "each Worker's zone");
  });

  test("from everywhere stop when all places are taken", async () => {
    const tenant = await start({ settings: { REGISTRATION: "open", MAX_CLIENTS: "7" } });
    const answers = await Promise.all(
      Array.from({ length: 30 }, (_, n) =>
        register(tenant, { client_name: `Flood ${n}` }, { headers: { "cf-connecting-ip": `192.0.2.${n}` } }),
      ),
    );
    assert.ok(answers.every(({ status }) => status === 201 || status === 503));
    assert.ok(answers.some(({ status }) => status === 503));
    assert.ok(tenant.api.applications.all().length <= 7, `${tenant.api.applications.all().length}`);
  });
});

describe("REGISTRATION = token", () => {
  const tenant = withTokens;

  const store = ({ token, key, value }) => {
    tenant.store.entries.set(key, JSON.stringify(value));
    return token;
  };

  test("only the bearer of a good initial access token registers", async () => {
    const nobody = await register(tenant);
    assert.deepEqual([nobody.status, nobody.headers.get("www-authenticate")], [401, "Bearer"]);
    const wrong = await register(tenant, {}, { token: "mcpinit_wrong" });
    assert.deepEqual([wrong.status, wrong.json.error], [401, "invalid_token"]);
    const old = store(mint({ name: "old", days: 1, now: Math.floor(Date.now() / 1000) - 2 * 86_400 }));
    assert.equal((await register(tenant, {}, { token: old })).status, 401);
    const good = mint({ name: "partner" });
    assert.equal((await register(tenant, {}, { token: store(good) })).status, 201);
    tenant.store.entries.delete(good.key);
    assert.equal((await register(tenant, { client_name: "Late" }, { token: good.token })).status, 401, "revoked");
  });

  test("a token is good for so many registrations, also if they ask for the same", async () => {
    const minted = mint({ name: "twice", uses: 2 });
    const token = store(minted);
    const statuses = [];
    for (const client_name of ["One", "One", "Two", "Three"]) statuses.push((await register(tenant, { client_name }, { token })).status);
    assert.deepEqual(statuses, [201, 201, 401, 401]);
    const { key, value } = minted;
    const used = [...tenant.store.entries.keys()].filter((it) => it.startsWith(key.replace("initial-token/", "initial-use/"))).length;
    assert.deepEqual([JSON.parse(describeToken(value, used)).uses_left, JSON.parse(tenant.store.entries.get(key))], [0, value]);
  });

  test("a token that is revoked while somebody registers with it stays revoked", async () => {
    const minted = mint({ name: "revoked", uses: 5 });
    const token = store(minted);
    tenant.api.mood = (it) => void (it === "POST /applications" && tenant.store.entries.delete(minted.key));
    assert.equal((await register(tenant, { client_name: "In time" }, { token })).status, 201);
    tenant.api.mood = () => undefined;
    assert.equal((await register(tenant, { client_name: "Too late" }, { token })).status, 401);
    assert.ok(!tenant.store.entries.has(minted.key));
  });

  test("a token for one registration is not one for many at once", async () => {
    const token = store(mint({ name: "once", uses: 1 }));
    const answers = await Promise.all(Array.from({ length: 10 }, (_, n) => register(tenant, { client_name: `Once ${n}` }, { token })));
    const statuses = answers.map(({ status }) => status).sort();
    assert.deepEqual(statuses, [201, ...Array(9).fill(401)]);
  });

  test("a token of one kind is not one of the other", async () => {
    const { json } = await register(tenant, { client_name: "Kinds" }, { token: store(mint({ name: "kinds" })) });
    assert.equal((await register(tenant, {}, { token: json.registration_access_token })).status, 401);
    assert.equal((await call(tenant, "GET", pathOf(json), { token: store(mint({ name: "x" })) })).status, 401);
  });
});

describe("REGISTRATION = developers", () => {
  const tenant = forDevelopers;
  const { provider, api, resource } = tenant;

  const tokenFor = (login, scope = `openid ${DEVELOPER_SCOPE}`) =>
    tokenOf({ provider, resource }, login, { scope, client_id: "first-party-app", redirect_uri: "http://127.0.0.1:9999/callback" });

  test("the challenge leads developers' programs to the provider and names the scope", async () => {
    const { status, headers } = await register(tenant);
    assert.equal(status, 401);
    const document = `${tenant.origin}/.well-known/oauth-protected-resource/register`;
    assert.equal(headers.get("www-authenticate"), `Bearer resource_metadata="${document}", scope="${DEVELOPER_SCOPE}"`);
    const metadata = await (await fetch(document)).json();
    assert.deepEqual([metadata.resource, metadata.authorization_servers], [resource, [provider.issuer]]);
  });

  test("a developer registers, a user without the scope or with a token for another server does not", async () => {
    const token = await tokenFor("alice");
    const { status, json } = await register(tenant, {}, { token });
    assert.equal(status, 201);
    assert.match(api.applications.get(json.client_id).record.description, /unzlfabysh60/);
    const scopeless = await register(tenant, {}, { token: await tokenFor("alice", "openid") });
    assert.deepEqual([scopeless.status, scopeless.json.error], [403, "insufficient_scope"]);
    const foreign = await tokenOf({ provider, resource: tenant.mcpResource }, "alice");
    assert.equal((await register(tenant, {}, { token: foreign })).status, 401);
  });

  test("a machine does not register, nor who may be one", async () => {
    const claims = { scope: DEVELOPER_SCOPE, client_id: "first-party-app" };
    for (const changes of [{ sub: "first-party-app" }, { client_id: undefined }, { client_id: undefined, azp: "first-party-app" }]) {
      const token = await forgeToken(tenant, { claims: { ...claims, ...changes } });
      const { status, json } = await register(tenant, {}, { token });
      assert.deepEqual([status, json.error], [403, "access_denied"], JSON.stringify(changes));
    }
    assert.equal((await register(tenant, {}, { token: await forgeToken(tenant, { claims }) })).status, 201);
  });

  test("nobody has more than the limit, also if all are asked for at once", async () => {
    const token = await tokenFor("bob");
    const answers = [];
    for (let n = 0; n < 5; n += 1) answers.push(await register(tenant, { client_name: `Bob ${n}` }, { token }));
    assert.deepEqual(answers.map(({ status }) => status), [201, 201, 201, 403, 403]);
  });
});

describe("the secrets", () => {
  const thieves = [];
  after(() => {
    for (const server of thieves) {
      server.close();
      server.closeAllConnections();
    }
  });

  /** What a location of the MCP Worker keeps, with endpoints of somebody else's. */
  async function poisonedRecord({ issuer }, origin) {
    const provider = await (await fetch(`${issuer}/.well-known/openid-configuration`)).json();
    const jwks = await (await fetch(provider.jwks_uri)).json();
    const now = Math.floor(Date.now() / 1000);
    for (const member of ["authorization_endpoint", "token_endpoint", "end_session_endpoint", "userinfo_endpoint"]) provider[member] = `${origin}/${member}`;
    return [`provider:${issuer}`, JSON.stringify({ provider, provider_fetched_at: now, jwks, jwks_fetched_at: now })];
  }

  /** Records all requests. */
  async function startThief() {
    const requests = [];
    const server = createServer((request, response) => {
      requests.push(`${request.method} ${request.url} ${request.headers.authorization ?? ""}`);
      response.writeHead(200, { "content-type": "application/json" });
      response.end(JSON.stringify({ access_token: "x", expires_in: 3600, scope: "all" }));
    });
    await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
    thieves.push(server);
    return { requests, origin: `http://127.0.0.1:${server.address().port}` };
  }

  test("go to the provider, also if a store names other endpoints, and so do users", async () => {
    const thief = await startThief();
    const tenant = await start({ settings: { REGISTRATION: "open" } });
    tenant.registrar.kv.entries.set(...(await poisonedRecord(tenant.provider, thief.origin)));
    const { status } = await register(tenant);
    assert.deepEqual(thief.requests, []);
    assert.equal(status, 201);
    const redirected = await fetch(`${tenant.origin}/sign-in`, { redirect: "manual" });
    assert.ok(redirected.headers.get("location").startsWith(`${tenant.provider.issuer}/auth?`), redirected.headers.get("location"));
    assert.equal(await tenant.registrar.runScheduled(), "ok");
    assert.deepEqual(thief.requests, []);
  });

  test("stay where they are if the namespace is shared with the MCP Worker", async () => {
    const tenant = await start({ settings: { REGISTRATION: "open" } });
    const [name, record] = await poisonedRecord(tenant.provider, "http://127.0.0.1:9");
    const writer = "https://mcp.example.com/mcp";
    tenant.registrar.kv.entries.set(name, JSON.stringify({ writer, ...JSON.parse(record) }));
    await call(tenant, "POST", "/register", { body: AGENT });
    for (const [method, path] of [["POST", "/register"], ["GET", "/register/abc"], ["GET", "/"], ["GET", "/sign-in"], ["GET", "/callback"]]) {
      const body = method === "POST" ? AGENT : undefined;
      const { status, json, text } = await call(tenant, method, path, { body, token: "mcpreg_x" });
      assert.equal(status, 500, path);
      assert.ok(!text.includes("JWKS") && !text.includes(writer), "a stranger learns nothing of the reason");
      assert.ok(json === undefined || json.error === "server_error" || json.error === undefined);
    }
    const { reason } = await tenant.registrar.logged(({ detail }) => detail?.startsWith(`JWKS is also the namespace of ${writer}`));
    assert.equal(reason, "misconfigured");
    assert.deepEqual([tenant.api.calls, tenant.api.applications.all()], [[], []]);
    await tenant.registrar.runScheduled();
    const { failure } = await tenant.registrar.logged(({ cleanup }) => cleanup === null);
    assert.match(failure, /give the registrar one of its own/);
    assert.ok(tenant.registrar.kv.entries.get(name).includes(writer), "what is not ours is not overwritten");
    assert.deepEqual(tenant.api.calls, []);
  });

  test("a copy of the keys that has grown old is renewed in the background, and nobody waits for it", async () => {
    const tenant = await start();
    const { registrar, provider, origin, resource } = tenant;
    const [name, text] = await poisonedRecord(provider, "http://127.0.0.1:9");
    const discovery = await (await fetch(`${provider.issuer}/.well-known/openid-configuration`)).json();
    const before = { keys: [{ kty: "OKP", crv: "Ed25519", kid: "before", x: "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" }] };
    const at = JSON.parse(text).jwks_fetched_at - 700;
    const record = { writer: resource, provider: discovery, provider_fetched_at: at, jwks: before, jwks_fetched_at: at };
    registrar.kv.entries.set(name, JSON.stringify(record));
    // This one finds that the copy is old, and goes on with it. The next one has a token of a key that it lacks.
    assert.equal((await fetch(`${origin}/sign-in`, { redirect: "manual" })).status, 303);
    const asDeveloper = { scope: `openid ${DEVELOPER_SCOPE}`, client_id: "first-party-app", redirect_uri: "http://127.0.0.1:9999/callback" };
    const token = await tokenOf(tenant, "alice", asDeveloper);
    const { status, text: answer } = await register(tenant, {}, { token });
    assert.equal(status, 201, answer);
    await registrar.waitFor(() => !registrar.kv.entries.get(name).includes('"before"'), "the new keys were not written");
    assert.equal(JSON.parse(registrar.kv.entries.get(name)).writer, resource);
  });

  test("a machine secret that has expired is called that in the log", async () => {
    const tenant = await start({ settings: { REGISTRATION: "open" } });
    tenant.provider.expiredSecrets.add("registrar");
    const { status, json } = await register(tenant);
    assert.deepEqual([status, json], [500, { error: "server_error", error_description: "This server is not set up correctly" }]);
    const line = await tenant.registrar.logged(({ detail }) => detail?.includes("MANAGEMENT_CLIENT_SECRET has expired"));
    assert.match(line.detail, /wrangler secret put MANAGEMENT_CLIENT_SECRET/);
    // Neither Rust's names of things, nor an undoing of what was never begun.
    assert.doesNotMatch(tenant.registrar.raw(), /Misconfigured\(|Some\(|registration_undone/);
  });
});

describe("without the settings it needs", () => {
  test("no request is let through, and the log says what to fix", async () => {
    const tenant = await start({ settings: { MANAGEMENT_CLIENT_SECRET: undefined, REQUIRED_SCOPES: "" } });
    for (const path of ["/", "/register"]) assert.equal((await call(tenant, "GET", path)).status, 500);
    await tenant.registrar.waitFor(() => /wrangler secret put/.test(tenant.registrar.raw()) && /apps:write/.test(tenant.registrar.raw()), "no help");
  });
});
