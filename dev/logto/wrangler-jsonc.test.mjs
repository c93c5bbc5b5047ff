// The settings in wrangler.jsonc.

import assert from "node:assert/strict";
import { test } from "node:test";
import { readName, readSettings, setSettings } from "./wrangler-jsonc.mjs";

const TEXT = `{
  // A Worker.
  "name": "acme-local",
  "vars": { "A": "here", "N": 1 },
  "env": {
    "production": {
      "name": "acme",
      "vars": {
        // The issuer.
        "ISSUER": "",
        "RESOURCE": "https://mcp.example.com/mcp" // the URL
      }
    },
    "staging": { "vars": {} }
  }
}
`;
const FILE = "wrangler.jsonc";

test("each place has settings of its own, and those that are strings are read", () => {
  assert.deepEqual(readSettings(TEXT, FILE), { A: "here" });
  assert.deepEqual(readSettings(TEXT, FILE, "production"), { ISSUER: "", RESOURCE: "https://mcp.example.com/mcp" });
  assert.deepEqual(readSettings(TEXT, FILE, "staging"), {});
});

test("the Worker of a place is what wrangler calls it", () => {
  assert.equal(readName(TEXT, FILE), "acme-local");
  assert.equal(readName(TEXT, FILE, "production"), "acme");
  assert.equal(readName(TEXT, FILE, "staging"), "acme-local-staging");
});

test("a value is set in its place, and everything else stays", () => {
  assert.equal(setSettings(TEXT, { ISSUER: "https://a.example" }, FILE, "production"), TEXT.replace('"ISSUER": ""', '"ISSUER": "https://a.example"'));
  assert.equal(setSettings(TEXT, { A: "here" }, FILE), TEXT);
});

test("a new setting stands after the others, and comments stay", () => {
  const changed = setSettings(TEXT, { PROVIDER: 'a "b"' }, FILE, "production");
  assert.deepEqual(readSettings(changed, FILE, "production"), { ISSUER: "", RESOURCE: "https://mcp.example.com/mcp", PROVIDER: 'a "b"' });
  for (const comment of ["// A Worker.", "// The issuer.", "// the URL"]) assert.ok(changed.includes(comment), changed);
  assert.deepEqual(readSettings(changed, FILE), { A: "here" });
});

test("what cannot be read or set is explained", () => {
  assert.throws(() => readSettings('{\n  "vars": {,}\n}', FILE), { message: "wrangler.jsonc is not valid JSONC" });
  for (const [text, why] of [
    ["nonsense", "In line 1, there is a word that is neither true, false nor null; strings need double quotes."],
    ['{\n  "vars": {\n    "A": "b"\n    "C": "d"\n  }\n}', "In line 4, a comma is missing before this."],
    ['{ "vars": {', "In line 1, the end of an object, }, is missing."],
    ['{ "vars": { "A": "b } }', "In line 1, the end of a string, a double quote, is missing."],
    ['{ "vars": { "A": "\\x" } }', "In line 1, a \\ in a string is followed by a character that it cannot stand before."],
  ]) assert.throws(() => readSettings(text, FILE), { why }, text);
  assert.throws(() => readSettings(TEXT, FILE, "prod"), { message: 'wrangler.jsonc has no environment "prod"' });
  assert.throws(() => setSettings(TEXT, { N: "2" }, FILE), { message: "N in wrangler.jsonc is not a string" });
});
