// What a right token may do and show: the operator's lists of clients, scopes, claims and issuers.

import assert from "node:assert/strict";
import { after, afterEach, describe, test } from "node:test";
import { startHostileProvider } from "./support/hostile-provider.mjs";
import { legacyRequest } from "./support/messages.mjs";
import { ask, assertAccepted, assertRefused } from "./support/refusals.mjs";
import "./support/report-failures.mjs";
import { createSigner, seconds, tokensFor } from "./support/signers.mjs";
import { post, send, startWorker } from "./support/worker.mjs";

const signer = await createSigner("ES256", { kid: "key" });
const provider = await startHostileProvider({ keys: [signer.jwk] });
after(() => provider.stop());

const cleanups = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** A Worker with these settings, for one test. */
async function deploy(settings) {
  const worker = await startWorker({ settings: { ISSUER: provider.issuer, ...settings } });
  cleanups.push(() => worker.stop());
  return { worker, token: tokensFor({ issuer: provider.issuer, resource: worker.mcpUrl, signer }) };
}

describe("required scopes", () => {
  const SETTINGS = { REQUIRED_SCOPES: "whoami:read notes:read" };
  const NEEDED = { scope: "notes:read whoami:read" };

  for (const [what, scope] of [
    ["none", undefined],
    ["an empty one", ""],
    ["one of two", "whoami:read"],
    ["others", "openid profile email"],
    ["the right ones in capitals", "WHOAMI:READ NOTES:READ"],
    ["the right ones, but for their ends", "whoami:rea notes:reads"],
    ["the right ones, joined by a comma", "whoami:read,notes:read"],
    ["the right ones, joined by a tab", "whoami:read\tnotes:read"],
    ["the right ones in one text of a list", ["whoami:read notes:read"]],
    ["the right ones as members", { "whoami:read": true, "notes:read": true }],
    ["a pattern", "*"],
    ["null", null],
    ["true", true],
  ]) {
    test(`a token with ${what} is told to ask for all that are needed, in one challenge`, async () => {
      const { worker, token } = await deploy(SETTINGS);
      const { line } = await assertRefused(worker, { token: token({ claims: { scope } }) }, "insufficient_scope", NEEDED);
      assert.deepEqual([line.client_id, line.sub], ["agent", "user-1"]);
    });
  }

  for (const [what, claims] of [
    ["a text", { scope: "whoami:read notes:read" }],
    ["a text in another order, with more and with spaces", { scope: "  x notes:read  y whoami:read " }],
    ["a list", { scope: ["notes:read", "whoami:read"] }],
    ["a list called scp", { scope: undefined, scp: ["notes:read", "whoami:read"] }],
    ["a text called scp", { scope: undefined, scp: "notes:read whoami:read" }],
    ["a list called scopes", { scope: undefined, scopes: ["notes:read", "whoami:read"] }],
  ]) {
    test(`are taken from ${what}`, async () => {
      const { worker, token } = await deploy(SETTINGS);
      const { scopes } = await assertAccepted(worker, { token: token({ claims }) });
      assert.deepEqual(scopes.filter((scope) => scope.length > 1), ["notes:read", "whoami:read"]);
    });
  }

  test("scp does not add to scope", async () => {
    const { worker, token } = await deploy(SETTINGS);
    const claims = { scope: "whoami:read", scp: "notes:read", scopes: ["notes:read"] };
    await assertRefused(worker, { token: token({ claims }) }, "insufficient_scope", NEEDED);
  });

  test("are needed by every request, whatever its method", async () => {
    const { worker, token } = await deploy(SETTINGS);
    const poor = token({ claims: { scope: "whoami:read" } });
    for (const message of [legacyRequest("ping"), legacyRequest("tools/list"), legacyRequest("initialize", {}), "no JSON", ""]) {
      await assertRefused(worker, { token: poor, message }, "insufficient_scope", NEEDED);
    }
    for (const method of ["GET", "DELETE", "PUT"]) {
      const { status } = await send(worker, { method, headers: { authorization: `Bearer ${poor}` } });
      assert.equal(status, 403, method);
    }
  });

  test("a token that was refused for its scopes is not what another one is judged by", async () => {
    const { worker, token } = await deploy(SETTINGS);
    const rich = token({ claims: { scope: "whoami:read notes:read" } });
    const poor = token({ claims: { scope: "whoami:read" } });
    for (let round = 0; round < 3; round += 1) {
      await assertAccepted(worker, { token: rich });
      await assertRefused(worker, { token: poor }, "insufficient_scope", NEEDED);
    }
  });

  test("are named in the challenge to strangers, too", async () => {
    const { worker } = await deploy(SETTINGS);
    await assertRefused(worker, {}, "no_credentials", NEEDED);
    await assertRefused(worker, { token: "opaque" }, "opaque_not_accepted", NEEDED);
  });

  test("none: a token without scopes is accepted, and has none", async () => {
    const { worker, token } = await deploy({});
    const { scopes } = await assertAccepted(worker, { token: token({ claims: { scope: undefined } }) });
    assert.deepEqual(scopes, []);
  });
});

describe("scopes that imply others", () => {
  const SETTINGS = {
    REQUIRED_SCOPES: "notes:read",
    SCOPE_HIERARCHY: "admin=notes:write notes:write=notes:read,notes:list circle=circle",
  };

  for (const [scope, granted] of [
    ["notes:read", ["notes:read"]],
    ["notes:write", ["notes:list", "notes:read", "notes:write"]],
    ["admin", ["admin", "notes:list", "notes:read", "notes:write"]],
    ["circle notes:read", ["circle", "notes:read"]],
  ]) {
    test(`${scope} grants ${granted.join(", ")}`, async () => {
      const { worker, token } = await deploy(SETTINGS);
      assert.deepEqual((await assertAccepted(worker, { token: token({ claims: { scope } }) })).scopes, granted);
    });
  }

  for (const scope of ["notes:list", "notes", "notes:write:read", "administrator", "Admin"]) {
    test(`${scope} does not grant notes:read`, async () => {
      const { worker, token } = await deploy(SETTINGS);
      await assertRefused(worker, { token: token({ claims: { scope } }) }, "insufficient_scope", { scope: "notes:read" });
    });
  }

  // What a user consents to is what the consent page names; an implied scope is the operator's word on permission.
  test("disclose nothing: only a scope that was granted by name does", async () => {
    const { worker, token } = await deploy({ SCOPE_HIERARCHY: "admin=email", CLAIM_SCOPES: "" });
    const identity = await assertAccepted(worker, { token: token({ claims: { scope: "admin", email: "alice@example.com" } }) });
    assert.deepEqual([identity.scopes, identity.email], [["admin", "email"], undefined]);
  });
});

describe("which clients may come", () => {
  const METADATA = "https://agents.example/client.json";
  const cases = [
    [{ DENIED_CLIENTS: "agent" }, "agent", "client_denied"],
    [{ DENIED_CLIENTS: "agent" }, "agent-2", undefined],
    [{ DENIED_CLIENTS: "a agent b" }, "agent", "client_denied"],
    [{ DENIED_CLIENTS: "agents.example" }, METADATA, "client_denied"],
    [{ DENIED_CLIENTS: "agents.example" }, METADATA.toUpperCase().replace("HTTPS", "https"), "client_denied"],
    [{ DENIED_CLIENTS: METADATA }, METADATA, "client_denied"],
    [{ DENIED_CLIENTS: METADATA }, "https://agents.example/other.json", undefined],
    [{ DENIED_CLIENTS: "agents.example" }, "https://more.agents.example/client.json", undefined],
    // Nobody can be told from the denied ones without a name.
    [{ DENIED_CLIENTS: "agent" }, undefined, "client_not_allowed"],
    [{ ALLOWED_CLIENTS: "agent friend" }, "agent", undefined],
    [{ ALLOWED_CLIENTS: "agent friend" }, "friend", undefined],
    [{ ALLOWED_CLIENTS: "agent friend" }, "agent friend", "client_not_allowed"],
    [{ ALLOWED_CLIENTS: "agent friend" }, "stranger", "client_not_allowed"],
    [{ ALLOWED_CLIENTS: "agent" }, "Agent", "client_not_allowed"],
    [{ ALLOWED_CLIENTS: "agent" }, "", "client_not_allowed"],
    [{ ALLOWED_CLIENTS: "agent" }, undefined, "client_not_allowed"],
    [{ ALLOWED_CLIENTS: "agents.example" }, METADATA, undefined],
    [{ ALLOWED_CLIENTS: "agents.example" }, "https://agents.example", undefined],
    [{ ALLOWED_CLIENTS: "agents.example" }, "https://agents.example?x", undefined],
    [{ ALLOWED_CLIENTS: "agents.example" }, "http://agents.example/client.json", "client_not_allowed"],
    [{ ALLOWED_CLIENTS: "agents.example" }, "https://agents.example:8443/client.json", "client_not_allowed"],
    [{ ALLOWED_CLIENTS: "agents.example:8443" }, "https://agents.example:8443/client.json", undefined],
    [{ ALLOWED_CLIENTS: "agents.example" }, "https://agents.example.evil.example/client.json", "client_not_allowed"],
    [{ ALLOWED_CLIENTS: "agents.example" }, "https://evil.example/agents.example", "client_not_allowed"],
    [{ ALLOWED_CLIENTS: "agents.example" }, "https://agents.example@evil.example/", "client_not_allowed"],
    [{ ALLOWED_CLIENTS: "agents.example" }, "https://evil.example\\@agents.example/", "client_not_allowed"],
    [{ ALLOWED_CLIENTS: "agents.example" }, "https://evil.example#@agents.example/", "client_not_allowed"],
    [{ ALLOWED_CLIENTS: "agents.example" }, "https:agents.example", "client_not_allowed"],
    [{ ALLOWED_CLIENTS: "agents.example" }, "https:///agents.example", "client_not_allowed"],
    [{ ALLOWED_CLIENTS: "agents.example" }, "https://agents.example./client.json", "client_not_allowed"],
    [{ ALLOWED_CLIENTS: "agent", DENIED_CLIENTS: "agent" }, "agent", "client_denied"],
    [{ ALLOWED_CLIENTS: METADATA, DENIED_CLIENTS: "agents.example" }, METADATA, "client_denied"],
    [{ FIRST_PARTY_CLIENTS: "agent", ALLOWED_CLIENTS: "friend" }, "agent", "client_not_allowed"],
  ];
  for (const [settings, client_id, reason] of cases) {
    test(`${JSON.stringify(settings)} ${reason ? "refuses" : "accepts"} ${client_id === undefined ? "a token that names none" : JSON.stringify(client_id)}`, async () => {
      const { worker, token } = await deploy(settings);
      const request = { token: token({ claims: { client_id } }) };
      // The second time from memory.
      for (let round = 0; round < 2; round += 1) {
        if (reason) await assertRefused(worker, request, reason);
        else await assertAccepted(worker, request);
      }
    });
  }

  test("a client that may not come is not told which scopes it would need", async () => {
    const { worker, token } = await deploy({ DENIED_CLIENTS: "agent", REQUIRED_SCOPES: "whoami:read" });
    await assertRefused(worker, { token: token({ claims: { scope: "" } }) }, "client_denied");
  });
});

describe("whose software a client is", () => {
  for (const [list, client_id, party] of [
    ["agent", "agent", "first"],
    ["agent", "agent-2", "third"],
    ["agents.example", "https://agents.example/client.json", "first"],
    ["agents.example", "https://agents.example.evil.example/client.json", "third"],
    ["agents.example", "https://agents.example@evil.example/client.json", "third"],
    ["agent", undefined, "third"],
    ["", "agent", "third"],
  ]) {
    test(`the list "${list}" makes ${client_id ?? "a token that names none"} ${party}-party`, async () => {
      const { worker, token } = await deploy({ FIRST_PARTY_CLIENTS: list });
      const identity = await assertAccepted(worker, { token: token({ claims: { client_id } }) });
      assert.deepEqual([identity.client_party, identity.client_id], [party, client_id]);
    });
  }

  for (const [what, claims, kind] of [
    ["whose subject is the client", { sub: "agent", client_id: "agent" }, "machine"],
    ["whose subject is azp", { sub: "agent", client_id: undefined, azp: "agent" }, "machine"],
    ["of a user", { sub: "user-1", client_id: "agent" }, "user"],
    ["whose subject resembles the client", { sub: "AGENT", client_id: "agent" }, "user"],
    ["that names no client", { sub: "user-1", client_id: undefined }, "unknown"],
    ["that names no client and tells of a sign-in", { sub: "user-1", client_id: undefined, auth_time: seconds() }, "user"],
    ["of a service account", { sub: "5f0f9a0e", preferred_username: "service-account-agent" }, "machine"],
  ]) {
    test(`a token ${what} is of the kind ${kind}`, async () => {
      const { worker, token } = await deploy({});
      assert.equal((await assertAccepted(worker, { token: token({ claims }) })).kind, kind);
    });
  }
});

describe("what is shown of a user", () => {
  const about = {
    username: "alice", name: "Alice Example", email: "alice@example.com", email_verified: true, picture: "https://example.com/a.png",
    phone_number: "+1", custom_data: { plan: "gold" }, roles: ["admin"],
  };
  const always = ["client_id", "client_party", "expires_at", "issuer", "kind", "scopes", "sub"];

  for (const [mapping, scope, shown] of [
    ["", "whoami:read openid", []],
    ["", "profile", ["name", "picture", "username"]],
    ["", "email", ["email", "email_verified"]],
    ["", "email profile", ["email", "email_verified", "name", "picture", "username"]],
    ["", "Profile EMAIL", []],
    ["", undefined, []],
    ["whoami:read=username,name", "whoami:read", ["name", "username"]],
    ["whoami:read=username,name", "whoami:read email", ["email", "email_verified", "name", "username"]],
    ["whoami:read=username,name", "whoami:readonly", []],
    ["whoami:read=username whoami:read=email", "whoami:read", ["email", "username"]],
    ["whoami:read=custom_data,roles,iss,aud,sub,exp", "whoami:read", []],
    ["a=name b=email", "a", ["name"]],
  ]) {
    test(`${mapping ? `with ${mapping}, the` : "the"} scope ${JSON.stringify(scope) ?? "of none"} shows ${shown.join(", ") || "nothing"}`, async () => {
      const { worker, token } = await deploy({ CLAIM_SCOPES: mapping });
      const identity = await assertAccepted(worker, { token: token({ claims: { ...about, scope } }) });
      const names = Object.keys(identity).sort();
      assert.deepEqual(names.filter((name) => !always.includes(name)), shown);
      assert.deepEqual(names.filter((name) => always.includes(name)), always);
      for (const name of shown) assert.deepEqual(identity[name], about[name]);
    });
  }

  test("nothing is shown of a claim of another type than it should have", async () => {
    const { worker, token } = await deploy({});
    const claims = { scope: "profile email", name: { first: "Alice" }, username: 7, email: ["a@example.com"], email_verified: "true", picture: null };
    const identity = await assertAccepted(worker, { token: token({ claims }) });
    assert.deepEqual(Object.keys(identity).sort(), always);
  });

  test("a claim cannot take the place of what was verified", async () => {
    const { worker, token } = await deploy({ CLAIM_SCOPES: "whoami:read=issuer,kind,client_party,scopes,expires_at,sub,client_id" });
    const claims = { issuer: "https://evil.example", kind: "machine", client_party: "first", scopes: ["admin"], expires_at: 1 };
    const identity = await assertAccepted(worker, { token: token({ claims }) });
    assert.deepEqual(
      [identity.issuer, identity.kind, identity.client_party, identity.scopes],
      [provider.issuer, "user", "third", ["whoami:read"]],
    );
    assert.ok(identity.expires_at > 1);
  });

  test("strange names arrive as they are", async () => {
    const { worker, token } = await deploy({});
    const name = "Ælfgifu 🔑 \u0000 \u202e </script> \" \\ \n";
    const identity = await assertAccepted(worker, { token: token({ claims: { scope: "profile", name } }) });
    assert.equal(identity.name, name);
  });
});

describe("the log", () => {
  test("names the user unless the operator does not want it", async () => {
    for (const [LOG_SUBJECT, sub] of [["true", "user-1"], ["false", undefined]]) {
      const { worker, token } = await deploy({ LOG_SUBJECT, REQUIRED_SCOPES: "whoami:read" });
      const accepted = await ask(worker, { token: token() });
      const refused = await ask(worker, { token: token({ claims: { scope: "" } }) });
      assert.deepEqual([accepted.line.sub, refused.line.sub], [sub, sub]);
      assert.deepEqual([accepted.line.client_id, refused.line.client_id], ["agent", "agent"]);
    }
  });
});

describe("types of tokens", () => {
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
    test(`whoami tells the kind of ${what}`, async () => {
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

describe("further audiences of the first issuer", () => {
  test("are accepted beside the resource, and nothing that resembles them", async () => {
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

  test("one issuer's token by another's key is refused, though both keys have one name", async () => {
    await refused(tokenB({ signer }), "bad_signature");
    await refused(tokenA({ signer: signerB }), "bad_signature");
  });

  test("one issuer's token by another's key with a name of its own is refused", async () => {
    await refused(tokenA({ signer: signerC }), "unknown_key");
    await refused(tokenC({ signer }), "unknown_key");
  });

  test("a third party's issuer is refused", () =>
    refused(tokenB({ claims: { iss: "https://other.example" } }), "wrong_issuer"));

  test("the same subject of two issuers is two people, also from memory", async () => {
    const [a, b] = [tokenA(), tokenB()];
    for (let round = 0; round < 3; round += 1) {
      const answers = await Promise.all([a, b].map((token) => post(worker, { token, message: legacyRequest("tools/call", { name: "whoami", arguments: {} }) })));
      assert.deepEqual(answers.map(({ json }) => json.result.structuredContent.issuer), [provider.issuer, providerB.issuer]);
    }
  });

  test("the list may be given as text, as a variable of the environment is", async () => {
    const { worker: other } = await deploy({ MORE_ISSUERS: JSON.stringify([{ issuer: providerB.issuer, audience: [B] }]) });
    await assertAccepted(other, { token: tokenB() });
    await assertRefused(other, { token: tokenC() }, "wrong_issuer", { scope: "" });
  });

  test("each has its own record in the store", () =>
    worker.waitFor(() => worker.kv.entries.size === 3, "not all were stored").then(() =>
      assert.deepEqual([...worker.kv.entries.keys()].sort(), [provider, providerB, providerC].map(({ recordName }) => recordName).sort())));

  test("the token chooses among them and nothing else: nobody was asked for anything but its documents", () => {
    for (const { requests } of [providerB, providerC]) {
      assert.ok(requests.every(({ endpoint }) => endpoint === "discovery" || endpoint === "jwks"));
    }
  });
});
