// The calendar service: its metadata, its clients and users, its API, and its faults.

import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { after, describe, test } from "node:test";
import { Browser, signIn } from "../../tests/support/sign-in.mjs";
import { startCalendarService } from "./index.mjs";

const REDIRECT_URI = "http://localhost:8787/account/connections/calendar/callback";

const secrets = [];
const calendar = await startCalendarService({ port: 0, onSecret: (secret) => secrets.push(secret) });
after(() => calendar.close());

const json = async (response) => ({ status: response.status, headers: response.headers, body: await response.json() });

const server = (await json(await fetch(`${calendar.origin}/.well-known/oauth-authorization-server/oidc`))).body;

const register = async (more = {}) => {
  const metadata = {
    client_name: "Agenda",
    redirect_uris: [REDIRECT_URI],
    grant_types: ["authorization_code", "refresh_token"],
    token_endpoint_auth_method: "none",
    ...more,
  };
  const headers = { "content-type": "application/json" };
  const response = await fetch(server.registration_endpoint, { method: "POST", headers, body: JSON.stringify(metadata) });
  return (await json(response)).body;
};

const tokenRequest = async (fields) =>
  json(await fetch(server.token_endpoint, { method: "POST", body: new URLSearchParams({ resource: calendar.resource, ...fields }) }));

/** Connects an account as a client does, with the scope `events:read`. */
async function connect(login, changes = {}, browser = new Browser()) {
  const { client_id: id } = await register();
  const verifier = randomBytes(32).toString("base64url");
  const url = new URL(server.authorization_endpoint);
  const parameters = {
    response_type: "code",
    client_id: id,
    redirect_uri: REDIRECT_URI,
    scope: "events:read",
    resource: calendar.resource,
    state: "s",
    code_challenge: createHash("sha256").update(verifier).digest("base64url"),
    code_challenge_method: "S256",
    ...changes,
  };
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
  const callback = await signIn({ authorizationUrl: url, login, browser });
  const code = callback.searchParams.get("code");
  const fields = { grant_type: "authorization_code", client_id: id, redirect_uri: REDIRECT_URI, code, code_verifier: verifier };
  const { body } = await tokenRequest(fields);
  const refresh = (refresh_token, more = {}) => tokenRequest({ grant_type: "refresh_token", client_id: id, refresh_token, ...more });
  return { callback, id, refresh, ...body };
}

const call = async (path, token) =>
  json(await fetch(`${calendar.resource}${path}`, { headers: token === undefined ? {} : { authorization: `Bearer ${token}` } }));

describe("the calendar service", () => {
  test("says where its tokens come from", async () => {
    const { status, headers } = await call("/events");
    assert.equal(status, 401);
    const [, url] = /resource_metadata="([^"]+)"/.exec(headers.get("www-authenticate"));
    const { body } = await json(await fetch(url));
    assert.equal(body.resource, calendar.resource);
    assert.deepEqual(body.authorization_servers, [server.issuer]);
    assert.equal(server.authorization_response_iss_parameter_supported, true);
    assert.ok(server.registration_endpoint && server.revocation_endpoint && server.client_id_metadata_document_supported);
  });

  test("shows each user their own events", async () => {
    for (const [login, title] of [["alice.calendar", "Dentist"], ["bob.calendar", "Dinner with Alice"]]) {
      const tokens = await connect(login);
      assert.equal(tokens.scope, "events:read");
      assert.equal(tokens.callback.searchParams.get("iss"), server.issuer);
      const { body } = await call("/events?days=2", tokens.access_token);
      assert.equal(body.events[0].title, title);
      assert.deepEqual((await call("/me", tokens.access_token)).body.account, login);
      assert.ok(secrets.includes(tokens.access_token) && secrets.includes(tokens.refresh_token));
    }
  });

  test("lets a user who is signed in choose another account", async () => {
    const browser = new Browser();
    await connect("alice.calendar", {}, browser);
    const accountOf = async ({ access_token }) => (await call("/me", access_token)).body.account;
    assert.equal(await accountOf(await connect("alice.work", {}, browser)), "alice.calendar", "nobody was asked");
    for (const [prompt, login] of [["select_account", "alice.work"], ["login", "alice.calendar"], ["select_account consent", "alice.work"]]) {
      assert.ok(prompt.split(" ").every((value) => server.prompt_values_supported.includes(value)));
      assert.equal(await accountOf(await connect(login, { prompt }, browser)), login);
    }
  });

  test("takes no token that is not for its API, or lacks the scope", async () => {
    const writer = await connect("alice.calendar", { scope: "events:write" });
    const { status, headers } = await call("/events", writer.access_token);
    assert.equal(status, 403);
    assert.match(headers.get("www-authenticate"), /insufficient_scope", scope="events:read"/);
    assert.equal((await call("/events", "other")).status, 401);
  });

  test("takes each refresh token once", async () => {
    const tokens = await connect("alice.calendar");
    const second = (await tokens.refresh(tokens.refresh_token)).body;
    assert.notEqual(second.refresh_token, tokens.refresh_token);
    assert.equal((await call("/events", second.access_token)).status, 200);
    assert.equal((await tokens.refresh(tokens.refresh_token)).body.error, "invalid_grant");
    assert.equal((await tokens.refresh(second.refresh_token)).body.error, "invalid_grant", "a copy was used: all of it ends");
  });

  test("revokes tokens", async () => {
    const tokens = await connect("alice.calendar");
    const body = new URLSearchParams({ token: tokens.refresh_token, client_id: tokens.id });
    assert.equal((await fetch(server.revocation_endpoint, { method: "POST", body })).status, 200);
    assert.equal((await call("/events", tokens.access_token)).status, 401);
    assert.equal((await tokens.refresh(tokens.refresh_token)).body.error, "invalid_grant");
  });

  test("tells a client that its user has refused", async () => {
    const { client_id } = await register();
    const url = new URL(server.authorization_endpoint);
    const parameters = { response_type: "code", client_id, redirect_uri: REDIRECT_URI, scope: "events:read", resource: calendar.resource, state: "s", code_challenge: "x".repeat(43), code_challenge_method: "S256" };
    for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
    const callback = await signIn({ authorizationUrl: url, login: "alice.calendar", decision: "deny" });
    assert.equal(callback.searchParams.get("error"), "access_denied");
  });

  test("can forget access tokens, end all grants, be down, and grant more than was asked for", async () => {
    const tokens = await connect("alice.calendar");
    calendar.expireTokens();
    assert.equal((await call("/events", tokens.access_token)).status, 401);
    calendar.provider.misbehave({ when: "after", how: "change", members: { scope: "events:read events:write" }, times: 1 });
    const wider = (await tokens.refresh(tokens.refresh_token)).body;
    assert.equal(wider.scope, "events:read events:write");
    calendar.provider.misbehave({ when: "before", how: "delay", milliseconds: 300, times: 1 });
    const before = performance.now();
    const late = (await tokens.refresh(wider.refresh_token)).body;
    assert.ok(performance.now() - before >= 290 && late.scope === "events:read");
    calendar.isDown = true;
    await assert.rejects(call("/events", late.access_token));
    calendar.isDown = false;
    calendar.revokeGrants();
    assert.equal((await call("/events", late.access_token)).status, 401);
    assert.equal((await tokens.refresh(late.refresh_token)).body.error, "invalid_grant");
  });
});
