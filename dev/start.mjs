// `make dev`: the Worker, the vault of its access keys and an identity provider on this machine, until Ctrl-C.
//
//   PORT=8787 VAULT_PORT=8789 IDP_PORT=3000 node dev/start.mjs
//
// With UPSTREAM=http://localhost:3001/mcp the Worker is a gateway in front of the MCP server there. With
// WORKER=examples/agenda it is that example, and the services that it reaches are started as well.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { exampleOf } from "./examples/index.mjs";
import { VAULT_FOLDER, keepBoundConfig } from "./local-vault.mjs";
import { readSettings } from "./logto/wrangler-toml.mjs";
import { runLocal } from "./run-local.mjs";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

await runLocal({
  root: ROOT,
  wrangler: join(ROOT, "node_modules/wrangler/bin/wrangler.js"),
  waiting: "Building and starting two Workers. The first time, this takes a few minutes.",
  changes: "Changes to the sources are built at once.",
  readSettings: () => readSettings(readFileSync(join(ROOT, "wrangler.toml"), "utf8")),
  vault: VAULT_FOLDER,
  bindVault: keepBoundConfig,
  exampleOf,
});
