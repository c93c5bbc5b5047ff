// The bindings to the vault in wrangler.toml, which are comments until an operator wants them.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { withVault } from "./local-vault.mjs";

const read = (name) => readFile(new URL(`../${name}`, import.meta.url), "utf8");

const BINDINGS = `[[services]]
binding = "VAULT"
service = "mcp-edge-vault"

[[services]]
binding = "VAULT_CALLS"
service = "mcp-edge-vault"
entrypoint = "Internal"
props = { role = "endpoint" }
`;

test("without their comment signs the bindings are those that the endpoint needs", async () => {
  const toml = await read("wrangler.toml");
  assert.ok(!/^\[\[services\]\]/m.test(toml), "a missing target fails a deployment");
  const bound = withVault(toml);
  assert.ok(bound.replace(/\n#\n/, "\n\n").includes(BINDINGS), bound);
  assert.equal(withVault(bound), bound);
});

test("the vault has the name that they lead to, and no address of its own", async () => {
  const toml = await read("vault/wrangler.toml");
  assert.match(toml, /^name = "mcp-edge-vault"$/m);
  assert.match(toml, /^workers_dev = false$/m);
  assert.match(toml, /^preview_urls = false$/m);
  assert.ok(!/^\s*(route|routes)\b/m.test(toml));
});
