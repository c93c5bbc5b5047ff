// Errors in Logto's shape: the engine's own members with `code` and `message` in front, and secrets that have expired,
// which Logto checks before the engine does.

const MESSAGES = {
  invalid_request: "Request is invalid.",
  invalid_grant: "Grant request is invalid.",
  invalid_target: "Invalid resource indicator.",
  invalid_redirect_uri: "`redirect_uri` did not match any of the client's registered `redirect_uris`.",
};

const AUTHENTICATED = /^\/token(\/introspection|\/revocation)?$/;

/**
 * Koa middleware around the engine.
 * @param {Set<string>} expiredSecrets  ids of clients whose secret has expired
 */
export function errorsOfLogto(expiredSecrets) {
  return async function (ctx, next) {
    if (AUTHENTICATED.test(ctx.path) && expiredSecrets.has(basicClientId(ctx.get("authorization")))) {
      ctx.status = 400;
      ctx.body = { error: "invalid_request", error_description: "client secret has expired" };
    } else {
      await next();
    }
    if (typeof ctx.body?.error !== "string" || ctx.body.code !== undefined) return;
    const code = `oidc.${ctx.body.error}`;
    ctx.body = { code, message: MESSAGES[ctx.body.error] ?? `An OIDC error occurred: ${code}.`, ...ctx.body };
  };
}

function basicClientId(authorization) {
  const [, encoded] = /^Basic (.+)$/i.exec(authorization) ?? [];
  if (encoded === undefined) return undefined;
  const [id] = Buffer.from(encoded, "base64").toString("utf8").split(":");
  return decodeURIComponent(id.replaceAll("+", " "));
}
