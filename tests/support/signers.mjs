// Keys and tokens. They are valid by default; a test changes one member.

import { constants, createHmac, createPrivateKey, sign as signBytes } from "node:crypto";
import { exportJWK, generateKeyPair } from "jose";

/** The supported algorithms. */
export const ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"];

/** A claim in every token that must not be in a response or in the log. */
export const CANARY = "a-claim-that-must-not-leak";

/**
 * @typedef {object} Signer
 * @property {string} algorithm
 * @property {string} kid
 * @property {object} jwk                       the public key, as published
 * @property {object} privateJwk
 * @property {import("node:crypto").KeyObject} privateKey
 * @property {(text: string) => Buffer} sign    signs by its algorithm
 */

/**
 * Creates a key.
 * @param {string} algorithm
 * @param {{kid?: string, modulusLength?: number, jwk?: object}} [options]  `jwk`: members of the published key that
 *   differ; `undefined` removes one
 * @returns {Promise<Signer>}
 */
export async function createSigner(algorithm, { kid = `key-${algorithm}`, modulusLength = 2048, jwk = {} } = {}) {
  const { privateKey } = await generateKeyPair(algorithm, { extractable: true, modulusLength });
  return signerOf(algorithm, await exportJWK(privateKey), kid, jwk);
}

/** Returns the same key with another id or other published members. */
export function signerOf(algorithm, privateJwk, kid, changes = {}) {
  const privateKey = createPrivateKey({ key: privateJwk, format: "jwk" });
  const { kty, crv, x, y, n, e } = privateJwk;
  const jwk = defined({ kty, crv, x, y, n, e, kid, alg: algorithm, use: "sig", ...changes });
  return { algorithm, kid, jwk, privateJwk, privateKey, sign: (text) => signWith(algorithm, privateKey, text) };
}

/** Signs as in RFC 7518 §3 and RFC 8037 §3.1. */
export function signWith(algorithm, privateKey, text) {
  const hash = `sha${algorithm.slice(2)}`;
  const data = Buffer.from(text);
  switch (algorithm.slice(0, 2)) {
    case "RS":
      return signBytes(hash, data, privateKey);
    case "PS": {
      const padding = constants.RSA_PKCS1_PSS_PADDING;
      return signBytes(hash, data, { key: privateKey, padding, saltLength: Number(algorithm.slice(2)) / 8 });
    }
    case "ES":
      return signBytes(hash, data, { key: privateKey, dsaEncoding: "ieee-p1363" });
    default:
      return signBytes(null, data, privateKey);
  }
}

/** The signature of `HS256` with this secret. */
export function hmac(secret, text, bits = 256) {
  return createHmac(`sha${bits}`, secret).update(text).digest();
}

/** Now, in whole seconds. */
export const seconds = () => Math.floor(Date.now() / 1000);

/** Returns base64url of an object (as JSON), a string or bytes. */
export function encode(value) {
  const isRaw = typeof value === "string" || Buffer.isBuffer(value);
  return Buffer.from(isRaw ? value : JSON.stringify(value)).toString("base64url");
}

/**
 * Returns a function that creates tokens for a resource.
 * @param {{issuer: string, resource: string, signer: Signer}} defaults
 */
export function tokensFor({ issuer, resource, signer: usual }) {
  /**
   * Creates a token with changes. `undefined` removes a member; a string or bytes replace `header` or `claims`.
   * @param {object} [changes]
   * @param {Signer} [changes.signer]
   * @param {object | string | Buffer} [changes.header]
   * @param {object | string | Buffer} [changes.claims]
   * @param {(signature: Buffer, input: string) => Buffer | string} [changes.signature]
   * @returns {string}
   */
  return function token({ signer = usual, header = {}, claims = {}, signature = (bytes) => bytes } = {}) {
    const input = `${encode(withDefaults(header, headerOf(signer)))}.${encode(withDefaults(claims, goodClaims(issuer, resource)))}`;
    const signed = signature(signer.sign(input), input);
    return `${input}.${typeof signed === "string" ? signed : signed.toString("base64url")}`;
  };
}

function headerOf({ algorithm, kid }) {
  return { alg: algorithm, typ: "at+jwt", kid };
}

/** Issued a minute ago, so every key set that is fetched from now on is newer. */
export function goodClaims(issuer, resource) {
  const now = seconds();
  return {
    iss: issuer,
    aud: resource,
    sub: "user-1",
    client_id: "agent",
    scope: "whoami:read",
    jti: crypto.randomUUID(),
    iat: now - 60,
    exp: now + 3600,
    note: CANARY,
  };
}

function withDefaults(changes, defaults) {
  const isRaw = typeof changes === "string" || Buffer.isBuffer(changes);
  return isRaw ? changes : defined({ ...defaults, ...changes });
}

function defined(members) {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined));
}
