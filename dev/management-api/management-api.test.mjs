// The responses of the stand-in are those of recordings of Logto, and users can sign in with its applications.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, beforeEach, describe, test } from "node:test";
import { startIdentityProvider } from "../identity-provider/index.mjs";
import { RESOURCE, requestsTo } from "../identity-provider/testing/requests.mjs";
import { signIn } from "../../tests/support/sign-in.mjs";
import { MANAGEMENT_CLIENT, MANAGEMENT_RESOURCE, providerOptions, startManagementApi } from "./index.mjs";

const { signIns, options } = providerOptions();
const provider = await startIdentityProvider({ port: 0, dynamicRegistration: false, ...options });
const SCOPES = { "whoami:read": "Read who I am", "todos:write": "Write todos" };
const api = await startManagementApi({ provider, signIns, resources: { [RESOURCE]: SCOPES } });
after(async () => {
  await api.close();
  await provider.close();
});
beforeEach(() => {
  api.mood = () => undefined;
});

const { postForm, authorization, obtainTokens, verify } = requestsTo(provider);
const BASIC = { authorization: `Basic ${btoa(`${MANAGEMENT_CLIENT.id}:${MANAGEMENT_CLIENT.secret}`)}` };

async function machineToken(changes = {}, headers = BASIC) {
  const form = { grant_type: "client_credentials", resource: MANAGEMENT_RESOURCE, scope: "all", ...changes };
  const { body } = await postForm("/token", form, headers);
  return body.access_token;
}

async function call(method, path, body, token) {
  const response = await fetch(`${api.url}${path}`, {
    method,
    headers: {
      authorization: `Bearer ${token ?? (await machineToken())}`,
      ...(body && { "content-type": "application/json" }),
    },
    body: body && JSON.stringify(body),
  });
  const text = await response.text();
  const isJson = response.headers.get("content-type")?.startsWith("application/json");
  return { status: response.status, body: isJson ? JSON.parse(text) : text };
}

const recorded = async (file) =>
  JSON.parse(await readFile(new URL(`../../registrar/tests/logto/${file}.json`, import.meta.url), "utf8"));

async function create(changes = {}) {
  const { body } = await call("POST", "/applications", {
    name: "Agent",
    type: "Native",
    isThirdParty: true,
    oidcClientMetadata: { redirectUris: ["http://127.0.0.1:9999/callback"], postLogoutRedirectUris: [] },
    ...changes,
  });
  return body;
}

/** Returns members and types, for comparing responses. Custom data may contain anything. */
function shape(value) {
  if (value?.customData) value = { ...value, customData: "anything" };
  if (Array.isArray(value)) return value.slice(0, 1).map(shape);
  if (value === null || typeof value !== "object") return value === null ? "null" : typeof value;
  return Object.fromEntries(Object.entries(value).sort().map(([name, member]) => [name, shape(member)]));
}

describe("responses are those of the recordings", () => {
  test("of the token endpoint about the application that asks", async () => {
    const exchanges = await recorded("token-own-client");
    const ask = async (name, changes, { id = MANAGEMENT_CLIENT.id, secret = MANAGEMENT_CLIENT.secret } = {}) => {
      const form = { grant_type: "client_credentials", resource: MANAGEMENT_RESOURCE, scope: "all", ...changes };
      const answer = await postForm("/token", form, { authorization: `Basic ${btoa(`${id}:${secret}`)}` });
      const { status, body } = exchanges[name];
      const { error_description: _, ...expected } = body;
      const { error_description: description, ...found } = answer.body;
      assert.deepEqual([answer.status, found], [status, expected], name);
      return description;
    };
    await ask("wrong secret", {}, { secret: "wrong" });
    await ask("unknown resource", { resource: "https://unknown.example/" });
    provider.expiredSecrets.add(MANAGEMENT_CLIENT.id);
    assert.equal(await ask("secret has expired"), "client secret has expired");
    provider.expiredSecrets.clear();
  });

  test("to every recorded creation", async () => {
    for (const [name, { request, status, body }] of Object.entries(await recorded("management-create-app"))) {
      const answer = await call("POST", "/applications", request.json);
      assert.equal(answer.status, status, name);
      assert.deepEqual(shape(answer.body), shape(body), name);
      assert.equal(answer.body.code, body.code, name);
    }
  });

  test("to every recorded call about an application", async () => {
    const exchanges = await recorded("management-app");
    const native = await create();
    const firstParty = await create({ isThirdParty: false });
    for (const [name, { request, status, body }] of Object.entries(exchanges)) {
      const traditional = await create({ type: "Traditional" });
      const target = { secrets_list_native: native, secret_on_native: native, consent_scopes_first_party: firstParty };
      const id = ["get_unknown", "delete_unknown"].includes(name) ? "nope" : (target[name] ?? traditional).id;
      const path = request.path.replace(/^\/api\/applications\/[^/]+/, `/applications/${id}`).replace("1buwzqkfh4cbxygh3gywu", "scope-0-whoami-read");
      const json = request.json && JSON.parse(JSON.stringify(request.json).replaceAll("1buwzqkfh4cbxygh3gywu", "scope-0-whoami-read"));
      if (json?.expiresAt > 2000) json.expiresAt = Date.now() + 60_000;
      // The earlier changes of the recorded application.
      if (name === "secret_delete") await call("POST", `/applications/${id}/secrets`, { name: "s2" });
      if (name.startsWith("consent_scopes_delete") || name === "consent_scopes_get") {
        const scopes = { userScopes: ["profile", "email"], resourceScopes: ["scope-0-whoami-read"] };
        await call("POST", `/applications/${id}/user-consent-scopes`, scopes);
      }
      if (name === "branding_later_put") await call("PUT", `/applications/${id}/sign-in-experience`, {});

      const answer = await call(request.method, path, json);
      assert.equal(answer.status, status, name);
      assert.equal(answer.body?.code, body?.code, name);
      if (status < 400 || body.data === undefined) assert.deepEqual(shape(answer.body), shape(body), name);
    }
  });

  test("to tokens without access", async () => {
    const exchanges = await recorded("management-auth-errors");
    const { status } = await fetch(`${api.url}/applications`);
    assert.equal(status, exchanges.no_token.status);
    const garbage = await call("GET", "/applications", undefined, "garbage");
    assert.deepEqual([garbage.status, garbage.body], [401, exchanges.garbage.body]);
    const scopeless = await call("GET", "/applications", undefined, await machineToken({ scope: "" }));
    assert.deepEqual([scopeless.status, scopeless.body], [403, exchanges.without_scope_all.body]);
    const other = (await obtainTokens()).access_token;
    const foreign = await call("GET", "/applications", undefined, other);
    assert.deepEqual(shape(foreign.body.data.payload.sub), "string", "it repeats the token's claims");
  });

  test("another machine client is given no scope", async () => {
    const token = await machineToken({}, { authorization: `Basic ${btoa("mcp-edge:mcp-edge-secret")}` });
    assert.equal((await call("GET", "/applications", undefined, token)).status, 403);
  });
});

describe("validation is as weak as that of Logto", () => {
  test("it stores redirect URIs that leak the code", async () => {
    for (const uri of ["https://user:pass@host.example/cb", "https://*.example.dev/cb", "http://evil.example/cb", "javascript:alert(1)"]) {
      const { oidcClientMetadata } = await create({ oidcClientMetadata: { redirectUris: [uri], postLogoutRedirectUris: [] } });
      assert.deepEqual(oidcClientMetadata.redirectUris, [uri]);
    }
  });

  test("one URI that the engine cannot use makes the application unusable", async () => {
    const uris = ["http://127.0.0.1:9999/callback", "javascript:alert(1)"];
    const { id } = await create({ oidcClientMetadata: { redirectUris: uris, postLogoutRedirectUris: [] } });
    const response = await fetch(authorization({ client_id: id }).url, { redirect: "manual" });
    assert.equal(response.status, 400);
    assert.match(await response.text(), /invalid_redirect_uri/);
  });
});

describe("an application", () => {
  test("signs in with its allowed scopes, and not after it is deleted", async () => {
    const { id } = await create();
    await call("POST", `/applications/${id}/user-consent-scopes`, { userScopes: ["profile"], resourceScopes: ["scope-0-whoami-read"] });
    const changes = { client_id: id, scope: "openid profile whoami:read" };
    const { access_token } = await obtainTokens({ changes });
    const { payload } = await verify(access_token);
    assert.deepEqual([payload.client_id, payload.scope], [id, "whoami:read"]);
    const { body: logs } = await call("GET", `/logs?applicationId=${id}&logKey=ExchangeTokenBy.AuthorizationCode`);
    assert.equal(logs[0].payload.result, "Success");

    const callback = await signIn({ authorizationUrl: authorization({ client_id: id, scope: "openid email whoami:read" }).url });
    assert.equal(callback.searchParams.get("error"), "invalid_scope", "above the ceiling");

    assert.equal((await call("DELETE", `/applications/${id}`)).status, 204);
    const response = await fetch(authorization(changes).url);
    assert.match(await response.text(), /invalid_client/);
  });

  test("has a log with its failures, which can be read by period", async () => {
    const { id } = await create();
    const fail = (refresh_token) => postForm("/token", { client_id: id, grant_type: "refresh_token", refresh_token });
    const log = async (more = "") => (await call("GET", `/logs?applicationId=${id}&logKey=ExchangeTokenBy.RefreshToken${more}`)).body;
    await fail("x");
    await fail("y");
    const [newest, oldest] = await log();
    assert.deepEqual([newest.payload.result, newest.payload.params.refresh_token], ["Error", "y"]);
    assert.ok(newest.createdAt >= oldest.createdAt);
    assert.deepEqual(await log(`&start_time=${newest.createdAt}`), []);
    assert.equal((await log(`&end_time=${newest.createdAt}`)).length, 2);
    assert.deepEqual(await log(`&end_time=${oldest.createdAt - 1}`), []);
    assert.deepEqual(await log("&page=2&page_size=1"), [oldest]);
  });

  test("has a secret that can be rotated, if it is confidential", async () => {
    const { id } = await create({ type: "Traditional" });
    const { body: [first] } = await call("GET", `/applications/${id}/secrets`);
    const answerTo = async (secret) => {
      const headers = { authorization: `Basic ${btoa(`${id}:${secret}`)}` };
      const { body } = await postForm("/token", { grant_type: "refresh_token", refresh_token: "x" }, headers);
      return body.error;
    };
    assert.equal(await answerTo(first.value), "invalid_grant", "the client is known");
    const { body: second } = await call("POST", `/applications/${id}/secrets`, { name: "second" });
    await call("DELETE", `/applications/${id}/secrets/Default%20secret`);
    assert.equal(await answerTo(second.value), "invalid_grant");
    assert.equal(await answerTo(first.value), "invalid_client");
  });
});

describe("it can be made to fail", () => {
  test("with a status, without an effect, or without an answer", async () => {
    const token = await machineToken();
    const tryToCreate = () => call("POST", "/applications", { name: "x", type: "SPA", isThirdParty: true }, token);
    const count = () => api.applications.all().length;
    const before = count();
    api.mood = () => 429;
    assert.equal((await tryToCreate()).status, 429);
    api.mood = () => "drop";
    await assert.rejects(tryToCreate());
    assert.equal(count(), before);
    api.mood = () => "lose";
    await assert.rejects(tryToCreate());
    assert.equal(count(), before + 1);
  });
});
