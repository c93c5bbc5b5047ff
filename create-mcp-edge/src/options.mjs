// The command line of `npm create mcp-edge`.

import { parseArgs } from "node:util";
import { Problem } from "./problem.mjs";
import { PROVIDERS } from "./providers.mjs";

export const USAGE = `Usage: npm create mcp-edge@latest [folder] -- [options]

Writes a project that deploys the prebuilt Workers of mcp-edge to Cloudflare. It asks for what no option says.

  --provider NAME         whose tokens: ${Object.keys(PROVIDERS).slice(0, 5).join(", ")},
                          ${Object.keys(PROVIDERS).slice(5).join(", ")}
  --issuer URL            the provider's issuer, exactly as in its discovery document; may be left for later
  --resource URL          the URL that the endpoint will have, for example https://mcp.example.com/mcp; may be left for later
  --staging-resource URL  the same of staging
  --mode MODE             whoami: an endpoint with the tool whoami; gateway: in front of your own MCP server
  --upstream URL          with --mode gateway: the MCP endpoint of that server
  --vault, --no-vault     with the vault: access keys and connected accounts
  --registrar, --no-registrar
                          with the registrar: developers register their agents themselves (Logto only)
  --name NAME             of the Workers; without it, the folder's
  --yes                   ask nothing: whoami, the provider generic, neither vault nor registrar, unless an option says so
  --help, --version

npm passes options on only after "--".`;

const FLAGS = {
  provider: { type: "string" },
  issuer: { type: "string" },
  resource: { type: "string" },
  "staging-resource": { type: "string" },
  mode: { type: "string" },
  upstream: { type: "string" },
  vault: { type: "boolean" },
  registrar: { type: "boolean" },
  name: { type: "string" },
  yes: { type: "boolean", default: false, short: "y" },
  help: { type: "boolean", default: false, short: "h" },
  version: { type: "boolean", default: false },
};

/**
 * @typedef {object} Options
 * @property {string} [folder]
 * @property {string} [provider]
 * @property {string} [issuer]
 * @property {string} [resource]
 * @property {string} [staging-resource]
 * @property {string} [mode]
 * @property {string} [upstream]
 * @property {boolean} [vault]
 * @property {boolean} [registrar]
 * @property {string} [name]
 * @property {boolean} yes
 * @property {boolean} help
 * @property {boolean} version
 *
 * @param {string[]} args
 * @returns {Options} what the options say; what none says is undefined
 * @throws {Problem} for an unknown option, one without its value, and more than one folder
 */
export function readOptions(args) {
  let parsed;
  try {
    parsed = parseArgs({ args, options: FLAGS, allowPositionals: true, allowNegative: true });
  } catch (error) {
    throw new Problem(error.message.split(". ")[0], "--help lists the options.");
  }
  const { values, positionals } = parsed;
  // npm keeps options that stand before "--" for itself, and passes their values on.
  if (positionals.length > 1) throw new Problem(`One folder is expected, and there are ${positionals.length}: ${positionals.join(" ")}`, "With npm, options stand after --: npm create mcp-edge@latest acme -- --provider logto");
  return { ...values, folder: positionals[0] };
}
