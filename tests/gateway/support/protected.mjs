// Real upstreams behind a gateway, which they trust alone.

import { importJWK, SignJWT } from "jose";
import { startGateway } from "../../support/gateway-deployment.mjs";
import { freePort } from "../../support/worker.mjs";
import { startEverything, startFastMcp, startRmcp } from "../upstreams/programs.mjs";
import { startTypeScript } from "../upstreams/typescript/server.mjs";

const STARTS = {
  everything: ({ port }) => startEverything({ port }),
  FastMCP: startFastMcp,
  rmcp: startRmcp,
  TypeScript: ({ port, issuer, jwksUrl }) => startTypeScript({ port, assertions: { issuer, jwksUrl, audience: `http://127.0.0.1:${port}/mcp` } }),
};

/**
 * Starts a gateway, and behind it an upstream that accepts its assertions.
 * @param {keyof typeof STARTS} name
 * @param {Record<string, unknown>} settings
 * @param {object} [options]  further ones of `startGateway`
 */
export async function startProtected(name, settings, options = {}) {
  const port = await freePort();
  const gateway = await startGateway({ upstream: `http://127.0.0.1:${port}/mcp`, settings, ...options });
  try {
    const upstream = await STARTS[name]({ port, issuer: gateway.origin, jwksUrl: gateway.jwksUrl });
    return {
      gateway,
      upstream,
      async stop() {
        await gateway.stop();
        await upstream.stop();
      },
    };
  } catch (error) {
    await gateway.stop();
    throw error;
  }
}

/**
 * Signs an assertion as the gateway would, with changes.
 * @param {{gateway: object, upstream: {url: string}}} deployment
 * @param {{claims?: object, header?: object, key?: object}} [changes]
 */
export async function assertionOf({ gateway, upstream }, { claims = {}, header = {}, key = gateway.signingKey.private } = {}) {
  const now = Math.floor(Date.now() / 1000);
  const good = {
    iss: gateway.origin, aud: upstream.url, sub: gateway.subjects.alice, client_id: "agent", scope: "one", jti: crypto.randomUUID(), iat: now, exp: now + 60,
  };
  return new SignJWT({ ...good, ...claims })
    .setProtectedHeader({ alg: "ES256", typ: "at+jwt", kid: gateway.signingKey.public.kid, ...header })
    .sign(await importJWK(key, "ES256"));
}
