// The provider as a whole: discovery, access from browsers, keys and log.

import assert from "node:assert/strict";
import { mkdtemp, rm, stat } from "node:fs/promises";
import { get } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, mock, test } from "node:test";
import { calculateJwkThumbprint } from "jose";
import { signIn } from "../../tests/support/sign-in.mjs";
import { startIdentityProvider } from "./index.mjs";
import { OFFLINE, requestsTo, RESOURCE } from "./testing/requests.mjs";

const log = [];
const provider = await startIdentityProvider({ port: 0, log: (message) => log.push(message) });
const { authorization, getJson, postForm, redeem } = requestsTo(provider);
after(() => provider.close());

/** Sends exactly these headers, some of which `fetch` sets itself. */
function statusOf(path, headers) {
  return new Promise((resolve, reject) => {
    const request = get({ host: "127.0.0.1", port: provider.port, path, headers });
    request.on("response", (response) => resolve(response.resume().statusCode)).on("error", reject);
  });
}

describe("discovery", () => {
  test("both documents below the issuer are the same and name Logto's paths", async () => {
    const { body } = await getJson("/.well-known/openid-configuration");
    const { body: oauth } = await getJson("/.well-known/oauth-authorization-server");
    assert.deepEqual(body, oauth);

    const { issuer } = provider;
    assert.match(issuer, /^http:\/\/localhost:\d+\/oidc$/);
    assert.equal(body.issuer, issuer);
    assert.equal(body.authorization_endpoint, `${issuer}/auth`);
    assert.equal(body.token_endpoint, `${issuer}/token`);
    assert.equal(body.jwks_uri, `${issuer}/jwks`);
    assert.equal(body.userinfo_endpoint, `${issuer}/me`);
    assert.equal(body.introspection_endpoint, `${issuer}/token/introspection`);
    assert.equal(body.revocation_endpoint, `${issuer}/token/revocation`);
    assert.equal(body.end_session_endpoint, `${issuer}/session/end`);
    assert.equal(body.registration_endpoint, `${issuer}/reg`);
    assert.deepEqual(body.code_challenge_methods_supported, ["S256"]);
    assert.deepEqual(body.id_token_signing_alg_values_supported, ["ES384"]);
    assert.equal(body.authorization_response_iss_parameter_supported, true);
    assert.equal(body.client_id_metadata_document_supported, true);
    assert.ok(body.token_endpoint_auth_methods_supported.includes("none"));
    // As at Logto, only user scopes are listed.
    assert.ok(!body.scopes_supported.includes("whoami:read"));
  });

  test("the forms with the path inserted do not exist", async () => {
    const { origin } = new URL(provider.issuer);
    for (const document of ["oauth-authorization-server", "openid-configuration"]) {
      const response = await fetch(`${origin}/.well-known/${document}/oidc`);
      assert.equal(response.status, 404);
    }
  });

  test("the key is P-384 with its thumbprint as kid, and can be revalidated", async () => {
    const { headers, body } = await getJson("/jwks");
    const [key] = body.keys;
    assert.equal(body.keys.length, 1);
    assert.deepEqual(Object.keys(key).sort(), ["alg", "crv", "kid", "kty", "use", "x", "y"]);
    assert.equal(key.alg, "ES384");
    assert.equal(key.crv, "P-384");
    assert.equal(key.kid, await calculateJwkThumbprint(key));
    assert.match(headers.get("content-type"), /^application\/jwk-set\+json/);

    // Not with fetch, which adds `Cache-Control: no-cache` to such a request.
    const again = await statusOf("/oidc/jwks", { "if-none-match": headers.get("etag") });
    assert.equal(again, 304);
  });

  test("registration and documents can be switched off, as at Logto", async () => {
    const bare = await startIdentityProvider({
      port: 0,
      dynamicRegistration: false,
      clientIdMetadataDocuments: false,
    });
    const { body } = await requestsTo(bare).getJson("/.well-known/openid-configuration");
    assert.equal(body.registration_endpoint, undefined);
    assert.equal(body.client_id_metadata_document_supported, undefined);
    await bare.close();
  });
});

describe("browsers", () => {
  const preflight = { origin: "https://playground.example", "access-control-request-method": "POST" };

  test("endpoints for programs are open to all origins", async () => {
    const paths = [
      "/.well-known/openid-configuration",
      "/.well-known/oauth-authorization-server",
      "/jwks",
      "/token",
      "/token/introspection",
      "/me",
      "/reg",
    ];
    for (const path of paths) {
      const headers = { ...preflight, "access-control-request-headers": "authorization,mcp-protocol-version" };
      const response = await fetch(`${provider.issuer}${path}`, { method: "OPTIONS", headers });
      assert.equal(response.status, 204, path);
      assert.equal(response.headers.get("access-control-allow-origin"), "*", path);
      assert.equal(response.headers.get("access-control-allow-headers"), "authorization,mcp-protocol-version", path);
    }
    const { origin } = preflight;
    const { headers, body } = await postForm("/token", { grant_type: "refresh_token" }, { origin });
    assert.equal(headers.get("access-control-allow-origin"), "*");
    assert.equal(body.error, "invalid_request");
  });

  test("pages are not", async () => {
    const { origin } = preflight;
    const response = await fetch(authorization().url, { headers: { origin }, redirect: "manual" });
    assert.equal(response.headers.get("access-control-allow-origin"), null);
  });

  test("the icon request is not an error", async () => {
    const response = await fetch(new URL("/favicon.ico", provider.issuer));
    assert.equal(response.status, 204);
  });

  test("other host names are not answered", async () => {
    assert.equal(await statusOf("/oidc/jwks", { host: "rebound.example" }), 421);
  });
});

describe("keys", () => {
  test("after a rotation to RSA the new key signs and the old one still verifies", async () => {
    const rotating = await startIdentityProvider({ port: 0 });
    const { getJson, obtainTokens, refresh, verify } = requestsTo(rotating);
    const earlier = await obtainTokens({ changes: OFFLINE });
    const kid = await rotating.rotateKeys("RS256");

    const { body: jwks } = await getJson("/jwks");
    assert.deepEqual(jwks.keys.map(({ kty }) => kty), ["RSA", "EC"]);
    assert.equal(jwks.keys[0].alg, undefined);
    assert.equal(jwks.keys[0].kid, await calculateJwkThumbprint(jwks.keys[0]));
    await verify(earlier.access_token);

    const { body } = await refresh(earlier.refresh_token, { resource: RESOURCE });
    const { protectedHeader } = await verify(body.access_token);
    assert.equal(protectedHeader.alg, "RS256");
    assert.equal(protectedHeader.kid, kid);

    await rotating.rotateKeys();
    await assert.rejects(verify(earlier.access_token), /no applicable key found/);
    await rotating.close();
  });

  test("a restarted provider keeps its keys, in a file that only its owner can read", async () => {
    const folder = await mkdtemp(join(tmpdir(), "identity-provider-"));
    const keysFile = join(folder, "below", "keys.json");
    const kids = [];
    for (let run = 0; run < 2; run += 1) {
      const restarted = await startIdentityProvider({ port: 0, keysFile });
      const { body: jwks } = await requestsTo(restarted).getJson("/jwks");
      kids.push(jwks.keys[0].kid);
      await restarted.close();
    }
    assert.equal(kids[0], kids[1]);
    assert.equal((await stat(keysFile)).mode & 0o777, 0o600);
    await rm(folder, { recursive: true });
  });
});

describe("output", () => {
  test("the engine prints nothing", async () => {
    const spies = ["log", "info", "warn", "error"].map((name) => mock.method(console, name, () => {}));
    const quiet = await startIdentityProvider({ port: 0 });
    const { obtainTokens, postForm } = requestsTo(quiet);
    const { refresh_token: token } = await obtainTokens({ changes: OFFLINE });
    await postForm("/token/revocation", { token, client_id: "third-party-agent" });
    await quiet.close();
    const calls = spies.flatMap((spy) => spy.mock.calls.map((call) => call.arguments.join(" ")));
    mock.restoreAll();
    assert.deepEqual(calls, []);
  });

  test("the log names events and contains no token, code or password", async () => {
    log.length = 0;
    const request = authorization();
    const callback = await signIn({ authorizationUrl: request.url });
    const { body } = await redeem(request, callback);
    await redeem(request, callback);
    const wrong = signIn({ authorizationUrl: authorization().url, password: "not-her-password" });
    await assert.rejects(wrong);

    const text = log.join("\n");
    assert.match(text, /signed in: alice/);
    assert.match(text, /token issued for "third-party-agent": authorization_code/);
    assert.match(text, /token request refused for "third-party-agent": invalid_grant/);
    assert.match(text, /sign-in refused/);
    const code = callback.searchParams.get("code");
    for (const secret of [body.access_token, body.id_token, code, request.verifier, "not-her-password"]) {
      assert.ok(!text.includes(secret));
    }
  });

  test("a taken port is an error with a code", async () => {
    await assert.rejects(startIdentityProvider({ port: provider.port }), { code: "EADDRINUSE" });
  });
});
