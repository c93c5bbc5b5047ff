// `mcp-edge logto` in a project of `npm create mcp-edge`: the settings of one environment of wrangler.jsonc.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readFile, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { complete } from "../create-mcp-edge/src/answers.mjs";
import { readOptions } from "../create-mcp-edge/src/options.mjs";
import { projectFiles } from "../create-mcp-edge/src/project.mjs";
import { writeProject } from "../create-mcp-edge/src/write.mjs";
import { readSettings } from "../dev/logto/wrangler-jsonc.mjs";
import { CREDENTIALS, startLogto } from "./support/logto-tenant.mjs";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const RESOURCE = "https://mcp.example.com/mcp";

let logto;
let folder;
let project;

before(async () => {
  logto = await startLogto({ resource: RESOURCE });
  folder = await mkdtemp(join(tmpdir(), "mcp-edge-logto-package-"));
  const answers = complete(readOptions(["acme", "--provider", "logto", "--mode", "whoami"]), folder);
  await writeProject(answers.folder, projectFiles(answers, "0.0.0"));
  project = answers.folder;
  await mkdir(join(project, "node_modules"));
  await symlink(join(ROOT, "node_modules/wrangler"), join(project, "node_modules/wrangler"));
});

after(async () => {
  await logto?.stop();
  await rm(folder, { recursive: true, force: true });
});

async function run(...args) {
  const child = spawn(process.execPath, [join(ROOT, "npm/bin.mjs"), "logto", ...args], { cwd: project, env: { ...process.env, ...CREDENTIALS }, stdio: ["ignore", "pipe", "pipe"] });
  const [output, errors, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "close")]);
  return { code, output: output + errors };
}

test("writes the settings of production, and leaves everything else as it is", async () => {
  const before = await readFile(join(project, "wrangler.jsonc"), "utf8");
  const { code, output } = await run("--env", "production", logto.endpoint, RESOURCE, "--yes");
  assert.equal(code, 0, output);
  const after = await readFile(join(project, "wrangler.jsonc"), "utf8");
  const settings = readSettings(after, "wrangler.jsonc", "production");
  assert.deepEqual([settings.PROVIDER, settings.ISSUER, settings.RESOURCE], ["logto", logto.provider.issuer, RESOURCE]);
  assert.ok(settings.PLAYGROUND_CLIENT_ID, "the playground's application");
  for (const place of [undefined, "staging"]) assert.deepEqual(readSettings(after, "wrangler.jsonc", place), readSettings(before, "wrangler.jsonc", place));
  const comments = (text) => text.split("\n").filter((line) => line.trim().startsWith("//"));
  assert.deepEqual(comments(after), comments(before));
  assert.match(output, /npm run deploy/);
  assert.doesNotMatch(output, /\bmake (?:logto|deploy|doctor|whoami)|wrangler\.toml|dev\/with-tools/);
});

test("a second run finds nothing to change, without the arguments of the first", async () => {
  const { code, output } = await run("--env", "production", "--yes", logto.endpoint);
  assert.equal(code, 0, output);
  assert.match(output, /There is nothing to change\./);
});

test("an environment that is not there is named", async () => {
  const { code, output } = await run("--env", "prod", logto.endpoint, RESOURCE, "--yes");
  assert.equal(code, 2);
  assert.match(output, /wrangler\.jsonc has no environment "prod"\n +fix +It has production, staging\./);
});
