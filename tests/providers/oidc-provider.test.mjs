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

// Opaque tokens have user scopes only.
const OPAQUE = {
  OPAQUE_TOKEN_CLIENTS: "*",
  INTROSPECTION_CLIENT_ID: "mcp-edge",
  INTROSPECTION_CLIENT_SECRET: "mcp-edge-secret",
  SCOPE_HIERARCHY: "profile=whoami:read",
};

describe("oidc-provider", () => {
  let deployment, client, provider;

  before(async () => {
    deployment = await startDeployment({ settings: { USER_BY_SUBJECT: "true", ...OPAQUE } });
    provider = await discover(deployment.provider.issuer);
    const headers = { "content-type": "application/json" };
    const body = JSON.stringify(oauthClient().clientMetadata);
    client = await (await fetch(provider.registration_endpoint, { method: "POST", headers, body })).json();
  });
  after(() => deployment?.stop());

  const visit = (authorizationUrl) => signIn({ authorizationUrl });
  const user = (parameters) => userTokens({ provider, client, visit, parameters });

  testSignIns(() => ({ mcpUrl: deployment.worker.mcpUrl, visit }), {
    username: "alice",
    email: "alice@example.com",
    kind: "user",
    scopes: ["whoami:read"],
  });

  test("an opaque token is accepted as a user's, after introspection", async () => {
    const { body } = await user({ scope: "openid profile" });
    assert.ok(!body.access_token.includes("."));
    const { kind, client_id } = await assertAccepted(deployment.worker, { token: body.access_token });
    assert.deepEqual({ kind, client_id }, { kind: "user", client_id: client.client_id });
  });

  test("an ID token is refused", async () => {
    const { body } = await user({ scope: "openid profile" });
    await assertRefused(deployment.worker, { token: body.id_token }, "wrong_type");
  });
});
