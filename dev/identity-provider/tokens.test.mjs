// Access tokens in the form of Logto, and userinfo, introspection and revocation.

import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { decodeProtectedHeader } from "jose";
import { LOCAL_ACCOUNTS, startIdentityProvider } from "./index.mjs";
import { MACHINE, OFFLINE, requestsTo, RESOURCE } from "./testing/requests.mjs";

const alice = LOCAL_ACCOUNTS.find(({ username }) => username === "alice");

const provider = await startIdentityProvider({ port: 0 });
const { introspect, obtainTokens, postForm, refresh, userinfo, verify } = requestsTo(provider);
after(() => provider.close());

describe("tokens", () => {
  test("with resource: an at+jwt for the MCP server, with the user's claims", async () => {
    const tokens = await obtainTokens();
    assert.equal(tokens.scope, "whoami:read");
    assert.equal(tokens.expires_in, 3600);

    const { payload, protectedHeader } = await verify(tokens.access_token);
    assert.equal(protectedHeader.alg, "ES384");
    const { jti, iat, exp, ...claims } = payload;
    assert.ok(jti);
    assert.equal(exp - iat, 3600);
    assert.deepEqual(claims, {
      sub: alice.sub,
      scope: "whoami:read",
      client_id: "third-party-agent",
      iss: provider.issuer,
      aud: RESOURCE,
      username: "alice",
      name: "Alice Doe",
      email: "alice@example.com",
      email_verified: true,
      picture: alice.picture,
    });
  });

  test("the claims about the user need the scope", async () => {
    const { access_token } = await obtainTokens({ changes: { scope: "openid" } });
    const { payload } = await verify(access_token);
    assert.equal(payload.scope, undefined);
    assert.equal(payload.email, undefined);
    assert.equal(payload.username, undefined);
  });

  test("unknown API scopes are dropped without an error", async () => {
    const tokens = await obtainTokens({ changes: { scope: "openid whoami:read todos:write" } });
    assert.equal(tokens.scope, "whoami:read");
  });

  test("the ID token differs from an access token", async () => {
    const { id_token } = await obtainTokens();
    assert.equal(decodeProtectedHeader(id_token).typ, undefined);
    await assert.rejects(verify(id_token));
  });

  test("without resource: opaque, accepted by userinfo and introspection", async () => {
    const { access_token, scope } = await obtainTokens({ resource: null });
    assert.match(access_token, /^[\w-]{43}$/);
    assert.equal(scope, "openid profile email");

    const user = await userinfo(access_token);
    assert.equal(user.status, 200);
    assert.equal(user.body.sub, alice.sub);
    assert.equal(user.body.username, "alice");
    assert.equal(user.body.email, alice.email);

    const { body } = await introspect(access_token);
    const { exp, iat, ...answer } = body;
    assert.equal(exp - iat, 3600);
    assert.deepEqual(answer, {
      active: true,
      sub: alice.sub,
      client_id: "third-party-agent",
      iss: provider.issuer,
      scope: "openid profile email",
      token_type: "Bearer",
    });
  });

  test("userinfo returns only what the scopes allow", async () => {
    const { access_token } = await obtainTokens({ changes: { scope: "openid" }, resource: null });
    const { body } = await userinfo(access_token);
    assert.deepEqual(body, { sub: alice.sub });
  });

  test("a JWT is refused by userinfo and by introspection", async () => {
    const { access_token } = await obtainTokens();
    const user = await userinfo(access_token);
    assert.equal(user.status, 401);
    assert.equal(user.body.error, "invalid_token");

    const introspected = await introspect(access_token);
    assert.equal(introspected.status, 400);
    assert.equal(introspected.body.error, "unsupported_token_type");
  });

  test("introspection: an unknown token is inactive, a wrong secret is 401", async () => {
    const garbage = await introspect("garbage");
    assert.deepEqual(garbage.body, { active: false });

    const authorization = `Basic ${btoa("mcp-edge:wrong")}`;
    const wrong = await postForm("/token/introspection", { token: "garbage" }, { authorization });
    assert.equal(wrong.status, 401);
    assert.equal(wrong.body.error, "invalid_client");
  });

  test("introspection: a public client sees only its own tokens", async () => {
    const { access_token: token } = await obtainTokens({ resource: null });
    const foreign = await postForm("/token/introspection", { token, client_id: "first-party-app" });
    assert.deepEqual(foreign.body, { active: false });
    const own = await postForm("/token/introspection", { token, client_id: "third-party-agent" });
    assert.equal(own.body.active, true);
  });

  test("a revoked opaque token is refused", async () => {
    const { access_token: token } = await obtainTokens({ resource: null });
    const { status } = await postForm("/token/revocation", { token, client_id: "third-party-agent" });
    assert.equal(status, 200);
    const { body } = await introspect(token);
    assert.deepEqual(body, { active: false });
  });

  test("a refresh token needs offline_access and prompt=consent", async () => {
    const withoutPrompt = await obtainTokens({ changes: { ...OFFLINE, prompt: undefined } });
    assert.equal(withoutPrompt.refresh_token, undefined);
    const withoutScope = await obtainTokens({ changes: { prompt: "consent" } });
    assert.equal(withoutScope.refresh_token, undefined);
  });

  test("refresh: with resource a JWT, without an opaque token, with an unknown one an error", async () => {
    const first = await obtainTokens({ changes: OFFLINE });
    const jwt = await refresh(first.refresh_token, { resource: RESOURCE });
    const { payload } = await verify(jwt.body.access_token);
    assert.equal(payload.scope, "whoami:read");
    assert.equal(payload.name, "Alice Doe");
    assert.notEqual(jwt.body.refresh_token, first.refresh_token);

    const opaque = await refresh(jwt.body.refresh_token);
    assert.match(opaque.body.access_token, /^[\w-]{43}$/);

    const unknown = await refresh(opaque.body.refresh_token, { resource: `${RESOURCE}/` });
    assert.equal(unknown.status, 400);
    assert.equal(unknown.body.error, "invalid_target");
  });

  test("client_credentials: a machine token with our audience, sub = client_id, no scope unless asked", async () => {
    const form = { grant_type: "client_credentials", resource: RESOURCE };
    const plain = await postForm("/token", form, MACHINE);
    const { payload } = await verify(plain.body.access_token);
    assert.equal(payload.sub, "mcp-edge");
    assert.equal(payload.client_id, "mcp-edge");
    assert.equal(payload.scope, undefined);
    assert.equal(payload.username, undefined);

    const scoped = await postForm("/token", { ...form, scope: "whoami:read" }, MACHINE);
    assert.equal((await verify(scoped.body.access_token)).payload.scope, "whoami:read");

    const elsewhere = { ...form, resource: "https://elsewhere.example/" };
    const unknown = await postForm("/token", elsewhere, MACHINE);
    assert.equal(unknown.body.error, "invalid_target");
  });
});
