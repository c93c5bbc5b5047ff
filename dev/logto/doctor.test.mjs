// `mcp-edge logto` examines the endpoint with the doctor of its package.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import process from "node:process";
import { test } from "node:test";

const BUILT = existsSync(new URL("../../doctor/build/npm/index.mjs", import.meta.url));
const RUN = `import { runDoctor } from ${JSON.stringify(new URL("doctor.mjs", import.meta.url).href)};
process.exitCode = await runDoctor("http://127.0.0.1:1/mcp");`;

test("in a project, the doctor of the package examines the endpoint", { skip: !BUILT && "the doctor is not built: dev/build-doctor" }, () => {
  const env = { ...process.env, MCP_EDGE_CLI: "1", PATH: "" };
  const { status, stdout, stderr } = spawnSync(process.execPath, ["--input-type=module", "--eval", RUN], { encoding: "utf8", env });
  assert.equal(status, 1, stderr);
  assert.match(stdout, /http:\/\/127\.0\.0\.1:1\/mcp/);
  assert.match(stdout, /Which clients can connect|does not answer|connect/i);
});
