// `mcp-edge dev`: the project's Workers and an identity provider on this machine.

import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import process from "node:process";
import { parseArgs } from "node:util";
import { Problem } from "../../dev/logto/problem.mjs";
import { readSettings } from "../../dev/logto/wrangler-jsonc.mjs";
import { checkUpstream } from "../../dev/gateway/scopes-options.mjs";
import { scopesOf } from "../../dev/identity-provider/scopes.mjs";
import { portFrom } from "../../dev/ports.mjs";
import { runLocal } from "../../dev/run-local.mjs";
import { PORT_OPTIONS } from "../../dev/surroundings.mjs";

export const summary = "start the Worker, and an identity provider, on this machine";

const USAGE = `Usage: npx mcp-edge dev [options]

Starts the project on Cloudflare's runtime, with a local identity provider (alice / alice), until Ctrl-C: the Worker of
wrangler.jsonc, and the vault if there is vault/wrangler.jsonc. A Worker in Rust is built first. The registrar is not
started: it needs a tenant at Logto.

  --upstream URL   a gateway in front of the MCP server there; without it, UPSTREAM at the top of wrangler.jsonc
  --scope NAME=DESCRIPTION
                   a scope that tools of your own need, beside REQUIRED_SCOPES at the top of wrangler.jsonc; may be repeated
  --port, --idp-port, --vault-port NUMBER
                   other ports than 8787, 3000 and 8789; so do the environment variables PORT, IDP_PORT and VAULT_PORT
  --help           show this`;

const OPTIONS = {
  upstream: { type: "string" },
  scope: { type: "string", multiple: true },
  ...Object.fromEntries(Object.values(PORT_OPTIONS).map((name) => [name, { type: "string" }])),
  help: { type: "boolean", default: false },
};

const PREBUILT = { waiting: "Starting the Workers.", changes: "Changes of wrangler.jsonc count at once." };
const RUST = { waiting: "Building and starting the Worker. The first time, this takes a few minutes.", changes: "Changes to the sources are built at once." };

/** @param {string[]} args */
export async function run(args) {
  const root = process.cwd();
  let wrangler, scopes;
  try {
    const { values } = parseArgs({ args, options: OPTIONS });
    if (values.help) return console.log(USAGE), 0;
    // What this command and `make dev` have in common reads the environment.
    if (values.upstream !== undefined) process.env.UPSTREAM = checkUpstream(values.upstream, { name: "--upstream" });
    for (const [variable, name] of Object.entries(PORT_OPTIONS)) {
      const port = portFrom(`--${name}`, undefined, { [`--${name}`]: values[name] });
      if (port !== undefined) process.env[variable] = String(port);
    }
    if (!existsSync(join(root, "wrangler.jsonc"))) throw new Problem("there is no wrangler.jsonc here", { fix: 'Run it in the folder of a project, or make one: "npm create mcp-edge@latest".' });
    wrangler = findWrangler(root);
    scopes = scopesOf(settingsOf(root).REQUIRED_SCOPES, values.scope);
  } catch (error) {
    console.error(`mcp-edge dev: ${error instanceof Problem ? error.lines.join("\n") : `${error.message}\n\n${USAGE}`}`);
    return 1;
  }
  await runLocal({
    root,
    wrangler,
    ...(existsSync(join(root, "Cargo.toml")) ? RUST : PREBUILT),
    readSettings: () => settingsOf(root),
    scopes,
    vault: existsSync(join(root, "vault/wrangler.jsonc")) ? "vault" : undefined,
  });
  return undefined;
}

const settingsOf = (root) => readSettings(readFileSync(join(root, "wrangler.jsonc"), "utf8"));

/** The program of the project's own wrangler. */
function findWrangler(root) {
  try {
    return join(createRequire(join(root, "package.json")).resolve("wrangler/package.json"), "../bin/wrangler.js");
  } catch {
    throw new Problem("wrangler is not installed here", { fix: "Run npm install." });
  }
}
