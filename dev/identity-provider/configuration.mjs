// Configures the engine to behave like Logto, which embeds the same engine.
//
// Whatever has a default that prints a notice is set here explicitly, so the engine has nothing to say.

import { errors } from "oidc-provider";
import { claimsOf, CLAIMS_OF_SCOPE } from "./accounts.mjs";
import { adaptMetadata, EXTRA_CLIENT_METADATA } from "./clients.mjs";
import { signingAlgorithm } from "./keys.mjs";
import { USER_SCOPES } from "./scopes.mjs";

const HOUR = 60 * 60;
const DAY = 24 * HOUR;

const AUTHORIZATION_CODE_SECONDS = 60;
const ID_TOKEN_SECONDS = HOUR;
const INTERACTION_SECONDS = HOUR;
const SESSION_SECONDS = 14 * DAY;
const REFRESH_TOKEN_SECONDS = 14 * DAY;
const GRANT_SECONDS = 180 * DAY;

// The version of the draft that the engine implements; without it, it prints a notice.
const CLIENT_ID_METADATA_DOCUMENT_DRAFT = "draft-02";

/** The scope that discloses who the user is, see `customClaims` below. */
const WHOAMI_SCOPE = "whoami:read";

/**
 * @param {object} settings
 * @param {object[]} settings.keys                private JWKs, the first one signs
 * @param {string[]} settings.cookieKeys          secrets for signing cookies
 * @param {(model: string) => object} settings.adapter
 * @param {import("./accounts.mjs").Account[]} settings.accounts
 * @param {import("./clients.mjs").LocalClient[]} settings.clients
 * @param {Record<string, import("./index.mjs").Resource>} settings.resources  by indicator
 * @param {string} [settings.registrationEndpoint]
 * @param {number} settings.accessTokenSeconds
 * @param {boolean} settings.customClaims
 * @param {boolean} settings.dynamicRegistration
 * @param {boolean} settings.clientIdMetadataDocuments
 * @param {typeof fetch} settings.fetch
 * @param {object} settings.pages                 see `engine-pages.mjs`
 */
export function createConfiguration(settings) {
  const algorithm = signingAlgorithm(settings.keys);
  return {
    jwks: { keys: settings.keys },
    adapter: settings.adapter,
    fetch: settings.fetch,
    cookies: cookies(settings.cookieKeys),
    clientDefaults: { id_token_signed_response_alg: algorithm },
    enabledJWA: { idTokenSigningAlgValues: ["PS256", "RS256", "ES384"] },
    ttl: lifetimes(settings.accessTokenSeconds),

    // What the engine does not say by itself.
    discovery: settings.registrationEndpoint && { registration_endpoint: settings.registrationEndpoint },

    clients: settings.clients.map(({ metadata }) => metadata),
    extraClientMetadata: clientMetadataRules(settings.clients),
    clientBasedCORS: () => true,

    scopes: Object.keys(USER_SCOPES),
    claims: CLAIMS_OF_SCOPE,
    // Logto puts the claims of all granted scopes into the ID token.
    conformIdTokenClaims: false,
    findAccount: (_ctx, sub) => findAccount(settings.accounts, sub),
    extraTokenClaims: (_ctx, token) => customClaims(settings, token),

    loadExistingGrant,
    interactions: { url: (_ctx, { uid }) => `/interaction/${uid}` },
    renderError: settings.pages.renderError,

    features: {
      devInteractions: { enabled: false },
      dPoP: { enabled: false },
      clientCredentials: { enabled: true },
      revocation: { enabled: true, allowedPolicy: mayRevoke },
      introspection: { enabled: true, allowedPolicy: mayIntrospect },
      resourceIndicators: { enabled: true, ...resourceIndicators(settings, algorithm) },
      registration: { enabled: settings.dynamicRegistration },
      clientIdMetadataDocument: {
        enabled: settings.clientIdMetadataDocuments,
        ack: CLIENT_ID_METADATA_DOCUMENT_DRAFT,
      },
      rpInitiatedLogout: {
        enabled: true,
        logoutSource: settings.pages.renderSignOut,
        postLogoutSuccessSource: settings.pages.renderSignedOut,
      },
    },
  };
}

// Cookies of "localhost" are shared by all ports, so the names must not be another program's.
function cookies(keys) {
  const names = {
    session: "mcp_edge_session",
    interaction: "mcp_edge_interaction",
    resume: "mcp_edge_interaction_resume",
  };
  return { keys, names };
}

function lifetimes(accessTokenSeconds) {
  return {
    AccessToken: accessTokenSeconds,
    ClientCredentials: accessTokenSeconds,
    AuthorizationCode: AUTHORIZATION_CODE_SECONDS,
    IdToken: ID_TOKEN_SECONDS,
    Interaction: INTERACTION_SECONDS,
    Session: SESSION_SECONDS,
    RefreshToken: REFRESH_TOKEN_SECONDS,
    Grant: GRANT_SECONDS,
  };
}

// The engine calls the validator once for each extra member; one call is enough to adapt the rest.
function clientMetadataRules(clients) {
  const known = new Set(clients.map(({ metadata }) => metadata.client_id));
  return {
    properties: EXTRA_CLIENT_METADATA,
    validator(_ctx, key, _value, metadata) {
      if (key === EXTRA_CLIENT_METADATA[0] && !known.has(metadata.client_id)) adaptMetadata(metadata);
    },
  };
}

function findAccount(accounts, sub) {
  const account = accounts.find((candidate) => candidate.sub === sub);
  return account && { accountId: account.sub, claims: () => claimsOf(account) };
}

// The JWT a client sends to the MCP server is of no use at userinfo, so what the server is to know
// about the user must be in the token. At Logto a custom-claims script does this ("Custom JWT" in its
// console). Such a script bypasses consent; the scope's description is what makes it honest.
function customClaims({ accounts, customClaims: enabled }, token) {
  const isForResource = token.kind === "AccessToken" && token.resourceServer !== undefined;
  if (!enabled || !isForResource || !token.scopes.has(WHOAMI_SCOPE)) return undefined;
  const { username, name, email, email_verified, picture } = accounts.find(({ sub }) => sub === token.accountId);
  return { username, name, email, email_verified, picture };
}

// The token request must name the resource again, otherwise the token is opaque.
function resourceIndicators({ resources, accessTokenSeconds }, algorithm) {
  return {
    defaultResource: () => undefined,
    useGrantedResource: () => false,
    getResourceServerInfo({ oidc }, indicator, client) {
      // Byte for byte: a further slash, another case or a query make it another resource.
      if (!Object.hasOwn(resources, indicator)) throw new errors.InvalidTarget();
      return {
        scope: scopesFor(client, oidc.session?.accountId ?? oidc.account?.accountId, indicator, resources[indicator]).join(" "),
        audience: indicator,
        accessTokenTTL: accessTokenSeconds,
        accessTokenFormat: "jwt",
        jwt: { sign: { alg: algorithm } },
      };
    },
  };
}

// What a client does not get is left out without a word, as at Logto.
function scopesFor({ clientId, api_scopes: ceiling }, accountId, indicator, { scopes, clients, withoutScopes = [] }) {
  if (clients !== undefined && !clients.includes(clientId)) return [];
  if (withoutScopes.includes(accountId)) return [];
  const names = Object.keys(scopes);
  return ceiling === undefined ? names : names.filter((name) => ceiling[indicator]?.includes(name));
}

// Consent is asked at each authorization and makes a grant of its own; earlier grants are not reused.
function loadExistingGrant(ctx) {
  const grantId = ctx.oidc.result?.consent?.grantId;
  return grantId && ctx.oidc.provider.Grant.find(grantId);
}

// Any confidential client may introspect any token, a public one only its own.
function mayIntrospect(_ctx, client, token) {
  return client.clientAuthMethod !== "none" || token.clientId === client.clientId;
}

function mayRevoke(_ctx, client, token) {
  if (token.clientId === client.clientId) return true;
  if (client.clientAuthMethod === "none") return false;
  throw new errors.InvalidRequest("client is not authorized to revoke the presented token");
}
