// Attacks in header and claims: duplicate members, types, encodings, issuers, audiences, times.
//
// Each token is valid except for what its name says.

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, describe, test } from "node:test";
import { EncryptJWT } from "jose";
import {
  accepts,
  issuer,
  provider,
  refuses,
  resource,
  staysUnharmed,
  token,
  usual,
  worker,
} from "./support/attacks.mjs";
import { assertAccepted, assertRefused } from "./support/refusals.mjs";
import "./support/report-failures.mjs";
import { goodClaims, seconds, tokensFor } from "./support/signers.mjs";
import { startWorker } from "./support/worker.mjs";

describe("headers that require more than verifying a signature", () => {
  const nested = token();
  refuses([
    ["crit with something unknown", token({ header: { crit: ["urn:example:grant"], "urn:example:grant": true } }), "unsupported_header"],
    ["crit with a known claim", token({ header: { crit: ["exp"], exp: seconds() + 60 } }), "unsupported_header"],
    ["crit that is empty", token({ header: { crit: [] } }), "unsupported_header"],
    ["crit that is no list", token({ header: { crit: "exp" } }), "unsupported_header"],
    ["crit that is null", token({ header: { crit: null } }), "unsupported_header"],
    ["b64 false, as RFC 7797 writes it", token({ header: { crit: ["b64"], b64: false } }), "unsupported_header"],
    ["b64 false without crit", token({ header: { b64: false } }), "unsupported_header"],
    ["b64 that is no boolean", token({ header: { b64: 0 } }), "unsupported_header"],
    ["zip", token({ header: { zip: "DEF" } }), "unsupported_header"],
    ["a nested token", token({ header: { cty: "JWT" }, claims: nested }), "unsupported_header"],
    ["a nested token, named in another way", token({ header: { cty: "application/jwt" }, claims: nested }), "unsupported_header"],
    ["a nested token that is not announced", token({ claims: nested }), "malformed_token"],
    ["claims that announce a nested token", token({ header: { cty: "jwt" } }), "unsupported_header"],
  ]);

  test("encryption", async () => {
    const now = seconds();
    const encrypted = await new EncryptJWT(goodClaims(issuer, resource))
      .setProtectedHeader({ alg: "dir", enc: "A256GCM", typ: "at+jwt", kid: usual.kid })
      .setIssuedAt(now)
      .encrypt(randomBytes(32));
    await assertRefused(worker, { token: encrypted }, "encrypted_token");
  });
});

describe("duplicate members", () => {
  const header = `"alg":"ES256","typ":"at+jwt","kid":"${usual.kid}"`;
  const claims = JSON.stringify(goodClaims(issuer, resource)).slice(1, -1);
  refuses([
    ["alg: none first", token({ header: `{"alg":"none",${header}}` }), "duplicate_member"],
    ["alg: none last", token({ header: `{${header},"alg":"none"}` }), "duplicate_member"],
    ["kid", token({ header: `{${header},"kid":"another"}` }), "duplicate_member"],
    ["the same kid", token({ header: `{${header},"kid":"${usual.kid}"}` }), "duplicate_member"],
    ["typ, once with an escape", token({ header: `{${header},"\\u0074yp":"at+jwt"}` }), "duplicate_member"],
    ["sub", token({ claims: `{${claims},"sub":"administrator"}` }), "duplicate_member"],
    ["sub, once with an escape", token({ claims: `{${claims},"s\\u0075b":"administrator"}` }), "duplicate_member"],
    ["aud", token({ claims: `{"aud":"https://other.example/mcp",${claims}}` }), "duplicate_member"],
    ["iss", token({ claims: `{${claims},"iss":"${issuer}"}` }), "duplicate_member"],
    ["exp", token({ claims: `{${claims},"exp":${seconds() + 9_999}}` }), "duplicate_member"],
    ["an unused claim", token({ claims: `{${claims},"x":1,"x":1}` }), "duplicate_member"],
  ]);
});

describe("other token types", () => {
  const types = [
    "JWT", "jwt", "logout+jwt", "secevent+jwt", "dpop+jwt", "client-authentication+jwt", "oauth-authz-req+jwt",
    "token-introspection+jwt", "application/jwt", "at+jwt ", " at+jwt", "at+jwt\u0000", "at+jwt;charset=utf-8", "x-at+jwt",
    "application/application/at+jwt", "at", "", "ａt+jwt",
  ];
  refuses([
    ...types.map((typ) => [JSON.stringify(typ), token({ header: { typ } }), "wrong_type"]),
    ["an ID token: no type, the client as its audience", token({ header: { typ: undefined }, claims: { aud: "agent", nonce: "n" } }), "wrong_type"],
    ["no type, with the correct audience", token({ header: { typ: undefined } }), "wrong_type"],
    ...[null, 1, ["at+jwt"], true].map((typ) => [`a type that is no text: ${JSON.stringify(typ)}`, token({ header: { typ } }), "malformed_token"]),
  ]);
  accepts(["at+jwt", "AT+JWT", "application/at+jwt", "Application/At+Jwt"].map((typ) => [typ, token({ header: { typ } })]));
});

describe("tokens for other purposes", async () => {
  const lenient = await startWorker({ settings: { ISSUER: provider.issuer, TOKEN_TYPES: "at+jwt jwt none" } });
  after(() => lenient.stop());
  const forLenient = tokensFor({ issuer: provider.issuer, resource: lenient.mcpUrl, signer: usual });

  for (const [what, claims, reason] of [
    ["bound to a DPoP key", { cnf: { jkt: "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I" } }, "sender_constrained"],
    ["bound to a certificate", { cnf: { "x5t#S256": "bwcK0esc3ACC3DB2Y5_lESsXE8o9ltc05O89jdN-dg2" } }, "sender_constrained"],
    ["bound in an unknown way", { cnf: { future: 1 } }, "sender_constrained"],
    ["an ID token of Keycloak", { typ: "ID" }, "not_an_access_token"],
    ["a refresh token of Keycloak", { typ: "Refresh" }, "not_an_access_token"],
    ["an offline token of Keycloak", { typ: "Offline" }, "not_an_access_token"],
    ["a logout token of Keycloak", { typ: "Logout" }, "not_an_access_token"],
    ["an ID token of Cognito", { token_use: "id" }, "not_an_access_token"],
    ["an ID token by its hashes", { nonce: "n", at_hash: "77QmUPtjPfzWtF2AnpK9RQ" }, "not_an_access_token"],
    ["a logout token", { events: { "http://schemas.openid.net/event/backchannel-logout": {} } }, "not_an_access_token"],
  ]) {
    test(`${what}: ${reason}`, async () => {
      for (const typ of ["at+jwt", "JWT", undefined]) {
        await assertRefused(lenient, { token: forLenient({ header: { typ }, claims }) }, reason, { scope: "" });
      }
      await assertRefused(worker, { token: token({ claims }) }, reason);
    });
  }
});

describe("invalid encodings", () => {
  const good = token();
  const [header, claims, signature] = good.split(".");
  const signatureWith = (characters) => {
    for (;;) {
      const other = token();
      const [h, c, s] = other.split(".");
      if (/[-_]/.test(s)) return [h, c, s.replaceAll("-", characters[0]).replaceAll("_", characters[1])].join(".");
    }
  };
  const plainHeader = Buffer.from('{"a":"~~~???>>>","alg":"ES256"}').toString("base64").replaceAll("=", "");
  // A length that leaves unused bits in the last character.
  const withSpareBits = (text) => (Buffer.byteLength(text) % 3 === 0 ? `${text} ` : text);
  const looseHeader = withSpareBits(JSON.stringify({ alg: "ES256", typ: "at+jwt", kid: usual.kid }));
  const looseClaims = withSpareBits(JSON.stringify(goodClaims(issuer, resource)));

  // Such a token looks like a JWT but is malformed. It is not treated as an opaque token.
  refuses([
    ["unused bits in the header", changeSegment(token({ header: looseHeader }), 0, strayBits), "malformed_token"],
    ["the header in the alphabet of plain base64", `${plainHeader}.${claims}.${signature}`, "malformed_token"],
    ["a header that begins with a byte-order mark", token({ header: Buffer.from(`\ufeff${looseHeader}`) }), "opaque_not_accepted"],
    ["a header that is a list", token({ header: `[${looseHeader}]` }), "opaque_not_accepted"],
    ["a header that is a text", token({ header: JSON.stringify(looseHeader) }), "opaque_not_accepted"],
    ["unused bits in the claims", changeSegment(token({ claims: looseClaims }), 1, strayBits), "malformed_token"],
    ["unused bits in the signature", changeSegment(good, 2, strayBits), "malformed_token"],
    ["padding after the signature", `${good}==`, "malformed_token"],
    ["padding after the claims", `${header}.${claims}=.${signature}`, "malformed_authorization"],
    ["the alphabet of plain base64", signatureWith("+/"), "malformed_token"],
    ["tildes and dashes", signatureWith("~~"), "malformed_token"],
    ["a signature of one character", `${header}.${claims}.A`, "malformed_token"],
    ["claims of one character", `${header}.A.${signature}`, "malformed_token"],
    ["no claims", `${header}..${signature}`, "malformed_token"],
    ["no signature and no dot before it", `${header}.${claims}`, "malformed_token"],
    ["a header alone", header, "malformed_token"],
    ["a fourth segment", `${good}.${signature}`, "malformed_token"],
    ["an empty fourth segment", `${good}.`, "malformed_token"],
    ["a fifth segment", `${good}.${signature}.${signature}`, "encrypted_token"],
    ["a sixth segment", `${good}.a.b.c`, "malformed_token"],
    ["claims that are no JSON", token({ claims: "sub=user-1" }), "malformed_token"],
    ["claims with something after them", token({ claims: `${looseClaims}{}` }), "malformed_token"],
    ["claims with a comma too many", token({ claims: looseClaims.trim().replace("}", ",}") }), "malformed_token"],
    ["claims with a comment", token({ claims: looseClaims.replace("{", "{/**/") }), "malformed_token"],
    ["claims in a list", token({ claims: `[${looseClaims}]` }), "malformed_token"],
    ["claims that are null", token({ claims: "null" }), "malformed_token"],
    ["claims that are not UTF-8", token({ claims: Buffer.concat([Buffer.from('{"sub":"'), Buffer.of(0xff, 0xfe), Buffer.from('"}')]) }), "malformed_token"],
    ["claims in UTF-16", token({ claims: Buffer.from(looseClaims, "utf16le") }), "malformed_token"],
    ["half a surrogate pair", token({ claims: looseClaims.replace("user-1", "\\ud800") }), "malformed_token"],
    ["claims five thousand lists deep", token({ claims: looseClaims.replace("{", `{"x":${"[".repeat(5_000)}${"]".repeat(5_000)},`) }), "malformed_token"],
    ["a header five thousand lists deep", token({ header: looseHeader.replace("{", `{"x":${"[".repeat(5_000)}${"]".repeat(5_000)},`) }), "malformed_token"],
    ["a header that is not closed", token({ header: '{"alg":"ES256"' }), "malformed_token"],
    ["an empty header", token({ header: "{}" }), "malformed_token"],
  ]);
});

describe("another issuer", () => {
  const issuers = [
    `${issuer}/`, issuer.toUpperCase(), issuer.replace("http:", "https:"), issuer.replace("/oidc", ""), `${issuer}/../oidc`,
    `${issuer}?x`, `${issuer}#x`, `${issuer}\u0000`, ` ${issuer}`, `${issuer} `, issuer.replace("127.0.0.1", "localhost"),
    issuer.replace("http://", "http://user@"), `${issuer}.evil.example`, issuer.slice(0, -1), "https://evil.example/oidc", "",
    issuer.replace("oidc", "оidc"), encodeURIComponent(issuer),
  ];
  refuses([
    ...issuers.map((iss) => [JSON.stringify(iss.replace(provider.origin, "")), token({ claims: { iss } }), "wrong_issuer"]),
    ...[null, 1, [issuer], { issuer }, true].map((iss, at) => [`no text (${at})`, token({ claims: { iss } }), "wrong_issuer"]),
    ["none", token({ claims: { iss: undefined } }), "wrong_issuer"],
  ]);
});

describe("another audience", () => {
  const auds = [
    "", `${resource}/`, `${resource}/more`, resource.slice(0, -1), `${resource}?x=1`, `${resource}#x`, ` ${resource}`,
    `${resource} `, `${resource}\u0000`, `${resource},other`, `${resource} other`, resource.replace("mcp", "MCP"), `*`,
    resource.replace("http:", "https:"), encodeURIComponent(resource), resource.replace("127.0.0.1", "localhost"), "agent", issuer,
  ];
  refuses([
    ...auds.map((aud) => [JSON.stringify(aud.replace(worker.origin, "")), token({ claims: { aud } }), "wrong_audience"]),
    ...[null, 1, {}, { [resource]: true }, true, [], [[resource]], [resource, 1], [null, resource], ["a", "b"], ["*"]].map((aud, at) => [
      `of a wrong form or without us (${at})`, token({ claims: { aud } }), "wrong_audience",
    ]),
  ]);
  accepts([
    ["ours alone in a list", token({ claims: { aud: [resource] } })],
    ["ours among others", token({ claims: { aud: ["https://other.example", resource, ""] } })],
  ]);
});

describe("times", () => {
  const now = seconds();
  const raw = (name, text) => token({ claims: JSON.stringify({ ...goodClaims(issuer, resource), [name]: "@" }).replace('"@"', text) });
  refuses([
    ["exp: none", token({ claims: { exp: undefined } }), "missing_expiry"],
    ...["null", "true", '""', `"${now + 600}"`, `[${now + 600}]`, "{}", "-1", `-${now}`, "1e300", "99999999999999999999999999", `${now + 600}000`].map((text) => [
      `exp: ${text.length > 30 ? `${text.slice(0, 30)}…` : text.replace(String(now + 600), "…")}`, raw("exp", text), "missing_expiry",
    ]),
    ...["1e400", "NaN", "Infinity", "0x7fffffff", `0${now + 600}`, `+${now + 600}`].map((text) => [
      `exp: ${text.replace(String(now + 600), "…")}, which is no JSON number`, raw("exp", text), "malformed_token",
    ]),
    ...["0", "1", "0.5", "1e3", "-0.0", String(now - 3600), String(now - 30), `${now - 30}.999`].map((text) => [
      `exp: ${text.replace(String(now - 3600), "an hour ago").replace(String(now - 30), "half a minute ago")}`, raw("exp", text), "expired",
    ]),
    ["nbf: in an hour", token({ claims: { nbf: now + 3600 } }), "not_yet_valid"],
    ["nbf: in the year 9999", token({ claims: { nbf: 253_402_300_799, exp: 253_402_300_799 } }), "not_yet_valid"],
    ...[`"${now}"`, "true", "1e300", "-1", `${now}000`].map((text) => [
      `nbf: ${text.replace(String(now), "…")}, which is no date`, raw("nbf", text), "malformed_token",
    ]),
    ["iat: in an hour", token({ claims: { iat: now + 3600, exp: now + 7200 } }), "bad_issue_time"],
    ...[`"${now}"`, "true", "1e300", "-1", `${now}000`].map((text) => [
      `iat: ${text.replace(String(now), "…")}, which is no date`, raw("iat", text), "bad_issue_time",
    ]),
  ]);
  accepts([
    ["exp with a fraction", token({ claims: { exp: now + 600.5 } })],
    ["exp with an exponent", raw("exp", `${(now + 600) / 10}e1`)],
    ["nbf in half a minute: clocks differ", token({ claims: { nbf: now + 30 } })],
    ["iat in half a minute: clocks differ", token({ claims: { iat: now + 30 } })],
    ["no iat and no nbf", token({ claims: { iat: undefined } })],
    ["iat and nbf that are null", token({ claims: { iat: null, nbf: null } })],
    ["iat at the beginning of time", token({ claims: { iat: 0 } })],
  ]);

  // Created when they are used, because they expire within half a minute.
  for (const [name, head] of [["equal to exp", 0], ["after exp", 10]]) {
    test(`iat: ${name}`, () => {
      const exp = seconds();
      return assertRefused(worker, { token: token({ claims: { iat: exp + head, exp } }) }, "bad_issue_time");
    });
  }

  test("exp in the current second: clocks differ", () =>
    assertAccepted(worker, { token: token({ claims: { exp: seconds() } }) }));
});

describe("subjects and clients that are missing or invalid", () => {
  refuses([
    ...[undefined, null, "", 1, ["user-1"], { id: "user-1" }, true].map((sub) => [
      `sub: ${JSON.stringify(sub) ?? "none"}`, token({ claims: { sub } }), "missing_subject",
    ]),
    ...[1, ["agent"], {}].map((client_id) => [
      `client_id: ${JSON.stringify(client_id)}`, token({ claims: { client_id } }), "malformed_token",
    ]),
  ]);

  test("azp counts only where there is no client_id", async () => {
    const azp = token({ claims: { client_id: undefined, azp: "by-azp" } });
    assert.equal((await assertAccepted(worker, { token: azp })).client_id, "by-azp");
    const both = token({ claims: { azp: "by-azp" } });
    assert.equal((await assertAccepted(worker, { token: both })).client_id, "agent");
  });
});

describe("claims that are null count as absent", () => {
  // What some providers write of what they do not know.
  const OPTIONAL = {
    client_id: null, azp: null, cid: null, appid: null, nbf: null, iat: null, jti: null, act: null, cnf: null,
    nonce: null, at_hash: null, c_hash: null, s_hash: null, events: null, typ: null, token_use: null, token_type: null,
    tokenType: null, tokenName: null, auth_time: null, acr: null, amr: null, sid: null, gty: null, idtyp: null,
    clientHost: null, organization_id: null, roles: null, scopes: null, scp: null,
  };
  for (const name of Object.keys(OPTIONAL)) {
    test(name, () => assertAccepted(worker, { token: token({ claims: { [name]: null } }) }));
  }

  test("all of them: the client is nobody, and nothing is proven of a user", async () => {
    const { client_id, kind } = await assertAccepted(worker, { token: token({ claims: OPTIONAL }) });
    assert.deepEqual([client_id ?? null, kind], [null, "unknown"]);
  });

  test("client_id, beside azp", async () => {
    const { client_id } = await assertAccepted(worker, { token: token({ claims: { client_id: null, azp: "by-azp" } }) });
    assert.equal(client_id, "by-azp");
  });

  refuses([
    ["iss", token({ claims: { iss: null } }), "wrong_issuer"],
    ["aud", token({ claims: { aud: null } }), "wrong_audience"],
    ["exp", token({ claims: { exp: null } }), "missing_expiry"],
    ["sub", token({ claims: { sub: null } }), "missing_subject"],
  ]);
});

function changeSegment(whole, at, change) {
  return whole.split(".").map((segment, index) => (index === at ? change(segment) : segment)).join(".");
}

// Sets the lowest bit of the last character, which is not part of a decoded byte.
function strayBits(segment) {
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  assert.notEqual(segment.length % 4, 0, "every bit of this segment means something");
  return segment.slice(0, -1) + alphabet[alphabet.indexOf(segment.at(-1)) | 1];
}

staysUnharmed();
