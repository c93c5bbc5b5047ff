// django-oauth-toolkit, as docs/providers/generic.md sets it up, and with the opaque tokens that are its default.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { assertAccepted, assertRefused } from "../support/refusals.mjs";
import { startWorker } from "../support/worker.mjs";
import "../support/report-failures.mjs";
import { startDjango } from "./support/django.mjs";
import { skipsDjango } from "./support/installed.mjs";
import { record, recordProvider } from "./support/recording.mjs";
import { testSignIns } from "./support/sign-in-tests.mjs";
import { discover, machineToken, userTokens } from "./support/token-requests.mjs";

const SCOPE = "whoami:read";
const RESOURCE = "https://mcp.example.dev/mcp";
const skip = skipsDjango();

/** Starts the server and a Worker for it before the tests of a group. */
function deploy({ tokens, settings = () => ({}) }) {
  const deployment = {};
  before(async () => {
    const server = await startDjango({ scopes: [SCOPE, "offline_access"], tokens });
    Object.assign(deployment, { server, provider: await discover(server.issuer) });
    deployment.worker = await startWorker({
      settings: {
        ISSUER: server.issuer,
        AUDIENCE: RESOURCE,
        REQUIRED_SCOPES: SCOPE,
        CLAIM_SCOPES: `${SCOPE}=username,email`,
        ...settings(server.issuer),
      },
    });
  });
  after(async () => {
    await deployment.worker?.stop();
    await deployment.server?.stop();
  });
  const requests = {
    user: (parameters) =>
      userTokens({
        provider: deployment.provider,
        client: deployment.server.clients.agent,
        visit: deployment.server.visit,
        parameters: { scope: `openid ${SCOPE}`, resource: RESOURCE, ...parameters },
      }),
    machine: () =>
      machineToken({
        provider: deployment.provider,
        client: deployment.server.clients.robot,
        parameters: { scope: SCOPE, resource: RESOURCE },
      }),
  };
  return { deployment, ...requests };
}

describe("django-oauth-toolkit that writes JWTs", { skip }, () => {
  const { deployment, user, machine } = deploy({ tokens: "jwt" });
  const expected = { username: "alice", email: "alice@example.com", kind: "user", scopes: ["offline_access", SCOPE] };
  const signIn = () => ({ mcpUrl: deployment.worker.mcpUrl, visit: deployment.server.visit });

  describe("with clients that register themselves", () => {
    testSignIns(signIn, expected);
  });

  describe("with a client that it knows", () => {
    const client = () => ({ ...deployment.server.clients.agent, issuer: deployment.server.issuer });
    testSignIns(() => ({ ...signIn(), client: client() }), { ...expected, client_id: "agent" });
  });

  test("a user's token is accepted as one", async () => {
    await recordProvider("django-oauth-toolkit", deployment.server.issuer);
    const tokens = await user();
    const note = "written by tests/providers/django_provider.py";
    await record("django-oauth-toolkit", "token-user", { note, ...tokens });
    const { sub, kind } = await assertAccepted(deployment.worker, { token: tokens.body.access_token });
    assert.deepEqual({ sub, kind }, { sub: "1", kind: "user" });
  });

  test("a machine's token is accepted as one", async () => {
    const tokens = await machine();
    await record("django-oauth-toolkit", "token-machine", { note: "client credentials", ...tokens });
    const { sub, kind } = await assertAccepted(deployment.worker, { token: tokens.body.access_token });
    assert.deepEqual({ sub, kind }, { sub: "robot", kind: "machine" });
  });

  test("an ID token is refused", async () => {
    const { body } = await user();
    await assertRefused(deployment.worker, { token: body.id_token }, "wrong_type");
  });

  test("a refresh token is refused", async () => {
    const { body } = await user();
    await assertRefused(deployment.worker, { token: body.refresh_token }, "opaque_not_accepted");
  });

  test("a token for another resource is refused", async () => {
    const tokens = await user({ resource: "https://other.example.dev/mcp" });
    await record("django-oauth-toolkit", "token-foreign-audience", { note: "for another resource", ...tokens });
    await assertRefused(deployment.worker, { token: tokens.body.access_token }, "wrong_audience");
  });

  test("a token without the scope is refused", async () => {
    const tokens = await user({ scope: "openid" });
    await assertRefused(deployment.worker, { token: tokens.body.access_token }, "insufficient_scope");
  });
});

describe("django-oauth-toolkit that writes opaque tokens", { skip }, () => {
  const { deployment, user } = deploy({
    tokens: "opaque",
    settings: (issuer) => ({
      INTROSPECTION_URL: `${issuer}/introspect/`,
      OPAQUE_TOKEN_CLIENTS: "agent",
      INTROSPECTION_CLIENT_ID: "mcp-worker",
      INTROSPECTION_CLIENT_SECRET: "worker-secret",
    }),
  });

  test("its OpenID document names no introspection endpoint", () => {
    assert.equal(deployment.provider.introspection_endpoint, undefined);
  });

  test("a token is refused, because introspection does not tell what kind of token it is", async () => {
    const { body } = await user();
    await assertRefused(deployment.worker, { token: body.access_token }, "not_an_access_token");
  });

  test("its answers to introspection tell neither the kind of the token nor the user's id", async () => {
    const { body } = await user();
    const authorization = `Basic ${Buffer.from("mcp-worker:worker-secret").toString("base64")}`;
    const form = new URLSearchParams({ token: body.access_token });
    const url = `${deployment.server.issuer}/introspect/`;
    const response = await fetch(url, { method: "POST", headers: { authorization }, body: form });
    const answer = await response.json();
    const recorded = { note: "neither token_type nor sub", status: response.status, body: answer };
    await record("django-oauth-toolkit", "introspection", recorded);
    assert.deepEqual(Object.keys(answer).sort(), ["active", "aud", "client_id", "exp", "scope", "username"]);
    assert.deepEqual(answer.aud, [RESOURCE]);
  });
});
