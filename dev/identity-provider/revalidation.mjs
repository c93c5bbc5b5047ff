// ETag and 304 for the two documents that verifiers cache, with the headers Logto sends.

import { createHash } from "node:crypto";

const REVALIDATED = /^\/(jwks|\.well-known\/[\w-]+)$/;

/** Koa middleware around the engine. */
export async function revalidation(ctx, next) {
  await next();
  if (ctx.status !== 200 || !REVALIDATED.test(ctx.path)) return;
  ctx.etag = createHash("sha1").update(JSON.stringify(ctx.body)).digest("base64url");
  if (ctx.path === "/jwks") ctx.set("Cache-Control", "no-cache, max-age=0, must-revalidate");
  if (ctx.fresh) ctx.status = 304;
}
