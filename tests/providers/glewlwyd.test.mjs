// Glewlwyd, as docs/providers/generic.md sets it up.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { assertAccepted, assertRefused } from "../support/refusals.mjs";
import { freePort, startWorker } from "../support/worker.mjs";
import "../support/report-failures.mjs";
import { startGlewlwyd } from "./support/glewlwyd.mjs";
import { skipsGlewlwyd } from "./support/installed.mjs";
import { signInWithTypeScript } from "./support/official-clients.mjs";
import { record, recordProvider } from "./support/recording.mjs";
import { testSignIns } from "./support/sign-in-tests.mjs";
import { discover, machineToken, userTokens } from "./support/token-requests.mjs";

const SCOPE = "whoami:read";
const RESOURCE = "https://mcp.example.dev/mcp";
const OTHER = "https://other.example.dev/mcp";

describe("Glewlwyd", { skip: skipsGlewlwyd() }, () => {
  let server, worker, provider;

  before(async () => {
    const port = await freePort();
    const resources = [`http://127.0.0.1:${port}/mcp`, RESOURCE, OTHER];
    server = await startGlewlwyd({ scopes: [SCOPE, "notes:read"], resources });
    worker = await startWorker({
      port,
      settings: {
        ISSUER: server.issuer,
        AUDIENCE: RESOURCE,
        REQUIRED_SCOPES: SCOPE,
        USER_BY_SUBJECT: "true",
        CLAIM_SCOPES: `${SCOPE}=name,email`,
      },
    });
    provider = await discover(server.issuer);
    await recordProvider("glewlwyd", server.issuer);
  });
  after(async () => {
    await worker?.stop();
    await server?.stop();
  });

  const client = () => ({ ...server.clients.agent, issuer: server.issuer });
  const user = (parameters) =>
    userTokens({
      provider,
      client: client(),
      visit: server.visit,
      parameters: { scope: `openid ${SCOPE}`, nonce: "nonce", ...parameters },
    });

  const machine = (parameters) =>
    machineToken({
      provider,
      client: server.clients.robot,
      parameters: { scope: SCOPE, resource: RESOURCE, ...parameters },
    });

  testSignIns(() => ({ mcpUrl: worker.mcpUrl, visit: server.visit, client: client() }), {
    name: "Alice Doe",
    email: "alice@example.com",
    client_id: "agent",
    kind: "user",
    scopes: [SCOPE],
  });

  test("a client that registers itself without a secret gets no token", async () => {
    await assert.rejects(signInWithTypeScript({ mcpUrl: worker.mcpUrl, visit: server.visit }), /unauthorized_client/);
  });

  test("a user's token is accepted as one", async () => {
    const tokens = await user({ resource: RESOURCE });
    await record("glewlwyd", "token-user", { note: "authorization code with PKCE; openid", ...tokens });
    const { email, kind } = await assertAccepted(worker, { token: tokens.body.access_token });
    assert.deepEqual({ email, kind }, { email: "alice@example.com", kind: "user" });
  });

  test("a machine's token is accepted as one", async () => {
    const tokens = await machine();
    await record("glewlwyd", "token-machine", { note: "client credentials", ...tokens });
    const { sub, kind } = await assertAccepted(worker, { token: tokens.body.access_token });
    assert.deepEqual({ sub, kind }, { sub: "robot", kind: "machine" });
  });

  test("an ID token is refused", async () => {
    const { body } = await user({ resource: RESOURCE });
    await assertRefused(worker, { token: body.id_token }, "wrong_type");
  });

  test("a token for another resource is refused", async () => {
    const tokens = await user({ resource: OTHER });
    await record("glewlwyd", "token-foreign-audience", { note: "for another resource", ...tokens });
    await assertRefused(worker, { token: tokens.body.access_token }, "wrong_audience");
  });

  test("a token that was asked for without a resource is refused", async () => {
    const tokens = await user({});
    await record("glewlwyd", "token-no-resource", { note: "without `resource`: aud is the list of scopes", ...tokens });
    await assertRefused(worker, { token: tokens.body.access_token }, "wrong_audience");
  });

  test("a token without the scope is refused", async () => {
    const { body } = await machine({ scope: "notes:read" });
    await assertRefused(worker, { token: body.access_token }, "insufficient_scope");
  });

  test("a refresh token is refused", async () => {
    const { body } = await user({ resource: RESOURCE });
    await assertRefused(worker, { token: body.refresh_token }, "opaque_not_accepted");
  });
});
