// What git leaves out of a project: every file that wrangler reads secrets from.

import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { complete } from "../src/answers.mjs";
import { readOptions } from "../src/options.mjs";
import { projectFiles } from "../src/project.mjs";

const SECRETS = [".dev.vars", ".dev.vars.staging", ".env", ".env.local", ".env.production", ".env.production.local", "vault/.dev.vars", "registrar/.env"];
const KEPT = [".dev.vars.example", "wrangler.jsonc", "package.json", "vault/wrangler.jsonc"];

const ofRepository = (path) => readFileSync(new URL(`../../${path}`, import.meta.url), "utf8");

for (const [name, text] of [
  ["a new project", projectFiles(complete(readOptions(["acme", "--yes"]), tmpdir()), "1.2.3").get(".gitignore")],
  ["templates/deploy", ofRepository("templates/deploy/.gitignore")],
  ["templates/rust", ofRepository("templates/rust/.gitignore")],
  ["this repository", ofRepository(".gitignore")],
]) {
  test(`git leaves the secrets out of ${name}, and keeps their example`, async () => {
    const folder = await mkdtemp(join(tmpdir(), "mcp-edge-ignored-"));
    try {
      execFileSync("git", ["init", "--quiet", folder]);
      await writeFile(join(folder, ".gitignore"), text);
      const { stdout, status } = spawnSync("git", ["check-ignore", ...SECRETS, ...KEPT], { cwd: folder, encoding: "utf8" });
      assert.equal(status, 0);
      assert.deepEqual(stdout.trim().split("\n"), SECRETS);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
}
