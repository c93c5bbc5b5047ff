// Access tokens: obtained by signing in, or signed by the test.

import { importJWK, SignJWT } from "jose";
import { requestsTo } from "../../dev/identity-provider/testing/requests.mjs";

/**
 * Signs in as this user and returns the access token for the resource.
 * @param {{provider: {issuer: string}, resource: string}} deployment
 * @param {string} login  "alice" or "bob"
 * @param {object} [changes]  to the authorization request
 */
export async function tokenOf({ provider, resource }, login, changes = {}) {
  const { obtainTokens } = requestsTo(provider);
  const tokens = await obtainTokens({ changes: { resource, ...changes }, resource, person: { login } });
  return tokens.access_token;
}

/**
 * Creates a token that is signed with the provider's key and valid except for the changes.
 * @param {{provider: {issuer: string}, resource: string, key: object}} deployment
 * @param {{header?: object, claims?: object, key?: object}} [changes]  `undefined` removes a member
 */
export async function forgeToken({ provider, resource, key }, { header = {}, claims = {}, key: signer = key } = {}) {
  const now = Math.floor(Date.now() / 1000);
  const good = {
    iss: provider.issuer,
    aud: resource,
    sub: "unzlfabysh60",
    client_id: "third-party-agent",
    scope: "whoami:read",
    jti: crypto.randomUUID(),
    iat: now,
    exp: now + 3600,
  };
  return new SignJWT(without({ ...good, ...claims }))
    .setProtectedHeader(without({ alg: "ES384", typ: "at+jwt", kid: key.kid, ...header }))
    .sign(await importJWK(signer, "ES384"));
}

function without(members) {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined));
}
