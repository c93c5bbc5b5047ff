// DISCOVERY_URL, JWKS_URL and INTROSPECTION_URL: what counts in place of what the provider publishes.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { faults, startHostileProvider } from "./support/hostile-provider.mjs";
import { cleanUp, deploy, fetchedAgo, first, second, third } from "./support/key-deployment.mjs";
import { ACCEPTING_ALL, opaqueFor, SECRET } from "./support/opaque-deployment.mjs";
import { ask, assertAccepted, assertRefused } from "./support/refusals.mjs";
import "./support/report-failures.mjs";
import { tokensFor } from "./support/signers.mjs";
import { send } from "./support/worker.mjs";

const PLACES = ["discovery", "metadata", "metadata-appended", "discovery-inserted"];

/** A server of its own for what the provider does not publish, with these keys. */
async function elsewhere(keys = [second.jwk]) {
  const other = await startHostileProvider({ keys, path: "/elsewhere" });
  cleanUp(() => other.stop());
  return other;
}

const withoutDiscovery = (provider, fault = faults.status(404)) => PLACES.forEach((place) => provider.misbehave(place, fault));

describe("JWKS_URL", () => {
  test("a provider without a discovery document: tokens are verified, and it is no outage", async () => {
    const other = await elsewhere();
    const { worker, provider, newToken } = await deploy({
      settings: { JWKS_URL: `${other.issuer}/jwks?p=a`, AUTHORIZATION_SERVER_MIRROR: "true" },
    });
    withoutDiscovery(provider);
    const { line } = await ask(worker, { token: newToken(second) });
    assert.deepEqual([line.status, line.provider_failure], [200, undefined]);
    await assertRefused(worker, { token: newToken(first) }, "unknown_key");
    assert.equal(provider.count("jwks"), 0);
    assert.deepEqual(other.requests.map(({ path }) => path)[0], "/elsewhere/jwks?p=a");
    // Nobody waits for the discovery document: its places are still being asked when the tokens are answered.
    await worker.waitFor(() => PLACES.every((place) => provider.count(place) > 0), "a place of the discovery document was not asked");
    assert.deepEqual(PLACES.map((place) => provider.count(place)), [1, 1, 1, 1]);
    const health = await send(worker, { path: "/healthz" });
    assert.deepEqual([health.status, health.json.ready], [200, true]);
    const mirror = await send(worker, { path: "/.well-known/oauth-authorization-server/mcp" });
    assert.equal(mirror.status, 503);
  });

  test("a discovery document that does not come holds nobody up", async () => {
    const other = await elsewhere();
    const { worker, provider, newToken } = await deploy({ settings: { JWKS_URL: `${other.issuer}/jwks` } });
    withoutDiscovery(provider, faults.silent());
    const began = Date.now();
    await assertAccepted(worker, { token: newToken(second) });
    assert.ok(Date.now() - began < 2000, `${Date.now() - began} ms`);
  });

  test("it counts in place of the jwks_uri of the document, which the mirror leaves as it is", async () => {
    const other = await elsewhere();
    const { worker, provider, newToken } = await deploy({
      settings: { JWKS_URL: `${other.issuer}/jwks`, AUTHORIZATION_SERVER_MIRROR: "true" },
    });
    await assertAccepted(worker, { token: newToken(second) });
    const { json } = await send(worker, { path: "/.well-known/oauth-authorization-server/mcp" });
    assert.deepEqual(json, provider.document());
    assert.equal(provider.count("jwks"), 0);
  });

  test("a copy of the keys of another place is not used, and each place has its own", async () => {
    const other = await elsewhere();
    const { worker, kv, provider, newToken } = await deploy({
      record: fetchedAgo(1), settings: { JWKS_URL: `${other.issuer}/jwks` },
    });
    await assertRefused(worker, { token: newToken(first) }, "unknown_key");
    await assertAccepted(worker, { token: newToken(second) });
    await worker.waitFor(() => kv.entries.size === 2, "no copy was written");
    const [, name] = [...kv.entries.keys()];
    assert.match(name, new RegExp(`^provider:${provider.issuer}#[A-Za-z0-9_-]{12}$`));
  });

  test("an issuer of MORE_ISSUERS has one of its own", async () => {
    const [other, partner] = [await elsewhere([third.jwk]), await elsewhere()];
    const audience = "https://partner.example/mcp";
    const { worker, newToken } = await deploy({
      settings: { MORE_ISSUERS: [{ issuer: partner.issuer, audience: [audience], jwks_url: `${other.issuer}/jwks` }] },
    });
    withoutDiscovery(partner);
    const foreign = tokensFor({ issuer: partner.issuer, resource: audience, signer: third });
    await assertAccepted(worker, { token: foreign() });
    await assertRefused(worker, { token: foreign({ signer: second }) }, "unknown_key");
    await assertAccepted(worker, { token: newToken() });
  });
});

describe("DISCOVERY_URL", () => {
  const deployWith = async (document) => {
    const other = await elsewhere();
    const deployment = await deploy({ settings: { DISCOVERY_URL: `${other.origin}/document?appid=1` } });
    other.misbehave("elsewhere", faults.says(JSON.stringify(document(deployment.provider))));
    return { ...deployment, other };
  };

  test("it is the only place of the document", async () => {
    const { worker, provider, other, newToken } = await deployWith((provider) => provider.document());
    await assertAccepted(worker, { token: newToken() });
    assert.deepEqual(provider.requests.map(({ endpoint }) => endpoint), ["jwks"]);
    assert.deepEqual(other.requests.map(({ path }) => path), ["/document?appid=1"]);
  });

  test("the document there must have the configured issuer", async () => {
    const { worker, provider, newToken } = await deployWith((provider) => provider.document({ issuer: `${provider.issuer}/` }));
    const { line } = await assertRefused(worker, { token: newToken() }, "keys_unavailable");
    assert.equal(line.detail, `${provider.issuer}: no discovery document: DISCOVERY_URL: of another issuer, "${provider.issuer}/"`);
    assert.equal(provider.count(), 0);
  });
});

describe("INTROSPECTION_URL", () => {
  for (const [what, jwks] of [["with JWKS_URL", true], ["without JWKS_URL", false]]) {
    test(`opaque tokens are checked there, without a discovery document, ${what}`, async () => {
      const other = await elsewhere();
      const { worker, provider } = await deploy({
        settings: {
          ...ACCEPTING_ALL, REQUIRED_SCOPES: "openid", SCOPE_HIERARCHY: "openid=whoami:read",
          INTROSPECTION_URL: `${other.issuer}/token/introspection`, ...(jwks ? { JWKS_URL: `${other.issuer}/jwks` } : {}),
        },
      });
      withoutDiscovery(provider);
      const opaque = opaqueFor(other);
      for (let count = 0; count < 2; count += 1) await assertAccepted(worker, { token: opaque({ iss: provider.issuer }) });
      await assertRefused(worker, { token: "unknown-token" }, "inactive", { scope: "openid" });
      const sent = other.requests.filter(({ endpoint }) => endpoint === "introspection");
      assert.equal(sent.length, 3);
      const credentials = Buffer.from(sent[0].headers.authorization.split(" ")[1], "base64").toString();
      assert.equal(decodeURIComponent(credentials.split(":")[1]), SECRET);
      assert.equal(provider.count("introspection"), 0);
    });
  }
});
