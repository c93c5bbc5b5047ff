// Personal access tokens, and their exchange for access tokens (RFC 8693) as at Logto: see
// crates/oauth-resource-server/tests/logto/pat-exchange.json for its recorded answers.

import { randomBytes } from "node:crypto";
import { errors } from "oidc-provider";

/** The grant type of an exchange. */
export const TOKEN_EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange";

const PERSONAL_ACCESS_TOKEN = "urn:logto:token-type:personal_access_token";

const PARAMETERS = ["subject_token", "subject_token_type", "resource", "scope"];

/**
 * Creates the store of personal access tokens.
 * @param {() => number} [now]  milliseconds
 */
export function createPersonalAccessTokens(now = Date.now) {
  /** @type {Map<string, {subject: string, expiresAt?: number}>} */
  const tokens = new Map();
  return {
    /**
     * Creates a personal access token and returns it.
     * @param {{subject: string, expiresAt?: number}} token  `expiresAt` in milliseconds; without it never
     */
    create({ subject, expiresAt }) {
      const value = `pat_${randomBytes(24).toString("base64url").replaceAll(/[-_]/g, "x")}`;
      tokens.set(value, { subject, expiresAt });
      return value;
    },
    delete: (value) => tokens.delete(value),
    /** The subject of a token that has not expired. */
    subjectOf(value) {
      const token = tokens.get(value);
      return token && (token.expiresAt === undefined || token.expiresAt > now()) ? token.subject : undefined;
    },
  };
}

/**
 * Registers the exchange.
 * @param {import("oidc-provider").Provider} engine
 * @param {object} parts
 * @param {ReturnType<typeof createPersonalAccessTokens>} parts.personalAccessTokens
 * @param {object} parts.configuration  of the engine
 */
export function registerTokenExchange(engine, { personalAccessTokens, configuration }) {
  engine.registerGrantType(TOKEN_EXCHANGE, handler, PARAMETERS, ["resource"]);

  async function handler(ctx) {
    const { client, params } = ctx.oidc;
    for (const name of ["subject_token", "subject_token_type"]) {
      if (!params[name]) throw new errors.InvalidRequest(`missing required parameter '${name}'`);
    }
    if (params.subject_token_type !== PERSONAL_ACCESS_TOKEN) throw new errors.InvalidGrant("unsupported type");
    const subject = personalAccessTokens.subjectOf(params.subject_token);
    // There is none of a suspended user.
    const account = subject && (await configuration.findAccount(ctx, subject));
    if (!account) throw new errors.InvalidGrant("no such personal access token");
    ctx.oidc.entity("Account", account);

    const resources = [params.resource ?? []].flat();
    const grant = new engine.Grant({ accountId: subject, clientId: client.clientId });
    const token = new engine.AccessToken({ accountId: subject, client, gty: TOKEN_EXCHANGE, scope: "" });
    const requested = (params.scope ?? "").split(" ").filter(Boolean);
    // Without a resource, and without a word for two of them, the token is opaque.
    if (resources.length === 1) {
      const [resource] = resources;
      const info = await configuration.features.resourceIndicators.getResourceServerInfo(ctx, resource, client);
      token.resourceServer = new engine.ResourceServer(resource, info);
      token.scope = requested.filter((name) => token.resourceServer.scopes.has(name)).join(" ");
      grant.addResourceScope(resource, token.scope);
    } else if (resources.length === 0) {
      token.scope = requested.filter((name) => configuration.scopes.includes(name)).join(" ");
      grant.addOIDCScope(token.scope);
    }
    token.grantId = await grant.save();
    ctx.oidc.entity("Grant", grant);
    ctx.oidc.entity("AccessToken", token);
    const access_token = await token.save();
    // Without `issued_token_type`, which RFC 8693 requires.
    ctx.body = { access_token, expires_in: token.expiration, scope: token.scope, token_type: "Bearer" };
  }
}
