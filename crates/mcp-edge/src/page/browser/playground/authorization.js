// The authorization request and response: OAuth 2.1 with PKCE (RFC 7636), resource indicators (RFC 8707) and the
// issuer in the response (RFC 9207).

import * as problems from "./problems.js";

// 32 bytes become 43 characters, the minimum of RFC 7636 §4.1.
const RANDOM_BYTES = 32;

/** Creates a random string that is safe in a URL. */
export const random = () => base64url(crypto.getRandomValues(new Uint8Array(RANDOM_BYTES)));

/** Returns the challenge for a verifier (S256). */
export async function challengeOf(verifier) {
  return base64url(new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(verifier))));
}

const base64url = (bytes) =>
  btoa(String.fromCharCode(...bytes)).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");

/** Returns the URL of the authorization request. */
export function authorizationUrl(endpoint, parameters) {
  const url = new URL(endpoint);
  for (const [name, value] of Object.entries(parameters)) if (value) url.searchParams.set(name, value);
  return url.href;
}

/**
 * Returns the code in an authorization response whose `state` has been compared before.
 * @param {URLSearchParams} answer
 * @param {{issuer: string, authorization_response_iss_parameter_supported?: boolean}} provider
 * @returns {string}
 */
export function codeIn(answer, provider) {
  const issuer = answer.get("iss");
  // Checked first, before an error is believed. Compared as strings, without normalisation.
  if (issuer !== null && issuer !== provider.issuer) throw problems.mixedUp(provider.issuer, issuer);
  if (issuer === null && provider.authorization_response_iss_parameter_supported) {
    throw problems.mixedUp(provider.issuer, undefined);
  }
  const error = answer.get("error");
  if (error !== null) throw problems.refused(error, answer.get("error_description"));
  const code = answer.get("code");
  if (code === null) throw problems.refused("server_error", "the response has neither a code nor an error");
  return code;
}
