// `make npm`: the packages mcp-edge and create-mcp-edge as archives in build/npm, and templates/deploy with the built Worker.
//
//   node npm/pack.mjs [folder with build/, vault/build/, registrar/build/ and doctor/build/npm/]     the default is this repository

import { execFileSync } from "node:child_process";
import { rmSync } from "node:fs";
import { join, resolve } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { packDeploy } from "./pack-deploy.mjs";
import { StageProblem, stageCreate, stageMcpEdge } from "./stage.mjs";
import { fixModes } from "./staged-modes.mjs";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const OUTPUT = join(ROOT, "build/npm");

const builds = resolve(process.argv[2] ?? ROOT);
rmSync(OUTPUT, { recursive: true, force: true });
try {
  for (const [name, stage] of [["mcp-edge", stageMcpEdge], ["create-mcp-edge", stageCreate]]) {
    const folder = join(OUTPUT, name);
    stage(folder, { builds, env: process.env });
    fixModes(folder);
    execFileSync("npm", ["pack", "--silent", folder, "--pack-destination", OUTPUT], { stdio: "inherit" });
  }
  packDeploy(join(builds, "build"), join(ROOT, "templates/deploy"));
} catch (error) {
  if (!(error instanceof StageProblem) && error.code !== "ENOENT") throw error;
  console.error(`pack: ${error.code === "ENOENT" ? `${error.path} is missing: run "make npm", which builds it` : error.message}`);
  process.exitCode = 1;
}
