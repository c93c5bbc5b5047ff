// Scopes: which a request needs, which imply others, and which claims about the user they disclose.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { legacyRequest } from "./support/messages.mjs";
import { deploy, provider } from "./support/policy-deployment.mjs";
import { ask, assertAccepted, assertRefused } from "./support/refusals.mjs";
import "./support/report-failures.mjs";
import { send } from "./support/worker.mjs";

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
    test(`a token with ${what} gets one challenge with all required scopes`, async () => {
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
    ...[null, "", " ", []].map((scope) => [
      `scp beside a scope that is ${JSON.stringify(scope)}`, { scope, scp: "notes:read whoami:read" },
    ]),
  ]) {
    test(`are taken from ${what}`, async () => {
      const { worker, token } = await deploy(SETTINGS);
      const { scopes } = await assertAccepted(worker, { token: token({ claims }) });
      assert.deepEqual(scopes.filter((scope) => scope.length > 1), ["notes:read", "whoami:read"]);
    });
  }

  test("scp does not stand in for a scope that is not understood", async () => {
    const { worker, token } = await deploy(SETTINGS);
    for (const scope of [7, {}, true, [null], [7]]) {
      const claims = { scope, scp: "whoami:read notes:read" };
      await assertRefused(worker, { token: token({ claims }) }, "insufficient_scope", NEEDED);
    }
  });

  test("scp does not add to scope", async () => {
    const { worker, token } = await deploy(SETTINGS);
    const claims = { scope: "whoami:read", scp: "notes:read", scopes: ["notes:read"] };
    await assertRefused(worker, { token: token({ claims }) }, "insufficient_scope", NEEDED);
  });

  test("are required for every request of any method", async () => {
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

  test("the refusal of a token does not affect another token", async () => {
    const { worker, token } = await deploy(SETTINGS);
    const rich = token({ claims: { scope: "whoami:read notes:read" } });
    const poor = token({ claims: { scope: "whoami:read" } });
    for (let round = 0; round < 3; round += 1) {
      await assertAccepted(worker, { token: rich });
      await assertRefused(worker, { token: poor }, "insufficient_scope", NEEDED);
    }
  });

  test("are named in the challenge without a token, too", async () => {
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

  // The consent page names the scopes in the token; implied scopes are permissions set by the operator.
  test("disclose no claims: only scopes in the token do", async () => {
    const { worker, token } = await deploy({ SCOPE_HIERARCHY: "admin=email", CLAIM_SCOPES: "" });
    const identity = await assertAccepted(worker, { token: token({ claims: { scope: "admin", email: "alice@example.com" } }) });
    assert.deepEqual([identity.scopes, identity.email], [["admin", "email"], undefined]);
  });
});

describe("disclosed claims", () => {
  const about = {
    username: "alice", name: "Alice Example", email: "alice@example.com", email_verified: true, picture: "https://example.com/a.png",
    phone_number: "+1", custom_data: { plan: "gold" }, roles: ["admin"],
  };
  const always = ["client_id", "client_party", "credential", "expires_at", "issuer", "kind", "scopes", "sub"];

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

  test("a claim of the wrong type is not disclosed", async () => {
    const { worker, token } = await deploy({});
    const claims = { scope: "profile email", name: { first: "Alice" }, username: 7, email: ["a@example.com"], email_verified: "true", picture: null };
    const identity = await assertAccepted(worker, { token: token({ claims }) });
    assert.deepEqual(Object.keys(identity).sort(), always);
  });

  test("a claim cannot replace a verified member", async () => {
    const { worker, token } = await deploy({ CLAIM_SCOPES: "whoami:read=issuer,kind,client_party,credential,key_id,scopes,expires_at,sub,client_id" });
    const claims = {
      issuer: "https://evil.example", kind: "machine", client_party: "first", credential: "access_key", key_id: "k1", scopes: ["admin"], expires_at: 1,
    };
    const identity = await assertAccepted(worker, { token: token({ claims }) });
    assert.deepEqual(
      [identity.issuer, identity.kind, identity.client_party, identity.credential, identity.key_id, identity.scopes],
      [provider.issuer, "unknown", "third", "access_token", undefined, ["whoami:read"]],
    );
    assert.ok(identity.expires_at > 1);
  });

  test("unusual names are unchanged", async () => {
    const { worker, token } = await deploy({});
    const name = "Ælfgifu 🔑 \u0000 \u202e </script> \" \\ \n";
    const identity = await assertAccepted(worker, { token: token({ claims: { scope: "profile", name } }) });
    assert.equal(identity.name, name);
  });
});

describe("the log", () => {
  test("contains the user unless LOG_SUBJECT is false", async () => {
    for (const [LOG_SUBJECT, sub] of [["true", "user-1"], ["false", undefined]]) {
      const { worker, token } = await deploy({ LOG_SUBJECT, REQUIRED_SCOPES: "whoami:read" });
      const accepted = await ask(worker, { token: token() });
      const refused = await ask(worker, { token: token({ claims: { scope: "" } }) });
      assert.deepEqual([accepted.line.sub, refused.line.sub], [sub, sub]);
      assert.deepEqual([accepted.line.client_id, refused.line.client_id], ["agent", "agent"]);
    }
  });
});
