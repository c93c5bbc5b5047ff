// The company's own billing API, for local development and end-to-end tests. It takes no token that an agent holds: only those
// that the identity provider has issued for this API in exchange for one (RFC 8693), to a client that it knows.
//
// It listens on loopback only. Never deploy it.

import { createRemoteJWKSet, jwtVerify } from "jose";
import { listenOnLoopback } from "../identity-provider/listen.mjs";

/** What users would read about the scopes. */
export const BILLING_SCOPES = { "invoices:read": "See your invoices" };

const INVOICES_PATH = "/api/invoices";

/** Invoices by the subject of the user. */
const INVOICES = {
  unzlfabysh60: [
    { number: "2026-0117", amount: "49.00 EUR", due_on: "2026-12-01" },
    { number: "2026-0204", amount: "12.50 EUR", due_on: "2026-12-15" },
  ],
  k3v9tq27xwpd: [{ number: "2026-0118", amount: "99.00 EUR", due_on: "2026-12-01" }],
};

/**
 * @typedef {object} BillingService
 * @property {string} origin
 * @property {string} resource  its resource indicator
 * @property {(string | undefined)[]} received  `Authorization` of all requests since the start
 * @property {object[]} accepted  the claims of the tokens that were accepted since the start
 * @property {boolean} refuses  whether every token is refused; may be set
 * @property {() => Promise<void>} close
 */

/**
 * Starts the service.
 * @param {object} options
 * @param {number} [options.port]  0 chooses a free one. Defaults to 3003
 * @param {string} options.clientId  the client that exchanges tokens
 * @param {() => string} options.issuer  of the tokens; asked for when a token comes
 * @returns {Promise<BillingService>}
 */
export async function startBillingService({ port = 3003, clientId, issuer }) {
  const service = { received: [], accepted: [], refuses: false };
  let keys;

  const server = await listenOnLoopback(async (request, response) => {
    const { status, body, challenge } = await answerTo(request);
    const headers = { "content-type": "application/json", "cache-control": "no-store" };
    if (challenge) headers["www-authenticate"] = challenge;
    response.writeHead(status, headers).end(JSON.stringify(body));
  }, port);
  const origin = `http://localhost:${server.port}`;
  const resource = `${origin}/api`;

  async function answerTo({ method, url, headers }) {
    if (url !== INVOICES_PATH) return { status: 404, body: { error: "not_found" } };
    if (method !== "GET") return { status: 405, body: { error: "method_not_allowed" } };
    service.received.push(headers.authorization);
    const claims = await claimsOf(headers.authorization);
    if (claims === undefined || service.refuses) {
      return { status: 401, body: { error: "invalid_token" }, challenge: 'Bearer error="invalid_token"' };
    }
    if (!(claims.scope ?? "").split(" ").includes("invoices:read")) {
      const challenge = 'Bearer error="insufficient_scope", scope="invoices:read"';
      return { status: 403, body: { error: "insufficient_scope" }, challenge };
    }
    service.accepted.push(claims);
    return { status: 200, body: { invoices: INVOICES[claims.sub] ?? [] } };
  }

  async function claimsOf(authorization = "") {
    const [, token] = /^Bearer (\S+)$/i.exec(authorization) ?? [];
    if (token === undefined) return undefined;
    keys ??= createRemoteJWKSet(new URL(`${issuer()}/jwks`));
    const verified = await jwtVerify(token, keys, { issuer: issuer(), audience: resource, typ: "at+jwt" }).catch(() => undefined);
    return verified?.payload.client_id === clientId ? verified.payload : undefined;
  }

  return Object.assign(service, { origin, resource, close: server.close });
}
