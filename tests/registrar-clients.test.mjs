// Clients as they are: each registers through the official SDK with what a program in the field sends, its user signs in,
// and the tool answers. What could not be kept is missing from the answer, and nothing else is.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { OAuthClient } from "../dev/oauth-client.mjs";
import { connect } from "./support/mcp-client.mjs";
import { tenants } from "./support/registrar.mjs";
import { call, pathOf, register } from "./support/registrar-client.mjs";
import "./support/report-failures.mjs";

const start = tenants();
const tenant = await start({ settings: { REGISTRATION: "open", REGISTRATIONS_PER_HOUR: "1000" }, withMcpServer: true });
const { api } = tenant;

const LOOPBACK = "http://127.0.0.1:9999/callback";
const PAGES = ["client_uri", "logo_uri", "tos_uri", "policy_uri"];

/** Registers and signs in with this metadata beside the redirect URI; gives what the server has registered. */
async function connectAs(redirectUrl, metadata) {
  const oauth = new OAuthClient({ name: "Agent", redirectUrl });
  oauth.clientMetadata = { redirect_uris: [redirectUrl], ...metadata };
  const { client, callback } = await connect(tenant.mcpResource, { oauth });
  const { structuredContent } = await client.callTool({ name: "whoami", arguments: {} });
  await client.close();
  assert.ok(decodeURIComponent(callback.href).startsWith(redirectUrl), callback.href);
  const registered = oauth.clientInformation();
  assert.equal(structuredContent.client_id, registered.client_id);
  return registered;
}

describe("through the official client", () => {
  test("a program in development connects, without the pages that only its own machine can open", async () => {
    const pages = Object.fromEntries(PAGES.map((page) => [page, "http://localhost:4200/x"]));
    const registered = await connectAs(LOOPBACK, { client_name: "In development", ...pages, token_endpoint_auth_method: "none" });
    assert.deepEqual(PAGES.map((page) => registered[page]), PAGES.map(() => undefined));
    const { branding } = api.applications.get(registered.client_id);
    assert.equal(branding?.branding?.logoUrl, undefined);
  });

  test("names keep their spelling and their emoji, and the consent page shows them", async () => {
    for (const client_name of ["دستیار می\u200cخواهم", "क्\u200dष सहायक", "Agent \u{1f469}\u200d\u{1f4bb}"]) {
      const registered = await connectAs(LOOPBACK, { client_name, token_endpoint_auth_method: "none" });
      assert.equal(registered.client_name, client_name);
      assert.equal(api.applications.get(registered.client_id).record.name, client_name);
    }
  });

  test("empty lists count as absent", async () => {
    const empty = { grant_types: [], response_types: [], contacts: [""], client_name: "" };
    const registered = await connectAs(LOOPBACK, { ...empty, token_endpoint_auth_method: "none" });
    assert.deepEqual(
      [registered.grant_types, registered.response_types, registered.contacts, registered.client_name],
      [["authorization_code"], ["code"], undefined, "An agent at 127.0.0.1"],
    );
  });

  test("grants and response types of the provider's own list are left out", async () => {
    const registered = await connectAs(LOOPBACK, {
      client_name: "Names everything",
      grant_types: ["implicit", "authorization_code", "refresh_token", "urn:ietf:params:oauth:grant-type:token-exchange"],
      response_types: ["code id_token", "code", "id_token", "none"],
      token_endpoint_auth_method: "none",
    });
    assert.deepEqual(registered.grant_types, ["authorization_code", "refresh_token"]);
    assert.deepEqual(registered.response_types, ["code"]);
  });

  test("a private-use redirect URI without a method makes a public client", async () => {
    for (const redirectUrl of [
      "cursor://anysphere.cursor-mcp/oauth/callback",
      "warp://mcp/oauth2callback",
      "raycast://oauth?package_name=mcp_server_whoami_(dev)",
      "com.example.app:/cb",
    ]) {
      const registered = await connectAs(redirectUrl, { client_name: "On the desktop", application_type: "web" });
      assert.deepEqual(
        [registered.token_endpoint_auth_method, registered.application_type, registered.client_secret],
        ["none", "native", undefined],
        redirectUrl,
      );
    }
  });

  test("a client on loopback that names no method gets a secret, and uses it", async () => {
    const registered = await connectAs(LOOPBACK, { client_name: "kiro", grant_types: ["authorization_code", "refresh_token"] });
    assert.equal(registered.token_endpoint_auth_method, "client_secret_basic");
    assert.equal(typeof registered.client_secret, "string");
  });
});

test("null counts as absent, in a registration and in an update", async () => {
  const nothing = Object.fromEntries(
    [...PAGES, "scope", "contacts", "jwks", "jwks_uri", "software_id", "software_version", "software_statement", "application_type"].map((name) => [name, null]),
  );
  const { status, json } = await register(tenant, nothing);
  assert.equal(status, 201, JSON.stringify(json));
  assert.deepEqual(Object.keys(nothing).filter((name) => name in json), ["scope", "application_type"]);
  const token = json.registration_access_token;
  const { client_id, client_name, redirect_uris, token_endpoint_auth_method } = json;
  const serversOwn = { registration_access_token: null, registration_client_uri: null, client_secret: null, client_id_issued_at: null };
  const body = { client_id, client_name, redirect_uris, token_endpoint_auth_method, ...nothing, ...serversOwn };
  assert.equal((await call(tenant, "PUT", pathOf(json), { token, body })).status, 200);
});

test("a joiner that nobody sees makes no second name of a known client", async () => {
  for (const client_name of ["Cl\u200daude", "\u200cClaude", "Claude\u200d\u200c"]) {
    const { json } = await register(tenant, { client_name });
    assert.equal(json.client_name, "Claude");
    assert.equal(api.applications.get(json.client_id).record.name, "Claude");
  }
});
