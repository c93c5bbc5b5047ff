// Faults of the provider, for tests of clients: an answer that does not come, before or after the work was done, comes late,
// or says more than was asked for.

import { setTimeout as sleep } from "node:timers/promises";

/**
 * @typedef {object} Fault
 * @property {"before" | "after"} when   whether the provider does what it was asked for
 * @property {"hang" | "break" | "fail" | "delay" | "change"} how
 *   no answer; a closed connection; status 503; an answer after `milliseconds`; a JSON answer with other `members`
 * @property {number} [milliseconds]
 * @property {object} [members]
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

  function strike(ctx, { how, members }) {
    if (fault?.times === 0) fault = undefined;
    if (how === "change") {
      Object.assign(ctx.body, members);
      return;
    }
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
    if (isMet(ctx, "before")) {
      if (current.how !== "delay") return strike(ctx, current);
      await sleep(current.milliseconds);
    }
    await next();
    const after = fault;
    if (isMet(ctx, "after")) strike(ctx, after);
  }

  return {
    middleware,
    /** @param {Fault} [wanted]  without one, the provider behaves again */
    misbehave: (wanted) => void (fault = wanted && { ...wanted }),
  };
}
