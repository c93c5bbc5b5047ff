// templates/rust, as an author gets it: generated, tested, started by its own commands, called by the official client. The crates
// are those that a registry would have, the npm package is the archive that `make npm` has packed.

import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { cp, mkdtemp, readFile, readdir, realpath, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { printed } from "../support/program.mjs";
import { freePort } from "../support/worker.mjs";
import { offerCrates } from "./registry.mjs";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const TEMPLATE = join(ROOT, "templates/rust");
const NAME = "greeter";
const { version } = JSON.parse(await readFile(join(ROOT, "npm/package.json"), "utf8"));
const PACKAGE = join(ROOT, `build/npm/mcp-edge-${version}.tgz`);

const skip = existsSync(PACKAGE) ? false : `${PACKAGE} is missing: run "make npm" first`;
if (skip && [process.env.REQUIRE_NPM, process.env.REQUIRE_PROVIDERS].includes("1")) throw new Error(skip);

describe("templates/rust", { skip }, () => {
  let folder;
  let project;
  let env;

  before(async () => {
    folder = await realpath(await mkdtemp(join(tmpdir(), "mcp-edge-template-")));
    project = join(folder, NAME);
    // What other projects have compiled for the same settings is compiled once; all that is tested is compiled here.
    env = { ...process.env, CARGO_TARGET_DIR: process.env.TEMPLATE_TARGET_DIR ?? join(folder, "target"), WRANGLER_SEND_METRICS: "false" };
    await offerCrates(folder);
    await generate();
  });

  after(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));

  /** Runs a command in the project, says how long it took, and returns its output. */
  async function run(t, command, ...args) {
    const started = Date.now();
    const program = start(command, args);
    const code = await program.ended;
    assert.equal(code, 0, program.output);
    t.diagnostic(`${[command, ...args].join(" ")}: ${((Date.now() - started) / 1000).toFixed(1)} s`);
    return program.output;
  }

  function start(command, args, more = {}) {
    // In a group of its own, so that Ctrl-C reaches all of it, as in a terminal.
    const child = spawn(command, args, { cwd: project, env: { ...env, ...more }, stdio: ["ignore", "pipe", "pipe"], detached: true });
    const program = { child, output: "", ended: once(child, "close").then(([code]) => code) };
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (part) => (program.output += part));
    return program;
  }

  /** By cargo-generate, or without it as that would. */
  async function generate() {
    if (hasCargoGenerate()) {
      execFileSync("cargo", ["generate", "--path", TEMPLATE, "--name", NAME, "--destination", folder, "--vcs", "none", "--silent"], { env, stdio: "pipe" });
      return;
    }
    await cp(TEMPLATE, project, { recursive: true, filter: (source) => !source.endsWith("cargo-generate.toml") });
    for (const file of await readdir(project, { recursive: true, withFileTypes: true })) {
      const path = join(file.parentPath, file.name);
      if (!file.isFile() || path.includes(".github")) continue;
      await writeFile(path, (await readFile(path, "utf8")).replaceAll("{{project-name}}", NAME));
      if (path.endsWith(".liquid")) await rename(path, path.replace(".liquid", ""));
    }
  }

  test("cargo generate fills it in", { skip: !hasCargoGenerate() && "no cargo-generate here: dev/setup template installs it" }, async () => {
    for (const file of await readdir(project, { recursive: true, withFileTypes: true })) {
      assert.doesNotMatch(file.name, /liquid|cargo-generate/);
      const path = join(file.parentPath, file.name);
      if (file.isFile()) assert.doesNotMatch((await readFile(path, "utf8")).replaceAll("${{", ""), /\{\{/, path);
    }
    assert.match(await readFile(join(project, "Cargo.toml"), "utf8"), /^name = "greeter"$/m);
  });

  test("its tools are formatted, have no warnings, and pass their tests", async (t) => {
    await run(t, "cargo", "fmt", "--check");
    await run(t, "cargo", "clippy", "--all-targets", "--", "-D", "warnings");
    assert.match(await run(t, "cargo", "test"), /2 passed/);
  });

  test("npm run dev builds and starts it, and the official client calls its tool as alice", async (t) => {
    await run(t, "npm", "install", "--no-audit", "--no-fund", "--save-dev", PACKAGE);
    const ports = { PORT: String(await freePort()), IDP_PORT: String(await freePort()) };
    const started = Date.now();
    const dev = start("npm", ["run", "dev"], ports);
    try {
      await printed(dev, /Ctrl-C stops everything/);
      t.diagnostic(`npm run dev, until it answers: ${((Date.now() - started) / 1000).toFixed(1)} s`);
      const client = ["run", "--silent", "call", "--", "--url", `http://localhost:${ports.PORT}/mcp`, "--login", "alice", "greet"];
      assert.match(await run(t, "npm", ...client), /^Hello, \S+!$/m);
      assert.match(await run(t, "npm", ...client, JSON.stringify({ words: "Good morning" })), /^Good morning, \S+!$/m);
    } finally {
      if (dev.child.exitCode === null) process.kill(-dev.child.pid, "SIGINT");
      await dev.ended;
    }
  });

  test("can be deployed to each place", async (t) => {
    for (const place of ["production", "staging"]) {
      const deployed = await run(t, "npx", "wrangler", "deploy", "--dry-run", "--env", place);
      assert.match(deployed, /--dry-run: exiting now/);
      assert.ok(deployed.includes('env.REQUIRED_SCOPES ("greet:use")'), deployed);
    }
  });
});

function hasCargoGenerate() {
  try {
    execFileSync("cargo", ["generate", "--version"], { stdio: "pipe" });
    return true;
  } catch {
    return false;
  }
}
