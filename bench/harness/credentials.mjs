// What a client sends in place of an access token, and who exchanges it: access keys with a vault, and personal access tokens
// of the provider. All of it is in processes of its own, but the provider, which is in the benchmark's.

import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { LOCAL_ACCOUNTS, startIdentityProvider } from "../../dev/identity-provider/index.mjs";
import { User } from "../../tests/support/account.mjs";
import { startVaultDeployment } from "../../tests/support/vault-deployment.mjs";
import { RESOURCE } from "./deployment.mjs";

const [ALICE] = LOCAL_ACCOUNTS;

/** Of the provider's client that exchanges personal access tokens. */
const PAT_SETTINGS = {
  PAT_PREFIX: "pat_",
  PAT_SCOPES: "whoami:read",
  PAT_CLIENT_ID: "token-exchange",
  PAT_CLIENT_SECRET: "token-exchange-secret",
};

/** A user may have no more keys. */
const MOST_KEYS = 100;

/** Credentials that are used once, in a round. */
const NEW_CREDENTIALS = { access_key: 90, personal_access_token: 900 };
const SMOKE_CREDENTIALS = 9;

/**
 * @typedef {"access_key" | "personal_access_token"} Kind  as `whoami` names it
 *
 * @typedef {object} Credentials
 * @property {import("./tokens.mjs").Pool} pool
 * @property {{issuer: string, resource: string}} parties
 * @property {Record<string, unknown>} settings  of the endpoint
 * @property {Record<string, number>} [externals]  bindings of the endpoint
 * @property {number} [vaultPid]  the process of the vault
 * @property {() => Promise<void>} stop
 */

/**
 * Makes credentials that nobody has used yet.
 * @param {import("./loads.mjs").Load} load
 * @param {import("./round.mjs").Setting} setting
 * @returns {Promise<Credentials>}
 */
export async function makeCredentials({ credential, tokens }, { scratch, options }) {
  const many = options.isSmoke ? SMOKE_CREDENTIALS : NEW_CREDENTIALS[credential];
  const world = await (credential === "access_key" ? startVault() : startExchange());
  const made = [];
  while (made.length < (tokens === "one" ? 1 : many)) made.push(await world.make());
  const file = join(scratch, credential);
  await writeFile(file, made.join("\n"));
  const { settings, ...rest } = world;
  const { issuer, resource } = world.parties;
  return {
    ...rest,
    pool: { file, size: made.length, first: made[0] },
    // Without claims, so that the answer is as long as with the tokens of the other loads.
    settings: { ISSUER: issuer, RESOURCE: resource, JWKS_URL: undefined, CLAIM_SCOPES: undefined, ...settings },
  };
}

async function startVault() {
  const deployment = await startVaultDeployment({ vaultSettings: { KEYS_PER_USER: String(MOST_KEYS) } });
  const user = new User(deployment, "alice");
  await user.signIn();
  return {
    make: () => user.make(),
    parties: { issuer: deployment.provider.issuer, resource: deployment.resource },
    externals: deployment.externals,
    vaultPid: deployment.vault.pid,
    stop: () => deployment.stop(),
  };
}

async function startExchange() {
  const provider = await startIdentityProvider({ port: 0, resource: RESOURCE });
  return {
    make: async () => provider.createPersonalAccessToken({ subject: ALICE.sub }),
    parties: { issuer: provider.issuer, resource: RESOURCE },
    settings: PAT_SETTINGS,
    stop: () => provider.close(),
  };
}
