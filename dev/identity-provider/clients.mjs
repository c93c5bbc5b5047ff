// The preconfigured clients, and the rules for clients that register themselves.

import { isLoopback } from "../loopback.mjs";
import { TOKEN_EXCHANGE } from "./token-exchange.mjs";

/**
 * @typedef {object} LocalClient
 * @property {boolean} [firstParty]  consent is skipped, as for Logto's first-party applications
 * @property {object} metadata       client metadata of RFC 7591, with `client_id`
 */

// A native client may use any port on a loopback host, so each of these matches all ports.
const LOOPBACK_REDIRECT_URIS = ["http://localhost", "http://127.0.0.1", "http://[::1]"].flatMap((origin) => [
  `${origin}/callback`,
  `${origin}/oauth/callback`,
]);

// The playground is part of the page that the Worker serves.
const PLAYGROUND_REDIRECT_URIS = ["http://localhost/playground/callback", "http://127.0.0.1/playground/callback"];

const PUBLIC_CLIENT = {
  application_type: "native",
  token_endpoint_auth_method: "none",
  grant_types: ["authorization_code", "refresh_token"],
  redirect_uris: LOOPBACK_REDIRECT_URIS,
};

/** The client of the playground on the Worker's page. */
export const PLAYGROUND_CLIENT_ID = "playground";

/** @type {LocalClient[]} */
export const LOCAL_CLIENTS = [
  {
    firstParty: true,
    metadata: { ...PUBLIC_CLIENT, client_id: "first-party-app", client_name: "First-party app" },
  },
  {
    metadata: { ...PUBLIC_CLIENT, client_id: "third-party-agent", client_name: "Third-party agent" },
  },
  {
    // Third-party, so that users of the playground see the consent page.
    metadata: {
      ...PUBLIC_CLIENT,
      client_id: PLAYGROUND_CLIENT_ID,
      client_name: "Playground",
      grant_types: ["authorization_code"],
      redirect_uris: PLAYGROUND_REDIRECT_URIS,
    },
  },
  {
    // The Worker's own credentials, for introspection of opaque tokens.
    metadata: {
      client_id: "mcp-edge",
      client_name: "mcp-edge",
      client_secret: "mcp-edge-secret",
      token_endpoint_auth_method: "client_secret_basic",
      grant_types: ["client_credentials"],
      response_types: [],
      redirect_uris: [],
    },
  },
  {
    // The Worker's own credentials, for the exchange of personal access tokens: at Logto an application that is allowed to.
    metadata: {
      client_id: "token-exchange",
      client_name: "Token exchange",
      client_secret: "token-exchange-secret",
      token_endpoint_auth_method: "client_secret_basic",
      grant_types: ["client_credentials", TOKEN_EXCHANGE],
      response_types: [],
      redirect_uris: [],
    },
  },
];

// VS Code also requests the device flow, and other clients request more. What is not supported is left
// out of the registration, which RFC 7591 allows.
const GRANTS_OF_UNKNOWN_CLIENTS = ["authorization_code", "refresh_token"];

/**
 * Metadata of RFC 7591 that the engine does not know, and `api_scopes`: the scopes that a client created through the
 * Management API may request, by API resource.
 */
export const EXTRA_CLIENT_METADATA = ["software_id", "software_version", "api_scopes"];

/**
 * Adapts the metadata of a client that registered itself or has a metadata document.
 * `metadata` is changed in place, before the engine validates it.
 */
export function adaptMetadata(metadata) {
  // A client that was created through the Management API is not changed.
  if (metadata.api_scopes !== undefined) return;

  // Some clients state the wrong type (Cursor sends `web` with a `cursor:` URI). As at Logto, the redirect
  // URIs decide; only `native` may use loopback with any port.
  metadata.application_type = needsNative(metadata.redirect_uris) ? "native" : "web";

  // A registered scope is an upper limit: a request for `openid` by a client that registered `whoami:read`
  // would be refused. Here the consent page is the limit.
  delete metadata.scope;

  // All tokens are signed with the provider's current key.
  delete metadata.id_token_signed_response_alg;

  if (Array.isArray(metadata.grant_types)) {
    metadata.grant_types = metadata.grant_types.filter((grant) => GRANTS_OF_UNKNOWN_CLIENTS.includes(grant));
  }
}

function needsNative(redirectUris) {
  if (!Array.isArray(redirectUris)) return false;
  return redirectUris.some((uri) => {
    const url = URL.parse(uri);
    return url !== null && url.protocol !== "https:" && !(url.protocol === "http:" && !isLoopback(url));
  });
}
