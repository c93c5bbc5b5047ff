// The identity provider for local development and end-to-end tests.
//
// It is `oidc-provider`, the engine of Logto, configured like Logto: ES384 access tokens for the MCP server,
// opaque ones otherwise, introspection, userinfo, consent for third parties. In addition it supports dynamic
// client registration, so that any MCP client can connect.
//
// It listens on loopback only, and its accounts and secrets are public. Never deploy it.

import { randomBytes } from "node:crypto";
import Provider from "oidc-provider";
import { LOCAL_ACCOUNTS } from "./accounts.mjs";
import { allowLoopback, createDocumentLookup } from "./client-documents.mjs";
import { LOCAL_CLIENTS } from "./clients.mjs";
import { createConfiguration } from "./configuration.mjs";
import * as enginePages from "./engine-pages.mjs";
import { errorsOfLogto } from "./errors.mjs";
import { reportEvents } from "./events.mjs";
import { createFaults } from "./faults.mjs";
import { createInteractions } from "./interactions.mjs";
import { createKey, loadOrCreateKeys, rotate, saveKeys } from "./keys.mjs";
import { listenOnLoopback } from "./listen.mjs";
import { revalidation } from "./revalidation.mjs";
import { createRequestHandler, ISSUER_PATH } from "./routes.mjs";
import { DEFAULT_API_SCOPES } from "./scopes.mjs";
import { createMemoryStorage } from "./storage.mjs";
import { createPersonalAccessTokens, registerTokenExchange, TOKEN_EXCHANGE } from "./token-exchange.mjs";

export { LOCAL_ACCOUNTS } from "./accounts.mjs";
export { LOCAL_CLIENTS, PLAYGROUND_CLIENT_ID } from "./clients.mjs";

/**
 * @typedef {object} Resource
 * @property {Record<string, string>} scopes  name → description
 * @property {string[]} [clients]        if set, only these clients get scopes
 * @property {string[]} [withoutScopes]  subjects of accounts without scopes, like users without a role at Logto
 * @property {boolean} [opaque]  whether its access tokens are opaque. Defaults to JWTs
 *
 * @typedef {object} Options
 * @property {number} [port]  0 chooses a free one. Defaults to 3000
 * @property {string} [host]  host name in the issuer. Defaults to "localhost"
 * @property {string} [origin]
 *   where clients and users believe it to be, if that is elsewhere: `https://login.example`. What is in between says so with
 *   `X-Forwarded-Proto`
 * @property {string | null} [resource]
 *   resource indicator of the MCP server, byte for byte. Defaults to "http://localhost:8787/mcp"; null: there is none
 * @property {Record<string, string>} [scopes]
 *   scopes of the MCP server: name → description. Defaults to `whoami:read`
 * @property {Record<string, Resource>} [moreResources]  further API resources by their indicators
 * @property {string} [registrationEndpoint]
 *   advertised in discovery instead of the provider's own, as a route on the issuer's host can do
 * @property {(event: {clientId: string, grantType: string}) => void} [onTokenIssued]
 * @property {(event: {clientId: string, grantType: string, params: object, error: string}) => void} [onTokenRefused]
 *   for requests of registered clients
 * @property {number} [accessTokenSeconds]  lifetime of access tokens. Defaults to 3600
 * @property {boolean} [customClaims]
 *   put `username, name, email, email_verified, picture` into JWTs with scope `whoami:read`, as a
 *   custom-claims script does at Logto. Defaults to true
 * @property {boolean} [rotateRefreshTokens]
 *   whether each use of a refresh token replaces it. Defaults to the engine's rule: those of public clients
 * @property {boolean} [refreshTokensForAll]
 *   whether each authorization gives a refresh token. Defaults to those with the scope `offline_access`
 * @property {boolean} [selectAccount]  whether clients may ask for the choice of an account (`prompt=select_account`)
 * @property {boolean} [grantIdClaim]  whether JWTs name their grant in the claim `grant_id`, as a script could at Logto
 * @property {Record<string, string>} [exchangeAudiences]
 *   what access tokens may be exchanged for (RFC 8693): values of `audience`, and the API resources that they stand for.
 *   Without it they may not, as at Logto
 * @property {import("./accounts.mjs").Account[]} [accounts]  Defaults to Alice and Bob
 * @property {import("./clients.mjs").LocalClient[]} [clients]  in addition to `LOCAL_CLIENTS`
 * @property {boolean} [dynamicRegistration]  Defaults to true; Logto has none
 * @property {boolean} [clientIdMetadataDocuments]  Defaults to true; off at Logto unless switched on
 * @property {object[]} [keys]  private JWKs (P-384 or RSA), the first one signs
 * @property {string} [keysFile]
 *   the file that stores the keys, unless `keys` are set. Without either, new keys are created
 * @property {typeof fetch} [fetch]  fetches clients' metadata documents. Defaults to the global one
 * @property {string} [title]  what the pages call the provider, if it is not the one for users of the MCP server
 * @property {string} [cookiePrefix]  of its cookies. Defaults to "mcp_edge"
 * @property {(request, response) => Promise<boolean>} [routes]
 *   asked first for each request: says whether it has answered, and may change the URL
 * @property {(secret: string) => void} [onSecret]  each code and token that is given to a client, for tests
 * @property {(message: string) => void} [log]  one line for each event; never a token or a password
 *
 * @typedef {object} IdentityProvider
 * @property {string} issuer
 * @property {number} port
 * @property {(algorithm?: "ES384" | "RS256") => Promise<string>} rotateKeys
 *   signs with a new key at once, keeps only the previous one published, and returns the new `kid`
 * @property {Set<string>} expiredSecrets  ids of clients whose secret has expired; may be changed
 * @property {Set<string>} suspended  subjects of suspended users; may be changed
 * @property {(token: {subject: string, expiresAt?: number}) => string} createPersonalAccessToken
 * @property {(value: string) => boolean} deletePersonalAccessToken
 * @property {{exchanges: number, refreshes: number, revocations: number}} counts
 *   exchanges and refreshes that gave a token, and requests to the revocation endpoint; may be set
 * @property {(fault?: import("./faults.mjs").Fault) => void} misbehave
 * @property {{find: Function, upsert: Function, destroy: Function}} clientStore
 *   stores the clients that are not preconfigured
 * @property {(indicator: string, resource: Resource) => void} addResource
 * @property {(value: string) => Promise<object | undefined>} findAccessToken  an opaque one that is valid
 * @property {() => void} expireAccessTokens  opaque ones; refresh tokens stay
 * @property {() => void} endGrants  of all users and clients, with all opaque tokens
 * @property {() => Promise<void>} close
 */

/**
 * Starts the provider.
 * @param {Options} [options]
 * @returns {Promise<IdentityProvider>}
 */
export async function startIdentityProvider(options = {}) {
  const settings = await completeSettings(options);
  const storage = createMemoryStorage();
  const expiredSecrets = new Set();
  const suspended = new Set();
  const personalAccessTokens = createPersonalAccessTokens();
  const faults = createFaults();
  const counts = { exchanges: 0, refreshes: 0, revocations: 0 };
  const cookieKeys = [randomBytes(32).toString("base64url")];
  const engineFetch = allowLoopback(settings.fetch);
  const lookUpDocument = settings.clientIdMetadataDocuments ? createDocumentLookup(settings) : async () => undefined;

  let { keys } = settings;
  let engine;
  let answerByEngine;

  const handler = createRequestHandler({
    engine: (request, response) => answerByEngine(request, response),
    interactions: createInteractions({ ...settings, currentProvider: () => engine }),
    routes: settings.routes,
    host: settings.origin === undefined ? settings.host : new URL(settings.origin).hostname,
    log: settings.log,
  });
  const server = await listenOnLoopback(handler, settings.port);
  const issuer = `${settings.origin ?? `http://${settings.host}:${server.port}`}${ISSUER_PATH}`;
  startEngine();

  // The engine reads its keys once. All of its state is in `storage`, which a new engine uses as well.
  function startEngine() {
    const adapter = withDocuments(storage.adapter, lookUpDocument);
    const parts = { keys, cookieKeys, adapter, fetch: engineFetch, pages: enginePages, suspended };
    const configuration = createConfiguration({ ...settings, ...parts });
    engine = new Provider(issuer, configuration);
    engine.proxy = settings.origin !== undefined;
    registerTokenExchange(engine, { personalAccessTokens, configuration, keys, exchangeAudiences: settings.exchangeAudiences });
    engine.use(faults.middleware);
    engine.use(reportTokens(settings.onSecret));
    engine.on("authorization_code.saved", ({ jti }) => settings.onSecret(jti));
    engine.use(async (ctx, next) => {
      if (ctx.path === "/token/revocation" && ctx.method === "POST") counts.revocations += 1;
      await next();
    });
    engine.use(revalidation);
    engine.use(errorsOfLogto(expiredSecrets));
    reportEvents(engine, settings.log);
    engine.on("grant.success", ({ oidc }) => {
      const { grant_type: grantType } = oidc.params;
      if (grantType === TOKEN_EXCHANGE) counts.exchanges += 1;
      if (grantType === "refresh_token") counts.refreshes += 1;
      settings.onTokenIssued({ clientId: oidc.client.clientId, grantType });
    });
    engine.on("grant.error", ({ oidc }, { message: error }) => {
      if (oidc?.client === undefined) return;
      const { grant_type: grantType, ...params } = oidc.params;
      settings.onTokenRefused({ clientId: oidc.client.clientId, grantType, params, error });
    });
    answerByEngine = engine.callback();
  }

  return {
    issuer,
    port: server.port,
    clientStore: storage.adapter("Client"),
    expiredSecrets,
    suspended,
    createPersonalAccessToken: personalAccessTokens.create,
    deletePersonalAccessToken: personalAccessTokens.delete,
    counts,
    misbehave: faults.misbehave,
    addResource(indicator, resource) {
      settings.resources[indicator] = resource;
      Object.assign(settings.scopes, resource.scopes);
    },
    findAccessToken: (value) => engine.AccessToken.find(value),
    expireAccessTokens: () => storage.clear("AccessToken"),
    endGrants: () => storage.clear("AccessToken", "RefreshToken", "Grant"),
    async rotateKeys(algorithm = "ES384") {
      keys = await rotate(keys, algorithm);
      if (settings.keysFile) await saveKeys(settings.keysFile, keys);
      startEngine();
      return keys[0].kid;
    },
    close: server.close,
  };
}

async function completeSettings({
  port = 3000,
  host = "localhost",
  origin,
  resource = "http://localhost:8787/mcp",
  scopes = DEFAULT_API_SCOPES,
  moreResources = {},
  registrationEndpoint,
  onTokenIssued = () => {},
  onTokenRefused = () => {},
  accessTokenSeconds = 3600,
  customClaims = true,
  rotateRefreshTokens,
  refreshTokensForAll = false,
  selectAccount = false,
  grantIdClaim = false,
  exchangeAudiences,
  title,
  cookiePrefix = "mcp_edge",
  routes = async () => false,
  onSecret = () => {},
  accounts = LOCAL_ACCOUNTS,
  clients = [],
  dynamicRegistration = true,
  clientIdMetadataDocuments = true,
  keysFile,
  keys,
  fetch = globalThis.fetch,
  log = () => {},
}) {
  return {
    port,
    host,
    origin,
    resource,
    resources: { ...(resource !== null && { [resource]: { scopes } }), ...moreResources },
    scopes: Object.assign({}, scopes, ...Object.values(moreResources).map((more) => more.scopes)),
    registrationEndpoint,
    onTokenIssued,
    onTokenRefused,
    accessTokenSeconds,
    customClaims,
    rotateRefreshTokens,
    refreshTokensForAll,
    selectAccount,
    grantIdClaim,
    exchangeAudiences,
    title,
    cookiePrefix,
    routes,
    onSecret,
    accounts,
    clients: [...LOCAL_CLIENTS, ...clients],
    dynamicRegistration,
    clientIdMetadataDocuments,
    keysFile,
    keys: keys ?? (keysFile ? await loadOrCreateKeys(keysFile) : [await createKey()]),
    fetch,
    log,
  };
}

// Koa middleware that reports the tokens in answers.
function reportTokens(onSecret) {
  return async (ctx, next) => {
    await next();
    for (const name of ["access_token", "refresh_token", "id_token", "client_secret"]) {
      if (typeof ctx.body?.[name] === "string") onSecret(ctx.body[name]);
    }
  };
}

// Clients are looked up in storage first, then among the metadata documents on this machine.
function withDocuments(adapter, lookUpDocument) {
  return (model) => {
    const stored = adapter(model);
    if (model !== "Client") return stored;
    return { ...stored, find: async (id) => (await stored.find(id)) ?? (await lookUpDocument(id)) };
  };
}
