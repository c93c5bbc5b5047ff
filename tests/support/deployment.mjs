// A Worker and its identity provider, configured for each other.

import { startIdentityProvider } from "../../dev/identity-provider/index.mjs";
import { createKey } from "../../dev/identity-provider/keys.mjs";
import { freePort, startWorker } from "./worker.mjs";

/** The settings of wrangler.toml. */
export const DEFAULT_SETTINGS = {
  // The tokens of the local provider have the form of Logto's.
  PROVIDER: "logto",
  REQUIRED_SCOPES: "whoami:read",
  CLAIM_SCOPES: "whoami:read=username,name,email,email_verified,picture",
};

/**
 * Starts both.
 * @param {object} [options]
 * @param {Record<string, unknown>} [options.settings]  in addition to the defaults
 * @param {import("../../dev/identity-provider/index.mjs").Options} [options.provider]
 * @param {Partial<import("./worker.mjs").Options>} [options.worker]
 */
export async function startDeployment({
  settings = {},
  provider: providerOptions = {},
  worker: workerOptions = {},
} = {}) {
  const port = await freePort();
  const resource = `http://127.0.0.1:${port}/mcp`;
  // The tests know the key, so that they can sign tokens that the provider does not issue.
  const key = await createKey();
  const provider = await startIdentityProvider({ port: 0, resource, keys: [key], ...providerOptions });
  const allSettings = { ...DEFAULT_SETTINGS, ISSUER: provider.issuer, ...settings };
  const worker = await startWorker({ port, settings: allSettings, ...workerOptions });
  return {
    provider,
    worker,
    resource,
    key,
    async stop() {
      await worker.stop();
      await provider.close();
    },
  };
}
