// Agent Skills (MCP Skills extension, SEP-2640) of the example in examples/notes: what hosts list, read and verify, with the
// official client, FastMCP's, and the scenarios of the conformance suite.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { readFile, readdir } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { SKILLS_EXTENSION_ID, SkillsClient } from "@modelcontextprotocol/client/ext/skills";
import { parse } from "yaml";
import { runScenario } from "./conformance/suite.mjs";
import { startDeployment } from "./support/deployment.mjs";
import { MODERN, modernRequest } from "./support/messages.mjs";
import "./support/report-failures.mjs";
import { startTokenProxy } from "./support/token-proxy.mjs";
import { tokenOf } from "./support/tokens.mjs";
import { freePort, post } from "./support/worker.mjs";

const MAY_READ = "notes:read";
const MAY_WRITE = "notes:write";
const SET_UP = "skill://mcp-edge/SKILL.md";
const TIDY = "skill://tidy-notes/SKILL.md";
const ROOT = fileURLToPath(new URL("../", import.meta.url));
const FOLDERS = { [SET_UP]: join(ROOT, "skills/mcp-edge"), [TIDY]: join(ROOT, "examples/notes/skills/tidy-notes") };
const PYTHON_TIMEOUT_MS = 60_000;

const python = process.env.GATEWAY_PYTHON ?? "";
const skipsPython = existsSync(python) ? false : "no FastMCP: dev/setup gateway says why";

const deployment = await startDeployment({
  settings: { REQUIRED_SCOPES: MAY_READ, SCOPE_HIERARCHY: `${MAY_WRITE}=${MAY_READ}`, CLAIM_SCOPES: undefined },
  provider: { scopes: { [MAY_READ]: "Read your notes", [MAY_WRITE]: "Write and delete your notes" } },
  worker: { build: "examples/notes/build" },
});
const { worker } = deployment;
const clients = [];
after(async () => {
  await Promise.all(clients.map((client) => client.close()));
  await deployment.stop();
});

const grant = (...scopes) => tokenOf(deployment, "alice", { scope: ["openid", ...scopes].join(" ") });

/** Connects the official client, and makes a host of it. */
async function open(token, { mode = { pin: MODERN }, options } = {}) {
  const client = new Client({ name: "skills-test", version: "1.0.0" }, { versionNegotiation: { mode } });
  const requestInit = { headers: { authorization: `Bearer ${token}` } };
  await client.connect(new StreamableHTTPClientTransport(new URL(worker.mcpUrl), { requestInit }));
  clients.push(client);
  return { client, skills: new SkillsClient(client, options) };
}

/** The files of a skill as they are in the repository: path → bytes. */
async function filesOf(uri) {
  const entries = await readdir(FOLDERS[uri], { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name).slice(FOLDERS[uri].length + 1));
  return Object.fromEntries(await Promise.all(paths.map(async (path) => [path, await readFile(join(FOLDERS[uri], path))])));
}

const sha256 = (bytes) => `sha256:${createHash("sha256").update(bytes).digest("hex")}`;

for (const [era, mode] of [["2026-07-28", { pin: MODERN }], ["a handshake", "legacy"]]) {
  describe(`the official client, in the era of ${era},`, () => {
    let host;
    before(async () => {
      host = await open(await grant(MAY_READ, MAY_WRITE), { mode });
    });

    test("finds the extension, without reading of directories", () => {
      assert.equal(host.skills.supported, true);
      assert.equal(host.skills.directoryRead, false);
      assert.deepEqual(host.client.getServerCapabilities().extensions, { [SKILLS_EXTENSION_ID]: {} });
      assert.ok(host.client.getServerCapabilities().resources);
    });

    test("lists all files of all skills with their digests", async () => {
      const { skills } = await host.skills.list();
      assert.deepEqual(skills.map(({ uri }) => uri), [TIDY, SET_UP]);
      for (const { uri, frontmatter, resources } of skills) {
        const files = await filesOf(uri);
        const expected = Object.entries(files).map(([path, bytes]) => [uri.replace("SKILL.md", path), sha256(bytes), bytes.length]);
        assert.deepEqual(resources.map((file) => [file.uri, file.digest, file.size]).sort(), expected.sort());
        assert.equal(resources.length, 2);
        // What the YAML of the file says, to a parser that has no part in this.
        assert.deepEqual(frontmatter, parse(String(files["SKILL.md"]).split("---\n")[1]));
      }
    });

    test("reads and verifies every file", async () => {
      for (const { uri } of (await host.skills.list()).skills) {
        const { skill } = await host.skills.get(uri);
        for (const [path, bytes] of Object.entries(await filesOf(uri))) {
          const file = await host.skills.read(skill, path);
          assert.deepEqual([file.verified, file.mimeType], [true, "text/markdown"]);
          assert.deepEqual(Buffer.from(file.bytes), bytes);
        }
      }
    });

    test("finds no other skill", async () => {
      for (const uri of ["skill://other/SKILL.md", "skill://mcp-edge", "notes://index"]) {
        await assert.rejects(host.skills.get(uri), { code: -32602 });
      }
      await assert.rejects(host.client.readResource({ uri: "skill://mcp-edge/other.md" }), { code: -32602 });
    });
  });
}

test("a full parser of YAML reads the same front matter", async () => {
  const { skills } = await open(await grant(MAY_READ, MAY_WRITE), { options: { parseFrontmatter: (yaml) => parse(yaml) } });
  for (const skill of (await skills.list()).skills) assert.equal((await skills.read(skill)).frontmatter.name, skill.frontmatter.name);
});

test("a skill that needs a scope is there for those who have it", async () => {
  const reader = await open(await grant(MAY_READ));
  const writer = await open(await grant(MAY_WRITE));
  const uris = async ({ skills }) => (await skills.list()).skills.map(({ uri }) => uri);
  const listed = async ({ client }) => (await client.listResources()).resources.map(({ uri }) => uri).filter((uri) => uri.startsWith("skill:"));
  assert.deepEqual([await uris(reader), await listed(reader)], [[SET_UP], [SET_UP]]);
  assert.deepEqual([await uris(writer), await listed(writer)], [[TIDY, SET_UP], [TIDY, SET_UP]]);
  // Whose list depends on who asks, no shared cache keeps.
  assert.equal((await writer.skills.list()).cacheScope, "private");
  assert.equal((await writer.skills.get(SET_UP)).cacheScope, "public");
  assert.equal((await writer.skills.get(TIDY)).cacheScope, "private");

  const token = await grant(MAY_READ);
  for (const request of [
    modernRequest("skills/get", { uri: TIDY }),
    modernRequest("resources/read", { uri: TIDY }),
    modernRequest("resources/read", { uri: "skill://tidy-notes/references/form.md" }),
  ]) {
    const { status, headers, text } = await post(worker, { token, ...request });
    assert.equal(status, 403);
    assert.match(headers["www-authenticate"], /error="insufficient_scope"/);
    assert.match(headers["www-authenticate"], /scope="[^"]*notes:write/);
    assert.ok(!text?.includes("Tidy notes"), text);
  }
});

test("FastMCP reads and verifies the same", { skip: skipsPython }, async () => {
  const visit = { url: worker.mcpUrl, token: await grant(MAY_READ, MAY_WRITE) };
  const script = fileURLToPath(new URL("./support/skills-client.py", import.meta.url));
  const { stdout } = await promisify(execFile)(python, [script, JSON.stringify(visit)], { timeout: PYTHON_TIMEOUT_MS });
  const { skills } = await open(visit.token);
  const expected = (await skills.list()).skills.map(({ uri, frontmatter, resources }) => [uri, { frontmatter, files: resources.length }]);
  assert.deepEqual(JSON.parse(stdout), Object.fromEntries(expected));
});

describe("the conformance suite", () => {
  let proxy;
  let url;
  before(async () => {
    const port = await freePort();
    url = `http://127.0.0.1:${port}/mcp`;
    proxy = await startTokenProxy({ port, to: worker.port, token: await grant(MAY_READ, MAY_WRITE) });
  });
  after(() => proxy.close());

  // The numbers change with a version of the suite that checks more. What is skipped is about directories, which are not offered.
  for (const [scenario, checks, others] of [
    ["sep-2640-skills-enumeration", 32, 0],
    ["sep-2640-skills-manifest", 6, 0],
    ["sep-2640-skills-directory", 1, 6],
  ]) {
    test(scenario, async () => {
      const run = await runScenario({ url, scenario, log: () => worker.raw(), results: "skills" });
      const { passed, complaints, skipped } = run.scenarios.get(scenario) ?? assert.fail(run.lastWords);
      assert.deepEqual(complaints, []);
      assert.deepEqual([passed, skipped.length], [checks, others]);
    });
  }
});
