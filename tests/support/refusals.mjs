// Assertions on refusals: the public response, the line in the log, and no token in either.
//
// The public errors are repeated here, because they are part of the documented interface (docs/denials.md).

import assert from "node:assert/strict";
import { legacyCall } from "./messages.mjs";
import { CANARY } from "./signers.mjs";
import { post } from "./worker.mjs";

const NOT_VALID = "The access token is not valid";
const UNAVAILABLE = "The token cannot be checked right now, try again later with the same token";

const badToken = (description = NOT_VALID) => ({ status: 401, error: "invalid_token", description, challenge: true });
const badRequest = (description) => ({ status: 400, error: "invalid_request", description, challenge: true });
const forbidden = (description) => ({ status: 403, error: "access_denied", description, challenge: false });
const outage = { status: 503, error: "temporarily_unavailable", description: UNAVAILABLE, challenge: false };
const unauthenticated = { status: 401, error: undefined, description: "Authentication is required", challenge: true };

const PUBLIC_ERRORS = {
  no_credentials: unauthenticated,
  unsupported_scheme: unauthenticated,
  malformed_authorization: badRequest("The Authorization header must be the word Bearer, one space and one token"),
  multiple_credentials: badRequest("The request carries more than one token"),
  token_in_query: badRequest("Tokens in the query string are not accepted, use the Authorization header"),
  token_too_large: badToken("The access token is too large"),
  malformed_token: badToken(),
  encrypted_token: badToken(),
  duplicate_member: badToken(),
  unsupported_header: badToken(),
  wrong_type: badToken("The token is not an access token"),
  unsupported_algorithm: badToken(),
  wrong_issuer: badToken("The access token was not issued by the provider of this resource"),
  wrong_audience: badToken("The access token was not issued for this resource"),
  missing_expiry: badToken(),
  expired: badToken("The access token expired"),
  not_yet_valid: badToken(),
  bad_issue_time: badToken(),
  issued_before_cutoff: badToken(),
  claim_required: badToken("The token is not an access token"),
  missing_subject: badToken(),
  sender_constrained: badToken("The access token is bound to a key and cannot be used as a bearer token"),
  unknown_key: badToken(),
  ambiguous_key: badToken(),
  key_mismatch: badToken(),
  unusable_key: badToken(),
  key_denied: badToken(),
  bad_signature: badToken(),
  opaque_not_accepted: badToken(
    "This resource needs a JWT access token: send the resource parameter to the token endpoint",
  ),
  inactive: badToken(),
  not_an_access_token: badToken(),
  key_malformed: badToken("The access key is mistyped or incomplete"),
  key_unknown: badToken(),
  key_expired: badToken("The access key expired"),
  key_revoked: badToken("The access key was revoked"),
  key_ended: badToken("The identity provider has ended this access key: sign in and make a new one"),
  key_of_another_user: badToken(),
  keys_not_accepted: badToken("This server does not accept access keys"),
  key_in_cookie: badRequest("Access keys in cookies are not accepted, use the Authorization header"),
  personal_token_refused: badToken(),
  client_denied: forbidden("This client may not use this server"),
  organization_not_allowed: forbidden("This organization may not use this server"),
  client_not_allowed: forbidden("This client may not use this server"),
  insufficient_scope: {
    status: 403,
    error: "insufficient_scope",
    description: "The access token lacks a scope that this request needs",
    challenge: true,
  },
  keys_unavailable: outage,
  introspection_unavailable: outage,
  introspection_refused: outage,
  provider_spared: outage,
  vault_unavailable: outage,
  exchange_unavailable: outage,
  exchange_refused: outage,
};

let lastRequest = 0;

/**
 * Calls `whoami` and returns the response and its line of the log.
 * @param {object} worker
 * @param {object} request  as for `post`
 */
export async function ask(worker, { headers = {}, message = legacyCall("whoami"), ...request }) {
  lastRequest += 1;
  const ray = `test-${process.pid}-${lastRequest}`;
  const answer = await post(worker, { ...request, message, headers: { ...headers, "cf-ray": ray } });
  const line = await worker.logged(({ request_id }) => request_id === ray);
  return { ...answer, line };
}

/** Asserts that a request is accepted, and returns the result of `whoami`. */
export async function assertAccepted(worker, request) {
  const { status, json, text, line } = await ask(worker, request);
  assert.equal(status, 200, `${text} ${JSON.stringify(line)}`);
  assertSecrecy(request, text, line);
  return json.result.structuredContent;
}

/**
 * Asserts that a request is refused for this reason: status, challenge and body exactly, the slug in the log, and no part
 * of the token in either. Returns the line of the log and the response headers.
 * @param {object} worker
 * @param {object} request          as for `post`
 * @param {string} reason           a slug of docs/denials.md
 * @param {{scope?: string}} [options]  the scopes in the challenge
 */
export async function assertRefused(worker, request, reason, { scope = "whoami:read" } = {}) {
  const { status, headers, json, text, line } = await ask(worker, request);
  const expected = PUBLIC_ERRORS[reason];
  assert.equal(line.reason, reason, JSON.stringify(line));
  assert.equal(status, expected.status, text);
  assert.equal(headers["www-authenticate"], expected.challenge ? challenge(worker, expected, scope) : undefined);
  const { error, description } = expected;
  assert.deepEqual(json, { ...(error && { error }), error_description: description });
  assert.equal(headers["cache-control"], "no-store");
  assert.equal(line.outcome, status < 500 ? "denied" : "failed");
  if (status === 503) assert.match(headers["retry-after"], /^([1-9]|[1-5]\d|60)$/);
  else assert.equal(headers["retry-after"], undefined);
  if (status !== 403) {
    assert.equal(line.sub, undefined, "the log names an unverified user");
    assert.equal(line.client_id, undefined, "the log names an unverified client");
  }
  assertSecrecy(request, text + JSON.stringify(headers), line);
  return { line, headers };
}

function challenge({ origin }, { status, error, description }, scope) {
  const parts = [
    ...(error ? [`error="${error}"`, `error_description="${description}"`] : []),
    `resource_metadata="${origin}/.well-known/oauth-protected-resource/mcp"`,
    ...(status !== 400 && scope ? [`scope="${scope}"`] : []),
  ];
  return `Bearer ${parts.join(", ")}`;
}

// Claims and signature, encoded and decoded. The header of a token is not secret, and its `kid` is logged.
function assertSecrecy({ token, headers }, answer, line) {
  const written = answer + JSON.stringify(line);
  assert.ok(!written.includes(CANARY), "a claim got out");
  const credentials = [token, ...[headers?.authorization].flat().map((value) => value?.split(" ").at(-1))];
  for (const credential of credentials.filter((value) => value !== undefined)) {
    const secrets = credential.split(".").slice(credential.includes(".") ? 1 : 0);
    for (const secret of secrets.filter(({ length }) => length >= 16)) {
      assert.ok(!written.includes(secret), "a token got out");
    }
  }
}
