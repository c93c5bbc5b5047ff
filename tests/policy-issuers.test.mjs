// Token types, audiences and several issuers.

import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { startHostileProvider } from "./support/hostile-provider.mjs";
import { legacyRequest } from "./support/messages.mjs";
import { deploy, provider, signer } from "./support/policy-deployment.mjs";
import { assertAccepted, assertRefused } from "./support/refusals.mjs";
import "./support/report-failures.mjs";
import { createSigner, tokensFor } from "./support/signers.mjs";
import { post, startWorker } from "./support/worker.mjs";

describe("token types", () => {
  for (const [TOKEN_TYPES, typ, reason] of [
    ["at+jwt jwt", "JWT", undefined],
    ["at+jwt jwt", undefined, "wrong_type"],
    ["at+jwt none", undefined, undefined],
    ["at+jwt none", "none", "wrong_type"],
    ["at+jwt none", "JWT", "wrong_type"],
    ["jwt", "at+jwt", "wrong_type"],
    ["JWT", "jwt", undefined],
  ]) {
    test(`"${TOKEN_TYPES}" ${reason ? "refuses" : "accepts"} ${typ ?? "a token without a type"}`, async () => {
      const { worker, token } = await deploy({ TOKEN_TYPES });
      const request = { token: token({ header: { typ } }) };
      if (reason) await assertRefused(worker, request, reason, { scope: "" });
      else await assertAccepted(worker, request);
    });
  }
});

describe("where tokens of any type are accepted", async () => {
  const types = "at+jwt jwt none";

  for (const [what, claims, kind] of [
    ["Okta's of a service", { cid: "0oa1", sub: "0oa1", scp: ["whoami:read"] }, "machine"],
    ["Okta's of a user", { cid: "0oa1", uid: "00u1", scp: ["whoami:read"], auth_time: 1_794_999_000 }, "user"],
    ["Keycloak's of a service account", { azp: "agent", sub: "5f0f", acr: "1", typ: "Bearer", preferred_username: "service-account-agent" }, "machine"],
    ["Keycloak's of a user", { azp: "agent", acr: "1", typ: "Bearer", preferred_username: "alice", sid: "s" }, "user"],
    ["Entra's of an application", { appid: "agent", appidacr: "1", sub: "o", oid: "o", roles: ["R"] }, "machine"],
    ["Entra's of a user", { appid: "agent", appidacr: "1", oid: "o", scp: "whoami:read", amr: ["pwd"] }, "user"],
    ["one without any sign", { azp: "agent" }, "unknown"],
  ]) {
    test(`whoami returns the kind of ${what}`, async () => {
      const { worker, token } = await deploy({ TOKEN_TYPES: types });
      const changed = token({ header: { typ: "JWT" }, claims: { client_id: undefined, ...claims } });
      const identity = await assertAccepted(worker, { token: changed });
      assert.deepEqual([identity.kind, identity.client_id], [kind, claims.cid ?? claims.azp ?? claims.appid]);
    });
  }

  for (const [settings, claims, reason] of [
    [{ DENIED_CLIENTS: "agent" }, { cid: "agent" }, "client_denied"],
    [{ DENIED_CLIENTS: "agent" }, { appid: "agent" }, "client_denied"],
    [{ DENIED_CLIENTS: "agent" }, { client_id: "", azp: "agent" }, "client_denied"],
    [{ ALLOWED_CLIENTS: "agent" }, { cid: "other" }, "client_not_allowed"],
    [{ ALLOWED_CLIENTS: "agent" }, { cid: "agent" }, undefined],
    [{ ALLOWED_CLIENTS: "agent" }, { appid: "agent" }, undefined],
  ]) {
    test(`${JSON.stringify(settings)} ${reason ? "refuses" : "accepts"} ${JSON.stringify(claims)}`, async () => {
      const { worker, token } = await deploy({ TOKEN_TYPES: types, ...settings });
      const request = { token: token({ header: { typ: undefined }, claims: { client_id: undefined, ...claims } }) };
      if (reason) await assertRefused(worker, request, reason);
      else await assertAccepted(worker, request);
    });
  }
});

describe("further audiences", () => {
  test("are accepted besides the resource, similar ones are not", async () => {
    const { worker, token } = await deploy({ AUDIENCE: "api://mcp urn:mcp" });
    for (const aud of [worker.mcpUrl, "api://mcp", "urn:mcp", ["x", "urn:mcp"]]) await assertAccepted(worker, { token: token({ claims: { aud } }) });
    for (const aud of ["api://mcp urn:mcp", "api://mcp/", "urn:MCP", "urn"]) {
      await assertRefused(worker, { token: token({ claims: { aud } }) }, "wrong_audience", { scope: "" });
    }
  });
});

describe("several issuers", async () => {
  const B = "https://b.example/mcp";
  const [signerB, signerC] = [await createSigner("ES256", { kid: "key" }), await createSigner("EdDSA", { kid: "key-c" })];
  const providerB = await startHostileProvider({ keys: [signerB.jwk] });
  const providerC = await startHostileProvider({ keys: [signerC.jwk], path: "" });
  const worker = await startWorker({
    settings: {
      ISSUER: provider.issuer,
      MORE_ISSUERS: [
        { issuer: providerB.issuer, audience: [B, "urn:b"] },
        { issuer: providerC.issuer, audience: ["urn:c"] },
      ],
    },
  });
  after(async () => {
    await worker.stop();
    await Promise.all([providerB.stop(), providerC.stop()]);
  });
  const A = worker.mcpUrl;
  const tokenA = tokensFor({ issuer: provider.issuer, resource: A, signer });
  const tokenB = tokensFor({ issuer: providerB.issuer, resource: B, signer: signerB });
  const tokenC = tokensFor({ issuer: providerC.issuer, resource: "urn:c", signer: signerC });
  const refused = (token, reason) => assertRefused(worker, { token }, reason, { scope: "" });

  test("each is accepted for its own audiences", async () => {
    for (const [token, issuer] of [
      [tokenA(), provider.issuer],
      [tokenB(), providerB.issuer],
      [tokenB({ claims: { aud: "urn:b" } }), providerB.issuer],
      [tokenC(), providerC.issuer],
    ]) {
      const identity = await assertAccepted(worker, { token });
      assert.deepEqual([identity.issuer, identity.sub], [issuer, "user-1"]);
    }
  });

  test("one issuer's token for another's audience is refused", async () => {
    await refused(tokenB({ claims: { aud: A } }), "wrong_audience");
    await refused(tokenA({ claims: { aud: B } }), "wrong_audience");
    await refused(tokenC({ claims: { aud: [A, B] } }), "wrong_audience");
  });

  test("one issuer's token by another's key with the same id is refused", async () => {
    await refused(tokenB({ signer }), "bad_signature");
    await refused(tokenA({ signer: signerB }), "bad_signature");
  });

  test("one issuer's token by another's key with a different id is refused", async () => {
    await refused(tokenA({ signer: signerC }), "unknown_key");
    await refused(tokenC({ signer }), "unknown_key");
  });

  test("a third party's issuer is refused", () =>
    refused(tokenB({ claims: { iss: "https://other.example" } }), "wrong_issuer"));

  test("the same subject of two issuers is two users, also from the cache", async () => {
    const [a, b] = [tokenA(), tokenB()];
    for (let round = 0; round < 3; round += 1) {
      const answers = await Promise.all([a, b].map((token) => post(worker, { token, message: legacyRequest("tools/call", { name: "whoami", arguments: {} }) })));
      assert.deepEqual(answers.map(({ json }) => json.result.structuredContent.issuer), [provider.issuer, providerB.issuer]);
    }
  });

  test("the list may be JSON in a string, like an environment variable", async () => {
    const { worker: other } = await deploy({ MORE_ISSUERS: JSON.stringify([{ issuer: providerB.issuer, audience: [B] }]) });
    await assertAccepted(other, { token: tokenB() });
    await assertRefused(other, { token: tokenC() }, "wrong_issuer", { scope: "" });
  });

  test("each has its own record in the store", () =>
    worker.waitFor(() => worker.kv.entries.size === 3, "not all were stored").then(() =>
      assert.deepEqual([...worker.kv.entries.keys()].sort(), [provider, providerB, providerC].map(({ recordName }) => recordName).sort())));

  test("the token selects one of them; each got requests for its documents only", () => {
    for (const { requests } of [providerB, providerC]) {
      assert.ok(requests.every(({ endpoint }) => endpoint === "discovery" || endpoint === "jwks"));
    }
  });
});
