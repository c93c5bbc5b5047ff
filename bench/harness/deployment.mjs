// A running contender with its settings, a key-value store, and the shared identity provider.

import assert from "node:assert/strict";
import { DEFAULT_SETTINGS } from "../../tests/support/deployment.mjs";
import { send, startWorker } from "../../tests/support/worker.mjs";
import { createSigningKey } from "../../tests/support/gateway-deployment.mjs";
import { buildOf } from "../contenders/index.mjs";
import { TOOL_SCOPES } from "./upstream.mjs";

/** Independent of the Worker's port, because all tokens name it. */
export const RESOURCE = "https://mcp.example.com/mcp";

/**
 * Starts a contender in a new process.
 * @param {import("../contenders/index.mjs").Contender} contender
 * @param {object} options
 * @param {{issuer: string}} options.provider
 * @param {import("../contenders/index.mjs").Tools} [options.tools]
 * @param {import("../../tests/support/key-value-store.mjs").KeyValueStore} [options.kv]
 * @param {{url: string}} [options.upstream]  the server that the contender is in front of
 * @param {import("./credentials.mjs").Credentials} [options.credentials]  that it exchanges for access tokens
 */
export async function deploy(contender, { provider, tools = "whoami", kv, upstream, credentials }) {
  if (contender.program !== undefined) {
    return contender.program({ upstream, issuer: provider.issuer, resource: RESOURCE });
  }
  return startWorker({
    build: buildOf(contender, tools),
    settings: {
      ...DEFAULT_SETTINGS,
      ISSUER: provider.issuer,
      RESOURCE,
      JWKS_URL: `${provider.issuer}/jwks`,
      TOOLS: tools,
      ...(upstream && (await gatewaySettings(upstream))),
      ...credentials?.settings,
      ...contender.settings,
    },
    compatibilityFlags: contender.compatibilityFlags,
    externals: credentials?.externals,
    kv,
    // Reading the log during a round would take CPU time from the Worker.
    keepsLog: false,
  });
}

/** The settings of a gateway that signs assertions, as docs/gateway.md shows them. */
export async function gatewaySettings({ url }) {
  return {
    UPSTREAM: url,
    UPSTREAM_SIGNING_KEY: JSON.stringify((await createSigningKey()).private),
    STATE_SECRET: "the state of the benchmark of the gateway",
    TOOL_SCOPES,
    // Of the caller's identity, and of no gateway.
    CLAIM_SCOPES: undefined,
  };
}

/**
 * Sends the request of a load once and asserts that the response is correct.
 * @param {object} worker
 * @param {import("../contenders/index.mjs").Contender} contender
 * @param {import("./loads.mjs").Load} load
 * @param {object} options
 * @param {{issuer: string, resource: string}} options.parties
 * @param {string} [options.token]
 */
export async function ask(worker, contender, load, { parties, token }) {
  const { request, status, check, credential } = load;
  const headers = { ...request.headers, ...(token !== undefined && { authorization: `Bearer ${token}` }) };
  const answer = await send(worker, { ...request, headers });
  if (contender.name === "noop") return answer;
  const context = `${contender.name}, ${load.name}: ${answer.status} ${answer.text}\n${worker.raw()}`;
  assert.equal(answer.status, status, context);
  try {
    check(answer, credential ? { parties, credential } : { parties, claims: token && JSON.parse(Buffer.from(token.split(".")[1], "base64url")) });
  } catch (error) {
    throw new Error(`the answer is wrong: ${error.message}\n${context}`, { cause: error });
  }
  return answer;
}
