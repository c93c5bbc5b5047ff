// The vault of `make dev`: its client at the local provider, its settings, and the endpoint's bindings to it.

import { readFileSync, rmSync, unwatchFile, watchFile, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** The folder of the Worker, from the root of the repository. */
export const VAULT_FOLDER = "vault";

const CLIENT = { id: "access-keys", secret: "for this machine only: client secret" };

const ROOT = fileURLToPath(new URL("..", import.meta.url));

/** How often a change of wrangler.toml is looked for. */
const WATCH_MS = 500;

/** The vault's client, for the local provider. A third party, so that users are asked. */
export function vaultClient(origin, { id, secret } = CLIENT) {
  return {
    metadata: {
      client_id: id,
      client_name: "Your account pages",
      client_secret: secret,
      token_endpoint_auth_method: "client_secret_basic",
      grant_types: ["authorization_code", "refresh_token"],
      redirect_uris: [`${origin}/account/callback`],
      post_logout_redirect_uris: [`${origin}/account`],
    },
  };
}

/** What `make keys` is authenticated with at the local vault. */
export const LOCAL_ADMIN_SECRET = "for-this-machine-only-administration";

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
    ADMIN_SECRET: LOCAL_ADMIN_SECRET,
  };
}

/**
 * Writes the endpoint's configuration beside wrangler.toml: that without the comment signs before the bindings to the vault,
 * and again after each change of it. Its name has the port, so that two of them do not get in each other's way.
 * @returns {{name: string, remove: () => void}}
 */
export function keepBoundConfig(port, folder = ROOT) {
  const name = `wrangler.dev-${port}.toml`;
  const [original, bound] = ["wrangler.toml", name].map((file) => join(folder, file));
  const write = () => writeFileSync(bound, withVault(readFileSync(original, "utf8")));
  write();
  // By looking: an editor may put another file in its place, and there is none for a moment.
  const onChange = ({ mtimeMs }) => mtimeMs !== 0 && write();
  watchFile(original, { interval: WATCH_MS }, onChange);
  return {
    name,
    remove() {
      unwatchFile(original, onChange);
      rmSync(bound, { force: true });
    },
  };
}

/** A configuration with both bindings. Those that an operator has set already stay as they are. */
export function withVault(toml) {
  return toml.replaceAll(
    /^# \[\[services\]\]\n# binding = "VAULT(?:_CALLS)?"\n(?:# \w+ = .*\n)+/gm,
    (block) => block.replaceAll(/^# /gm, ""),
  );
}
