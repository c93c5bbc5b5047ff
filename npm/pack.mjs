// `make npm`: the packages mcp-edge and create-mcp-edge as archives in build/npm, and templates/deploy with the built Worker.
//
//   node npm/pack.mjs [folder with build/, vault/build/ and registrar/build/]     the default is this repository

import { createHash } from "node:crypto";
import { execFileSync } from "node:child_process";
import { copyFileSync, cpSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { packDeploy } from "./pack-deploy.mjs";
import { fixModes } from "./staged-modes.mjs";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const OUTPUT = join(ROOT, "build/npm");
const ENTRIES = ["npm/bin.mjs", ...readdirSync(join(ROOT, "npm/commands")).map((name) => `npm/commands/${name}`)];
/** What the modules start as programs, and no `import` names. */
const PROGRAMS = ["npm/build/order-functions.mjs", "npm/build/shrink-bindings.mjs", "npm/build/wasm-linker"];
const PROGRAM_PACKAGES = ["binaryen"];
/** What the doctor reads from beside it: `dev/build-doctor` makes them. */
const DOCTOR = ["doctor/build/npm/http-worker.mjs", "doctor/build/npm/doctor_bg.wasm"];
const ASSETS = ["dev/identity-provider/style.css", "CHANGELOG.md", "LICENSE"];
const WORKERS = { endpoint: "build", vault: "vault/build", registrar: "registrar/build" };

const builds = resolve(process.argv[2] ?? ROOT);
rmSync(OUTPUT, { recursive: true, force: true });
stageMcpEdge(join(OUTPUT, "mcp-edge"));
stageCreate(join(OUTPUT, "create-mcp-edge"));
for (const name of ["mcp-edge", "create-mcp-edge"]) {
  fixModes(join(OUTPUT, name));
  execFileSync("npm", ["pack", "--silent", join(OUTPUT, name), "--pack-destination", OUTPUT], { stdio: "inherit" });
}
packDeploy(join(builds, WORKERS.endpoint), join(ROOT, "templates/deploy"));

function stageMcpEdge(folder) {
  const { files, packages } = reachable(ENTRIES);
  for (const file of [...files, ...PROGRAMS, ...DOCTOR, ...ASSETS]) copy(file, folder);
  copyFileSync(join(ROOT, "npm/README.md"), join(folder, "README.md"));
  cpSync(join(ROOT, "docs"), join(folder, "docs"), { recursive: true, filter: (source) => !source.endsWith("/images") });
  copyFileSync(join(ROOT, "registrar/README.md"), join(folder, "docs/registrar.md"));
  cpSync(join(ROOT, "skills"), join(folder, "skills"), { recursive: true });
  const sums = [];
  for (const [name, build] of Object.entries(WORKERS)) {
    mkdirSync(join(folder, "workers", name), { recursive: true });
    for (const file of ["index.js", "index_bg.wasm"]) {
      const from = join(builds, build, file);
      copyFileSync(from, join(folder, "workers", name, file));
      sums.push(`${createHash("sha256").update(readFileSync(from)).digest("hex")}  ${name}/${file}\n`);
    }
  }
  writeFileSync(join(folder, "workers/SHA256SUMS"), sums.join(""));
  const { devDependencies } = json("package.json");
  const dependencies = Object.fromEntries([...packages, ...PROGRAM_PACKAGES].sort().map((name) => [name, devDependencies[name]]));
  writeFileSync(join(folder, "package.json"), `${JSON.stringify({ ...json("npm/package.json"), dependencies }, null, 2)}\n`);
}

function stageCreate(folder) {
  cpSync(join(ROOT, "create-mcp-edge"), folder, { recursive: true, filter: (source) => !source.endsWith("/tests") && !source.endsWith("/node_modules") });
  copyFileSync(join(ROOT, "LICENSE"), join(folder, "LICENSE"));
}

/** The modules that some import, directly or not, and the packages. */
function reachable(entries) {
  const [files, packages] = [new Set(), new Set()];
  const open = [...entries];
  while (open.length > 0) {
    const file = open.pop();
    if (files.has(file)) continue;
    files.add(file);
    const source = readFileSync(join(ROOT, file), "utf8");
    for (const [, target] of source.matchAll(/^(?:import|export)\b[^;]*?from "([^"]+)";|^import "([^"]+)";/gm)) if (target !== undefined) follow(target, file);
    for (const [, target] of source.matchAll(/await import\("(\.[^"]+)"\)/g)) follow(target, file);
  }
  return { files, packages };

  function follow(target, file) {
    if (target.startsWith("node:")) return;
    if (target.startsWith(".")) open.push(relative(ROOT, join(ROOT, dirname(file), target)));
    else packages.add(target.split("/").slice(0, target.startsWith("@") ? 2 : 1).join("/"));
  }
}

function copy(file, folder) {
  mkdirSync(dirname(join(folder, file)), { recursive: true });
  copyFileSync(join(ROOT, file), join(folder, file));
}

function json(file) {
  return JSON.parse(readFileSync(join(ROOT, file), "utf8"));
}
