// The dispatcher of the package mcp-edge.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";

const PROGRAM = fileURLToPath(new URL("bin.mjs", import.meta.url));
const DOCTOR = fileURLToPath(new URL("../doctor/build/npm/index.mjs", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "mcp-edge-bin-"));
after(() => rmSync(folder, { recursive: true }));

function run(...args) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [PROGRAM, ...args], { cwd: folder, encoding: "utf8" });
  return { status, stdout, stderr };
}

test("lists all commands", () => {
  for (const args of [[], ["--help"]]) {
    const { status, stdout } = run(...args);
    assert.equal(status, 0);
    for (const file of readdirSync(new URL("commands/", import.meta.url))) assert.match(stdout, new RegExp(`^  ${file.replace(/\.mjs$/, "")}  +\\S`, "m"));
  }
});

test("an unknown command names the nearest", () => {
  assert.deepEqual(run("gateway-key"), { status: 1, stdout: "", stderr: 'mcp-edge: there is no command "gateway-key"; did you mean gateway-keys? "npx mcp-edge --help" lists all.\n' });
  assert.match(run("something-else").stderr, /there is no command "something-else"\. "npx/);
});

test("--env needs a name", () => {
  for (const args of [["--env"], ["--env="], ["--env", "--yes"]]) {
    const { status, stderr } = run("gateway-keys", ...args);
    assert.equal(status, 1);
    assert.match(stderr, /--env needs the name of an environment/);
  }
});

test("doctor says that --env needs settings, and minds no environment that is named elsewhere", { skip: !existsSync(DOCTOR) && "the doctor is not built: dev/build-doctor" }, () => {
  for (const args of [["--env", "staging"], ["--env=staging"]]) {
    const { status, stderr } = run("doctor", "http://127.0.0.1:9/mcp", ...args);
    assert.deepEqual([status, /--env needs --settings/.test(stderr)], [2, true], stderr);
  }
  const env = { ...process.env, CLOUDFLARE_ENV: "staging" };
  const { stderr } = spawnSync(process.execPath, [PROGRAM, "doctor", "http://127.0.0.1:9/mcp"], { cwd: folder, encoding: "utf8", env });
  assert.doesNotMatch(stderr, /--env/);
});

for (const file of readdirSync(new URL("commands/", import.meta.url))) {
  const name = file.replace(/\.mjs$/, "");
  const isDoctor = ["doctor", "explain"].includes(name);
  const skip = isDoctor && !existsSync(DOCTOR) && "the doctor is not built: dev/build-doctor";
  test(`${name} explains its arguments in its own words`, { skip }, () => {
    const { status, stdout, stderr } = run(name, "--help");
    assert.equal(status, 0, stderr);
    assert.match(stdout, new RegExp(`(?:npx )?mcp-edge ${name}`));
    assert.doesNotMatch(stdout, /\bmake (?!of )\w|dev\/with-tools/);
    // The doctor reads the settings of other projects as well.
    if (!isDoctor) assert.doesNotMatch(stdout, /wrangler\.toml/);
  });
}

test("dev explains a wrong option by its own name", () => {
  for (const [args, message] of [
    [["--upstream", "nonsense"], /^mcp-edge dev: --upstream is not a URL\n {2}fix {2}For example --upstream=https:/],
    [["--upstream", "http://upstream.example.com/mcp"], /^mcp-edge dev: --upstream is not https\n/],
    [["--idp-port", "many"], /^mcp-edge dev: --idp-port=many is not a port: expected a number from 1 to 65535\n/],
  ]) {
    const { status, stderr } = run("dev", ...args);
    assert.equal(status, 1);
    assert.match(stderr, message);
  }
});

test("without a project, dev says how to get one", () => {
  const { status, stderr } = run("dev");
  assert.equal(status, 1);
  assert.match(stderr, /there is no wrangler\.jsonc here\n.*npm create mcp-edge@latest/s);
});
