// Keys of every kind, and tokens of every form: right ones to begin with, of which a test changes one thing.

import { constants, createHmac, createPrivateKey, sign as signBytes } from "node:crypto";
import { exportJWK, generateKeyPair } from "jose";

/** The algorithms that are taken. */
export const ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"];

/** A claim that is in every token and must be in no answer and no log. */
export const CANARY = "a-claim-that-nobody-may-see";

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
 * Makes a key.
 * @param {string} algorithm
 * @param {{kid?: string, modulusLength?: number, jwk?: object}} [options]  `jwk`: members of the published key that
 *   differ; `undefined` removes one
 * @returns {Promise<Signer>}
 */
export async function createSigner(algorithm, { kid = `key-${algorithm}`, modulusLength = 2048, jwk = {} } = {}) {
  const { privateKey } = await generateKeyPair(algorithm, { extractable: true, modulusLength });
  return signerOf(algorithm, await exportJWK(privateKey), kid, jwk);
}

/** The same key under another name, or published in another way. */
export function signerOf(algorithm, privateJwk, kid, changes = {}) {
  const privateKey = createPrivateKey({ key: privateJwk, format: "jwk" });
  const { kty, crv, x, y, n, e } = privateJwk;
  const jwk = defined({ kty, crv, x, y, n, e, kid, alg: algorithm, use: "sig", ...changes });
  return { algorithm, kid, jwk, privateJwk, privateKey, sign: (text) => signWith(algorithm, privateKey, text) };
}

/** Signs as RFC 7518 §3 and RFC 8037 §3.1 say. */
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

/** base64url of an object (as JSON), of a text or of bytes. */
export function encode(value) {
  const isRaw = typeof value === "string" || Buffer.isBuffer(value);
  return Buffer.from(isRaw ? value : JSON.stringify(value)).toString("base64url");
}

/**
 * Makes tokens for a resource by keys of an issuer.
 * @param {{issuer: string, resource: string, signer: Signer}} defaults
 */
export function tokensFor({ issuer, resource, signer: usual }) {
  /**
   * A token: right in everything but what is changed. `undefined` removes a member; a text or bytes in place of
   * `header` or `claims` stand for themselves.
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

/** Issued a minute ago: older than any key set that is fetched from now on, which therefore settles what it lacks. */
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
