// An MCP client: the official SDK, with an OAuth client in memory, a scripted browser, and a record of every
// request.

import { Client, StreamableHTTPClientTransport, UnauthorizedError } from "@modelcontextprotocol/client";
import { OAuthClient } from "../../dev/oauth-client.mjs";
import { signIn } from "./sign-in.mjs";

// Nothing listens at this URL: the scripted browser reads it and does not request it.
const REDIRECT_URL = "http://127.0.0.1:9999/callback";

/** @typedef {"legacy" | "auto" | {pin: string}} Mode */

/** The OAuth side of a client under test. */
export function oauthClient() {
  return new OAuthClient({ name: "End-to-end test", redirectUrl: REDIRECT_URL });
}

/**
 * Records every request of a client: `method`, `url`, `headers`, `body`, the `status` of its answer, and
 * `answered`, which is fulfilled when the status is known or the request has failed.
 */
export function recordingFetch() {
  const record = [];
  const recorder = async (input, init = {}) => {
    const url = new URL(input instanceof Request ? input.url : input);
    const headers = new Headers(init.headers ?? input.headers);
    const entry = { method: init.method ?? "GET", url, headers, body: init.body };
    record.push(entry);
    const response = fetch(input, init);
    entry.answered = response.then(({ status }) => (entry.status = status), () => {});
    return response;
  };
  return { fetch: recorder, record };
}

/**
 * Formats a record for comparison: `METHOD origin-name/path [rpc method] → status`.
 * @param {{method: string, url: URL, body?: unknown, status: number}[]} record
 * @param {Record<string, string>} origins  origin → its name in the result
 */
export function inShort(record, origins) {
  return record.map(({ method, url, body, status }) => {
    const where = `${origins[url.origin] ?? url.origin}${url.pathname}`;
    const rpc = typeof body === "string" && body.startsWith("{") ? JSON.parse(body).method : undefined;
    return [method, where, rpc, "→", status].filter((part) => part !== undefined).join(" ");
  });
}

/**
 * Connects to a server, and signs in if the server requires it.
 *
 * @param {string} mcpUrl
 * @param {object} [options]
 * @param {Mode} [options.mode]
 * @param {OAuthClient} [options.oauth]
 * @param {{login?: string, password?: string, decision?: "allow" | "deny"}} [options.person]
 * @param {(authorizationUrl: URL) => Promise<URL>} [options.visit]
 *   signs in at another provider than that of `make dev`, and returns the redirect URI
 * @returns {Promise<{client: Client, oauth: OAuthClient, record: object[], callback?: URL}>}
 */
export async function connect(mcpUrl, { mode = "legacy", oauth = oauthClient(), person = {}, visit } = {}) {
  const { fetch, record } = recordingFetch();
  const open = async () => {
    const client = new Client({ name: "end-to-end-test", version: "1.0.0" }, { versionNegotiation: { mode } });
    const transport = new StreamableHTTPClientTransport(new URL(mcpUrl), { authProvider: oauth, fetch });
    try {
      await client.connect(transport);
      return { client };
    } catch (error) {
      if (!(error instanceof UnauthorizedError) || oauth.authorizationUrl === undefined) throw error;
      return { transport };
    }
  };

  const first = await open();
  if (first.client) return { client: first.client, oauth, record };

  const { authorizationUrl } = oauth;
  const callback = await (visit ? visit(authorizationUrl) : signIn({ authorizationUrl, ...person }));
  if (callback.searchParams.get("state") !== oauth.state()) throw new Error("the callback is another flow's");
  try {
    await first.transport.finishAuth(callback.searchParams);
    const { client } = await open();
    return { client, oauth, record, callback };
  } catch (error) {
    throw Object.assign(error, { record, callback, oauth });
  }
}
