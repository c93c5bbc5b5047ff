// oidc-provider, as `make dev` and docs/providers/generic.md set it up. tests/sign-in.test.mjs has more.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { startDeployment } from "../support/deployment.mjs";
import { oauthClient } from "../support/mcp-client.mjs";
import { assertAccepted, assertRefused } from "../support/refusals.mjs";
import "../support/report-failures.mjs";
import { signIn } from "../support/sign-in.mjs";
import { testSignIns } from "./support/sign-in-tests.mjs";
import { discover, userTokens } from "./support/token-requests.mjs";

const RECIPE = {
  PROVIDER: "generic",
  REQUIRED_SCOPES: "whoami:read",
  CLAIM_SCOPES: "whoami:read=username,name,email",
  USER_BY_SUBJECT: "true",
};

// Opaque tokens have user scopes only.
const OPAQUE = {
  OPAQUE_TOKEN_CLIENTS: "*",
  INTROSPECTION_CLIENT_ID: "mcp-edge",
  INTROSPECTION_CLIENT_SECRET: "mcp-edge-secret",
  SCOPE_HIERARCHY: "profile=whoami:read",
};

/** Starts a deployment before the tests of a group. */
function deploy(settings) {
  const group = {};
  before(async () => {
    group.deployment = await startDeployment({ settings });
    group.provider = await discover(group.deployment.provider.issuer);
    const headers = { "content-type": "application/json" };
    const body = JSON.stringify(oauthClient().clientMetadata);
    group.client = await (await fetch(group.provider.registration_endpoint, { method: "POST", headers, body })).json();
  });
  after(() => group.deployment?.stop());
  const user = async (parameters) => {
    const { provider, client } = group;
    return (await userTokens({ provider, client, visit, parameters })).body;
  };
  return { group, user };
}

const visit = (authorizationUrl) => signIn({ authorizationUrl });

describe("oidc-provider", () => {
  const { group, user } = deploy(RECIPE);

  testSignIns(() => ({ mcpUrl: group.deployment.worker.mcpUrl, visit }), {
    username: "alice",
    name: "Alice Doe",
    email: "alice@example.com",
    kind: "user",
    scopes: ["whoami:read"],
  });

  test("a user's token is accepted as one", async () => {
    const { access_token } = await user({ scope: "openid whoami:read", resource: group.deployment.resource });
    const { kind, client_id } = await assertAccepted(group.deployment.worker, { token: access_token });
    assert.deepEqual({ kind, client_id }, { kind: "user", client_id: group.client.client_id });
  });

  test("an opaque token is refused", async () => {
    const { access_token } = await user({ scope: "openid profile" });
    assert.ok(!access_token.includes("."));
    await assertRefused(group.deployment.worker, { token: access_token }, "opaque_not_accepted");
  });

  test("an ID token is refused", async () => {
    const { id_token } = await user({ scope: "openid profile" });
    await assertRefused(group.deployment.worker, { token: id_token }, "wrong_type");
  });
});

describe("oidc-provider with opaque tokens", () => {
  const { group, user } = deploy({ ...RECIPE, ...OPAQUE });

  test("an opaque token is accepted as a user's, after introspection", async () => {
    const { access_token } = await user({ scope: "openid profile" });
    assert.ok(!access_token.includes("."));
    const { kind, client_id } = await assertAccepted(group.deployment.worker, { token: access_token });
    assert.deepEqual({ kind, client_id }, { kind: "user", client_id: group.client.client_id });
  });

  test("an ID token is refused", async () => {
    const { id_token } = await user({ scope: "openid profile" });
    await assertRefused(group.deployment.worker, { token: id_token }, "wrong_type");
  });
});
