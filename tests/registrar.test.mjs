// The registrar on workerd: RFC 7591 and 7592, who may register, limits, isolation, faults, and the whole way of a
// client that introduces itself.
//
// The provider's discovery document names the registrar as its `registration_endpoint`, as a route on the issuer's own
// host can do.

import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, beforeEach, describe, test } from "node:test";
import { inShort, connect, oauthClient } from "./support/mcp-client.mjs";
import { DEVELOPER_SCOPE, startTenant } from "./support/registrar.mjs";
import "./support/report-failures.mjs";
import { requestsTo } from "../dev/identity-provider/testing/requests.mjs";
import { describe as describeToken, mint } from "../registrar/tokens.mjs";
import { forgeToken, tokenOf } from "./support/tokens.mjs";
import { startKeyValueStore } from "./support/worker.mjs";

const AGENT = {
  client_name: "Agent",
  redirect_uris: ["http://127.0.0.1:9999/callback"],
  token_endpoint_auth_method: "none",
  grant_types: ["authorization_code", "refresh_token"],
  response_types: ["code"],
};
const SERVER_AGENT = { client_name: "Server agent", redirect_uris: ["https://agent.example.com/cb"] };

const tenants = [];
after(() => Promise.all(tenants.map((tenant) => tenant.stop())));

async function start(options) {
  const tenant = await startTenant(options);
  tenants.push(tenant);
  return tenant;
}

/** Calls the registrar. */
async function call(tenant, method, path, { body, token, headers = {} } = {}) {
  const response = await fetch(`${tenant.origin}${path}`, {
    method,
    headers: {
      ...(body !== undefined && { "content-type": "application/json" }),
      ...(token && { authorization: `Bearer ${token}` }),
      ...headers,
    },
    body: body === undefined || typeof body === "string" ? body : JSON.stringify(body),
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, text, json: text.startsWith("{") ? JSON.parse(text) : undefined };
}

const register = (tenant, changes = {}, options = {}) =>
  call(tenant, "POST", "/register", { body: { ...AGENT, ...changes }, ...options });

const pathOf = ({ registration_client_uri }) => new URL(registration_client_uri).pathname;

/** Every key of the store that belongs to a client. */
const recorded = ({ store }) => [...store.entries.keys()].filter((key) => /^(client|owner)\//.test(key));

const open = await start({
  settings: { REGISTRATION: "open", REGISTRATIONS_PER_HOUR: "1000", MAX_CLIENTS: "10000", CLEANUP: "on" },
  withMcpServer: true,
});
const withTokens = await start({ settings: { REGISTRATION: "token" } });
const forDevelopers = await start({ settings: { MAX_CLIENTS_PER_DEVELOPER: "3" } });

describe("REGISTRATION = open", () => {
  const tenant = open;
  const { api, provider, registrar } = tenant;
  beforeEach(() => {
    api.mood = () => undefined;
    api.calls.length = 0;
    tenant.store.mood.writes = "answer";
  });

  test("the official client registers itself, its user signs in and consents, and whoami answers", async () => {
    const { client, oauth, record, callback } = await connect(tenant.mcpResource);
    const { structuredContent } = await client.callTool({ name: "whoami", arguments: {} });
    await client.close();
    assert.equal(callback.searchParams.get("error"), null);
    assert.equal(structuredContent.username, "alice");
    assert.equal(structuredContent.client_party, "third");
    assert.equal(structuredContent.client_id, oauth.clientInformation().client_id);
    const names = { [new URL(tenant.mcpResource).origin]: "worker", [tenant.origin]: "registrar", [new URL(provider.issuer).origin]: "provider" };
    assert.ok(inShort(record, names).includes("POST registrar/register → 201"), inShort(record, names).join("\n"));
  });

  test("a client that looks for metadata at the MCP server only finds the registrar in its mirror", async () => {
    const mirror = await (await fetch(new URL("/.well-known/oauth-authorization-server", tenant.mcpResource))).json();
    assert.deepEqual([mirror.issuer, mirror.registration_endpoint], [provider.issuer, tenant.resource]);
  });

  test("the answer has everything that RFC 7591 asks for, and is not cached", async () => {
    const { status, headers, json } = await register(tenant, { client_name: "Complete", scope: "whoami:read admin", contacts: ["a@example.com"] });
    assert.equal(status, 201);
    assert.equal(headers.get("cache-control"), "no-store");
    assert.equal(headers.get("access-control-allow-origin"), "*");
    const { client_id, client_id_issued_at, registration_access_token, registration_client_uri, ...rest } = json;
    assert.match(client_id, /^[a-z0-9]{21}$/);
    assert.ok(Math.abs(client_id_issued_at - Date.now() / 1000) < 600);
    assert.match(registration_access_token, /^mcpreg_[\w-]{43}$/);
    assert.equal(registration_client_uri, `${tenant.resource}/${client_id}`);
    assert.deepEqual(rest, {
      ...AGENT,
      client_name: "Complete",
      application_type: "native",
      scope: "whoami:read",
      contacts: ["a@example.com"],
    });
  });

  test("a confidential client gets its secret, which works at the provider", async () => {
    const { json } = await call(tenant, "POST", "/register", { body: SERVER_AGENT });
    assert.equal(json.client_secret_expires_at, 0);
    const headers = { authorization: `Basic ${btoa(`${json.client_id}:${json.client_secret}`)}` };
    const { postForm } = requestsTo(provider);
    const { body } = await postForm("/token", { grant_type: "refresh_token", refresh_token: "x" }, headers);
    assert.equal(body.error, "invalid_grant", "the client is known");
  });

  test("everything malicious is refused before it reaches the provider", async () => {
    const uris = [
      "javascript:alert(1)", "data:text/html,x", "file:///etc/passwd", "http://evil.example/cb", "https://user:pass@host.example/cb",
      "https://*.example.dev/cb", "https://agent.example/*", "https://agent.example/cb#x", "https://192.0.2.1/cb",
      "https://localhost/cb", "https://agent.example/a/../b", "http://localhost.evil.example/", "urn:ietf:wg:oauth:2.0:oob", "/cb", "",
      "https://agent.example\\@evil.example/",
      "cursor://anysphere.cursor-deeplink/mcp/install?name=x&config=eyJ1cmwiOiJ4In0", "vscode:mcp/install?%7B%7D",
      "vscode://vscode.git/clone?url=https://evil.example/x", "vscode-insiders://file/etc/passwd",
      "windsurf://windsurf-mcp-registry?serverName=x", "com.example.agent://callback", `https://agent.example/${"x".repeat(2048)}`,
    ];
    for (const uri of uris) {
      const { status, json } = await register(tenant, { redirect_uris: [AGENT.redirect_uris[0], uri] });
      assert.deepEqual([status, json.error], [400, "invalid_redirect_uri"], uri);
      assert.match(json.error_description, /^redirect_uris\[1\] /, uri);
    }
    for (const changes of [
      { redirect_uris: [] },
      { redirect_uris: Array.from({ length: 11 }, (_, n) => `http://localhost/${n}`) },
    ]) {
      assert.equal((await register(tenant, changes)).json.error, "invalid_redirect_uri");
    }
    for (const changes of [
      { client_name: "<script>alert(1)</script>" },
      { client_name: "Bank\u202eknaB" },
      { client_name: "x".repeat(1000) },
      { logo_uri: "https://169.254.169.254/latest/meta-data" },
      { logo_uri: "javascript:alert(1)" },
      { token_endpoint_auth_method: "private_key_jwt", jwks_uri: "http://127.0.0.1/keys" },
      { token_endpoint_auth_method: "client_secret_basic", redirect_uris: ["cursor://anysphere.cursor-mcp/oauth/callback"] },
      { grant_types: ["client_credentials"] },
      { grant_types: ["authorization_code", "urn:ietf:params:oauth:grant-type:token-exchange"] },
      { response_types: ["token"] },
      { scope: "all" },
    ]) {
      const { status, json } = await register(tenant, changes);
      assert.deepEqual([status, json.error], [400, "invalid_client_metadata"], JSON.stringify(changes));
    }
    assert.equal((await register(tenant, { software_statement: "a.b.c" })).json.error, "unapproved_software_statement");
    const twice = '{"redirect_uris":["http://localhost/"],"redirect_uris":["https://evil.example/"]}';
    assert.equal((await call(tenant, "POST", "/register", { body: twice })).json.error, "invalid_client_metadata");
    assert.equal((await call(tenant, "POST", "/register", { body: "x".repeat(70_000) })).status, 413);
    const asText = { body: JSON.stringify(AGENT), headers: { "content-type": "text/plain" } };
    assert.equal((await call(tenant, "POST", "/register", asText)).status, 415);
    assert.deepEqual(api.calls, [], "nothing was asked of the provider");
  });

  test("what VS Code registers is accepted, without the page at a host that is not known to be its own", async () => {
    const { status, json } = await register(tenant, {
      client_name: "Visual Studio Code",
      client_uri: "https://code.visualstudio.com",
      redirect_uris: ["https://insiders.vscode.dev/redirect", "https://vscode.dev/redirect", "http://127.0.0.1/", "http://127.0.0.1:33418/"],
      grant_types: ["authorization_code", "refresh_token", "urn:ietf:params:oauth:grant-type:device_code"],
      application_type: "native",
    });
    assert.deepEqual([status, json.client_name, json.client_uri], [201, "Visual Studio Code", undefined]);
  });

  test("what a client claims about its standing is not believed", async () => {
    const { json } = await register(tenant, { client_name: "Liar", client_id: "first-party-app", client_secret: "x", isThirdParty: false, type: "MachineToMachine" });
    assert.notEqual(json.client_id, "first-party-app");
    const { record } = api.applications.get(json.client_id);
    assert.deepEqual([record.isThirdParty, record.type], [true, "Native"]);
    assert.equal(record.customData.registrar, "complete");
  });

  test("whoever asks for the same gets an application of their own, one after the other or at once", async () => {
    const same = { client_name: "Well-known agent" };
    const answers = [...(await Promise.all([register(tenant, same), register(tenant, same)])), await register(tenant, same)];
    assert.equal(new Set(answers.map(({ json }) => json.client_id)).size, 3);
    for (const { json } of answers) {
      for (const { json: other } of answers) {
        const { status } = await call(tenant, "GET", pathOf(json), { token: other.registration_access_token });
        assert.equal(status, other === json ? 200 : 401);
      }
    }
  });

  test("neither a token nor a secret is stored or logged", async () => {
    const { json } = await call(tenant, "POST", "/register", { body: { ...SERVER_AGENT, client_name: "Discreet" } });
    await registrar.logged(({ audit, client_id }) => audit === "client_registered" && client_id === json.client_id);
    const everything = registrar.raw() + JSON.stringify([...tenant.store.entries]);
    for (const secret of [json.registration_access_token, json.client_secret, "registrar-secret"]) assert.ok(!everything.includes(secret));
    assert.ok(!/eyJ/.test(everything), "no JWT");
  });

  describe("RFC 7592", () => {
    test("a client reads, changes and removes itself", async () => {
      const { json } = await register(tenant, { client_name: "Managed" });
      const token = json.registration_access_token;
      const read = await call(tenant, "GET", pathOf(json), { token });
      assert.deepEqual([read.status, read.json], [200, json]);

      const { client_id_issued_at, registration_access_token, registration_client_uri, ...own } = json;
      const changed = await call(tenant, "PUT", pathOf(json), { token, body: { ...own, client_name: "Renamed", redirect_uris: ["http://127.0.0.1/other"] } });
      assert.equal(changed.status, 200, changed.text);
      assert.equal(changed.json.client_name, "Renamed");
      const { record } = api.applications.get(json.client_id);
      assert.deepEqual([record.name, record.oidcClientMetadata.redirectUris], ["Renamed", ["http://127.0.0.1/other"]]);

      assert.equal((await call(tenant, "DELETE", pathOf(json), { token })).status, 204);
      assert.equal(api.applications.get(json.client_id), undefined);
      assert.equal((await call(tenant, "GET", pathOf(json), { token })).status, 401);
      assert.ok(!recorded(tenant).some((key) => key.includes(json.client_id)));
    });

    test("an update says what it must and nothing that is the server's", async () => {
      const { json } = await register(tenant, { client_name: "Updating" });
      const token = json.registration_access_token;
      const { client_id } = json;
      const put = (body) => call(tenant, "PUT", pathOf(json), { token, body: { ...AGENT, client_id, ...body } });
      for (const [changes, member] of [
        [{ client_id: "other" }, "client_id"],
        [{ client_id: undefined }, "client_id"],
        [{ registration_access_token: token }, "registration_access_token"],
        [{ client_id_issued_at: 1 }, "client_id_issued_at"],
        [{ client_secret: "chosen-by-me" }, "client_secret"],
        [{ token_endpoint_auth_method: "client_secret_basic" }, "redirect_uris and token_endpoint_auth_method"],
        [{ redirect_uris: ["https://agent.example/cb"] }, "redirect_uris and token_endpoint_auth_method"],
      ]) {
        const { status, json: answer } = await put(changes);
        assert.deepEqual([status, answer.error], [400, "invalid_client_metadata"], JSON.stringify(changes));
        assert.ok(answer.error_description.startsWith(member), answer.error_description);
      }
      assert.equal((await put({ redirect_uris: ["javascript:alert(1)"] })).json.error, "invalid_redirect_uri");
      assert.equal(api.applications.get(client_id).record.name, "Updating", "nothing was changed");
    });

    test("a token opens its own client and no other, and tells nobody which clients exist", async () => {
      const [mine, theirs] = [(await register(tenant, { client_name: "Mine" })).json, (await register(tenant, { client_name: "Theirs" })).json];
      const answers = [];
      for (const path of [pathOf(theirs), "/register/nosuchclient", "/register/..%2f..%2fapplications", "/register/a/b", `${pathOf(theirs)}/`]) {
        for (const method of ["GET", "PUT", "DELETE"]) {
          const body = method === "PUT" ? { ...AGENT, client_id: theirs.client_id } : undefined;
          const { status, text, headers } = await call(tenant, method, path, { token: mine.registration_access_token, body });
          answers.push(JSON.stringify([status, text, headers.get("www-authenticate")]));
        }
      }
      assert.equal(new Set(answers).size, 1, [...new Set(answers)].join("\n"));
      assert.match(answers[0], /^\[401/);
      const none = await call(tenant, "GET", pathOf(mine));
      assert.deepEqual([none.status, none.headers.get("www-authenticate")], [401, "Bearer"]);
      assert.ok(api.applications.get(theirs.client_id));
    });
  });

  describe("a stranger who manages clients", () => {
    const from = (address) => ({ headers: { "cf-connecting-ip": address } });

    test("guesses so often and no more, without a call to the provider, and holds up nobody elsewhere", async () => {
      const { json } = await register(tenant, { client_name: "Guessed at" }, from("192.0.2.10"));
      const token = json.registration_access_token;
      api.calls.length = 0;
      const paths = [pathOf(json), "/register/nosuchclient"];
      const answers = await Promise.all(
        Array.from({ length: 150 }, (_, n) =>
          call(tenant, ["GET", "DELETE"][n % 2], paths[n % 3 % 2], { token: `mcpreg_${n}`, ...from("192.0.2.66") }),
        ),
      );
      const statuses = answers.map(({ status }) => status);
      assert.equal(statuses.filter((status) => status === 401).length, 60, statuses.join(" "));
      const refused = answers.filter(({ status }) => status === 429);
      assert.equal(refused.length, 90, statuses.join(" "));
      for (const { headers, json } of refused) {
        assert.ok(Number(headers.get("retry-after")) > 0);
        assert.equal(headers.get("access-control-allow-origin"), "*");
        assert.equal(json.error, "too_many_requests");
      }
      assert.deepEqual(api.calls, []);
      assert.equal((await call(tenant, "GET", pathOf(json), { token, ...from("192.0.2.10") })).status, 200);
    });

    test("reads and changes a client so often and no more", async () => {
      const { json } = await call(tenant, "POST", "/register", { body: { ...SERVER_AGENT, client_name: "Restless" } });
      const token = json.registration_access_token;
      api.calls.length = 0;
      const answers = await Promise.all(Array.from({ length: 50 }, () => call(tenant, "GET", pathOf(json), { token })));
      assert.equal(answers.filter(({ status }) => status === 200).length, 20);
      const refused = answers.filter(({ status }) => status === 429);
      assert.equal(refused.length, 30);
      assert.ok(refused.every(({ headers }) => Number(headers.get("retry-after")) > 0));
      assert.equal(api.calls.length, 20, "one for each secret");
    });

    test("learns of a client that was removed at the provider what they learn of one that never was", async () => {
      const { json } = await call(tenant, "POST", "/register", { body: { ...SERVER_AGENT, client_name: "Removed" } });
      const token = json.registration_access_token;
      await api.applications.remove(json.client_id);
      const gone = await call(tenant, "GET", pathOf(json), { token });
      const never = await call(tenant, "GET", "/register/nosuchclient", { token });
      assert.equal(gone.status, 401);
      assert.deepEqual([gone.text, gone.headers.get("www-authenticate")], [never.text, never.headers.get("www-authenticate")]);
      assert.ok(!recorded(tenant).some((key) => key.includes(json.client_id)), "and its token is revoked");
    });
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

  test("a client that hangs up leaves a whole application or none", async () => {
    let arrived;
    const isThere = new Promise((resolve) => (arrived = resolve));
    api.mood = (it) => void (it === "POST /applications" && arrived());
    const controller = new AbortController();
    const attempt = fetch(tenant.resource, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ ...AGENT, client_name: "Impatient" }),
      signal: controller.signal,
    });
    await isThere;
    controller.abort();
    await assert.rejects(attempt);
    const impatient = () => api.applications.all().find(({ record }) => record.name === "Impatient");
    await registrar.waitFor(() => impatient()?.record.customData.registrar === "complete", "it was not completed");
    await registrar.waitFor(() => recorded(tenant).includes(`client/${impatient().record.id}`), "it was not recorded");
  });

  test("pages may call it, other methods are refused", async () => {
    const preflight = await call(tenant, "OPTIONS", "/register", { headers: { origin: "https://page.example", "access-control-request-method": "POST" } });
    assert.equal(preflight.status, 204);
    assert.equal(preflight.headers.get("access-control-allow-origin"), "*");
    assert.equal((await call(tenant, "GET", "/register")).status, 405);
    assert.equal((await call(tenant, "POST", "/register/abc", { body: {} })).status, 405);
  });
});

describe("floods", () => {
  test("from one address stop at the limit, whatever they say", async () => {
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

  test("a developer registers, whoever lacks the scope or brings a token for another server does not", async () => {
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
    for (const changes of [{ sub: "first-party-app" }, { preferred_username: "service-account-app" }, { client_id: undefined, azp: "first-party-app" }]) {
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

  /** Takes whatever is sent. */
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

  test("go to the provider, whatever a store says of its endpoints, and so do users", async () => {
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

describe("two isolates with one ledger", () => {
  /** Calls at both isolates at the same moment, so many at each. */
  const atBoth = async (tenant, count, callOne) => {
    const origins = [tenant.origin, tenant.registrar.twinOrigin];
    const answers = origins.flatMap((origin) => Array.from({ length: count }, (_, n) => callOne({ ...tenant, origin }, n, origin)));
    return (await Promise.all(answers)).map(({ status }) => status).sort();
  };
  const times = (status, count) => Array(count).fill(status);

  test("have one limit for a network, and one for all clients", async () => {
    const tenant = await start({ twin: true, settings: { REGISTRATION: "open", REGISTRATIONS_PER_HOUR: "5", MAX_CLIENTS: "8" } });
    const flood = (of, n) => register(of, { client_name: `Flood ${n}` }, { headers: { "cf-connecting-ip": "192.0.2.1" } });
    assert.deepEqual(await atBoth(tenant, 10, flood), [...times(201, 5), ...times(429, 15)]);
    const fromEverywhere = (of, n, origin) =>
      register(of, { client_name: `Flood ${n}` }, { headers: { "cf-connecting-ip": `198.51.100.${n + (origin === tenant.origin ? 0 : 100)}` } });
    assert.deepEqual(await atBoth(tenant, 10, fromEverywhere), [...times(201, 3), ...times(503, 17)]);
    assert.equal(tenant.api.applications.all().length, 8);
  });

  test("have one number of uses for a token", async () => {
    const tenant = await start({ twin: true, settings: { REGISTRATION: "token" } });
    const { token, key, value } = mint({ name: "three", uses: 3 });
    tenant.store.entries.set(key, JSON.stringify(value));
    const use = (of, n) => register(of, { client_name: `Use ${n}` }, { token });
    assert.deepEqual(await atBoth(tenant, 5, use), [...times(201, 3), ...times(401, 7)]);
  });

  test("count the calls for one client together, and change it one after the other", async () => {
    const tenant = await start({ twin: true, settings: { REGISTRATION: "open" } });
    const { json } = await register(tenant);
    const token = json.registration_access_token;
    const put = async (of, name) => {
      const body = { ...AGENT, client_id: json.client_id, client_name: name, redirect_uris: [`http://127.0.0.1:9999/${name}`] };
      return (await call(of, "PUT", pathOf(json), { token, body })).status;
    };
    // Each step at the provider takes long enough for the other change to get between.
    tenant.api.mood = () => new Promise((resolve) => setTimeout(resolve, 50));
    const twin = { ...tenant, origin: tenant.registrar.twinOrigin };
    assert.deepEqual(await Promise.all([put(tenant, "one"), put(twin, "two")]), [200, 200]);
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
  // What was counted outlives the process, also without the store.
  store.entries.clear();
  const second = await start({ store, objectsFolder, settings });
  assert.deepEqual([(await register(second)).status, (await register(second)).status], [201, 503]);
  await store.close();
  await rm(objectsFolder, { recursive: true });
});

describe("without the settings it needs", () => {
  test("no request is let through, and the log says what to mend", async () => {
    const tenant = await start({ settings: { MANAGEMENT_CLIENT_SECRET: undefined, REQUIRED_SCOPES: "" } });
    for (const path of ["/", "/register"]) assert.equal((await call(tenant, "GET", path)).status, 500);
    await tenant.registrar.waitFor(() => /wrangler secret put/.test(tenant.registrar.raw()) && /apps:write/.test(tenant.registrar.raw()), "no help");
  });
});
