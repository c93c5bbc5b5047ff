// A calendar service of somebody else, for local development and end-to-end tests: an authorization server with users of its
// own, and an API that shows the events of the user whose token it is sent.
//
// Clients register dynamically (RFC 7591) or with a metadata document. The API says where its tokens come from (RFC 9728);
// they are opaque, and for the API alone (RFC 8707). Refresh tokens can be used once. Authorization responses carry `iss`
// (RFC 9207).
//
// It listens on loopback only, and its accounts are public. Never deploy it.

import { startIdentityProvider } from "../identity-provider/index.mjs";
import { ISSUER_PATH } from "../identity-provider/routes.mjs";
import { createApi } from "./api.mjs";
import { CALENDAR_ACCOUNTS } from "./accounts.mjs";

export { CALENDAR_ACCOUNTS } from "./accounts.mjs";

/** What users read about the scopes. */
export const CALENDAR_SCOPES = {
  "events:read": "See your events",
  "events:write": "Change your events",
};

const HOST = "localhost";
const API_PATH = "/api";

// The paths of RFC 8414 and RFC 9728: the well-known part stands in front.
const SERVER_METADATA = `/.well-known/oauth-authorization-server${ISSUER_PATH}`;
const RESOURCE_METADATA = `/.well-known/oauth-protected-resource${API_PATH}`;

/**
 * @typedef {object} CalendarService
 * @property {string} issuer    of its authorization server
 * @property {string} resource  the URL of its API, which is also its resource indicator
 * @property {string} origin
 * @property {import("../identity-provider/index.mjs").IdentityProvider} provider  with its faults
 * @property {{path: string, status: number, authorization?: string, username?: string}[]} requests  to the API since the start
 * @property {boolean} isDown  whether connections are closed without an answer; may be set
 * @property {() => void} expireTokens  the API refuses all access tokens that it has accepted so far
 * @property {() => void} revokeGrants  as if all users had removed all clients from their accounts
 * @property {() => Promise<void>} close
 */

/**
 * Starts the service.
 * @param {object} [options]
 * @param {number} [options.port]  0 chooses a free one. Defaults to 3002
 * @param {string} [options.origin]  where clients and users believe it to be, if that is elsewhere
 * @param {number} [options.accessTokenSeconds]
 * @param {(secret: string) => void} [options.onSecret]
 * @param {(message: string) => void} [options.log]
 * @param {object} [options.provider]  further options of its authorization server
 * @returns {Promise<CalendarService>}
 */
export async function startCalendarService({
  port = 3002, origin: publicOrigin, accessTokenSeconds, onSecret, log, provider: more,
} = {}) {
  const service = { isDown: false, requests: [] };
  let api;

  async function routes(request, response) {
    const [path] = request.url.split("?");
    if (service.isDown) {
      request.socket.destroy();
      return true;
    }
    if (path === RESOURCE_METADATA) {
      json(response, 200, resourceMetadata());
      return true;
    }
    if (path === SERVER_METADATA) {
      request.url = `${ISSUER_PATH}/.well-known/oauth-authorization-server`;
      return false;
    }
    return path.startsWith(`${API_PATH}/`) ? api(request, response, path.slice(API_PATH.length)) : false;
  }

  const provider = await startIdentityProvider({
    port,
    host: HOST,
    ...(publicOrigin && { origin: publicOrigin }),
    resource: null,
    scopes: {},
    accounts: CALENDAR_ACCOUNTS,
    customClaims: false,
    rotateRefreshTokens: true,
    refreshTokensForAll: true,
    selectAccount: true,
    title: "Calendar",
    cookiePrefix: "calendar",
    routes,
    ...(accessTokenSeconds !== undefined && { accessTokenSeconds }),
    ...(onSecret && { onSecret }),
    ...(log && { log }),
    ...more,
  });
  const origin = publicOrigin ?? `http://${HOST}:${provider.port}`;
  const resource = `${origin}${API_PATH}`;
  provider.addResource(resource, { scopes: CALENDAR_SCOPES, opaque: true });
  api = createApi({
    findToken: async (value) => {
      const token = await provider.findAccessToken(value);
      return token?.aud === resource ? token : undefined;
    },
    accounts: CALENDAR_ACCOUNTS,
    metadataUrl: `${origin}${RESOURCE_METADATA}`,
    requests: service.requests,
  });

  function resourceMetadata() {
    return {
      resource,
      authorization_servers: [provider.issuer],
      scopes_supported: Object.keys(CALENDAR_SCOPES),
      bearer_methods_supported: ["header"],
      resource_name: "Calendar",
    };
  }

  return Object.assign(service, {
    issuer: provider.issuer,
    resource,
    origin,
    provider,
    expireTokens: provider.expireAccessTokens,
    revokeGrants: provider.endGrants,
    close: provider.close,
  });
}

function json(response, status, body) {
  response.writeHead(status, { "content-type": "application/json", "cache-control": "no-store" }).end(JSON.stringify(body));
}
