// The skill with which agents set mcp-edge up: every command, script, option, document and provider that it names is there.

import assert from "node:assert/strict";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { test } from "node:test";
import { complete } from "../create-mcp-edge/src/answers.mjs";
import { readOptions } from "../create-mcp-edge/src/options.mjs";
import { projectFiles } from "../create-mcp-edge/src/project.mjs";
import { PROVIDERS } from "../create-mcp-edge/src/providers.mjs";

const ROOT = new URL("../", import.meta.url);
const FOLDER = new URL("skills/mcp-edge/", ROOT);
const manifest = read("SKILL.md");
const inRust = read("references/rust.md");

function read(path) {
  return readFileSync(new URL(path, FOLDER), "utf8");
}

const all = (pattern, text = manifest) => [...text.matchAll(pattern)].map(([, found]) => found);

/** The scripts of a project that is made with these options. */
function scriptsOf(args) {
  const files = projectFiles(complete(readOptions(args), tmpdir()), "1.2.3");
  return JSON.parse(files.get("package.json")).scripts;
}

test("the command that makes a project works, and the project has every script", () => {
  const [line] = all(/npm create mcp-edge@latest (acme -- .+)$/gm);
  const scripts = scriptsOf(line.split(" ").filter((word) => word !== "--"));
  const named = all(/npm run ([a-z-]+)/g);
  assert.ok(named.length > 8);
  for (const script of named) assert.ok(script in scripts, script);
});

test("the project of the template for Rust has every script", () => {
  const { scripts } = JSON.parse(readFileSync(new URL("templates/rust/package.json", ROOT), "utf8"));
  for (const script of all(/npm run ([a-z-]+)/g, inRust)) assert.ok(script in scripts, script);
});

test("every command of the package is one", () => {
  const commands = readdirSync(new URL("commands/", import.meta.url)).map((name) => name.replace(".mjs", ""));
  const named = all(/npx mcp-edge ([a-z-]+)/g);
  assert.deepEqual(named.filter((name) => !commands.includes(name)), []);
  assert.ok(named.includes("call"));
});

test("every document is there", () => {
  const documents = all(/node_modules\/mcp-edge\/(docs\/[\w/.-]+\.md)/g, manifest + inRust);
  assert.ok(documents.length > 3);
  for (const path of documents) assert.ok(existsSync(new URL(path, ROOT)), path);
  for (const path of all(/\]\(([^)]+)\)/g)) assert.ok(existsSync(new URL(path, FOLDER)), path);
});

test("every provider has its name and its document", () => {
  const [, row] = /`--provider`: (.+?) \|/.exec(manifest);
  for (const name of Object.keys(PROVIDERS)) {
    assert.match(row, new RegExp(`\\b${name}\\b`));
    assert.ok(existsSync(new URL(`docs/providers/${name}.md`, ROOT)), name);
  }
});
