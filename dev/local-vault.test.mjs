// The bindings to the vault in wrangler.toml, which are comments until an operator wants them.

import assert from "node:assert/strict";
import { mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { keepBoundConfig, withVault } from "./local-vault.mjs";

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

test("a change of wrangler.toml gets into the configuration of each port, until it is removed", async () => {
  const folder = await mkdtemp(join(tmpdir(), "local-vault-"));
  const write = (name) => writeFile(join(folder, "wrangler.toml"), `name = "${name}"\n`);
  try {
    await write("first");
    const [one, other] = [8787, 8790].map((port) => keepBoundConfig(port, folder));
    assert.deepEqual((await readdir(folder)).sort(), [one.name, other.name, "wrangler.toml"].sort());
    await write("second");
    for (const { name } of [one, other]) {
      const deadline = Date.now() + 10_000;
      while (!(await readFile(join(folder, name), "utf8")).includes("second")) {
        assert.ok(Date.now() < deadline, `${name} is as it was`);
        await sleep(50);
      }
    }
    one.remove();
    assert.deepEqual((await readdir(folder)).sort(), [other.name, "wrangler.toml"].sort());
    other.remove();
  } finally {
    await rm(folder, { recursive: true });
  }
});
