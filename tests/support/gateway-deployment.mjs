// A Worker in gateway mode in front of an upstream, with its identity provider, and tokens for two users.

import { calculateJwkThumbprint, exportJWK, generateKeyPair } from "jose";
import { LOCAL_ACCOUNTS } from "../../dev/identity-provider/index.mjs";
import { startDeployment } from "./deployment.mjs";
import { forgeToken } from "./tokens.mjs";

const [ALICE, BOB] = LOCAL_ACCOUNTS;

/** What belongs to the caller's identity, and to no gateway. */
const NO_WHOAMI = { REQUIRED_SCOPES: undefined, CLAIM_SCOPES: undefined };

/**
 * Creates a key that signs assertions.
 * @returns {Promise<{private: object, public: object}>} JWKs
 */
export async function createSigningKey() {
  const { privateKey } = await generateKeyPair("ES256", { extractable: true });
  const { d, ...jwk } = await exportJWK(privateKey);
  const published = { ...jwk, kid: await calculateJwkThumbprint(jwk) };
  return { private: { ...published, d }, public: published };
}

/** Settings that let everybody with a token use everything. */
export const OPEN = { TOOL_SCOPES: "*=allow", PROMPT_SCOPES: "*=allow", RESOURCE_SCOPES: "*=allow" };

/**
 * Starts both in front of an upstream.
 * @param {object} options
 * @param {string} options.upstream  the URL of its MCP endpoint
 * @param {Record<string, unknown>} [options.settings]  in addition to the defaults
 * @param {object} [options.provider]  as for `startDeployment`
 * @param {object} [options.worker]    likewise
 */
export async function startGateway({ upstream, settings = {}, provider, worker }) {
  const signingKey = await createSigningKey();
  const deployment = await startDeployment({
    settings: {
      ...NO_WHOAMI,
      UPSTREAM: upstream,
      UPSTREAM_SIGNING_KEY: JSON.stringify(signingKey.private),
      STATE_SECRET: "the state of the tests of the gateway",
      ...settings,
    },
    provider,
    worker,
  });
  const tokenOf = (account) => (scope, claims = {}) =>
    forgeToken(deployment, { claims: { sub: account.sub, scope, ...claims } });
  return {
    ...deployment,
    signingKey,
    /** The `iss` of assertions, and where their keys are. */
    origin: deployment.worker.origin,
    jwksUrl: `${deployment.worker.origin}/.well-known/jwks.json`,
    /** Creates a token of a user with these scopes, and other changes of its claims. */
    alice: tokenOf(ALICE),
    bob: tokenOf(BOB),
    subjects: { alice: ALICE.sub, bob: BOB.sub },
  };
}
