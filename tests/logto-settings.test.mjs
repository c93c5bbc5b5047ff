// How `make logto` edits wrangler.toml, and what it accepts as ENDPOINT and RESOURCE.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { describe, test } from "node:test";
import { checkResource, normaliseEndpoint, readOptions } from "../dev/logto/options.mjs";
import { readSettings, setSettings } from "../dev/logto/wrangler-toml.mjs";

describe("wrangler.toml", () => {
  test("a value is replaced in its line; indentation and comment stay", () => {
    const text = 'name = "x"\n[vars]\n  ISSUER  =  "a" # why\nB = \'c\'\n\n[env.x.vars]\nISSUER = "other"\n';
    assert.equal(setSettings(text, { ISSUER: 'q"\\' }), text.replace('"a"', '"q\\"\\\\"'));
    assert.equal(setSettings(text, { B: "d" }), text.replace("'c'", '"d"'));
    assert.deepEqual(readSettings(text), { ISSUER: "a", B: "c" });
  });

  test("a commented default becomes a setting; without one it goes to the end of the table", () => {
    const text = '[vars]\nA = "1"\n# B = ""\n# B explains\n\n# on the next table\n[[more]]\nB = "no"\n';
    assert.equal(setSettings(text, { B: "2" }), text.replace('# B = ""', 'B = "2"'));
    assert.equal(setSettings(text, { C: "3" }), text.replace('A = "1"\n', 'A = "1"\nC = "3"\n'));
    assert.equal(setSettings('name = "x"', { C: "3" }), 'name = "x"\n\n[vars]\nC = "3"\n');
  });

  test("line ends and a missing last one stay", () => {
    assert.equal(setSettings('[vars]\r\nA = "1"\r\n', { A: "2", B: "3" }), '[vars]\r\nA = "2"\r\nB = "3"\r\n');
    assert.equal(setSettings('[vars]\nA = "1"', { A: "2" }), '[vars]\nA = "2"');
  });

  test("the same value changes nothing, in this repository's file too", async () => {
    for (const file of ["wrangler.toml", "registrar/wrangler.toml"]) {
      const text = await readFile(new URL(`../${file}`, import.meta.url), "utf8");
      assert.equal(setSettings(text, readSettings(text)), text);
    }
  });

  test("other forms are refused, not broken", () => {
    assert.throws(() => setSettings("[vars]\nA = [1]\n", { A: "2" }), /not a string in one line/);
    assert.throws(() => setSettings('[vars]\nA = """\nx"""\n', { A: "2" }), /several lines/);
    assert.throws(() => setSettings('vars = { A = "1" }\n', { A: "2" }), /vars = \{/);
  });
});

describe("ENDPOINT and RESOURCE", () => {
  test("an endpoint with /oidc, a slash or without https:// is understood, with a word", () => {
    for (const text of ["https://t.logto.app/oidc", "https://t.logto.app/", "t.logto.app", "https://t.logto.app/oidc/"]) {
      const { endpoint, note } = normaliseEndpoint(text);
      assert.deepEqual([endpoint, note.includes(text)], ["https://t.logto.app", true]);
    }
    assert.equal(normaliseEndpoint("localhost:3001").endpoint, "http://localhost:3001");
    assert.equal(normaliseEndpoint("localhost.example").endpoint, "https://localhost.example");
    assert.deepEqual(normaliseEndpoint("http://localhost:3001"), { endpoint: "http://localhost:3001", note: undefined });
  });

  test("others are refused with a reason", () => {
    for (const text of [undefined, "", "http://t.example", "ftp://x", "https://<tenant>.logto.app", "https://a:b@t.example", "https://"]) {
      assert.throws(() => normaliseEndpoint(text), { name: "Error" }, String(text));
    }
    for (const text of [undefined, "http://mcp.example.com/mcp", "mcp.example.com", "https://x.example/mcp?a", "https://x.example/#f", "https://X.example/mcp", "https://x.example:443/mcp"]) {
      assert.throws(() => checkResource(text), { name: "Error" }, String(text));
    }
    assert.equal(checkResource("https://mcp.example.com/mcp").note, undefined);
    assert.match(checkResource("https://mcp.example.com").note, /no path/);
  });

  test("flags are checked", () => {
    assert.throws(() => readOptions(["--nonsense"], {}), /nonsense/);
    assert.throws(() => readOptions(["--scope", "x"], {}), /name=description/);
    assert.throws(() => readOptions(["--registrar", "http://x.example"], {}), /https/);
    assert.equal(readOptions(["--registrar", "https://apps.example.com/register"], {}).registrar, "https://apps.example.com");
    assert.deepEqual([readOptions([], { DRY_RUN: "0" }).dryRun, readOptions([], { DRY_RUN: "1" }).dryRun], [false, true]);
  });
});
