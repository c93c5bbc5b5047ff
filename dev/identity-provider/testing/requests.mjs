// The requests of a client, for tests. They are valid by default; each test states its difference.

import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { createLocalJWKSet, jwtVerify } from "jose";
import { Browser, signIn } from "../../../tests/support/sign-in.mjs";

export const RESOURCE = "http://localhost:8787/mcp";
export const REDIRECT_URI = "http://127.0.0.1:9999/callback";
export const SCOPE = "openid profile email whoami:read";

/** The `Authorization` header of the confidential machine client. */
export const MACHINE = { authorization: `Basic ${btoa("mcp-edge:mcp-edge-secret")}` };

/** Changes to an authorization request that result in a refresh token. */
export const OFFLINE = { scope: `${SCOPE} offline_access`, prompt: "consent" };

/** Returns all requests, for a running provider. */
export function requestsTo({ issuer }) {
  /** An authorization request; `changes` replace parameters, `undefined` removes one. */
  function authorization(changes = {}) {
    const verifier = randomBytes(32).toString("base64url");
    const parameters = {
      response_type: "code",
      client_id: "third-party-agent",
      redirect_uri: REDIRECT_URI,
      scope: SCOPE,
      resource: RESOURCE,
      state: "some-state",
      code_challenge: createHash("sha256").update(verifier).digest("base64url"),
      code_challenge_method: "S256",
      ...changes,
    };
    const url = new URL(`${issuer}/auth`);
    for (const [name, value] of Object.entries(parameters)) {
      if (value !== undefined) url.searchParams.set(name, value);
    }
    return { url, verifier, parameters };
  }

  /** Signs in, consents, and redeems the code with `resource`, if one is given. */
  async function obtainTokens({ changes, resource = RESOURCE, person } = {}) {
    const request = authorization(changes);
    const callback = await signIn({ authorizationUrl: request.url, ...person });
    assert.equal(callback.searchParams.get("error"), null, callback.href);
    const { body } = await redeem(request, callback, resource && { resource });
    return body;
  }

  /** Redeems the code of a callback. */
  function redeem({ verifier, parameters }, callback, more) {
    return postForm("/token", {
      grant_type: "authorization_code",
      client_id: parameters.client_id,
      redirect_uri: parameters.redirect_uri,
      code: callback.searchParams.get("code"),
      code_verifier: verifier,
      ...more,
    });
  }

  function refresh(refresh_token, more) {
    return postForm("/token", {
      grant_type: "refresh_token",
      client_id: "third-party-agent",
      refresh_token,
      ...more,
    });
  }

  function introspect(token) {
    return postForm("/token/introspection", { token }, MACHINE);
  }

  function userinfo(token) {
    return getJson("/me", { authorization: `Bearer ${token}` });
  }

  function register(metadata) {
    const complete = {
      client_name: "Some MCP client",
      redirect_uris: [REDIRECT_URI],
      token_endpoint_auth_method: "none",
      grant_types: ["authorization_code", "refresh_token"],
      response_types: ["code"],
      ...metadata,
    };
    return send("/reg", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(complete),
    });
  }

  /** Verifies an access token as the Worker does, from the published keys alone. */
  async function verify(token) {
    const { body: jwks } = await getJson("/jwks");
    return jwtVerify(token, createLocalJWKSet(jwks), { issuer, audience: RESOURCE, typ: "at+jwt" });
  }

  /** The consent page that Alice sees for this request. */
  async function openConsent(changes) {
    const browser = new Browser();
    const signInPage = await browser.open(authorization(changes).url);
    const page = await browser.submit(signInPage, { login: "alice", password: "alice" });
    assert.ok(page.form.fields.has("decision"), page.text);
    return { browser, page };
  }

  function postForm(path, fields, headers = {}) {
    return send(path, { method: "POST", headers, body: new URLSearchParams(fields) });
  }

  function getJson(path, headers = {}) {
    return send(path, { headers });
  }

  async function send(path, request) {
    const response = await fetch(`${issuer}${path}`, request);
    const text = await response.text();
    const body = text === "" ? undefined : JSON.parse(text);
    return { status: response.status, headers: response.headers, body };
  }

  return {
    authorization,
    obtainTokens,
    redeem,
    refresh,
    introspect,
    userinfo,
    register,
    verify,
    openConsent,
    postForm,
    getJson,
  };
}
