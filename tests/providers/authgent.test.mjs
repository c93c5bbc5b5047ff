// authgent-server, as docs/providers/generic.md sets it up.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { assertAccepted, assertRefused } from "../support/refusals.mjs";
import { startWorker } from "../support/worker.mjs";
import "../support/report-failures.mjs";
import { USER, startAuthgent } from "./support/authgent.mjs";
import { skipsAuthgent } from "./support/installed.mjs";
import { signInWithPython, signInWithTypeScript, skipsPython } from "./support/official-clients.mjs";
import { record, recordProvider } from "./support/recording.mjs";
import { testSignIns } from "./support/sign-in-tests.mjs";
import { discover, machineToken, userTokens } from "./support/token-requests.mjs";

const SCOPE = "whoami:read";
const RESOURCE = "https://mcp.example.dev/mcp";

describe("authgent-server", { skip: skipsAuthgent() }, () => {
  let server, worker, provider, client;

  before(async () => {
    server = await startAuthgent({ scopes: [SCOPE] });
    worker = await startWorker({
      settings: { ISSUER: server.issuer, AUDIENCE: RESOURCE, REQUIRED_SCOPES: SCOPE, TOKEN_TYPES: "jwt" },
    });
    provider = await discover(server.issuer);
    client = { ...(await server.register(["authorization_code", "client_credentials"])), issuer: server.issuer };
    await recordProvider("authgent", server.issuer);
  });
  after(async () => {
    await worker?.stop();
    await server?.stop();
  });

  const user = (parameters) =>
    userTokens({ provider, client, visit: server.visit, parameters: { scope: SCOPE, ...parameters } });

  describe("with a client that was registered before", () => {
    testSignIns(() => ({ mcpUrl: worker.mcpUrl, visit: server.visit, client }), {
      sub: USER,
      kind: "unknown",
      scopes: [SCOPE],
    });
  });

  test("the Python client registers itself", { skip: skipsPython }, async () => {
    const { whoami } = await signInWithPython({ mcpUrl: worker.mcpUrl, visit: server.visit });
    assert.match(whoami.client_id, /^agnt_/);
  });

  test("the TypeScript client cannot read the response to its registration, which has members that are null", async () => {
    await assert.rejects(signInWithTypeScript({ mcpUrl: worker.mcpUrl, visit: server.visit }), /received null/);
  });

  test("a user's token is accepted", async () => {
    const tokens = await user({ resource: RESOURCE });
    await record("authgent", "token-user", { note: "authorization code with PKCE", ...tokens });
    const { sub, client_id, kind } = await assertAccepted(worker, { token: tokens.body.access_token });
    assert.deepEqual({ sub, client_id, kind }, { sub: USER, client_id: client.client_id, kind: "unknown" });
  });

  test("a machine's token is accepted, and is no user's although its subject is not its client id", async () => {
    const tokens = await machineToken({ provider, client, parameters: { scope: SCOPE, resource: RESOURCE } });
    await record("authgent", "token-machine", { note: "client credentials; sub is client:<client_id>", ...tokens });
    const { sub, kind } = await assertAccepted(worker, { token: tokens.body.access_token });
    assert.equal(sub, `client:${client.client_id}`);
    assert.notEqual(kind, "user");
  });

  test("a token for another resource is refused", async () => {
    const tokens = await user({ resource: "https://other.example.dev/mcp" });
    await record("authgent", "token-foreign-audience", { note: "for another resource", ...tokens });
    await assertRefused(worker, { token: tokens.body.access_token }, "wrong_audience");
  });

  test("a token that was asked for without a resource is refused", async () => {
    const tokens = await machineToken({ provider, client, parameters: { scope: SCOPE } });
    await record("authgent", "token-no-resource", { note: "without `resource`: aud is the issuer", ...tokens });
    await assertRefused(worker, { token: tokens.body.access_token }, "wrong_audience");
  });

  test("a token without the scope is refused", async () => {
    const tokens = await user({ scope: "", resource: RESOURCE });
    await assertRefused(worker, { token: tokens.body.access_token }, "insufficient_scope");
  });

  test("a refresh token is refused", async () => {
    const { body } = await user({ resource: RESOURCE });
    await assertRefused(worker, { token: body.refresh_token }, "opaque_not_accepted");
  });
});
