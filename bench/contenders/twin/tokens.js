// Token validation, and a cache of verified tokens.

import { env } from "cloudflare:workers";
import { ALGORITHMS, keyFor } from "./keys.js";

/** Verified tokens by their text. */
const remembered = new Map();

/** More than the users of one isolate in an hour; the oldest are removed first. */
const MAX_REMEMBERED = 10_000;

const MAX_TOKEN_CHARACTERS = 8_192;
const LEEWAY_SECONDS = 60;

const TYPES = new Set(["at+jwt", "application/at+jwt"]);
const requiredScopes = env.REQUIRED_SCOPES.split(" ");

const decoder = new TextDecoder("utf-8", { fatal: true });
const encoder = new TextEncoder();

/** The reason why a token is refused. */
export class Refused extends Error {
  constructor(status, error) {
    super(error);
    this.status = status;
  }
}

const invalid = () => new Refused(401, "invalid_token");

/**
 * @typedef {object} Caller
 * @property {number} expires  seconds since 1970
 * @property {string} whoami   the result of `whoami`, as JSON members
 * @property {string} record   what the log shows of the caller, as JSON members
 */

/**
 * Returns the caller with this token.
 * @param {string} token
 * @param {number} now  milliseconds since 1970
 * @returns {Caller | Promise<Caller>}
 * @throws {Refused}
 */
export function callerOf(token, now) {
  const known = remembered.get(token);
  if (known === undefined) return verify(token, now);
  if (known.expires <= now / 1000) {
    remembered.delete(token);
    throw invalid();
  }
  return known;
}

async function verify(token, now) {
  if (token.length > MAX_TOKEN_CHARACTERS) throw invalid();
  const first = token.indexOf(".");
  const second = token.indexOf(".", first + 1);
  if (first < 1 || second < 0 || token.indexOf(".", second + 1) >= 0) throw invalid();
  const header = parse(token.slice(0, first));
  const claims = parse(token.slice(first + 1, second));

  const algorithm = Object.hasOwn(ALGORITHMS, header.alg) ? ALGORITHMS[header.alg] : undefined;
  if (algorithm === undefined || header.crit !== undefined) throw invalid();
  if (typeof header.typ !== "string" || !TYPES.has(header.typ.toLowerCase())) throw invalid();
  checkClaims(claims, now / 1000);

  const key = await keyFor(header.kid, header.alg, now);
  if (key === undefined) throw invalid();
  const signature = bytes(token.slice(second + 1));
  const input = encoder.encode(token.slice(0, second));
  const isGood = await crypto.subtle.verify(algorithm.signature, key, signature, input);
  if (!isGood) throw invalid();

  const scopes = typeof claims.scope === "string" ? claims.scope.split(" ") : [];
  if (!requiredScopes.every((scope) => scopes.includes(scope))) throw new Refused(403, "insufficient_scope");
  const caller = { expires: claims.exp, whoami: whoami(claims, scopes), record: recordOf(claims, header) };
  if (remembered.size >= MAX_REMEMBERED) remembered.delete(remembered.keys().next().value);
  remembered.set(token, caller);
  return caller;
}

function checkClaims({ iss, aud, sub, client_id: client, exp, nbf, iat }, now) {
  if (iss !== env.ISSUER) throw invalid();
  if (aud !== env.RESOURCE && !(Array.isArray(aud) && aud.includes(env.RESOURCE))) throw invalid();
  if (typeof sub !== "string" || sub === "") throw invalid();
  if (client !== undefined && typeof client !== "string") throw invalid();
  if (typeof exp !== "number" || exp <= now) throw invalid();
  if (nbf !== undefined && !(nbf <= now + LEEWAY_SECONDS)) throw invalid();
  if (iat !== undefined && !(iat <= now + LEEWAY_SECONDS)) throw invalid();
}

function whoami(claims, scopes) {
  const structured = JSON.stringify({
    sub: claims.sub,
    issuer: claims.iss,
    client_id: claims.client_id,
    client_party: "third",
    kind: claims.sub === claims.client_id ? "machine" : "user",
    credential: "access_token",
    scopes,
    expires_at: claims.exp,
  });
  return `"content":[{"type":"text","text":${JSON.stringify(structured)}}],"structuredContent":${structured}`;
}

function recordOf({ client_id, sub, iss: issuer }, { kid }) {
  return `,${JSON.stringify({ client_id, sub, issuer, kid, tier: "verified" }).slice(1, -1)}`;
}

function parse(part) {
  let value;
  try {
    value = JSON.parse(decoder.decode(bytes(part)));
  } catch {
    throw invalid();
  }
  if (typeof value !== "object" || value === null) throw invalid();
  return value;
}

function bytes(base64url) {
  try {
    return Uint8Array.fromBase64(base64url, { alphabet: "base64url" });
  } catch {
    throw invalid();
  }
}
