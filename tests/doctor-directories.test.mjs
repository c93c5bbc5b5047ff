// What the doctor says of a server that is to be listed in directories.

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { startDeployment } from "./support/deployment.mjs";
import { assertFound, diagnose } from "./support/doctor.mjs";
import "./support/report-failures.mjs";
import { tokenOf } from "./support/tokens.mjs";

const { worker, provider, stop } = await startDeployment({
  settings: {
    REGISTRY_NAME: "com.example/whoami",
    RESOURCE_DESCRIPTION: "Shows the signed-in identity.",
    REGISTRY_AUTH: `v=MCPv1; k=ed25519; p=${Buffer.alloc(32, 7).toString("base64")}`,
    OPENAI_APPS_CHALLENGE: "3f2c-token",
    RESOURCE_POLICY_URI: "https://example.com/privacy",
    RESOURCE_DOCUMENTATION: "https://example.com/docs",
  },
});
after(stop);
const token = await tokenOf({ worker, provider, resource: worker.mcpUrl }, "alice");

test("what holds, what is missing, and what nobody can see", async () => {
  const report = await diagnose(worker.mcpUrl, { token, parameters: ["--directories"] });
  // This deployment is in a private network, and has no terms of service.
  assertFound(report, { warnings: ["directory_documents", "claude_directory"] });
  assert.match(report.finding("directory_documents").observed, /: resource_tos_uri$/);
  assert.match(report.finding("claude_directory").observed, /private network/);
  for (const slug of ["openai_directory", "openai_challenge", "registry_entry", "registry_proof"]) {
    assert.equal(report.finding(slug).verdict, "ok", slug);
  }
  assert.equal(report.finding("directory_review").verdict, "skipped");
});

test("nobody is asked who does not want to be listed", async () => {
  const report = await diagnose(worker.mcpUrl);
  assertFound(report, {});
  assert.match(report.finding("registry_entry").observed, /--directories/);
});
