// What a client needs before a sign-in: from the challenge (RFC 9110 §11.6.1, RFC 6750 §3), from the
// metadata of the resource (RFC 9728) and from that of the provider (OpenID Connect Discovery, RFC 8414).

import * as problems from "./problems.js";

/**
 * Returns the parameters of a `WWW-Authenticate` header whose first challenge is of the scheme Bearer.
 * @param {string | null} header
 * @returns {Record<string, string> | undefined}
 */
export function bearerChallenge(header) {
  const [, rest] = /^Bearer(?:\s+(.*))?$/is.exec(header ?? "") ?? [];
  if (rest === undefined) return undefined;
  const pairs = rest.matchAll(/([\w-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s",]+))/g);
  return Object.fromEntries([...pairs].map(([, name, quoted, token]) => [name, quoted?.replace(/\\(.)/g, "$1") ?? token]));
}

/** Returns the first issuer of the resource, which is the one that clients use. */
export function issuerOf(document, resource) {
  const issuer = document?.authorization_servers?.[0];
  if (document?.resource !== resource || !issuer) throw problems.otherResource(resource, document?.resource);
  return issuer;
}

/**
 * Returns the URLs at which the provider's metadata may be, in the order in which the server asks them. The specification
 * tells clients to try the forms with the path in the middle first. Nearly every OpenID provider serves only the form with
 * the path at the beginning, and browsers log its responses to the others as errors, so that form comes first here.
 * @param {string} issuer
 */
export function discoveryUrls(issuer) {
  const { origin, pathname } = new URL(issuer);
  const path = pathname.replace(/\/$/, "");
  const [openid, oauth] = ["openid-configuration", "oauth-authorization-server"].map((name) => `/.well-known/${name}`);
  return [...new Set([path + openid, oauth + path, path + oauth, openid + path])].map((place) => origin + place);
}

/** Checks that the metadata is that of the issuer and that a public client can use the provider. */
export function checkProvider(document, issuer) {
  // Compared as strings: otherwise one issuer could impersonate another.
  if (document?.issuer !== issuer) throw problems.otherIssuer(issuer, document?.issuer);
  const { authorization_endpoint, token_endpoint, code_challenge_methods_supported: methods } = document;
  if (!authorization_endpoint || !token_endpoint || !methods?.includes("S256")) throw problems.notUsable(issuer);
  return document;
}
