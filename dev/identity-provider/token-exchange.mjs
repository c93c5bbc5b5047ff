// Personal access tokens, and the exchange for access tokens (RFC 8693).
//
// Personal access tokens are exchanged as at Logto: see crates/oauth-resource-server/tests/logto/pat-exchange.json for its
// recorded answers. Access tokens are refused as there, unless the option `exchangeAudiences` names what they may be
// exchanged for; then the answers are those of RFC 8693.

import { randomBytes } from "node:crypto";
import { createLocalJWKSet, jwtVerify } from "jose";
import { errors } from "oidc-provider";

/** The grant type of an exchange. */
export const TOKEN_EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange";

const PERSONAL_ACCESS_TOKEN = "urn:logto:token-type:personal_access_token";
const ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token";

const PARAMETERS = ["subject_token", "subject_token_type", "requested_token_type", "resource", "audience", "scope"];

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
 * @param {object[]} parts.keys  private JWKs of the provider
 * @param {Record<string, string>} [parts.exchangeAudiences]
 *   what access tokens may be exchanged for: values of `audience`, and the resource indicators that they stand for
 */
export function registerTokenExchange(engine, { personalAccessTokens, configuration, keys, exchangeAudiences }) {
  engine.registerGrantType(TOKEN_EXCHANGE, handler, PARAMETERS, ["resource"]);

  async function handler(ctx) {
    const { client, params } = ctx.oidc;
    for (const name of ["subject_token", "subject_token_type"]) {
      if (!params[name]) throw new errors.InvalidRequest(`missing required parameter '${name}'`);
    }
    if (params.subject_token_type === ACCESS_TOKEN && exchangeAudiences) return exchangeAccessToken(ctx);
    if (params.subject_token_type !== PERSONAL_ACCESS_TOKEN) throw new errors.InvalidGrant("unsupported type");
    const subject = personalAccessTokens.subjectOf(params.subject_token);
    await findUser(ctx, subject, "no such personal access token");

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
    const access_token = await save(ctx, grant, token);
    // Without `issued_token_type`, which RFC 8693 requires.
    ctx.body = { access_token, expires_in: token.expiration, scope: token.scope, token_type: "Bearer" };
  }

  async function exchangeAccessToken(ctx) {
    const { client, params } = ctx.oidc;
    const wanted = params.requested_token_type ?? ACCESS_TOKEN;
    if (wanted !== ACCESS_TOKEN) throw new errors.InvalidRequest("only access tokens are issued");
    const resource = targetOf(params);
    const { sub, act } = await verify(params.subject_token);
    await findUser(ctx, sub, "the subject token is not valid");

    const info = await configuration.features.resourceIndicators.getResourceServerInfo(ctx, resource, client);
    const grant = new engine.Grant({ accountId: sub, clientId: client.clientId });
    const token = new engine.AccessToken({ accountId: sub, client, gty: TOKEN_EXCHANGE, scope: "" });
    token.resourceServer = new engine.ResourceServer(resource, info);
    const requested = params.scope?.split(" ").filter(Boolean) ?? [...token.resourceServer.scopes];
    const unknown = requested.filter((name) => !token.resourceServer.scopes.has(name));
    if (unknown.length > 0) throw new errors.InvalidScope("requested scope is not allowed", unknown.join(" "));
    token.scope = requested.join(" ");
    grant.addResourceScope(resource, token.scope);
    // Who acts for the user is still known afterwards (RFC 8693 §4.1).
    if (act !== undefined) token.act = act;
    const access_token = await save(ctx, grant, token);
    const issued_token_type = ACCESS_TOKEN;
    ctx.body = { access_token, issued_token_type, expires_in: token.expiration, scope: token.scope, token_type: "Bearer" };
  }

  /** The resource that `resource` or `audience` names. */
  function targetOf({ resource, audience }) {
    const targets = [resource ?? []].flat();
    if (audience !== undefined) targets.push(Object.hasOwn(exchangeAudiences, audience) ? exchangeAudiences[audience] : audience);
    const [target, ...others] = targets;
    const isOne = target !== undefined && others.every((other) => other === target);
    if (!isOne || !Object.values(exchangeAudiences).includes(target)) throw new errors.InvalidTarget();
    return target;
  }

  /** The claims of an access token that this provider has issued. */
  async function verify(subjectToken) {
    const publicKeys = keys.map(({ d, p, q, dp, dq, qi, ...jwk }) => jwk);
    const options = { issuer: engine.issuer, typ: "at+jwt" };
    const verified = await jwtVerify(subjectToken, createLocalJWKSet({ keys: publicKeys }), options).catch(() => undefined);
    if (verified === undefined) throw new errors.InvalidGrant("the subject token is not valid");
    return verified.payload;
  }

  // There is none of a suspended user.
  async function findUser(ctx, subject, otherwise) {
    const account = subject && (await configuration.findAccount(ctx, subject));
    if (!account) throw new errors.InvalidGrant(otherwise);
    ctx.oidc.entity("Account", account);
  }

  async function save(ctx, grant, token) {
    token.grantId = await grant.save();
    ctx.oidc.entity("Grant", grant);
    ctx.oidc.entity("AccessToken", token);
    return token.save();
  }
}
