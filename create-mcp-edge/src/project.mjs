// A project's files, from the answers; pure.

import { endpointConfig } from "./files/endpoint.mjs";
import { packageJson } from "./files/package-json.mjs";
import { readme } from "./files/readme.mjs";
import { registrarConfig } from "./files/registrar.mjs";
import { vaultConfig } from "./files/vault.mjs";

/** Wrangler reads secrets from .dev.vars, .env, and both with the name of an environment. */
const IGNORED = `node_modules/
.wrangler/
.dev.vars*
.env*
*.env
!.dev.vars.example
`;

const DEV_VARS_OF_GATEWAY = `# Secrets of a gateway, for this machine: copy it to .dev.vars, which git ignores.
# \`npm run dev\` makes those that it needs itself; deployments get theirs by \`npm run gateway-keys\`.
#
# With UPSTREAM_AUTH = "secret": the whole value of the header that your server expects.
# UPSTREAM_SECRET="Bearer …"
`;

const DEV_VARS_OF_WHOAMI = `# Secrets, for this machine: copy it to .dev.vars, which git ignores. The tool whoami needs none. Deployments get
# theirs by: npx wrangler secret put NAME --env production
#
# For opaque tokens (OPAQUE_TOKEN_CLIENTS): the Worker's own client at the provider.
# INTROSPECTION_CLIENT_ID=""
# INTROSPECTION_CLIENT_SECRET=""
`;

/**
 * @param {import("./answers.mjs").Answers} answers
 * @param {string} version  of mcp-edge
 * @returns {Map<string, string>} text by path, with / between its parts
 */
export function projectFiles(answers, version) {
  return new Map([
    ["README.md", readme(answers)],
    ["package.json", packageJson(answers, version)],
    ["wrangler.jsonc", endpointConfig(answers)],
    ...(answers.vault ? [["vault/wrangler.jsonc", vaultConfig(answers)]] : []),
    ...(answers.registrar ? [["registrar/wrangler.jsonc", registrarConfig(answers)]] : []),
    [".dev.vars.example", answers.mode === "gateway" ? DEV_VARS_OF_GATEWAY : DEV_VARS_OF_WHOAMI],
    [".gitignore", IGNORED],
  ]);
}
