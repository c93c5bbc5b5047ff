// The program: without a terminal, and with one.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { stripVTControlCharacters } from "node:util";
import { run } from "../src/run.mjs";

const PROGRAM = fileURLToPath(new URL("../index.mjs", import.meta.url));
const ENTER = "\r";
const DOWN = "\x1b[B";
const CTRL_C = "\x03";
const PATIENCE_MS = 10_000;

let cwd;
beforeEach(async () => {
  cwd = await mkdtemp(join(tmpdir(), "create-mcp-edge-"));
});
afterEach(() => rm(cwd, { recursive: true, force: true }));

/** Runs the program as a process without a terminal. */
async function create(...args) {
  const child = spawn(process.execPath, [PROGRAM, ...args], { cwd, stdio: ["ignore", "pipe", "pipe"] });
  const [output, errors, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "close")]);
  return { code, output, errors };
}

describe("without a terminal", () => {
  test("writes the project that the options say, and what to do next", async () => {
    const { code, output, errors } = await create("acme", "--provider", "logto", "--mode", "gateway", "--upstream", "http://localhost:3001/mcp", "--vault");
    assert.equal(code, 0, errors);
    assert.match(output, /Created acme: a gateway in front of http:\/\/localhost:3001\/mcp, the vault; sign-in at Logto\./);
    assert.match(output, /cd acme\n {2}npm install\n {2}npm run dev/);
    assert.match(output, /Left for later: the issuer and the endpoint's URL\./);
    assert.deepEqual((await readdir(join(cwd, "acme"))).sort(), [".dev.vars.example", ".gitignore", "README.md", "package.json", "vault", "wrangler.jsonc"]);
  });

  test("writes into an empty folder by its name .", async () => {
    await mkdir(join(cwd, "acme"));
    cwd = join(cwd, "acme");
    const { code, output, errors } = await create(".", "--yes");
    assert.equal(code, 0, errors);
    assert.doesNotMatch(output, /^ +cd /m);
    cwd = join(cwd, "..");
  });

  test("names what is missing, and writes nothing", async () => {
    const { code, output, errors } = await create("acme", "--mode", "gateway");
    assert.equal(code, 1);
    assert.equal(output, "");
    assert.match(errors, /^create-mcp-edge: Missing: --provider, --upstream\n {2}Nobody can be asked here/);
    assert.deepEqual(await readdir(cwd), []);
  });

  test("a wrong value is explained, and nothing is written", async () => {
    const { code, errors } = await create("acme", "--yes", "--resource", "https://mcp.example.com");
    assert.equal(code, 1);
    assert.match(errors, /^create-mcp-edge: The resource "https:\/\/mcp\.example\.com" has no path\n {2}Give the full URL/);
    assert.deepEqual(await readdir(cwd), []);
  });

  test("a folder with anything in it is not touched", async () => {
    await mkdir(join(cwd, "acme"));
    await writeFile(join(cwd, "acme/mine"), "");
    const { code, errors } = await create("acme", "--yes");
    assert.equal(code, 1);
    assert.match(errors, /acme is not empty: it has mine\n/);
    assert.deepEqual(await readdir(join(cwd, "acme")), ["mine"]);
  });

  test("--help and --version", async () => {
    const help = await create("--help");
    assert.deepEqual([help.code, help.errors], [0, ""]);
    assert.match(help.output, /^Usage: npm create mcp-edge@latest/);
    for (const line of help.output.split("\n")) assert.ok(line.length <= 125, line);
    const { version } = JSON.parse(await readFile(new URL("../package.json", import.meta.url)));
    assert.equal((await create("--version")).output, `${version}\n`);
  });
});

describe("with a terminal", () => {
  /** Answers each question, as soon as it is asked, by the keys beside what the question contains. */
  async function converse(args, answers) {
    const stdin = Object.assign(new PassThrough(), { isTTY: true, setRawMode: () => {} });
    const stdout = Object.assign(new PassThrough(), { isTTY: true, columns: 120, rows: 60 });
    const stderr = new PassThrough();
    let seen = "";
    let errors = "";
    const open = [...answers];
    stdout.on("data", (chunk) => {
      seen += stripVTControlCharacters(String(chunk));
      if (open.length === 0 || !seen.includes(open[0][0])) return;
      const [[, ...keys]] = open.splice(0, 1);
      seen = "";
      // One after the other, as from a keyboard.
      keys.forEach((key, index) => setTimeout(() => stdin.write(key), 20 * (index + 1)));
    });
    stderr.on("data", (chunk) => (errors += chunk));
    // A question that nobody expected would wait for ever.
    const patience = setTimeout(() => stdin.write(CTRL_C), PATIENCE_MS);
    const code = await run(args, { stdin, stdout, stderr, cwd: () => cwd });
    clearTimeout(patience);
    assert.deepEqual(open, [], "every question was asked");
    return { code, output: seen, errors };
  }

  test("asks for what no option says", async () => {
    const { code, errors, output } = await converse([], [
      ["Where?", "acme", ENTER],
      ["What should agents reach?", DOWN, ENTER],
      ["The URL of its MCP endpoint?", "http://localhost:3001/mcp", ENTER],
      ["Where do your users sign in?", ENTER],
      ["Its issuer?", "https://acme.logto.app/oidc", ENTER],
      ["The URL that the endpoint will have?", ENTER],
      ["(the vault)?", "y"],
      ["(the registrar)?", ENTER],
    ]);
    assert.equal(code, 0, errors);
    assert.match(output, /Created acme: a gateway in front of http:\/\/localhost:3001\/mcp, the vault; sign-in at Logto\./);
    assert.match(await readFile(join(cwd, "acme/wrangler.jsonc"), "utf8"), /"ISSUER": "https:\/\/acme\.logto\.app\/oidc"/);
    assert.deepEqual((await readdir(join(cwd, "acme"))).includes("registrar"), false);
  });

  test("asks again after a wrong value, and says why", async () => {
    const { code, errors } = await converse(["acme", "--mode", "whoami", "--provider", "logto", "--resource", "", "--no-vault", "--no-registrar"], [
      ["Its issuer?", "https://acme.logto.app/oidc/", ENTER],
      ["is not an issuer of Logto", "\x7f", ENTER],
    ]);
    assert.equal(code, 0, errors);
    assert.match(await readFile(join(cwd, "acme/wrangler.jsonc"), "utf8"), /"ISSUER": "https:\/\/acme\.logto\.app\/oidc"/);
  });

  test("the registrar is offered with Logto only", async () => {
    const { code, errors } = await converse(["acme", "--mode", "whoami", "--provider", "auth0", "--issuer", "", "--resource", ""], [["(the vault)?", ENTER]]);
    assert.equal(code, 0, errors);
  });

  test("a wrong option is explained before the first question", async () => {
    await mkdir(join(cwd, "used"));
    await writeFile(join(cwd, "used/mine"), "");
    for (const [args, message] of [
      [["acme", "--provider", "lgoto"], /--provider "lgoto" is unknown\n {2}Choose one of logto, auth0/],
      [["acme", "--mode", "proxy"], /--mode "proxy" is unknown/],
      [["acme", "--issuer", "logto.app"], /The issuer "logto\.app" is no https URL/],
      [["acme", "--provider", "logto", "--issuer", "https://acme.eu.auth0.com/"], /is an issuer of Auth0, not of Logto/],
      [["acme", "--resource", "https://mcp.example.com"], /has no path/],
      [["acme", "--staging-resource", "https://other.sub.workers.dev/mcp"], /is not the address of this Worker/],
      [["acme", "--upstream", "nonsense"], /The upstream "nonsense" is no https URL/],
      [["acme", "--mode", "whoami", "--upstream", "https://upstream.example.com/mcp"], /--upstream is for gateways/],
      [["acme", "--provider", "okta", "--registrar"], /The registrar administers clients at Logto/],
      [["acme", "--registrar", "--issuer", "https://acme.eu.auth0.com/"], /is an issuer of Auth0, not of Logto/],
      [["--yes", "--registrar", "--issuer", "https://acme.eu.auth0.com/"], /is an issuer of Auth0, not of Logto/],
      [["--yes", "--provider", "okta", "--registrar"], /The registrar administers clients at Logto/],
      [["--name", "Not A Name"], /--name "Not A Name" cannot be the name of a Worker/],
      [["used"], /used is not empty: it has mine/],
    ]) {
      const { code, errors, output } = await converse(args, []);
      assert.deepEqual([code, output], [1, ""], args.join(" "));
      assert.match(errors, message);
    }
    assert.deepEqual(await readdir(cwd), ["used"]);
  });

  test("only answers that go with the options can be chosen", async () => {
    const { code, errors } = await converse(["acme", "--issuer", "https://acme.authkit.app", "--resource", "", "--no-vault"], [
      ["What should agents reach?", ENTER],
      ["WorkOS AuthKit", ENTER],
    ]);
    assert.equal(code, 0, errors);
    assert.match(await readFile(join(cwd, "acme/wrangler.jsonc"), "utf8"), /"PROVIDER": "workos"/);
  });

  test("an upstream is that of a gateway, and a registrar that of Logto", async () => {
    const { code, errors } = await converse(["acme", "--upstream", "http://localhost:3001/mcp", "--registrar", "--issuer", ""], [
      ["The URL that the endpoint will have?", ENTER],
      ["(the vault)?", ENTER],
    ]);
    assert.equal(code, 0, errors);
    assert.match(await readFile(join(cwd, "acme/wrangler.jsonc"), "utf8"), /"UPSTREAM": "http:\/\/localhost:3001\/mcp"/);
  });

  test("--yes asks only for what has no default", async () => {
    const { code, errors } = await converse(["--yes"], [["Where?", ENTER]]);
    assert.equal(code, 0, errors);
    assert.deepEqual(await readdir(cwd), ["acme-mcp"]);
  });

  test("Ctrl-C writes nothing", async () => {
    const { code, errors } = await converse(["acme"], [["What should agents reach?", CTRL_C]]);
    assert.equal(code, 130);
    assert.match(errors, /nothing was written/);
    assert.deepEqual(await readdir(cwd), []);
  });
});
