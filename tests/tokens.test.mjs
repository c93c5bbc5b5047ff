// Accepted and refused tokens, and the challenges of refusals.

import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { createKey } from "../dev/identity-provider/keys.mjs";
import { requestsTo } from "../dev/identity-provider/testing/requests.mjs";
import { startDeployment } from "./support/deployment.mjs";
import { legacyCall } from "./support/messages.mjs";
import "./support/report-failures.mjs";
import { forgeToken, tokenOf } from "./support/tokens.mjs";
import { post, send } from "./support/worker.mjs";

const deployment = await startDeployment();
const { worker } = deployment;
const { obtainTokens } = requestsTo(deployment.provider);
after(() => deployment.stop());

const METADATA = `resource_metadata="${worker.origin}/.well-known/oauth-protected-resource/mcp"`;
const SCOPE = `scope="whoami:read"`;

/** Returns the challenge with this description. */
const refusal = (description) =>
  `Bearer error="invalid_token", error_description="${description}", ${METADATA}, ${SCOPE}`;

const alice = await tokenOf(deployment, "alice");
const bob = await tokenOf(deployment, "bob");

async function subjectOf(token) {
  const { status, json, text } = await post(worker, { token, message: legacyCall("whoami") });
  assert.equal(status, 200, text);
  return json.result.structuredContent.sub;
}

async function assertRefused(token, description, reason) {
  worker.clearLogs();
  const { status, headers, json, text } = await post(worker, { token, message: legacyCall("whoami") });
  assert.equal(status, 401, text);
  assert.equal(headers["www-authenticate"], refusal(description));
  assert.deepEqual(json, { error: "invalid_token", error_description: description });
  const line = await worker.logged(({ status: logged }) => logged === 401);
  assert.equal(line.reason, reason);
  assert.ok(!worker.raw().includes(token), "the log holds the token");
}

describe("two users on one Worker", () => {
  test("each gets the own identity", async () => {
    assert.equal(await subjectOf(alice), "unzlfabysh60");
    assert.equal(await subjectOf(bob), "k3v9tq27xwpd");
  });

  test("one after the other, on one connection, each gets the own identity", async () => {
    for (let round = 0; round < 50; round += 1) {
      assert.equal(await subjectOf(alice), "unzlfabysh60");
      assert.equal(await subjectOf(bob), "k3v9tq27xwpd");
    }
  });

  test("a hundred requests at the same time, each gets the own identity", async () => {
    const people = Array.from({ length: 100 }, (_, index) => (index % 2 === 0 ? alice : bob));
    const subjects = await Promise.all(people.map(subjectOf));
    assert.deepEqual(
      subjects,
      people.map((token) => (token === alice ? "unzlfabysh60" : "k3v9tq27xwpd")),
    );
  });

  test("a refused token between two valid ones affects neither", async () => {
    const bad = await forgeToken(deployment, { claims: { aud: "https://other.example/mcp" } });
    const requests = [alice, bad, bob, bad, alice].map((token) =>
      post(worker, { token, message: legacyCall("whoami") }),
    );
    const answers = await Promise.all(requests);
    assert.deepEqual(
      answers.map(({ json }) => json.result?.structuredContent.sub ?? json.error),
      ["unzlfabysh60", "invalid_token", "k3v9tq27xwpd", "invalid_token", "unzlfabysh60"],
    );
  });
});

describe("a token with one error", () => {
  test("is accepted without the error", async () => {
    assert.equal(await subjectOf(await forgeToken(deployment)), "unzlfabysh60");
  });

  test("another audience", async () => {
    const token = await forgeToken(deployment, { claims: { aud: "https://other.example/mcp" } });
    await assertRefused(token, "The access token was not issued for this resource", "wrong_audience");
  });

  for (const [what, change] of [
    ["a slash more", (resource) => `${resource}/`],
    ["upper case", (resource) => resource.toUpperCase()],
    ["only the origin", (resource) => new URL(resource).origin],
  ]) {
    test(`an audience that differs by ${what}`, async () => {
      const token = await forgeToken(deployment, { claims: { aud: change(deployment.resource) } });
      await assertRefused(token, "The access token was not issued for this resource", "wrong_audience");
    });
  }

  test("no audience", async () => {
    const token = await forgeToken(deployment, { claims: { aud: undefined } });
    await assertRefused(token, "The access token was not issued for this resource", "wrong_audience");
  });

  test("expired", async () => {
    const now = Math.floor(Date.now() / 1000);
    const token = await forgeToken(deployment, { claims: { iat: now - 7200, exp: now - 3600 } });
    await assertRefused(token, "The access token expired", "expired");
  });

  test("another issuer", async () => {
    const token = await forgeToken(deployment, { claims: { iss: "https://other.example/oidc" } });
    const description = "The access token was not issued by the provider of this resource";
    await assertRefused(token, description, "wrong_issuer");
  });

  test("the type of an ID token", async () => {
    const token = await forgeToken(deployment, { header: { typ: "JWT" } });
    await assertRefused(token, "The token is not an access token", "wrong_type");
  });

  test("another key with the provider's key id", async () => {
    const token = await forgeToken(deployment, { key: await createKey() });
    await assertRefused(token, "The access token is not valid", "bad_signature");
  });

  test("an unknown key id", async () => {
    const key = await createKey();
    const token = await forgeToken(deployment, { key, header: { kid: key.kid } });
    await assertRefused(token, "The access token is not valid", "unknown_key");
  });

  test("no signature (alg none)", async () => {
    const [, claims] = (await forgeToken(deployment)).split(".");
    const header = Buffer.from(JSON.stringify({ alg: "none", typ: "at+jwt" })).toString("base64url");
    await assertRefused(`${header}.${claims}.`, "The access token is not valid", "unsupported_algorithm");
  });

  test("a missing scope is 403 with the scope, not invalid_token", async () => {
    const token = await forgeToken(deployment, { claims: { scope: "openid" } });
    const { status, headers } = await post(worker, { token, message: legacyCall("whoami") });
    assert.equal(status, 403);
    const description = "The access token lacks a scope that this request needs";
    assert.equal(
      headers["www-authenticate"],
      `Bearer error="insufficient_scope", error_description="${description}", ${METADATA}, ${SCOPE}`,
    );
  });
});

describe("a modified token", () => {
  const [header, claims, signature] = alice.split(".");

  test("in its header", async () => {
    const changed = rewrite(header, (members) => ({ ...members, kid: "another" }));
    await assertRefused(`${changed}.${claims}.${signature}`, "The access token is not valid", "unknown_key");
  });

  test("in its header, in a member that is not validated", async () => {
    const changed = rewrite(header, (members) => ({ ...members, note: "harmless" }));
    await assertRefused(`${changed}.${claims}.${signature}`, "The access token is not valid", "bad_signature");
  });

  test("in its claims: Alice's signature under Bob's subject", async () => {
    const changed = rewrite(claims, (members) => ({ ...members, sub: "k3v9tq27xwpd" }));
    await assertRefused(`${header}.${changed}.${signature}`, "The access token is not valid", "bad_signature");
  });

  test("in its claims: the signature of another token", async () => {
    const [, , another] = bob.split(".");
    await assertRefused(`${header}.${claims}.${another}`, "The access token is not valid", "bad_signature");
  });

  test("in its signature, one bit at each end", async () => {
    for (const at of [0, 95]) {
      const bytes = Buffer.from(signature, "base64url");
      bytes[at] ^= 1;
      const changed = bytes.toString("base64url");
      await assertRefused(`${header}.${claims}.${changed}`, "The access token is not valid", "bad_signature");
    }
  });

  test("truncated or extended", async () => {
    for (const changed of [signature.slice(0, -4), `${signature}AAAA`]) {
      await assertRefused(`${header}.${claims}.${changed}`, "The access token is not valid", "bad_signature");
    }
  });

  test("although the original is cached", async () => {
    assert.equal(await subjectOf(alice), "unzlfabysh60");
    const changed = rewrite(claims, (members) => ({ ...members, exp: members.exp + 1 }));
    await assertRefused(`${header}.${changed}.${signature}`, "The access token is not valid", "bad_signature");
  });
});

describe("credentials that are not access tokens", () => {
  test("a word", async () => {
    const description = "This resource needs a JWT access token: send the resource parameter to the token endpoint";
    await assertRefused("some-opaque-token", description, "opaque_not_accepted");
  });

  test("a real opaque token of the provider", async () => {
    const changes = { resource: undefined, scope: "openid profile" };
    const { access_token } = await obtainTokens({ changes, resource: null });
    const description = "This resource needs a JWT access token: send the resource parameter to the token endpoint";
    await assertRefused(access_token, description, "opaque_not_accepted");
  });

  test("a real ID token of the provider", async () => {
    const { id_token } = await obtainTokens({ changes: { resource: undefined, scope: "openid" }, resource: null });
    await assertRefused(id_token, "The token is not an access token", "wrong_type");
  });

  test("seventeen kilobytes", async () => {
    await assertRefused("a".repeat(17 * 1024), "The access token is too large", "token_too_large");
  });
});

describe("other forms of credentials", () => {
  const challenged = async (headers) => send(worker, { method: "POST", headers });

  test("another scheme is treated like no credentials: 401 without an error code", async () => {
    const { status, headers, json } = await challenged({ authorization: "Basic YWxpY2U6YWxpY2U=" });
    assert.equal(status, 401);
    assert.equal(headers["www-authenticate"], `Bearer ${METADATA}, ${SCOPE}`);
    assert.equal(json.error, undefined);
  });

  for (const authorization of ["Bearer", "bearer", "Bearer ", "Bearer    ", "Bearer \t", ""]) {
    test(`${JSON.stringify(authorization)} is treated like no credentials, so that the client signs in`, async () => {
      const { status, headers, json } = await challenged({ authorization });
      assert.equal(status, 401);
      assert.equal(headers["www-authenticate"], `Bearer ${METADATA}, ${SCOPE}`);
      assert.equal(json.error, undefined);
    });
  }

  for (const [what, authorization] of [
    ["two spaces", `Bearer  ${alice}`],
    ["a quote in the token", 'Bearer a"b'],
  ]) {
    test(`${what} is malformed: 400`, async () => {
      const { status, headers } = await challenged({ authorization });
      assert.equal(status, 400);
      const description = "The Authorization header must be the word Bearer, one space and one token";
      assert.equal(
        headers["www-authenticate"],
        `Bearer error="invalid_request", error_description="${description}", ${METADATA}`,
      );
    });
  }

  test("two Authorization headers, both valid: 400", async () => {
    const { status, headers } = await challenged({ authorization: [`Bearer ${alice}`, `Bearer ${bob}`] });
    assert.equal(status, 400);
    const description = "The request carries more than one token";
    assert.equal(
      headers["www-authenticate"],
      `Bearer error="invalid_request", error_description="${description}", ${METADATA}`,
    );
  });

  test("a token in the query, with a valid one in the header: 400", async () => {
    const { status, headers, text } = await post(worker, {
      token: alice,
      path: `/mcp?access_token=${bob}`,
      message: legacyCall("whoami"),
    });
    assert.equal(status, 400);
    const description = "Tokens in the query string are not accepted, use the Authorization header";
    assert.equal(
      headers["www-authenticate"],
      `Bearer error="invalid_request", error_description="${description}", ${METADATA}`,
    );
    assert.ok(!text.includes(bob));
    await worker.logged(({ reason }) => reason === "token_in_query");
    assert.ok(!worker.raw().includes(bob), "the log holds the token");
  });

  test("the scheme is case-insensitive", async () => {
    const { status } = await post(worker, {
      message: legacyCall("whoami"),
      headers: { authorization: `bEARER ${alice}` },
    });
    assert.equal(status, 200);
  });
});

function rewrite(part, change) {
  const members = JSON.parse(Buffer.from(part, "base64url"));
  return Buffer.from(JSON.stringify(change(members))).toString("base64url");
}
