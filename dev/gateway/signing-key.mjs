// Signing keys of a gateway: P-256, ES256 (RFC 7518 §3.4), with the RFC 7638 thumbprint as `kid`.

import { randomBytes } from "node:crypto";
import { calculateJwkThumbprint, exportJWK, generateKeyPair, importJWK, SignJWT } from "jose";

const ASSERTION_SECONDS = 60;

/** Creates a private key as a JWK, for UPSTREAM_SIGNING_KEY. */
export async function createSigningKey() {
  const { privateKey } = await generateKeyPair("ES256", { extractable: true });
  const jwk = await exportJWK(privateKey);
  return { ...jwk, kid: await calculateJwkThumbprint(jwk, "sha256"), alg: "ES256", use: "sig" };
}

/** The public part, for UPSTREAM_PUBLIC_KEYS. */
export const publicPart = ({ kty, crv, x, y, kid, alg, use }) => ({ kty, crv, x, y, kid, alg, use });

/** A text for STATE_SECRET. */
export const createStateSecret = () => randomBytes(32).toString("base64url");

/**
 * Signs an assertion as the gateway does, for this program itself.
 * @param {object} key  private JWK
 * @param {{resource: string, audience: string, subject: string}} claims
 */
export async function signAssertion(key, { resource, audience, subject }) {
  return new SignJWT({ client_id: subject, scope: "", act: { sub: resource } })
    .setProtectedHeader({ alg: "ES256", typ: "at+jwt", kid: key.kid })
    .setIssuer(new URL(resource).origin)
    .setAudience(audience)
    .setSubject(subject)
    .setIssuedAt()
    .setExpirationTime(`${ASSERTION_SECONDS}s`)
    .setJti(randomBytes(16).toString("base64url"))
    .sign(await importJWK(key, "ES256"));
}
