// authgent-server as the provider of a connection of the kind `exchange` (RFC 8693): the vault exchanges a caller's token
// there for one of another API. What the endpoint asks the vault is sent to the vault's own entrypoint.

import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { createRemoteJWKSet, decodeJwt, jwtVerify } from "jose";
import { AS_ENDPOINT, OBJECTS } from "../support/vault-deployment.mjs";
import { freePort, startKeyValueStore, startWorker } from "../support/worker.mjs";
import "../support/report-failures.mjs";
import { USER, startAuthgent } from "./support/authgent.mjs";
import { skipsAuthgent } from "./support/installed.mjs";
import { discover, userTokens } from "./support/token-requests.mjs";

const EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange";
const RESOURCE = "https://mcp.example.dev/mcp";
const BILLING = "https://billing.example.dev/api";

describe("authgent-server exchanges tokens", { skip: skipsAuthgent() }, () => {
  let server, vault, store, folder, provider, client, exchanger, callsPort;

  before(async () => {
    server = await startAuthgent({ scopes: ["whoami:read", "invoices:read", "invoices:write"] });
    provider = await discover(server.issuer);
    client = { ...(await server.register(["authorization_code"])), issuer: server.issuer };
    exchanger = await server.register([EXCHANGE]);
    store = await startKeyValueStore();
    folder = await mkdtemp(join(tmpdir(), "mcp-edge-exchange-"));
    callsPort = await freePort();
    vault = await startWorker({
      build: "vault/build",
      namespaces: { VAULT_STORE: store },
      objects: OBJECTS,
      objectsFolder: folder,
      entrypoints: [{ port: callsPort, ...AS_ENDPOINT }],
      settings: {
        ISSUER: server.issuer,
        RESOURCE,
        TOKEN_TYPES: "jwt",
        // Nothing else in its tokens tells users from machines. Its machines have "client:<id>" as subject and would count as
        // users, so this is for deployments whose clients have the grant authorization_code alone.
        USER_BY_SUBJECT: "true",
        REQUIRED_SCOPES: "whoami:read",
        VAULT_CLIENT_ID: exchanger.client_id,
        VAULT_CLIENT_SECRET: exchanger.client_secret,
        VAULT_SECRET: "a-vault-secret-of-32-characters-!",
        CONNECTIONS_SECRET: "a-secret-of-32-characters-for-it!",
        KEY_SCOPES: "whoami:read",
        CONNECTIONS: JSON.stringify({
          billing: { kind: "exchange", url: BILLING, resource: BILLING, scopes: "whoami:read invoices:read invoices:write" },
        }),
      },
    });
  });
  after(async () => {
    await vault?.stop();
    await store?.close();
    await server?.stop();
    if (folder) await rm(folder, { recursive: true, force: true });
  });

  /** A token of a user who agreed to these scopes. */
  const userToken = async (scope) => {
    const { body } = await userTokens({ provider, client, visit: server.visit, parameters: { scope, resource: RESOURCE } });
    return body.access_token;
  };

  /** What the vault answers to an endpoint that needs a token for a tool. */
  const access = async (credential, scopes) => {
    const body = JSON.stringify(["access", credential, "billing", scopes, "my_invoices", null]);
    const response = await fetch(`http://127.0.0.1:${callsPort}/`, { method: "POST", body });
    return response.json();
  };

  test("and the one that comes is the user's, for the other API, with who acts", async () => {
    const token = await userToken("whoami:read invoices:read");
    const [kind, connection, issued, scopes, url] = await access(token, ["invoices:read"]);
    assert.deepEqual([kind, connection, scopes, url], ["token", "billing", "invoices:read", BILLING]);
    assert.notEqual(issued, token);
    const { payload } = await jwtVerify(issued, createRemoteJWKSet(new URL(provider.jwks_uri)), {
      issuer: server.issuer, audience: BILLING,
    });
    assert.deepEqual([payload.sub, payload.scope], [USER, "invoices:read"]);
    assert.ok(JSON.stringify(payload.act).includes(exchanger.client_id), JSON.stringify(payload.act));
  });

  test("but gives none for scopes that the user did not agree to", async () => {
    const [kind, cause] = await access(await userToken("whoami:read invoices:read"), ["invoices:write"]);
    assert.equal(kind, "misconfigured");
    // Its own code for what RFC 6749 calls invalid_scope.
    assert.match(cause, /scope_escalation/);
  });

  test("and a token that is not the provider's is not sent to it", async () => {
    const [header, claims] = (await userToken("whoami:read")).split(".");
    const [kind] = await access(`${header}.${claims}.${"A".repeat(86)}`, ["invoices:read"]);
    assert.equal(kind, "caller_refused");
  });

  test("and no token is in the vault's log", async () => {
    const token = await userToken("whoami:read invoices:read");
    const [, , issued] = await access(token, ["invoices:read"]);
    assert.ok(decodeJwt(issued).exp > 0);
    for (const secret of [token, issued, exchanger.client_secret]) assert.ok(!vault.raw().includes(secret));
  });
});
