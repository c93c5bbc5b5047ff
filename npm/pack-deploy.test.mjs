// The template of the "Deploy to Cloudflare" button: what is put into it, and that its settings are those of wrangler.toml.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { getStaticTOMLValue, parseTOML } from "toml-eslint-parser";
import { unstable_readConfig as readConfig } from "wrangler";
import { packDeploy } from "./pack-deploy.mjs";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const TEMPLATE = join(ROOT, "templates/deploy");

describe("the built Worker", () => {
  let folder;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "pack-deploy-"));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  test("is put into the template, with its checksums", async () => {
    await writeFile(join(folder, "index.js"), "js");
    await writeFile(join(folder, "index_bg.wasm"), "wasm");
    packDeploy(folder, folder);
    assert.deepEqual((await readdir(join(folder, "worker"))).sort(), ["SHA256SUMS", "index.js", "index_bg.wasm"]);
    assert.equal(await readFile(join(folder, "worker/index_bg.wasm"), "utf8"), "wasm");
    const sum = (text) => createHash("sha256").update(text).digest("hex");
    assert.equal(await readFile(join(folder, "worker/SHA256SUMS"), "utf8"), `${sum("js")}  index.js\n${sum("wasm")}  index_bg.wasm\n`);
  });

  test("of an earlier time does not stay if there is none now", async () => {
    await writeFile(join(folder, "index.js"), "js");
    await writeFile(join(folder, "index_bg.wasm"), "wasm");
    packDeploy(folder, folder);
    await rm(join(folder, "index_bg.wasm"));
    assert.throws(() => packDeploy(folder, folder), { code: "ENOENT" });
    assert.equal(existsSync(join(folder, "worker")), false);
  });
});

describe("templates/deploy", () => {
  const { compatibility_date, compatibility_flags, vars } = getStaticTOMLValue(parseTOML(readFileSync(join(ROOT, "wrangler.toml"), "utf8")));
  const config = readConfig({ config: join(TEMPLATE, "wrangler.jsonc") });
  const packageJson = JSON.parse(readFileSync(join(TEMPLATE, "package.json"), "utf8"));

  test("has the settings of wrangler.toml, with examples of what is empty there", () => {
    assert.deepEqual([config.compatibility_date, config.compatibility_flags], [compatibility_date, compatibility_flags]);
    assert.deepEqual(Object.keys(config.vars), Object.keys(vars));
    const { REQUIRED_SCOPES, CLAIM_SCOPES } = config.vars;
    assert.deepEqual({ REQUIRED_SCOPES, CLAIM_SCOPES }, { REQUIRED_SCOPES: vars.REQUIRED_SCOPES, CLAIM_SCOPES: vars.CLAIM_SCOPES });
  });

  test("describes each variable and binding", () => {
    const names = [...config.kv_namespaces.map(({ binding }) => binding), ...Object.keys(config.vars)];
    assert.deepEqual(Object.keys(packageJson.cloudflare.bindings), names);
  });

  test("uses the wrangler of this repository, and the package of the same version as the Worker", () => {
    const json = (file) => JSON.parse(readFileSync(join(ROOT, file), "utf8"));
    const expected = { "mcp-edge": json("npm/package.json").version, wrangler: json("package.json").devDependencies.wrangler };
    assert.deepEqual(packageJson.devDependencies, expected);
    assert.deepEqual(json("templates/rust/package.json").devDependencies, expected, "the template for authors, too");
  });

  test("names only commands that the package has, once it is installed", () => {
    const [, commands] = /```sh\n(npm install\n[^`]*npx mcp-edge[^`]*)```/.exec(readFileSync(join(TEMPLATE, "README.md"), "utf8")) ?? [];
    assert.ok(commands, "npm install stands before the first of them");
    for (const [, name] of commands.matchAll(/npx mcp-edge ([a-z-]+)/g)) assert.ok(existsSync(join(ROOT, `npm/commands/${name}.mjs`)), name);
  });

  test("asks for no secret: whoami needs none", () => {
    const lines = readFileSync(join(TEMPLATE, ".dev.vars.example"), "utf8").split("\n");
    assert.deepEqual(lines.filter((line) => line !== "" && !line.startsWith("#")), []);
  });
});
