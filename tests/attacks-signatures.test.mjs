// Attacks on the signature: algorithms, malformed signatures, unsuitable keys, key ids.
//
// Each token is valid except for what its name says.

import assert from "node:assert/strict";
import { createHash, createPublicKey, randomBytes } from "node:crypto";
import { describe, test } from "node:test";
import {
  accepts,
  attacker,
  attackerRsa,
  issuer,
  odd,
  provider,
  refuses,
  resource,
  signers,
  staysUnharmed,
  token,
  trap,
  usual,
  worker,
} from "./support/attacks.mjs";
import { assertAccepted, assertRefused } from "./support/refusals.mjs";
import "./support/report-failures.mjs";
import { ALGORITHMS, createSigner, encode, goodClaims, hmac, signerOf, signWith } from "./support/signers.mjs";

describe("supported algorithms", () => {
  for (const algorithm of ALGORITHMS) {
    const signer = signers[algorithm];

    test(`${algorithm}: a valid token is accepted, also from the cache`, async () => {
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

describe("malformed signatures of each algorithm", () => {
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

describe("unsupported algorithms", () => {
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
      `a name that is not a string: ${JSON.stringify(alg)}`, token({ header: { alg } }), "malformed_token",
    ]),
    ["no name", token({ header: { alg: undefined } }), "malformed_token"],
  ]);
});

describe("unsuitable published keys", () => {
  refuses([
    ["for encryption", token({ signer: odd.encryption }), "unknown_key"],
    ["with its private part", token({ signer: odd.private }), "unknown_key"],
    ["RSA of 1024 bits", token({ signer: odd.small }), "unknown_key"],
    ["RSA with the exponent 1, with which anyone can sign", token({
      signer: odd["exponent-1"], signature: (_, input) => signatureUnderExponent1(input),
    }), "unknown_key"],
    ["for signing only", token({ signer: odd["sign-only"] }), "unknown_key"],
    ["labelled with an algorithm of another curve", token({ signer: odd.mislabelled }), "unknown_key"],
    ["of P-256, labelled P-384", token({ signer: odd["wrong-curve"], header: { alg: "ES384" } }), "unknown_key"],
    ["a point that is not on its curve", token({ signer: odd["off-curve"] }), "unusable_key"],
    ["twice the same name for one algorithm", token({ signer: odd["twice-1"] }), "ambiguous_key"],
    ["twice the same name, the second of them", token({ signer: odd["twice-2"] }), "ambiguous_key"],
    ["no key id, with two suitable keys", token({ signer: signers.ES384, header: { kid: undefined } }), "ambiguous_key"],
  ]);
  accepts([
    ["no key id, with one suitable key", token({ signer: signers.EdDSA, header: { kid: undefined } })],
    ["the same name for two algorithms: RS256", token({ signer: odd["shared-1"] })],
    ["the same name for two algorithms: ES512", token({ signer: odd["shared-2"] })],
    ["the same name as a key for encryption", token({ signer: odd["paired-1"] })],
    ["for verifying only", token({ signer: odd["verify-only"] })],
  ]);
});

describe("a key in the token's header", () => {
  const { jwk } = attacker;
  const embedded = {
    jwk: { jwk },
    jku: { jku: `${trap.origin}/jwks` },
    x5u: { x5u: `${trap.origin}/certificate` },
    x5c: { x5c: [Buffer.from(randomBytes(300)).toString("base64")] },
    "all of them": {
      jwk, jku: `${trap.origin}/jwks`, x5u: `${trap.origin}/certificate`, x5c: ["AAAA"], x5t: "AAAA", "x5t#S256": "AAAA",
    },
  };
  for (const [what, members] of Object.entries(embedded)) {
    refuses([
      [`${what}, under the provider's key id`, token({ signer: attacker, header: { ...members, kid: usual.kid } }), "bad_signature"],
      [`${what}, under its own key id`, token({ signer: attacker, header: { ...members, kid: "attacker" } }), "unknown_key"],
      [`${what}, with another algorithm than the published key`, token({ signer: attackerRsa, header: { ...members, kid: usual.kid } }), "key_mismatch"],
    ]);
  }

  test("is ignored in a valid token", () =>
    assertAccepted(worker, { token: token({ header: embedded["all of them"] }) }));

  test("is never fetched", () => assert.equal(trap.contacts(), 0));
});

describe("misleading key ids", () => {
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
    test(`not a string: ${JSON.stringify(kid)}`, () =>
      assertRefused(worker, { token: token({ header: { kid } }) }, "malformed_token"));
  }
});

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

staysUnharmed();
