// How `make logto` edits wrangler.toml, and what it accepts as ENDPOINT and RESOURCE.

import assert from "node:assert/strict";
import { chmod, lstat, readdir, readFile, rename, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { checkResource, normaliseEndpoint, readOptions } from "../dev/logto/options.mjs";
import { readName, readSettings, setSettings } from "../dev/logto/wrangler-toml.mjs";
import { createProject, runLogto, startLogto } from "./support/logto-tenant.mjs";

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

  test("every way to write the table is understood", () => {
    for (const [before, after] of [
      ['["vars"]\nA = "1"\n\n[env."x y".vars]\nA = "no"\n', '["vars"]\nA = "2"\nB = "3"\n\n[env."x y".vars]\nA = "no"\n'],
      ["[ 'vars' ]\n'A' = '1' # why\n", "[ 'vars' ]\n'A' = \"2\" # why\nB = \"3\"\n"],
      ['vars.A = "1"\n[other]\nA = "no"\n', 'vars.A = "2"\nvars.B = "3"\n[other]\nA = "no"\n'],
      ['vars = { A = "1" } # why\n', 'vars = { A = "2", B = "3" } # why\n'],
      ['vars = {\n  A = "1", # why\n}\n', 'vars = {\n  A = "2", B = "3", # why\n}\n'],
      ["vars = {}\n", 'vars = { A = "2", B = "3" }\n'],
      ['[vars]\nLIST = [\n  ["a"], # ]\n  ["[more]", "A = \\"no\\""],\n]\nA = "1"\n', '[vars]\nLIST = [\n  ["a"], # ]\n  ["[more]", "A = \\"no\\""],\n]\nA = "2"\nB = "3"\n'],
      ['[vars]\nLONG = """\n[other]\nA = "no"\n# B = "no"\n"""\nA = """1"""\n', '[vars]\nLONG = """\n[other]\nA = "no"\n# B = "no"\n"""\nA = "2"\nB = "3"\n'],
      ['[vars]\nA = "1"\n\n# on the next table\n[[vars.MORE]]\nA = "no"\n', '[vars]\nA = "2"\nB = "3"\n\n# on the next table\n[[vars.MORE]]\nA = "no"\n'],
      ['[[vars.MORE]]\nA = "no"\n', '[[vars.MORE]]\nA = "no"\n\n[vars]\nA = "2"\nB = "3"\n'],
      ['\ufeff[vars]\nA = "1"', '\ufeff[vars]\nA = "2"\nB = "3"\n'],
      ['[vars]\r\nA = "1"\n', '[vars]\r\nA = "2"\nB = "3"\r\n'],
      ['[vars]\n\tA\t=\t"1"\n', '[vars]\n\tA\t=\t"2"\n\tB = "3"\n'],
      ['name = "x"\n# [vars]\n', 'name = "x"\n# [vars]\n\n[vars]\nA = "2"\nB = "3"\n'],
    ]) {
      assert.equal(setSettings(before, { A: "2", B: "3" }), after);
      assert.equal(setSettings(after, readSettings(after)), after, "it is understood as it was written");
      assert.deepEqual([readSettings(after).A, readSettings(after).B], ["2", "3"]);
    }
  });

  test("only settings are read, as the strings that they are", () => {
    const text = 'A = "no"\n[vars]\nA = "\\u00e9\\U0001F600"\nN = 1\nL = ["x"]\n';
    assert.deepEqual(Object.entries(readSettings(text)), [["A", "é😀"]]);
    assert.deepEqual(Object.entries(readSettings('name = "x"\n')), []);
  });

  test("a comment becomes a setting only where it then is one", () => {
    const text = "[vars]\nA = \"1\"\nLIST = [\n# B = \"\"\n]\n# B = \"\" # no\n#B=''\n[other]\n# B = \"\"\n";
    assert.equal(setSettings(text, { B: "2" }), text.replace("#B=''", 'B = "2"'));
    const outside = '# B = ""\n[vars]\nA = "1"\n[other]\n# B = ""\n';
    assert.equal(setSettings(outside, { B: "2" }), outside.replace('A = "1"\n', 'A = "1"\nB = "2"\n'));
  });

  test("values with quotes, control characters and line breaks are written so that they are read again", () => {
    for (const value of ['"', "\\", "a\nb", "\u007f\u0000", "'''", "é😀"]) {
      assert.equal(readSettings(setSettings('[vars]\nA = "1"\n', { A: value })).A, value);
    }
  });

  test("other forms are refused, not broken", () => {
    assert.throws(() => setSettings("[vars]\nA = [1]\n", { A: "2" }), /A in wrangler.toml is not a string/);
    assert.throws(() => setSettings("[vars.A]\nx = 1\n", { A: "2" }), /A in wrangler.toml is not a string/);
    assert.throws(() => setSettings('vars = "x"\n', { A: "2" }), /vars in wrangler.toml is not a table/);
    const file = "registrar/wrangler.toml";
    assert.throws(() => setSettings("[vars]\nA = [1]\n", { A: "2" }, file), /^Error: A in registrar\/wrangler.toml is not a string/);
    assert.throws(() => setSettings('vars = "x"\n', { A: "2" }, file), /^Error: vars in registrar\/wrangler.toml is not a table/);
    assert.throws(() => setSettings("x", { A: "2" }, file), /^Error: registrar\/wrangler.toml is not valid TOML/);
    assert.throws(() => readName("x", file), /^Error: registrar\/wrangler.toml is not valid TOML/);
    assert.throws(() => readSettings("x", file), /^Error: registrar\/wrangler.toml is not valid TOML/);
    for (const text of ["[vars\n", '[vars]\nA = "1"\nA = "2"\n', '[vars]\nA = "1\n']) {
      assert.throws(() => readSettings(text), { message: /wrangler.toml is not valid TOML/, why: /line \d+/ }, text);
    }
  });
});

describe("the file", () => {
  const RESOURCE = "https://mcp.example.com/mcp";
  let tenant;
  before(async () => {
    tenant = await startLogto({ resource: RESOURCE });
  });
  after(() => tenant.stop());
  const set = (project) => runLogto({ project, args: ["--endpoint", tenant.endpoint, "--resource", RESOURCE, "--yes", "--no-playground"] });

  test("a link stays a link, and the file behind it is written with its permissions", async () => {
    const project = await createProject();
    const [path, target] = [join(project.root, "wrangler.toml"), join(project.root, "elsewhere.toml")];
    await rename(path, target);
    await chmod(target, 0o600);
    await symlink("elsewhere.toml", path);
    const { code, output } = await set(project);
    assert.equal(code, 0, output);
    assert.equal((await lstat(path)).isSymbolicLink(), true);
    assert.equal(readSettings(await readFile(target, "utf8")).RESOURCE, RESOURCE);
    assert.equal((await stat(target)).mode & 0o777, 0o600);
    assert.deepEqual((await readdir(project.root)).filter((name) => name.includes("toml")).sort(), ["elsewhere.toml", "wrangler.toml"], "nothing else is left");
    await project.remove();
  });

  test("one that cannot be written is said, and stays as it is", async () => {
    const project = await createProject();
    // No file beside it can have a longer name.
    const target = `${"x".repeat(250)}.toml`;
    await rename(join(project.root, "wrangler.toml"), join(project.root, target));
    await symlink(target, join(project.root, "wrangler.toml"));
    const before = await project.read();
    assert.match((await set(project)).output, /wrangler.toml cannot be written \(ENAMETOOLONG\)\n {2}why.*\n {2}fix/);
    assert.equal(await project.read(), before);
    await project.remove();
  });

  test("PROVIDER is written, in a file that does not mention it too, and its drift is said", async () => {
    const project = await createProject({ change: (toml) => toml.replaceAll(/^.*PROVIDER.*\n/gm, "") });
    await set(project);
    assert.equal(readSettings(await project.read()).PROVIDER, "logto");
    await project.write((await project.read()).replace('PROVIDER = "logto"', 'PROVIDER = "auth0"'));
    assert.match((await set(project)).output, /~ will change {3}wrangler.toml: PROVIDER\n +auth0 → logto/);
    assert.equal(readSettings(await project.read()).PROVIDER, "logto");
    await project.remove();
  });

  test("one that is not UTF-8 is refused, and stays as it is", async () => {
    const project = await createProject();
    const path = join(project.root, "wrangler.toml");
    const bytes = Buffer.concat([Buffer.from("# Z\xfcrich\n", "latin1"), await readFile(path)]);
    await writeFile(path, bytes);
    const { problem, output } = await set(project);
    assert.ok(problem, output);
    assert.match(output, /^wrangler.toml is not valid TOML \(not UTF-8\)\n {2}why.*\n {2}fix/);
    assert.ok((await readFile(path)).equals(bytes));
    await project.remove();
  });

  test("its byte order mark stays", async () => {
    const project = await createProject({ change: (toml) => `\ufeff${toml}` });
    const { code, output } = await set(project);
    assert.equal(code, 0, output);
    assert.deepEqual([...(await readFile(join(project.root, "wrangler.toml"))).subarray(0, 3)], [0xef, 0xbb, 0xbf]);
    await project.remove();
  });

  test("one that becomes another while the question is open is not written", async () => {
    const project = await createProject();
    const path = join(project.root, "wrangler.toml");
    const confirm = async () => {
      await writeFile(path, Buffer.from("# \xff\n", "latin1"));
      return true;
    };
    const { output } = await runLogto({ project, args: ["--endpoint", tenant.endpoint, "--resource", RESOURCE, "--no-playground"], surroundings: { confirm } });
    assert.match(output, /wrangler.toml was changed meanwhile/);
    assert.equal((await readFile(path)).toString("latin1"), "# \xff\n");
    await project.remove();
  });

  test("messages about the registrar's file name it", async () => {
    const project = await createProject();
    await project.write((await project.read("registrar/wrangler.toml")).replace(/^ISSUER = .*$/m, "ISSUER = []"), "registrar/wrangler.toml");
    const { output } = await runLogto({ project, args: ["--endpoint", tenant.endpoint, "--resource", RESOURCE, "--dry-run", "--registrar", "https://apps.example.com"] });
    assert.match(output, /left alone .*registrar\/wrangler.toml: ISSUER, because ISSUER in registrar\/wrangler.toml is not a string/);
    await project.remove();
  });

  test("a setting that cannot be written is said, and makes the result incomplete", async () => {
    const project = await createProject({ change: (toml) => toml.replace('ISSUER = ""', "ISSUER = []") });
    const { output } = await set(project);
    assert.match(output, /left alone .*wrangler.toml: ISSUER, because ISSUER in wrangler.toml is not a string/);
    assert.match(output, /Not complete/);
    assert.equal(readSettings(await project.read()).RESOURCE, RESOURCE);
    await project.remove();
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
