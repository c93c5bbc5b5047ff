// The API of the calendar service: whose calendar it is (`/me`), and its events (`/events?days=7`).

import { eventsOf } from "./accounts.mjs";

const DEFAULT_DAYS = 7;
const MAX_DAYS = 31;

/** The scope that each path needs; `null`: any token will do. */
const PATHS = { "/me": null, "/events": "events:read" };

/**
 * @param {object} parts
 * @param {(value: string) => Promise<object | undefined>} parts.findToken  an access token of this API that is valid
 * @param {import("../identity-provider/accounts.mjs").Account[]} parts.accounts
 * @param {string} parts.metadataUrl  of the protected resource metadata
 * @param {object[]} parts.requests   takes a record of each request
 * @returns {(request, response, path: string) => Promise<true>}
 */
export function createApi({ findToken, accounts, metadataUrl, requests }) {
  return async function answer(request, response, path) {
    const { status, body, challenge, username } = await answerTo(request, path);
    requests.push({ path, status, authorization: request.headers.authorization, ...(username && { username }) });
    const headers = { "content-type": "application/json", "cache-control": "no-store" };
    if (challenge !== undefined) headers["www-authenticate"] = `Bearer ${challenge}resource_metadata="${metadataUrl}"`;
    response.writeHead(status, headers).end(JSON.stringify(body));
    return true;
  };

  async function answerTo({ method, headers, url }, path) {
    if (!Object.hasOwn(PATHS, path)) return { status: 404, body: { error: "not_found" } };
    if (method !== "GET") return { status: 405, body: { error: "method_not_allowed" } };
    const [, value] = /^Bearer ([\w.~+/=-]+)$/i.exec(headers.authorization ?? "") ?? [];
    if (value === undefined) return { status: 401, body: { error: "unauthorized" }, challenge: "" };
    const token = await findToken(value);
    if (token === undefined) {
      return { status: 401, body: { error: "invalid_token" }, challenge: 'error="invalid_token", ' };
    }
    const { username, name, sub } = accounts.find((account) => account.sub === token.accountId);
    const needed = PATHS[path];
    if (needed !== null && !token.scopes.has(needed)) {
      const challenge = `error="insufficient_scope", scope="${needed}", `;
      return { status: 403, body: { error: "insufficient_scope" }, challenge, username };
    }
    if (path === "/me") return { status: 200, body: { account: username, name }, username };
    return { status: 200, body: { events: eventsOf(sub, daysIn(url)) }, username };
  }
}

function daysIn(url) {
  const days = Number(new URLSearchParams(url.split("?")[1]).get("days") ?? DEFAULT_DAYS);
  return Number.isInteger(days) && days > 0 ? Math.min(days, MAX_DAYS) : DEFAULT_DAYS;
}
