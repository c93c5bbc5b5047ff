// A Worker that exchanges personal access tokens at the development provider.

import { afterEach } from "node:test";
import { LOCAL_ACCOUNTS } from "../../dev/identity-provider/index.mjs";
import { startDeployment } from "./deployment.mjs";

export const SECRET = "token-exchange-secret";

export const PAT_SETTINGS = {
  PAT_PREFIX: "pat_",
  PAT_SCOPES: "whoami:read",
  PAT_CLIENT_ID: "token-exchange",
  PAT_CLIENT_SECRET: SECRET,
};

export const [alice, bob] = LOCAL_ACCOUNTS;

const cleanups = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/**
 * Starts both for the current test.
 * @param {Record<string, unknown>} [settings]
 * @param {import("../../dev/identity-provider/index.mjs").Options} [provider]
 */
export async function deploy(settings = {}, provider = {}) {
  const deployment = await startDeployment({ settings: { ...PAT_SETTINGS, ...settings }, provider });
  cleanups.push(() => deployment.stop());
  return withTokens(deployment);
}

/** Adds `pat`, which creates a personal access token, of Alice unless said otherwise. */
export function withTokens(deployment) {
  const { provider } = deployment;
  const pat = (account = alice, more = {}) => provider.createPersonalAccessToken({ subject: account.sub, ...more });
  return { ...deployment, pat };
}
