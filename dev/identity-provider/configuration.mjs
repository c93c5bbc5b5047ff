// Configures the engine to behave like Logto, which uses the same engine.
//
// Options whose default makes the engine print a notice are set explicitly.

import { errors, interactionPolicy } from "oidc-provider";
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

// The draft version that the engine implements.
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
 * @param {boolean} [settings.rotateRefreshTokens]
 * @param {boolean} settings.grantIdClaim
 * @param {boolean} settings.refreshTokensForAll
 * @param {boolean} settings.selectAccount
 * @param {string} settings.cookiePrefix
 * @param {Set<string>} settings.suspended       subjects of suspended users
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
    cookies: cookies(settings),
    clientDefaults: { id_token_signed_response_alg: algorithm },
    enabledJWA: { idTokenSigningAlgValues: ["PS256", "RS256", "ES384"] },
    ttl: lifetimes(settings.accessTokenSeconds),

    // Members that the engine does not add.
    discovery: {
      ...(settings.registrationEndpoint && { registration_endpoint: settings.registrationEndpoint }),
      ...(settings.selectAccount && { prompt_values_supported: ["none", "login", "consent", SELECT_ACCOUNT] }),
    },

    clients: settings.clients.map(({ metadata }) => metadata),
    extraClientMetadata: clientMetadataRules(settings.clients),
    clientBasedCORS: () => true,

    scopes: Object.keys(USER_SCOPES),
    claims: CLAIMS_OF_SCOPE,
    // Logto puts the claims of all granted scopes into the ID token.
    conformIdTokenClaims: false,
    findAccount: (_ctx, sub) => findAccount(settings, sub),
    extraTokenClaims: (_ctx, token) => customClaims(settings, token),
    ...(settings.rotateRefreshTokens !== undefined && { rotateRefreshToken: settings.rotateRefreshTokens }),
    ...(settings.refreshTokensForAll && REFRESH_TOKENS_FOR_ALL),

    loadExistingGrant,
    interactions: { url: (_ctx, { uid }) => `/interaction/${uid}`, ...(settings.selectAccount && { policy: withSelectAccount() }) },
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

// As at servers that know no `offline_access`: tokens do not end with the session of the browser, and can be refreshed.
const REFRESH_TOKENS_FOR_ALL = {
  issueRefreshToken: (_ctx, client) => client.grantTypeAllowed("refresh_token"),
  expiresWithSession: () => false,
};

/** The prompt of a client that lets its user choose another account (OpenID Connect Core §3.1.2.1). */
export const SELECT_ACCOUNT = "select_account";

function withSelectAccount() {
  const policy = interactionPolicy.base();
  policy.add(new interactionPolicy.Prompt({ name: SELECT_ACCOUNT, requestable: true }), 0);
  return policy;
}

// All ports of "localhost" share cookies, so the names must differ from those of other programs.
function cookies({ cookieKeys, cookiePrefix }) {
  const names = {
    session: `${cookiePrefix}_session`,
    interaction: `${cookiePrefix}_interaction`,
    resume: `${cookiePrefix}_interaction_resume`,
  };
  return { keys: cookieKeys, names };
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

// The engine calls the validator for each extra member; one call adapts all of them.
function clientMetadataRules(clients) {
  const known = new Set(clients.map(({ metadata }) => metadata.client_id));
  return {
    properties: EXTRA_CLIENT_METADATA,
    validator(_ctx, key, _value, metadata) {
      if (key === EXTRA_CLIENT_METADATA[0] && !known.has(metadata.client_id)) adaptMetadata(metadata);
    },
  };
}

// Nobody finds a suspended user: every grant of theirs is refused.
function findAccount({ accounts, suspended }, sub) {
  const account = accounts.find((candidate) => candidate.sub === sub && !suspended.has(sub));
  return account && { accountId: account.sub, claims: () => claimsOf(account) };
}

// Userinfo does not accept the JWT that a client sends to the MCP server, so claims about the user must be
// in the token. At Logto a custom-claims script adds them ("Custom JWT" in its console). Such a script
// bypasses consent, so the scope's description must name the claims.
function customClaims({ accounts, customClaims: enabled, grantIdClaim }, token) {
  const isForResource = token.kind === "AccessToken" && token.resourceServer !== undefined;
  if (!isForResource) return undefined;
  const more = { ...(grantIdClaim && { grant_id: token.grantId }), ...(token.act !== undefined && { act: token.act }) };
  if (!enabled || !token.scopes.has(WHOAMI_SCOPE)) return more;
  const { username, name, email, email_verified, picture } = accounts.find(({ sub }) => sub === token.accountId);
  return { username, name, email, email_verified, picture, ...more };
}

// The token request must name the resource again, otherwise the token is opaque.
function resourceIndicators({ resources, accessTokenSeconds }, algorithm) {
  return {
    defaultResource: () => undefined,
    useGrantedResource: () => false,
    getResourceServerInfo({ oidc }, indicator, client) {
      // Compared byte for byte: with an additional slash, another case or a query it is another resource.
      if (!Object.hasOwn(resources, indicator)) throw new errors.InvalidTarget();
      return {
        scope: scopesFor(client, oidc.session?.accountId ?? oidc.account?.accountId, indicator, resources[indicator]).join(" "),
        audience: indicator,
        accessTokenTTL: accessTokenSeconds,
        accessTokenFormat: resources[indicator].opaque ? "opaque" : "jwt",
        jwt: { sign: { alg: algorithm } },
      };
    },
  };
}

// Scopes that a client does not get are left out without an error, as at Logto.
function scopesFor({ clientId, api_scopes: ceiling }, accountId, indicator, { scopes, clients, withoutScopes = [] }) {
  if (clients !== undefined && !clients.includes(clientId)) return [];
  if (withoutScopes.includes(accountId)) return [];
  const names = Object.keys(scopes);
  return ceiling === undefined ? names : names.filter((name) => ceiling[indicator]?.includes(name));
}

// Each authorization asks for consent and creates a new grant.
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
