// `mcp-edge dev`: the project's Workers and an identity provider on this machine.

import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import process from "node:process";
import { parseArgs } from "node:util";
import { Problem } from "../../dev/logto/problem.mjs";
import { readSettings } from "../../dev/logto/wrangler-jsonc.mjs";
import { runLocal } from "../../dev/run-local.mjs";

export const summary = "start the Worker, and an identity provider, on this machine";

const USAGE = `Usage: npx mcp-edge dev [--upstream URL]

Starts the project on Cloudflare's runtime, with a local identity provider (alice / alice), until Ctrl-C: the Worker of
wrangler.jsonc, and the vault if there is vault/wrangler.jsonc.

  --upstream URL   a gateway in front of the MCP server there; without it, UPSTREAM at the top of wrangler.jsonc
  --help           show this

Environment: PORT (8787), IDP_PORT (3000) and VAULT_PORT (8789) choose other ports.`;

/** @param {string[]} args */
export async function run(args) {
  const root = process.cwd();
  let wrangler;
  try {
    const { values } = parseArgs({ args, options: { upstream: { type: "string" }, help: { type: "boolean", default: false } } });
    if (values.help) return console.log(USAGE), 0;
    if (values.upstream !== undefined) process.env.UPSTREAM = values.upstream;
    if (!existsSync(join(root, "wrangler.jsonc"))) throw new Problem("there is no wrangler.jsonc here", { fix: 'Run it in the folder of a project, or make one: "npm create mcp-edge@latest".' });
    wrangler = findWrangler(root);
  } catch (error) {
    console.error(`mcp-edge dev: ${error instanceof Problem ? error.lines.join("\n") : `${error.message}\n\n${USAGE}`}`);
    return 1;
  }
  await runLocal({
    root,
    wrangler,
    waiting: "Starting the Workers.",
    changes: "Changes of wrangler.jsonc count at once.",
    readSettings: () => readSettings(readFileSync(join(root, "wrangler.jsonc"), "utf8")),
    vault: existsSync(join(root, "vault/wrangler.jsonc")) ? "vault" : undefined,
  });
  return undefined;
}

/** The program of the project's own wrangler. */
function findWrangler(root) {
  try {
    return join(createRequire(join(root, "package.json")).resolve("wrangler/package.json"), "../bin/wrangler.js");
  } catch {
    throw new Problem("wrangler is not installed here", { fix: "Run npm install." });
  }
}
