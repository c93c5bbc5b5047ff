// Every setting of the endpoint is explained: those that its code reads, and those that wrangler.toml offers.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const read = (file) => readFileSync(`${ROOT}${file}`, "utf8");
const namesIn = (text, form) => [...text.matchAll(form)].map(([, name]) => name);

/** Where the code reads settings: modules called so, without their tests. */
const sources = execFileSync("git", ["ls-files", "crates/*/src/*settings*.rs", "crates/*/src/**/settings/*.rs"], { cwd: ROOT, encoding: "utf8" })
  .split("\n")
  .filter((file) => file !== "" && !file.includes("test"));
const ofCode = sources.flatMap((file) => namesIn(read(file), /"([A-Z][A-Z0-9_]{2,})"/g));
const ofToml = namesIn(read("wrangler.toml"), /^(?:# )?([A-Z][A-Z0-9_]+) = /gm);

test("the names are found", () => {
  for (const name of ["ISSUER", "KEY_PREFIX", "TOOL_SCOPES", "LOGO"]) assert.ok(ofCode.includes(name) && ofToml.includes(name), name);
});

test("each is in docs/settings.md, or in the table of a gateway's settings", () => {
  const [, ofGateway] = /^## Settings\n([^]*?)^## /m.exec(read("docs/gateway.md")) ?? [];
  assert.ok(ofGateway, "docs/gateway.md has a section Settings");
  const explained = `${read("docs/settings.md")}\n${ofGateway}`;
  const missing = [...new Set([...ofCode, ...ofToml])].filter((name) => !explained.includes(`\`${name}\``));
  assert.deepEqual(missing, []);
});
