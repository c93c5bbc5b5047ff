// The requests of an OAuth client by hand, for tokens that an MCP client does not ask for.

import { createHash, randomBytes } from "node:crypto";

// Nothing listens at this URL: the scripted browser reads it and does not request it.
export const REDIRECT_URL = "http://127.0.0.1:9999/callback";

/** Returns the discovery document of an issuer. */
export async function discover(issuer) {
  const base = issuer.replace(/\/$/, "");
  const response = await fetch(`${base}/.well-known/openid-configuration`);
  return response.json();
}

/**
 * Gets tokens for a user with the authorization code grant.
 * @param {object} request
 * @param {object} request.provider  the discovery document
 * @param {{client_id: string, client_secret?: string}} request.client
 * @param {(authorizationUrl: URL) => Promise<URL>} request.visit
 * @param {Record<string, string | undefined>} [request.parameters]  `scope`, `resource`, `nonce`
 * @returns {Promise<Exchange>}
 */
export async function userTokens({ provider, client, visit, parameters = {} }) {
  const verifier = randomBytes(32).toString("base64url");
  const url = new URL(provider.authorization_endpoint);
  const query = {
    response_type: "code",
    client_id: client.client_id,
    redirect_uri: REDIRECT_URL,
    state: randomBytes(16).toString("base64url"),
    code_challenge: createHash("sha256").update(verifier).digest("base64url"),
    code_challenge_method: "S256",
    ...defined(parameters),
  };
  for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
  const callback = await visit(url);
  const code = callback.searchParams.get("code");
  if (code === null) throw new Error(`no code: ${callback}`);
  const { resource } = defined(parameters);
  const form = { grant_type: "authorization_code", code, redirect_uri: REDIRECT_URL, code_verifier: verifier };
  return exchange(provider, client, { ...form, ...(resource && { resource }) });
}

/** Gets a token for the client itself. @returns {Promise<Exchange>} */
export function machineToken({ provider, client, parameters = {} }) {
  return exchange(provider, client, { grant_type: "client_credentials", ...defined(parameters) });
}

/**
 * @typedef {object} Exchange  a request to the token endpoint and its answer, without secrets
 * @property {object} request
 * @property {number} status
 * @property {object} headers
 * @property {object} body
 */

async function exchange(provider, client, form) {
  const headers = {};
  const body = new URLSearchParams(form);
  if (client.token_endpoint_auth_method === "client_secret_basic") {
    const pair = `${encodeURIComponent(client.client_id)}:${encodeURIComponent(client.client_secret)}`;
    headers.authorization = `Basic ${Buffer.from(pair).toString("base64")}`;
  } else {
    body.set("client_id", client.client_id);
    if (client.client_secret) body.set("client_secret", client.client_secret);
  }
  const response = await fetch(provider.token_endpoint, { method: "POST", headers, body });
  const text = await response.text();
  if (!response.ok) throw new Error(`the token endpoint responds with ${response.status}: ${text}`);
  const kept = { ...form, client_id: client.client_id };
  if (kept.code) Object.assign(kept, { code: "AUTHORIZATION_CODE", code_verifier: "CODE_VERIFIER" });
  return {
    request: { method: "POST", path: new URL(provider.token_endpoint).pathname, form: kept },
    status: response.status,
    headers: { "content-type": response.headers.get("content-type") },
    body: JSON.parse(text),
  };
}

const defined = (members) => Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined));
