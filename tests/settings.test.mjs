// Invalid settings: every request fails with a generic error, and the log has each error with its fix.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { legacyRequest } from "./support/messages.mjs";
import "./support/report-failures.mjs";
import { post, send, startWorker } from "./support/worker.mjs";

const ISSUER = "https://tenant.logto.app/oidc";
const RESOURCE = "https://mcp.example.com/mcp";

const NOT_HTTPS = "must begin with https:// (plain http is accepted for localhost, 127.0.0.1 and [::1] only)";
const NO_ENDPOINT =
  "must be an https URL (http for localhost, 127.0.0.1 and [::1] only) without user information, fragment, white space, quotes and braces";
const NOT_PLAIN = "must have neither query nor fragment";

/** Settings with one error, and its line in the log. */
const INVALID = [
  [
    { ISSUER: undefined },
    "ISSUER is not set: give the issuer exactly as the provider's discovery document says it, for example https://your-tenant.logto.app/oidc",
  ],
  [
    { ISSUER: "  " },
    "ISSUER is not set: give the issuer exactly as the provider's discovery document says it, for example https://your-tenant.logto.app/oidc",
  ],
  [
    { RESOURCE: "" },
    "RESOURCE is not set: give the full URL of the MCP endpoint, for example https://mcp.example.com/mcp",
  ],
  [{ ISSUER: "http://tenant.logto.app/oidc" }, `ISSUER = "http://tenant.logto.app/oidc" ${NOT_HTTPS}`],
  [{ ISSUER: "tenant.logto.app" }, `ISSUER = "tenant.logto.app" ${NOT_HTTPS}`],
  [
    { PROVIDER: "Logto" },
    'PROVIDER = "Logto" must be one of generic, logto, auth0, cognito, entra, keycloak, okta, supabase, workos',
  ],
  [
    { PROVIDER: "okta" },
    `PROVIDER = "okta" does not fit the issuer "${ISSUER}", which is one of Logto: set PROVIDER = "logto"`,
  ],
  [
    { ISSUER: `${ISSUER}/` },
    `the issuer "${ISSUER}/" has not the form of Logto's, which is for example https://your-tenant.logto.app/oidc`,
  ],
  [
    { ALLOWED_TENANTS: "9188040d-6c67-4c5b-b112-36a304b66dad" },
    `ALLOWED_TENANTS is for an issuer of all tenants, with {tenantid} in it, and "${ISSUER}" is that of one: remove it`,
  ],
  [{ USER_BY_SUBJECT: "yes" }, 'USER_BY_SUBJECT = "yes" must be "true" or "false"'],
  [{ ISSUER: "http://localhost.evil.example/" }, `ISSUER = "http://localhost.evil.example/" ${NOT_HTTPS}`],
  [{ ISSUER: `${ISSUER}?x=1` }, `ISSUER = "${ISSUER}?x=1" ${NOT_PLAIN}`],
  [{ RESOURCE: `${RESOURCE}#x` }, `RESOURCE = "${RESOURCE}#x" ${NOT_PLAIN}`],
  [
    { RESOURCE: "https://mcp.example.com/m c p" },
    'RESOURCE = "https://mcp.example.com/m c p" must consist of visible ASCII without quotes and backslashes',
  ],
  [
    { RESOURCE: "https://mcp.example.com" },
    'RESOURCE = "https://mcp.example.com" must have a path, for example https://mcp.example.com/mcp: clients add a slash to a URL without one, and then audience and resource differ',
  ],
  [
    { RESOURCE: "https://mcp.example.com/" },
    'RESOURCE = "https://mcp.example.com/" must have a path, for example https://mcp.example.com/mcp: clients add a slash to a URL without one, and then audience and resource differ',
  ],
  [
    { RESOURCE_POLICY_URI: "example.com/privacy" },
    `RESOURCE_POLICY_URI = "example.com/privacy" ${NOT_HTTPS}`,
  ],
  [
    { REQUIRED_SCOPES: 'whoami:read bad"scope' },
    'REQUIRED_SCOPES: "bad\\"scope" is not a scope (RFC 6749 allows visible ASCII without quote and backslash)',
  ],
  [
    { SCOPE_HIERARCHY: "notes:write>notes:read" },
    'SCOPE_HIERARCHY: "notes:write>notes:read" must have the form scope=implied,implied',
  ],
  [{ CLAIM_SCOPES: "whoami:read" }, 'CLAIM_SCOPES: "whoami:read" must have the form scope=claim,claim'],
  [
    { ALLOWED_ORIGINS: "https://app.example.com/" },
    'ALLOWED_ORIGINS: "https://app.example.com/" must be an origin such as https://app.example.com (lower case, no path, no slash at the end), or the whole setting "*"',
  ],
  [
    { ALLOWED_ORIGINS: "moz-extension://*" },
    'ALLOWED_ORIGINS: "moz-extension://*" must be the origin of one browser extension, moz-extension:// and its id as the browser sends it in Origin (for example chrome-extension://nmmhkkegccagdldgiimedpiccmgmieda; no path, no slash at the end)',
  ],
  [
    { ALLOWED_ORIGINS: "https://app.example.com *" },
    'ALLOWED_ORIGINS: "*" must be an origin such as https://app.example.com (lower case, no path, no slash at the end), or the whole setting "*"',
  ],
  [
    { PAGE_COLOR: "green" },
    'PAGE_COLOR = "green" must be a colour such as #1f6b4a: a hash and six digits',
  ],
  [
    { TOKEN_TYPES: "at+jwt logout+jwt" },
    'TOKEN_TYPES: "logout+jwt" is not the type of an access token: use at+jwt, jwt, or none for tokens without typ',
  ],
  [{ PAGE: "off" }, 'PAGE = "off" must be "true" or "false"'],
  [{ LOG: "verbose" }, 'LOG = "verbose" must be "all", "denials" or "off"'],
  [{ LOG_SUBJECT: "no" }, 'LOG_SUBJECT = "no" must be "true" or "false"'],
  [
    { STATE_SECRET: "too short" },
    "STATE_SECRET must have at least 32 characters, for example from `openssl rand -base64 32`",
  ],
  [
    { OPAQUE_TOKEN_CLIENTS: "some-client" },
    "OPAQUE_TOKEN_CLIENTS needs the secrets INTROSPECTION_CLIENT_ID and INTROSPECTION_CLIENT_SECRET: set them with `wrangler secret put`",
  ],
  [
    { OPAQUE_TOKEN_CLIENTS: "some-client", OPAQUE_TOKEN_CHECK: "userinfo" },
    'OPAQUE_TOKEN_CHECK = "userinfo" cannot tell whose token it is: it needs OPAQUE_TOKEN_CLIENTS = "*", which accepts the tokens of any client of the tenant',
  ],
  [
    { OPAQUE_TOKEN_CLIENTS: "*", OPAQUE_TOKEN_CHECK: "guess" },
    'OPAQUE_TOKEN_CHECK = "guess" must be "introspection" or "userinfo"',
  ],
  [
    { OPAQUE_TOKEN_CLIENTS: "*", OPAQUE_TOKEN_CHECK: "userinfo", OPAQUE_TOKEN_SECONDS: "a minute" },
    'OPAQUE_TOKEN_SECONDS = "a minute" must be a whole number of seconds up to 600',
  ],
  [{ DISCOVERY_URL: "http://tenant.example/document" }, `DISCOVERY_URL: "http://tenant.example/document" ${NO_ENDPOINT}`],
  [{ JWKS_URL: "https://tenant.example/jwks#keys" }, `JWKS_URL: "https://tenant.example/jwks#keys" ${NO_ENDPOINT}`],
  [
    { INTROSPECTION_URL: "https://tenant.example/introspect" },
    'INTROSPECTION_URL is for opaque tokens: it needs OPAQUE_TOKEN_CLIENTS, and OPAQUE_TOKEN_CHECK = "introspection"',
  ],
  [
    { MORE_ISSUERS: [{ issuer: "https://partner.example", audience: [RESOURCE], jwks_url: "partner.example/jwks" }] },
    `MORE_ISSUERS: https://partner.example: JWKS_URL: "partner.example/jwks" ${NO_ENDPOINT}`,
  ],
  [
    { MORE_ISSUERS: [{ issuer: "http://partner.example", audience: [RESOURCE] }] },
    `MORE_ISSUERS: "http://partner.example" ${NOT_HTTPS}`,
  ],
  [
    { MORE_ISSUERS: [{ issuer: "https://partner.example", audience: [] }] },
    'MORE_ISSUERS: "https://partner.example" needs at least one audience, and no empty one',
  ],
  [
    { MORE_ISSUERS: [{ issuer: ISSUER, audience: [RESOURCE] }] },
    `MORE_ISSUERS: "${ISSUER}" is named twice`,
  ],
  [
    { REGISTRY_NAME: "com.example/whoami" },
    "REGISTRY_NAME needs RESOURCE_DESCRIPTION: the registry lists no server without saying what it is for",
  ],
  [
    { REGISTRY_NAME: "example.com", RESOURCE_DESCRIPTION: "Shows who is signed in." },
    'REGISTRY_NAME = "example.com" must be your domain backwards, a slash, and a name (letters, digits, `.`, `_` and `-`), for example com.example/whoami',
  ],
  [
    { REGISTRY_NAME: "com.example/whoami", RESOURCE_DESCRIPTION: "x".repeat(101) },
    "RESOURCE_DESCRIPTION must have at most 100 characters to be listed under REGISTRY_NAME",
  ],
  [
    { REGISTRY_NAME: "com.example/whoami", RESOURCE_DESCRIPTION: "Shows it.", REGISTRY_VERSION: "1.x" },
    'REGISTRY_VERSION = "1.x" must be one version such as 1.0.0, no range',
  ],
  [
    { REGISTRY_AUTH: "v=MCPv1; k=ed25519; p=c2VjcmV0" },
    'REGISTRY_AUTH must be "v=MCPv1; k=ed25519; p=…" with the public key (32 bytes) in base64, or "v=MCPv1; k=ecdsap384; p=…" with the compressed one (49 bytes)',
  ],
  [{ SERVER_CARD: "true" }, "SERVER_CARD requires REGISTRY_NAME: the card contains that name"],
  [
    { REGISTRATION_ENDPOINT: "https://register.example.com/" },
    'REGISTRATION_ENDPOINT needs AUTHORIZATION_SERVER_MIRROR = "true": it is shown in the mirror and nowhere else',
  ],
];

const GENERIC = { error: "server_error", error_description: "This server is not set up correctly" };

async function withWorker(settings, work) {
  const worker = await startWorker({ settings: { ISSUER, RESOURCE, PROVIDER: "logto", ...settings } });
  try {
    await work(worker);
  } finally {
    await worker.stop();
  }
}

describe("one invalid setting", () => {
  for (const [settings, line] of INVALID) {
    test(`${JSON.stringify(settings, (_name, value) => value ?? null)} results in 500 and a line in the log with the fix`, () =>
      withWorker(settings, async (worker) => {
        const { status, headers, json } = await send(worker, { path: "/mcp" });
        assert.equal(status, 500);
        assert.deepEqual(json, GENERIC);
        assert.equal(headers["cache-control"], "no-store");
        assert.equal(headers["www-authenticate"], undefined);
        const expected = `the settings are wrong, no request will be let through:\n- ${line}`;
        await worker.waitFor(() => worker.raw().includes(line), `not logged: ${line}`);
        assert.equal(worker.raw(), expected);
      }));
  }
});

test("several errors are logged together, in the order of the settings", () =>
  withWorker({ ISSUER: undefined, RESOURCE: "", LOG: "loud" }, async (worker) => {
    await send(worker);
    await worker.waitFor(() => worker.raw().includes("LOG ="), "not logged");
    const names = worker.raw().split("\n").map((line) => /^- (\w+)/.exec(line)?.[1]);
    assert.deepEqual(names, [undefined, "RESOURCE", "ISSUER", "LOG"]);
  }));

test("with invalid settings every path has the same response", () =>
  withWorker({ ISSUER: undefined }, async (worker) => {
    for (const path of ["/mcp", "/.well-known/oauth-protected-resource", "/sse", "/nowhere"]) {
      const { status, json } = await send(worker, { path });
      assert.equal(status, 500);
      assert.deepEqual(json, GENERIC);
    }
    const { status, text } = await post(worker, { token: "some.secret.token", message: legacyRequest("ping") });
    assert.equal(status, 500);
    assert.ok(!text.includes("secret") && !worker.raw().includes("secret"));
  }));

test("an invalid secret is not logged", () =>
  withWorker({ STATE_SECRET: "hunter2" }, async (worker) => {
    const { text } = await send(worker);
    await worker.waitFor(() => worker.raw().includes("STATE_SECRET"), "not logged");
    assert.ok(!text.includes("hunter2") && !worker.raw().includes("hunter2"));
  }));

describe("valid settings", () => {
  test("white space around a value is ignored", () =>
    withWorker({ ISSUER: ` ${ISSUER}\n` }, async (worker) => {
      const { json } = await send(worker, { path: "/.well-known/oauth-protected-resource" });
      assert.deepEqual(json.authorization_servers, [ISSUER]);
    }));

  test("further issuers are advertised after the first", () =>
    withWorker({ MORE_ISSUERS: [{ issuer: "https://partner.example", audience: [RESOURCE] }] }, async (worker) => {
      const { json } = await send(worker, { path: "/.well-known/oauth-protected-resource" });
      assert.deepEqual(json.authorization_servers, [ISSUER, "https://partner.example"]);
    }));

  test("without required scopes there is no empty list of scopes, and no empty scope in the challenge", () =>
    withWorker({}, async (worker) => {
      const { json } = await send(worker, { path: "/.well-known/oauth-protected-resource" });
      assert.notDeepEqual(json.scopes_supported, []);
      const { headers } = await send(worker);
      assert.doesNotMatch(headers["www-authenticate"], /scope=""/);
    }));

  test("the endpoint has the path of RESOURCE", () =>
    withWorker({ RESOURCE: "https://mcp.example.com/tools/v1" }, async (worker) => {
      const { status, headers } = await send(worker, { path: "/tools/v1" });
      assert.equal(status, 401);
      const metadata = "/.well-known/oauth-protected-resource/tools/v1";
      assert.match(headers["www-authenticate"], new RegExp(`"https://mcp\\.example\\.com${metadata}"`));
      assert.equal((await send(worker, { path: metadata })).status, 200);
      assert.equal((await send(worker, { path: "/mcp" })).status, 404);
    }));

  test("offline_access is never advertised", () =>
    withWorker({ REQUIRED_SCOPES: "whoami:read offline_access" }, async (worker) => {
      const { json } = await send(worker, { path: "/.well-known/oauth-protected-resource" });
      assert.deepEqual(json.scopes_supported, ["whoami:read"]);
    }));

  test("an issuer that is read without its profile is a warning, once", async () => {
    await withWorker({ PROVIDER: undefined }, async (worker) => {
      for (const _ of [1, 2]) await send(worker);
      const { warning } = await worker.logged(({ warning }) => warning !== undefined);
      assert.match(warning, /^the issuer https:\/\/tenant\.logto\.app\/oidc is one of Logto: set PROVIDER = "logto"/);
      assert.equal(worker.logs().filter(({ warning }) => warning).length, 1);
    });
  });

  test("LOG restricts the log to denials, or disables it", async () => {
    await withWorker({ LOG: "denials" }, async (worker) => {
      await send(worker, { path: "/.well-known/oauth-protected-resource" });
      await send(worker);
      await worker.logged(({ status }) => status === 401);
      assert.equal(worker.logs().length, 1);
    });
    await withWorker({ LOG: "off" }, async (worker) => {
      await send(worker);
      // workerd itself logs the third request, which shows that earlier lines have arrived.
      await send(worker);
      assert.deepEqual(worker.logs(), []);
    });
  });
});
