// A Worker and its identity provider, which know each other: what an operator sets up.

import { startIdentityProvider } from "../../dev/identity-provider/index.mjs";
import { createKey } from "../../dev/identity-provider/keys.mjs";
import { freePort, startWorker } from "./worker.mjs";

/** What wrangler.toml says unless an operator changes it. */
export const DEFAULT_SETTINGS = {
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
  // The key is ours, so that a test can sign what the provider never would.
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
