// LemonLDAP::NG, as docs/providers/generic.md sets it up.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { assertAccepted, assertRefused } from "../support/refusals.mjs";
import { freePort, startWorker } from "../support/worker.mjs";
import "../support/report-failures.mjs";
import { skipsLemonldap } from "./support/installed.mjs";
import { startLemonldap } from "./support/lemonldap.mjs";
import { record, recordProvider } from "./support/recording.mjs";
import { testSignIns } from "./support/sign-in-tests.mjs";
import { discover, machineToken, userTokens } from "./support/token-requests.mjs";

const SCOPE = "openid whoami:read";
const RESOURCE = "https://mcp.example.dev/mcp";
const CHALLENGE = { scope: SCOPE };

describe("LemonLDAP::NG", { skip: skipsLemonldap() }, () => {
  let server, worker, provider;

  before(async () => {
    const port = await freePort();
    server = await startLemonldap({ scopes: ["whoami:read"], audience: `http://127.0.0.1:${port}/mcp ${RESOURCE}` });
    worker = await startWorker({
      port,
      settings: {
        ISSUER: server.issuer,
        AUDIENCE: RESOURCE,
        REQUIRED_SCOPES: SCOPE,
        USER_BY_SUBJECT: "true",
        CLAIM_SCOPES: "whoami:read=name,email",
        TOKEN_TYPES: "jwt",
        OPAQUE_TOKEN_CLIENTS: server.clients.opaque.client_id,
        INTROSPECTION_CLIENT_ID: server.clients.worker.client_id,
        INTROSPECTION_CLIENT_SECRET: server.clients.worker.client_secret,
      },
    });
    provider = await discover(server.issuer);
    await recordProvider("lemonldap-ng", server.issuer);
  });
  after(async () => {
    await worker?.stop();
    await server?.stop();
  });

  const user = (client, parameters = {}) =>
    userTokens({
      provider,
      client: server.clients[client],
      visit: server.visit,
      parameters: { scope: SCOPE, ...parameters },
    });

  const client = () => ({ ...server.clients.agent, issuer: server.issuer });
  testSignIns(() => ({ mcpUrl: worker.mcpUrl, visit: server.visit, client: client() }), {
    sub: "dwho",
    name: "Doctor Who",
    email: "dwho@badwolf.org",
    client_id: "agent",
    kind: "user",
    scopes: ["openid", "whoami:read"],
  });

  test("a user's token is accepted as one", async () => {
    const tokens = await user("agent");
    await record("lemonldap-ng", "token-user", { note: "no nonce; the ID token has the same aud", ...tokens });
    const { sub, kind } = await assertAccepted(worker, { token: tokens.body.access_token });
    assert.deepEqual({ sub, kind }, { sub: "dwho", kind: "user" });
  });

  test("a machine's token is accepted as one", async () => {
    const tokens = await machineToken({ provider, client: server.clients.robot, parameters: { scope: SCOPE } });
    await record("lemonldap-ng", "token-machine", { note: "client credentials", ...tokens });
    const { sub, kind } = await assertAccepted(worker, { token: tokens.body.access_token });
    assert.deepEqual({ sub, kind }, { sub: "robot", kind: "machine" });
  });

  test("an ID token is refused, though its audience is that of the access token", async () => {
    const { body } = await user("agent", { nonce: "nonce" });
    await record("lemonldap-ng", "token-user-nonce", { note: "with a nonce, which the ID token repeats", body });
    await assertRefused(worker, { token: body.id_token }, "not_an_access_token", CHALLENGE);
  });

  test("a token of a client without the additional audience is refused", async () => {
    const tokens = await user("foreign");
    await record("lemonldap-ng", "token-foreign-audience", { note: "of a client without additional audiences", ...tokens });
    await assertRefused(worker, { token: tokens.body.access_token }, "wrong_audience", CHALLENGE);
  });

  test("a token without the scope is refused", async () => {
    const tokens = await user("agent", { scope: "openid" });
    await assertRefused(worker, { token: tokens.body.access_token }, "insufficient_scope", CHALLENGE);
  });

  test("its answers to introspection do not tell the kind of the token, so an opaque token is refused", async () => {
    const { body } = await user("opaque");
    await assertRefused(worker, { token: body.access_token }, "not_an_access_token", CHALLENGE);
    const { client_id, client_secret } = server.clients.worker;
    const form = new URLSearchParams({ token: body.access_token, client_id, client_secret });
    const response = await fetch(provider.introspection_endpoint, { method: "POST", body: form });
    const answer = await response.json();
    await record("lemonldap-ng", "introspection", { note: "no token_type", status: response.status, body: answer });
    assert.deepEqual(Object.keys(answer).sort(), ["active", "client_id", "exp", "iss", "scope", "sub"]);
  });

  test("an authorization request without the scope `openid` fails", async () => {
    await assert.rejects(user("agent", { scope: "whoami:read" }), /no form at .*\/oauth2\/authorize.* \(200\): .*Go to portal/s);
  });
});
