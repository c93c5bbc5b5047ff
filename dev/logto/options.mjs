// What the operator asks for: flags and environment variables.

import { parseArgs } from "node:util";
import { isPrivate } from "../loopback.mjs";
import { requirePrivate } from "./http.mjs";
import { Problem } from "./problem.mjs";
import { parseScope } from "./scopes.mjs";

export const USAGE = `Usage: make logto ENDPOINT=https://<tenant>.logto.app RESOURCE=https://mcp.example.com/mcp [ARGS="…"]

Sets Logto up for this MCP server, through the Management API: shows what it will do, asks, and does it. Nothing is deleted.

  ENDPOINT   origin of the Logto tenant; without it, the one of ISSUER in wrangler.toml
  RESOURCE   URL of the MCP endpoint; without it, RESOURCE in wrangler.toml
  LOGTO_CLIENT_ID, LOGTO_CLIENT_SECRET
             a machine-to-machine application with the role "Logto Management API access"; asked for on a terminal
  DRY_RUN=1  only show what would be done

Arguments in ARGS:

  --dry-run               only show what would be done
  --yes                   do not ask
  --scope name=text       a permission, and the description that users read when they consent; repeat it for others
  --descriptions          write the descriptions in the source over those at Logto, which may have been edited there
  --role NAME             name of the user role with the permissions
  --default-role          give the role to every user who registers from now on
  --user NAME             give the role to this user (user name or e-mail address); repeat it for others
  --whoami                an application for "make whoami"
  --no-playground         no application for the playground on the page
  --user-scopes "a b"     user data that the applications made here may request, such as "profile email"
  --cimd                  for the whole tenant: accept client ID metadata documents, up to this server's permissions
  --opaque-tokens         the application with which the Worker checks opaque tokens
  --keys                  the application of the vault, for access keys, and its settings
  --pat                   the application that exchanges personal access tokens; with --keys for the vault
  --registrar URL         what the registrar at this origin needs
  --management-resource URI
                          identifier of the Management API, for a custom domain of Logto Cloud
  --config FILE           another wrangler.toml
  --no-doctor             do not examine the endpoint at the end
  --help                  show this`;

const FLAGS = {
  endpoint: { type: "string" },
  resource: { type: "string" },
  "dry-run": { type: "boolean", default: false },
  yes: { type: "boolean", default: false },
  scope: { type: "string", multiple: true, default: [] },
  descriptions: { type: "boolean", default: false },
  role: { type: "string" },
  "default-role": { type: "boolean", default: false },
  user: { type: "string", multiple: true, default: [] },
  whoami: { type: "boolean", default: false },
  "no-playground": { type: "boolean", default: false },
  "user-scopes": { type: "string", default: "" },
  cimd: { type: "boolean", default: false },
  "opaque-tokens": { type: "boolean", default: false },
  keys: { type: "boolean", default: false },
  pat: { type: "boolean", default: false },
  registrar: { type: "string" },
  "management-resource": { type: "string" },
  config: { type: "string" },
  "no-doctor": { type: "boolean", default: false },
  help: { type: "boolean", default: false },
};

/**
 * @param {string[]} args
 * @param {Record<string, string | undefined>} env
 */
export function readOptions(args, env) {
  let values;
  let positionals;
  try {
    ({ values, positionals } = parseArgs({ args, options: FLAGS, allowPositionals: true }));
  } catch (error) {
    throw new Problem(error.message, { fix: "make logto ARGS=--help lists the arguments." });
  }
  const [endpoint, resource, ...rest] = positionals;
  if (rest.length > 0) throw new Problem(`${rest[0]} is one argument too many`, { fix: "make logto ARGS=--help lists the arguments." });
  return {
    ...values,
    endpoint: values.endpoint ?? endpoint ?? (env.ENDPOINT || undefined),
    resource: values.resource ?? resource ?? (env.RESOURCE || undefined),
    dryRun: values["dry-run"] || !["", "0", "false"].includes(env.DRY_RUN ?? ""),
    scopes: values.scope.map(parseScope),
    userScopes: values["user-scopes"].split(/\s+/).filter(Boolean),
    registrar: values.registrar && registrarOrigin(values.registrar),
    clientId: env.LOGTO_CLIENT_ID || undefined,
    clientSecret: env.LOGTO_CLIENT_SECRET || undefined,
  };
}

/**
 * The origin of the tenant, and a note if it was written otherwise.
 * @param {string | undefined} text
 * @returns {{endpoint: string, note?: string}}
 */
export function normaliseEndpoint(text) {
  const fix = "For example: make logto ENDPOINT=https://<tenant>.logto.app RESOURCE=https://mcp.example.com/mcp";
  if (!text) throw new Problem("ENDPOINT is missing", { why: "wrangler.toml has no ISSUER either.", fix });
  const url = URL.parse(/^[a-z]+:\/\//i.test(text) ? text : `${/^(localhost|127\.0\.0\.1|\[::1\])(:|\/|$)/.test(text) ? "http" : "https"}://${text}`);
  if (url === null || !/^https?:$/.test(url.protocol) || text.includes("<")) throw new Problem(`ENDPOINT=${text} is not a URL`, { fix });
  if (url.username !== "" || url.password !== "") throw new Problem("ENDPOINT must not contain a password", { fix });
  requirePrivate(url, `ENDPOINT=${text}`);
  const note = text === url.origin ? undefined : `ENDPOINT is the origin of the tenant: ${url.origin} (given: ${text})`;
  return { endpoint: url.origin, note };
}

/**
 * Checks the URL of the MCP endpoint, which is used byte for byte.
 * @param {string | undefined} text
 * @returns {{resource: string, note?: string}}
 */
export function checkResource(text) {
  const fix = "For example RESOURCE=https://mcp.example.com/mcp";
  if (!text) throw new Problem("RESOURCE is missing", { why: "wrangler.toml has none either.", fix });
  const url = URL.parse(text);
  if (url === null || text.includes("<")) throw new Problem(`RESOURCE=${text} is not a URL`, { fix });
  if (!isPrivate(url)) throw new Problem(`RESOURCE=${text} is not https`, { fix });
  if (url.search !== "" || url.hash !== "" || url.username !== "" || text.endsWith("?") || text.endsWith("#")) {
    throw new Problem(`RESOURCE=${text} has a query, a fragment or a user name`, { fix });
  }
  if (url.href !== text && url.href !== `${text}/`) {
    throw new Problem(`RESOURCE=${text} is not in its normal form`, { why: "Clients write it as a URL parser does, and it is compared byte for byte.", fix: `RESOURCE=${url.href}` });
  }
  const note =
    url.pathname === "/" ? "RESOURCE has no path: some clients add a slash at its end, and are then refused. A path such as /mcp avoids it." : undefined;
  return { resource: text, note };
}

function registrarOrigin(text) {
  const url = URL.parse(text);
  if (url === null || !isPrivate(url)) {
    throw new Problem(`--registrar ${text} is not an https URL`, { fix: "For example --registrar https://apps.example.com" });
  }
  return url.origin;
}
