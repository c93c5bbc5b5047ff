// Tokens made to get through, and what the Worker says of each: the status, the challenge, the reason in the log.
//
// Each is right in everything but what its name says. The keys include what no provider should publish: such a key
// must open nothing, and must not close the door to the others.

import assert from "node:assert/strict";
import { createHash, createPublicKey, generateKeyPairSync, randomBytes } from "node:crypto";
import { createServer } from "node:http";
import { after, describe, test } from "node:test";
import { EncryptJWT } from "jose";
import { startHostileProvider } from "./support/hostile-provider.mjs";
import { legacyCall } from "./support/messages.mjs";
import { assertAccepted, assertRefused } from "./support/refusals.mjs";
import "./support/report-failures.mjs";
import {
  ALGORITHMS, CANARY, createSigner, encode, goodClaims, hmac, seconds, signerOf, signWith, tokensFor,
} from "./support/signers.mjs";
import { send, startWorker } from "./support/worker.mjs";

const started = Date.now();
const signers = Object.fromEntries(
  await Promise.all(ALGORITHMS.map(async (algorithm) => [algorithm, await createSigner(algorithm)])),
);
const [attacker, attackerRsa] = await Promise.all([createSigner("ES256"), createSigner("RS256")]);
const odd = await oddKeys();
const provider = await startHostileProvider({
  keys: [...Object.values(signers).map(({ jwk }) => jwk), ...Object.values(odd).map(({ jwk }) => jwk)],
});
const trap = await startTrap();
const settings = { ISSUER: provider.issuer, REQUIRED_SCOPES: "whoami:read" };
const worker = await startWorker({ settings });
after(async () => {
  await worker.stop();
  await Promise.all([provider.stop(), trap.close()]);
});

const { issuer } = provider;
const resource = worker.mcpUrl;
const usual = signers.ES256;
const token = tokensFor({ issuer, resource, signer: usual });

/** One test for each `[what, token or request, reason]`. */
function refuses(cases) {
  for (const [what, request, reason] of cases) {
    test(what, () => assertRefused(worker, typeof request === "string" ? { token: request } : request, reason));
  }
}

function accepts(cases) {
  for (const [what, request] of cases) {
    test(what, () => assertAccepted(worker, typeof request === "string" ? { token: request } : request));
  }
}

describe("every algorithm", () => {
  for (const algorithm of ALGORITHMS) {
    const signer = signers[algorithm];

    test(`${algorithm}: a right token is accepted, and again from memory`, async () => {
      const right = token({ signer, claims: { sub: `user-of-${algorithm}` } });
      for (let round = 0; round < 2; round += 1) {
        assert.equal((await assertAccepted(worker, { token: right })).sub, `user-of-${algorithm}`);
      }
    });

    test(`${algorithm}: a signature by another key of the same kind is refused`, async () => {
      const forged = token({ signer: await createSigner(algorithm) });
      await assertRefused(worker, { token: forged }, "bad_signature");
    });

    test(`${algorithm}: a signature over other claims is refused`, async () => {
      const [header, , signature] = token({ signer }).split(".");
      const [, claims] = token({ signer, claims: { sub: "administrator" } }).split(".");
      await assertRefused(worker, { token: `${header}.${claims}.${signature}` }, "bad_signature");
    });

    for (const [what, change] of [
      ["of zeros", (bytes) => Buffer.alloc(bytes.length)],
      ["of ones", (bytes) => Buffer.alloc(bytes.length, 0xff)],
      ["of 1", (bytes) => Buffer.concat([Buffer.alloc(bytes.length - 1), Buffer.of(1)])],
      ["with its last bit flipped", (bytes) => Buffer.concat([bytes.subarray(0, -1), Buffer.of(bytes.at(-1) ^ 1)])],
      ["one byte short", (bytes) => bytes.subarray(0, -1)],
      ["one byte long", (bytes) => Buffer.concat([bytes, Buffer.of(0)])],
      ["with a zero before it", (bytes) => Buffer.concat([Buffer.of(0), bytes])],
      ["twice in a row", (bytes) => Buffer.concat([bytes, bytes])],
      ["that is empty", () => Buffer.alloc(0)],
    ]) {
      test(`${algorithm}: a signature ${what} is refused`, async () => {
        await assertRefused(worker, { token: token({ signer, signature: change }) }, "bad_signature");
      });
    }

    test(`${algorithm}: a token that names another algorithm's key is refused`, async () => {
      const others = ALGORITHMS.filter((other) => other !== algorithm);
      for (const other of others) {
        const confused = token({ signer, header: { kid: signers[other].kid } });
        await assertRefused(worker, { token: confused }, "key_mismatch");
      }
    });
  }

  test("Ed25519, the newer name of EdDSA, is accepted", () =>
    assertAccepted(worker, { token: token({ signer: signers.EdDSA, header: { alg: "Ed25519" } }) }));

  for (const algorithm of ALGORITHMS.filter((name) => /^[RP]S/.test(name))) {
    test(`${algorithm}: an RSA key that is published without alg serves it, as at Logto`, () => {
      const signer = signerOf(algorithm, odd["without-alg"].privateJwk, "without-alg");
      return assertAccepted(worker, { token: token({ signer }) });
    });
  }
});

describe("signatures that are malformed in the way of their algorithm", () => {
  // The order of P-256, and of the group of Ed25519.
  const ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
  const ED_ORDER = 2n ** 252n + 27742317777372353535851937790883648493n;
  const bigEndian = (number) => Buffer.from(number.toString(16).padStart(64, "0"), "hex");

  refuses([
    ["ES256 in DER", token({ signature: (_, input) => derSignature(usual, input) }), "bad_signature"],
    ["ES256 in DER, cut to 64 bytes", token({ signature: (_, input) => derSignature(usual, input).subarray(0, 64) }), "bad_signature"],
    ["ES256 with r = 0", token({ signature: (bytes) => Buffer.concat([Buffer.alloc(32), bytes.subarray(32)]) }), "bad_signature"],
    ["ES256 with s = 0", token({ signature: (bytes) => Buffer.concat([bytes.subarray(0, 32), Buffer.alloc(32)]) }), "bad_signature"],
    ["ES256 with r and s equal to the order", token({ signature: () => Buffer.concat([bigEndian(ORDER), bigEndian(ORDER)]) }), "bad_signature"],
    ["ES256 with coordinates of 66 bytes", token({ signature: widened }), "bad_signature"],
    ["EdDSA with the order added to s", token({ signer: signers.EdDSA, signature: addOrder }), "bad_signature"],
    ["RS256 in the padding of PS256", token({ signer: signers.RS256, signature: (_, input) => signWith("PS256", signers.RS256.privateKey, input) }), "bad_signature"],
    ["PS256 in the padding of RS256", token({ signer: signers.PS256, signature: (_, input) => signWith("RS256", signers.PS256.privateKey, input) }), "bad_signature"],
    ["RS256 over another hash", token({ signer: signers.RS256, signature: (_, input) => signWith("RS512", signers.RS256.privateKey, input) }), "bad_signature"],
    ["PS256 with a salt of another length", token({ signer: signers.PS256, signature: (_, input) => signWith("PS512", signers.PS256.privateKey, input) }), "bad_signature"],
  ]);

  function widened(bytes) {
    const wide = (half) => Buffer.concat([Buffer.alloc(34), half]);
    return Buffer.concat([wide(bytes.subarray(0, 32)), wide(bytes.subarray(32))]);
  }

  function addOrder(bytes) {
    const s = BigInt(`0x${Buffer.from(bytes.subarray(32)).reverse().toString("hex")}`) + ED_ORDER;
    return Buffer.concat([bytes.subarray(0, 32), bigEndian(s).reverse()]);
  }
});

describe("an algorithm that is none of ours", () => {
  const unsigned = (alg) => `${encode({ alg, typ: "at+jwt" })}.${encode(goodClaims(issuer, resource))}`;
  const withoutSignature = ["none", "None", "NONE", "nOnE"].flatMap((alg) => [
    [`${alg}, without a signature`, `${unsigned(alg)}.`, "unsupported_algorithm"],
    [`${alg}, with a good signature`, token({ header: { alg } }), "unsupported_algorithm"],
  ]);
  const { RS256 } = signers;
  const rsaPublic = createPublicKey({ key: RS256.jwk, format: "jwk" });
  const ecPublic = createPublicKey({ key: usual.jwk, format: "jwk" });
  const secrets = [
    ["the RSA key in PEM", RS256, rsaPublic.export({ type: "spki", format: "pem" })],
    ["the RSA key in PEM, without its last newline", RS256, rsaPublic.export({ type: "spki", format: "pem" }).trim()],
    ["the RSA key in DER", RS256, rsaPublic.export({ type: "spki", format: "der" })],
    ["the RSA key as JWK", RS256, JSON.stringify(RS256.jwk)],
    ["the modulus", RS256, Buffer.from(RS256.jwk.n, "base64url")],
    ["the elliptic key in PEM", usual, ecPublic.export({ type: "spki", format: "pem" })],
    ["the elliptic key as JWK", usual, JSON.stringify(usual.jwk)],
    ["nothing", usual, ""],
  ].flatMap(([what, signer, secret]) =>
    [256, 512].map((bits) => [
      `HS${bits} with ${what} as its secret`,
      token({ signer, header: { alg: `HS${bits}` }, signature: (_, input) => hmac(secret, input, bits) }),
      "unsupported_algorithm",
    ]),
  );
  refuses([
    ...withoutSignature,
    ...secrets,
    ["HS256 with a symmetric key that the provider publishes", token({
      header: { alg: "HS256", kid: "symmetric" },
      signature: (_, input) => hmac(odd.symmetric.secret, input),
    }), "unsupported_algorithm"],
    ["HS256's signature under the name ES256", token({ signature: (_, input) => hmac(JSON.stringify(usual.jwk), input) }), "bad_signature"],
    ...["es256", "ES256 ", " ES256", "ES256K", "ES256\u0000", "RSA1_5", "Ed448", "PS1", "", "ES256,none"].map((alg) => [
      `the name ${JSON.stringify(alg)}`, token({ header: { alg } }), "unsupported_algorithm",
    ]),
    ...[null, 256, ["ES256"], { name: "ES256" }, true].map((alg) => [
      `a name that is no text: ${JSON.stringify(alg)}`, token({ header: { alg } }), "malformed_token",
    ]),
    ["no name", token({ header: { alg: undefined } }), "malformed_token"],
  ]);
});

describe("keys that no provider should publish", () => {
  refuses([
    ["for encryption", token({ signer: odd.encryption }), "unknown_key"],
    ["with its private part", token({ signer: odd.private }), "unknown_key"],
    ["RSA of 1024 bits", token({ signer: odd.small }), "unknown_key"],
    ["RSA with the exponent 1, under which everybody can sign", token({
      signer: odd["exponent-1"], signature: (_, input) => signatureUnderExponent1(input),
    }), "unknown_key"],
    ["for signing only", token({ signer: odd["sign-only"] }), "unknown_key"],
    ["labelled with an algorithm of another curve", token({ signer: odd.mislabelled }), "unknown_key"],
    ["of P-256, labelled P-384", token({ signer: odd["wrong-curve"], header: { alg: "ES384" } }), "unknown_key"],
    ["a point that is not on its curve", token({ signer: odd["off-curve"] }), "unusable_key"],
    ["twice the same name for one algorithm", token({ signer: odd["twice-1"] }), "ambiguous_key"],
    ["twice the same name, the second of them", token({ signer: odd["twice-2"] }), "ambiguous_key"],
    ["no name, where two keys would do", token({ signer: signers.ES384, header: { kid: undefined } }), "ambiguous_key"],
  ]);
  accepts([
    ["no name, where one key alone would do", token({ signer: signers.EdDSA, header: { kid: undefined } })],
    ["the same name for two algorithms: RS256", token({ signer: odd["shared-1"] })],
    ["the same name for two algorithms: ES512", token({ signer: odd["shared-2"] })],
    ["the same name as a key for encryption", token({ signer: odd["paired-1"] })],
    ["for verifying only", token({ signer: odd["verify-only"] })],
  ]);
});

describe("a key that the token brings along", () => {
  const { jwk } = attacker;
  const brought = {
    jwk: { jwk },
    jku: { jku: `${trap.origin}/jwks` },
    x5u: { x5u: `${trap.origin}/certificate` },
    x5c: { x5c: [Buffer.from(randomBytes(300)).toString("base64")] },
    "all of them": {
      jwk, jku: `${trap.origin}/jwks`, x5u: `${trap.origin}/certificate`, x5c: ["AAAA"], x5t: "AAAA", "x5t#S256": "AAAA",
    },
  };
  for (const [what, members] of Object.entries(brought)) {
    refuses([
      [`${what}, under the provider's key id`, token({ signer: attacker, header: { ...members, kid: usual.kid } }), "bad_signature"],
      [`${what}, under its own key id`, token({ signer: attacker, header: { ...members, kid: "attacker" } }), "unknown_key"],
      [`${what}, with another algorithm than the published key`, token({ signer: attackerRsa, header: { ...members, kid: usual.kid } }), "key_mismatch"],
    ]);
  }

  test("is not looked at in a token that is right", () =>
    assertAccepted(worker, { token: token({ header: brought["all of them"] }) }));

  test("is never fetched", () => assert.equal(trap.contacts(), 0));
});

describe("key ids made to confuse", () => {
  const kids = [
    "../../../../etc/passwd", "/dev/null", "' OR '1'='1", "key-ES256'; DROP TABLE keys;--", "key-ES256\u0000", "key-ES256 ",
    " key-ES256", "KEY-ES256", "key-ES25", "key-ES2566", "k", "", "__proto__", "constructor", "schlüssel-🔑",
    `${trap.origin}/jwks`, '{"kid":"key-ES256"}', "key-ES256\r\nX-Evil: 1", '"}\n{"outcome":"ok"}', "\u001b[2J", "k".repeat(8_000),
    "🔑".repeat(1_500),
  ];
  for (const kid of kids) {
    test(`${JSON.stringify(kid.slice(0, 40))}${kid.length > 40 ? ` (${kid.length} characters)` : ""}`, async () => {
      for (const signer of [usual, attacker]) {
        const { line } = await assertRefused(worker, { token: token({ signer, header: { kid } }) }, "unknown_key");
        assert.ok(JSON.stringify(line).length < 2_000, "the log is flooded");
      }
    });
  }

  for (const kid of [null, 1, ["key-ES256"], { kid: "key-ES256" }, false]) {
    test(`no text: ${JSON.stringify(kid)}`, () =>
      assertRefused(worker, { token: token({ header: { kid } }) }, "malformed_token"));
  }
});

describe("a header that asks for more than verifying a signature", () => {
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

describe("a member that occurs twice", () => {
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
    ["a claim that nobody reads", token({ claims: `{${claims},"x":1,"x":1}` }), "duplicate_member"],
  ]);
});

describe("another type of token", () => {
  const types = [
    "JWT", "jwt", "logout+jwt", "secevent+jwt", "dpop+jwt", "client-authentication+jwt", "oauth-authz-req+jwt",
    "token-introspection+jwt", "application/jwt", "at+jwt ", " at+jwt", "at+jwt\u0000", "at+jwt;charset=utf-8", "x-at+jwt",
    "application/application/at+jwt", "at", "", "ａt+jwt",
  ];
  refuses([
    ...types.map((typ) => [JSON.stringify(typ), token({ header: { typ } }), "wrong_type"]),
    ["an ID token: no type, the client as its audience", token({ header: { typ: undefined }, claims: { aud: "agent", nonce: "n" } }), "wrong_type"],
    ["no type, though the audience is ours", token({ header: { typ: undefined } }), "wrong_type"],
    ...[null, 1, ["at+jwt"], true].map((typ) => [`a type that is no text: ${JSON.stringify(typ)}`, token({ header: { typ } }), "malformed_token"]),
  ]);
  accepts(["at+jwt", "AT+JWT", "application/at+jwt", "Application/At+Jwt"].map((typ) => [typ, token({ header: { typ } })]));
});

describe("a token that is good for something else", async () => {
  const lenient = await startWorker({ settings: { ISSUER: provider.issuer, TOKEN_TYPES: "at+jwt jwt none" } });
  after(() => lenient.stop());
  const forLenient = tokensFor({ issuer: provider.issuer, resource: lenient.mcpUrl, signer: usual });

  for (const [what, claims, reason] of [
    ["bound to a DPoP key", { cnf: { jkt: "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I" } }, "sender_constrained"],
    ["bound to a certificate", { cnf: { "x5t#S256": "bwcK0esc3ACC3DB2Y5_lESsXE8o9ltc05O89jdN-dg2" } }, "sender_constrained"],
    ["bound in a way that nobody knows", { cnf: { future: 1 } }, "sender_constrained"],
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

describe("an encoding that is not quite base64url", () => {
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

  // Such a token looks like a JWT, and is a broken one: it is no opaque token.
  refuses([
    ["bits in the header that mean nothing", changeSegment(token({ header: looseHeader }), 0, strayBits), "malformed_token"],
    ["the header in the alphabet of plain base64", `${plainHeader}.${claims}.${signature}`, "malformed_token"],
    ["a header that begins with a byte-order mark", token({ header: Buffer.from(`\ufeff${looseHeader}`) }), "opaque_not_accepted"],
    ["a header that is a list", token({ header: `[${looseHeader}]` }), "opaque_not_accepted"],
    ["a header that is a text", token({ header: JSON.stringify(looseHeader) }), "opaque_not_accepted"],
    ["bits in the claims that mean nothing", changeSegment(token({ claims: looseClaims }), 1, strayBits), "malformed_token"],
    ["bits in the signature that mean nothing", changeSegment(good, 2, strayBits), "malformed_token"],
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
    ["an empty header", token({ header: "{}" }), "wrong_type"],
  ]);
});

describe("another issuer", () => {
  const isses = [
    `${issuer}/`, issuer.toUpperCase(), issuer.replace("http:", "https:"), issuer.replace("/oidc", ""), `${issuer}/../oidc`,
    `${issuer}?x`, `${issuer}#x`, `${issuer}\u0000`, ` ${issuer}`, `${issuer} `, issuer.replace("127.0.0.1", "localhost"),
    issuer.replace("http://", "http://user@"), `${issuer}.evil.example`, issuer.slice(0, -1), "https://evil.example/oidc", "",
    issuer.replace("oidc", "оidc"), encodeURIComponent(issuer),
  ];
  refuses([
    ...isses.map((iss) => [JSON.stringify(iss.replace(provider.origin, "")), token({ claims: { iss } }), "wrong_issuer"]),
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
    ...["null", `"${now}"`, "true", "1e300", "-1", `${now}000`].map((text) => [
      `nbf: ${text.replace(String(now), "…")}, which is no date`, raw("nbf", text), "malformed_token",
    ]),
    ["iat: in an hour", token({ claims: { iat: now + 3600, exp: now + 7200 } }), "bad_issue_time"],
    ...["null", `"${now}"`, "true", "1e300", "-1", `${now}000`].map((text) => [
      `iat: ${text.replace(String(now), "…")}, which is no date`, raw("iat", text), "bad_issue_time",
    ]),
  ]);
  accepts([
    ["exp with a fraction", token({ claims: { exp: now + 600.5 } })],
    ["exp with an exponent", raw("exp", `${(now + 600) / 10}e1`)],
    ["nbf in half a minute: clocks disagree", token({ claims: { nbf: now + 30 } })],
    ["iat in half a minute: clocks disagree", token({ claims: { iat: now + 30 } })],
    ["no iat and no nbf", token({ claims: { iat: undefined } })],
    ["iat at the beginning of time", token({ claims: { iat: 0 } })],
  ]);

  // Minted when they are used: within half a minute they would be expired tokens like others.
  for (const [name, head] of [["equal to exp", 0], ["after exp", 10]]) {
    test(`iat: ${name}`, () => {
      const exp = seconds();
      return assertRefused(worker, { token: token({ claims: { iat: exp + head, exp } }) }, "bad_issue_time");
    });
  }

  test("exp this very second: clocks disagree", () =>
    assertAccepted(worker, { token: token({ claims: { exp: seconds() } }) }));
});

describe("nobody in particular", () => {
  refuses([
    ...[undefined, null, "", 1, ["user-1"], { id: "user-1" }, true].map((sub) => [
      `sub: ${JSON.stringify(sub) ?? "none"}`, token({ claims: { sub } }), "missing_subject",
    ]),
    ...[null, 1, ["agent"], {}].map((client_id) => [
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

describe("the request around the token", () => {
  const good = token();
  const bearer = `Bearer ${good}`;
  const large = (kilobytes) => "a".repeat(kilobytes * 1024);

  refuses([
    ["17 KB", { token: large(17) }, "token_too_large"],
    ["64 KB in the form of a token", { token: token({ claims: { padding: large(47) } }) }, "token_too_large"],
    ["just above 16 KB, though signed by the provider", { token: padTo(16 * 1024 + 1) }, "token_too_large"],
    ["two Authorization headers with the same token", { headers: { authorization: [bearer, bearer] } }, "multiple_credentials"],
    ["two Authorization headers, the second of another scheme", { headers: { authorization: [bearer, "Basic YTpi"] } }, "multiple_credentials"],
    ["two Authorization headers, the first of another scheme", { headers: { authorization: ["Basic YTpi", bearer] } }, "multiple_credentials"],
    ["two tokens in one header", { headers: { authorization: `${bearer}, ${bearer}` } }, "multiple_credentials"],
    ["two tokens with a comma alone", { headers: { authorization: `${bearer},${good}` } }, "multiple_credentials"],
    ["two tokens with a space", { headers: { authorization: `${bearer} ${good}` } }, "malformed_authorization"],
    ["garbage after the token", { headers: { authorization: `${bearer};realm=x` } }, "malformed_authorization"],
    ["a parameter after the token", { headers: { authorization: `${bearer} realm="x"` } }, "malformed_authorization"],
    ["a tab in place of the space", { headers: { authorization: `Bearer\t${good}` } }, "unsupported_scheme"],
    ["a tab before the token", { headers: { authorization: `Bearer \t${good}` } }, "malformed_authorization"],
    ["quotes around the token", { headers: { authorization: `Bearer "${good}"` } }, "malformed_authorization"],
    ["the parameter form", { headers: { authorization: `Bearer token="${good}"` } }, "malformed_authorization"],
    ["percent signs", { headers: { authorization: `Bearer ${good.replaceAll(".", "%2E")}` } }, "malformed_authorization"],
    ["a letter beyond ASCII", { headers: { authorization: `Bearer ${good}é` } }, "malformed_authorization"],
    ["the scheme alone", { headers: { authorization: "Bearer" } }, "malformed_authorization"],
    ["the word Bearer twice", { headers: { authorization: `Bearer ${bearer}` } }, "malformed_authorization"],
    ["a token without a scheme", { headers: { authorization: good } }, "unsupported_scheme"],
    ["another scheme", { headers: { authorization: `Token ${good}` } }, "unsupported_scheme"],
    ["DPoP", { headers: { authorization: `DPoP ${good}` } }, "unsupported_scheme"],
    ["a scheme that begins with Bearer", { headers: { authorization: `BearerX ${good}` } }, "unsupported_scheme"],
    ["an empty header", { headers: { authorization: "" } }, "no_credentials"],
    ["a token in the query", { path: `/mcp?access_token=${good}` }, "token_in_query"],
    ["a token in the query beside a good one in the header", { token: good, path: `/mcp?a=1&access_token=${good}` }, "token_in_query"],
    ["a token in the query under a name in capitals", { token: good, path: `/mcp?ACCESS_TOKEN=${good}` }, "token_in_query"],
    ["an empty token in the query", { token: good, path: "/mcp?access_token" }, "token_in_query"],
    ["a token in the query under an encoded name", { path: `/mcp?access%5Ftoken=${good}` }, "no_credentials"],
    ["a token in the query under the name of the header", { path: `/mcp?authorization=${encodeURIComponent(bearer)}` }, "no_credentials"],
    ["a token in a form", { message: `access_token=${good}`, headers: { "content-type": "application/x-www-form-urlencoded" } }, "no_credentials"],
    ["a token in a cookie", { headers: { cookie: `access_token=${good}; Authorization=${good}` } }, "no_credentials"],
    ["a token in other headers", {
      headers: { "x-authorization": bearer, "proxy-authorization": bearer, "x-forwarded-authorization": bearer, "x-access-token": good },
    }, "no_credentials"],
    ["a token in the message", { message: { ...legacyCall("whoami"), access_token: good, _meta: { authorization: bearer } } }, "no_credentials"],
  ]);

  accepts([
    ["the scheme in lower case", { headers: { authorization: `bearer ${good}` } }],
    ["the scheme in capitals", { headers: { authorization: `BEARER ${good}` } }],
    ["white space around the header's value", { headers: { authorization: `  ${bearer} \t` } }],
    ["just 16 KB", { token: padTo(16 * 1024) }],
    ["a query that only resembles", { token: good, path: "/mcp?my_access_token=1&token=2" }],
  ]);

  for (const method of ["GET", "DELETE", "PUT", "PATCH", "HEAD"]) {
    test(`${method} is refused without a token before the method is looked at`, async () => {
      const { status, headers } = await send(worker, { method });
      assert.equal(status, 401);
      assert.match(headers["www-authenticate"], /^Bearer resource_metadata="/);
    });
  }

  /** A right token of exactly so many characters. */
  function padTo(length) {
    // Three bytes of JSON make four characters; the rest is found by trying.
    for (let filler = Math.floor(((length - token().length - 40) * 3) / 4); ; filler += 1) {
      for (const more of ["", "k", "kk", "kkk"]) {
        const padded = token({ header: { x: more }, claims: { jti: "j", padding: "p".repeat(filler) } });
        if (padded.length === length) return padded;
        if (padded.length > length + 8) throw new Error(`no token of ${length} characters`);
      }
    }
  }
});

describe("after all of this", () => {
  test("honest tokens of every algorithm are accepted", async () => {
    for (const signer of Object.values(signers)) await assertAccepted(worker, { token: token({ signer }) });
  });

  test("the provider was asked for its keys a few times, and for nothing else", (context) => {
    const jwks = provider.count("jwks");
    context.diagnostic(`${worker.logs().length} requests, ${jwks} fetches of the keys`);
    const minutes = Math.ceil((Date.now() - started) / 60_000);
    assert.ok(jwks <= 1 + 4 * minutes, `${jwks} fetches in ${minutes} minutes`);
    assert.equal(provider.count(), jwks + 1, "only one discovery document besides");
  });

  test("the log is one JSON object a line, with neither a claim nor a panic in it", () => {
    assert.ok(!worker.raw().includes(CANARY));
    assert.doesNotMatch(worker.raw(), /panicked|unreachable|Critical|Error:/);
    assert.equal(worker.raw().split("\n").length, worker.logs().length);
  });

  test("the isolate is the one that answered first: the store was read by nobody else", () =>
    assert.ok(worker.kv.reads.length <= 1 + provider.count("jwks"), `${worker.kv.reads.length} reads`));
});

function changeSegment(whole, at, change) {
  return whole.split(".").map((segment, index) => (index === at ? change(segment) : segment)).join(".");
}

// Sets the lowest bit of the last character, which no decoded byte contains.
function strayBits(segment) {
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  assert.notEqual(segment.length % 4, 0, "every bit of this segment means something");
  return segment.slice(0, -1) + alphabet[alphabet.indexOf(segment.at(-1)) | 1];
}

function derSignature({ privateKey }, input) {
  const integer = (bytes) => {
    const start = bytes.findIndex((byte) => byte !== 0);
    const trimmed = bytes.subarray(start);
    const positive = trimmed[0] & 0x80 ? Buffer.concat([Buffer.of(0), trimmed]) : trimmed;
    return Buffer.concat([Buffer.of(2, positive.length), positive]);
  };
  const raw = signWith("ES256", privateKey, input);
  const body = Buffer.concat([integer(raw.subarray(0, 32)), integer(raw.subarray(32))]);
  return Buffer.concat([Buffer.of(0x30, body.length), body]);
}

// With the exponent 1 a signature is its own padded hash.
function signatureUnderExponent1(input) {
  const prefix = Buffer.from("3031300d060960864801650304020105000420", "hex");
  const info = Buffer.concat([prefix, createHash("sha256").update(input).digest()]);
  return Buffer.concat([Buffer.of(0, 1), Buffer.alloc(256 - 3 - info.length, 0xff), Buffer.of(0), info]);
}

async function oddKeys() {
  const make = (algorithm, kid, jwk) => createSigner(algorithm, { kid, jwk });
  const small = generateKeyPairSync("rsa", { modulusLength: 1024 }).privateKey.export({ format: "jwk" });
  const withPrivate = await make("ES256", "private");
  const offCurve = await make("ES256", "off-curve");
  const point = Buffer.from(offCurve.jwk.y, "base64url");
  point[31] ^= 1;
  const mine = await make("ES256", "wrong-curve", { alg: undefined, crv: "P-384" });
  const secret = randomBytes(32);
  return {
    "without-alg": await make("RS256", "without-alg", { alg: undefined }),
    encryption: await make("ES256", "encryption", { use: "enc" }),
    private: signerOf("ES256", withPrivate.privateJwk, "private", { d: withPrivate.privateJwk.d }),
    small: signerOf("RS256", small, "small"),
    "exponent-1": await make("RS256", "exponent-1", { e: "AQ" }),
    "sign-only": await make("ES256", "sign-only", { use: undefined, key_ops: ["sign"] }),
    "verify-only": await make("ES256", "verify-only", { use: undefined, key_ops: ["verify"] }),
    mislabelled: await make("ES256", "mislabelled", { alg: "ES384" }),
    "wrong-curve": mine,
    "off-curve": signerOf("ES256", offCurve.privateJwk, "off-curve", { y: point.toString("base64url") }),
    "twice-1": await make("ES384", "twice"),
    "twice-2": await make("ES384", "twice"),
    "shared-1": await make("RS256", "shared"),
    "shared-2": await make("ES512", "shared"),
    "paired-1": await make("ES256", "paired"),
    "paired-2": await make("ES256", "paired", { use: "enc" }),
    symmetric: { secret, jwk: { kty: "oct", kid: "symmetric", alg: "HS256", use: "sig", k: secret.toString("base64url") } },
    bitcoin: { jwk: { kty: "EC", crv: "secp256k1", kid: "bitcoin", alg: "ES256K", x: encode(randomBytes(32)), y: encode(randomBytes(32)) } },
    unknown: { jwk: { kty: "AKP", kid: "unknown", alg: "ML-DSA-65", pub: encode(randomBytes(64)) } },
  };
}

// Would hand out the attacker's key, if anybody came.
async function startTrap() {
  let contacts = 0;
  const server = createServer((_request, response) => {
    contacts += 1;
    response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify({ keys: [attacker.jwk] }));
  });
  server.on("connection", () => (contacts += 1));
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const close = () => new Promise((resolve) => server.close(resolve));
  return { origin: `http://127.0.0.1:${server.address().port}`, contacts: () => contacts, close };
}
