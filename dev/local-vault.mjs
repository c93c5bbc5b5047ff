// The vault of `make dev`: its client at the local provider, its settings, and the endpoint's bindings to it.

import { readFile, rm, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

/** The folder of the Worker, from the root of the repository. */
export const VAULT_FOLDER = "vault";

/** The endpoint's configuration with its bindings to the vault, beside wrangler.toml. */
export const BOUND_CONFIG = "wrangler.dev.toml";

const CLIENT = { id: "access-keys", secret: "for this machine only: client secret" };

const root = (name) => fileURLToPath(new URL(`../${name}`, import.meta.url));

/** The vault's client, for the local provider. A third party, so that users are asked. */
export function vaultClient(origin) {
  return {
    metadata: {
      client_id: CLIENT.id,
      client_name: "Access keys",
      client_secret: CLIENT.secret,
      token_endpoint_auth_method: "client_secret_basic",
      grant_types: ["authorization_code", "refresh_token"],
      redirect_uris: [`${origin}/account/callback`],
    },
  };
}

/**
 * The vault's settings.
 * @param {Record<string, string>} endpoint  those of the endpoint
 * @param {string[]} scopes  what keys may do
 */
export function vaultSettings({ PROVIDER, ISSUER, RESOURCE, REQUIRED_SCOPES, RESOURCE_NAME }, scopes) {
  return {
    ...{ PROVIDER, ISSUER, RESOURCE, REQUIRED_SCOPES, RESOURCE_NAME },
    KEY_SCOPES: scopes.join(" "),
    VAULT_CLIENT_ID: CLIENT.id,
    VAULT_CLIENT_SECRET: CLIENT.secret,
    VAULT_SECRET: "for this machine only: vault secret",
  };
}

/** Writes {@link BOUND_CONFIG}: wrangler.toml without the comment signs before the bindings to the vault. */
export async function writeBoundConfig() {
  const toml = await readFile(root("wrangler.toml"), "utf8");
  await writeFile(root(BOUND_CONFIG), withVault(toml));
}

export async function removeBoundConfig() {
  await rm(root(BOUND_CONFIG), { force: true });
}

/** A configuration with both bindings. Those that an operator has set already stay as they are. */
export function withVault(toml) {
  return toml.replaceAll(
    /^# \[\[services\]\]\n# binding = "VAULT(?:_CALLS)?"\n(?:# \w+ = .*\n)+/gm,
    (block) => block.replaceAll(/^# /gm, ""),
  );
}
