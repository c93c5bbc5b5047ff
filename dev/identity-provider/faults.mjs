// Faults of the provider, for tests of clients: an answer that does not come, before or after the work was done.

/**
 * @typedef {object} Fault
 * @property {"before" | "after"} when   whether the provider does what it was asked for
 * @property {"hang" | "break" | "fail"} how  no answer; a closed connection; status 503
 * @property {string} [path]     below the issuer. Defaults to `/token`
 * @property {string} [grantType]  only of requests for this grant; not with `before`
 * @property {number} [times]    how many requests meet it. Defaults to all
 */

/** Creates the switch, and the Koa middleware around the engine that it controls. */
export function createFaults() {
  /** @type {Fault | undefined} */
  let fault;

  function isMet(ctx, when) {
    if (fault?.when !== when || ctx.path !== (fault.path ?? "/token")) return false;
    if (fault.grantType !== undefined && ctx.oidc?.params?.grant_type !== fault.grantType) return false;
    if (fault.times !== undefined) fault.times -= 1;
    return true;
  }

  function strike(ctx, how) {
    if (fault?.times === 0) fault = undefined;
    if (how === "fail") {
      ctx.status = 503;
      ctx.body = "";
      return;
    }
    ctx.respond = false;
    if (how === "break") ctx.req.socket.destroy();
  }

  async function middleware(ctx, next) {
    const current = fault;
    if (isMet(ctx, "before")) return strike(ctx, current.how);
    await next();
    const after = fault;
    if (isMet(ctx, "after")) strike(ctx, after.how);
  }

  return {
    middleware,
    /** @param {Fault} [wanted]  without one, the provider behaves again */
    misbehave: (wanted) => void (fault = wanted && { ...wanted }),
  };
}
