// Puts the built Worker into templates/deploy, so that the folder is complete: what a "Deploy to Cloudflare" button deploys.
//
//   node npm/pack-deploy.mjs [folder of the build]     the default is build/

import { createHash } from "node:crypto";
import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import process from "node:process";
import { fileURLToPath, pathToFileURL } from "node:url";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const FILES = ["index.js", "index_bg.wasm"];

/**
 * @param {string} build  the folder with the built Worker
 * @param {string} template  the folder of the template
 * @throws the file system's error if the build is not there; the template has no Worker then
 */
export function packDeploy(build, template) {
  const worker = join(template, "worker");
  rmSync(worker, { recursive: true, force: true });
  const sums = FILES.map((name) => `${createHash("sha256").update(readFileSync(join(build, name))).digest("hex")}  ${name}\n`);
  mkdirSync(worker);
  for (const name of FILES) copyFileSync(join(build, name), join(worker, name));
  writeFileSync(join(worker, "SHA256SUMS"), sums.join(""));
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const build = resolve(process.argv[2] ?? join(ROOT, "build"));
  try {
    packDeploy(build, join(ROOT, "templates/deploy"));
  } catch (error) {
    if (error.code !== "ENOENT") throw error;
    console.error(`pack-deploy: ${error.path} is missing: there is no built Worker. Run "make build" first.`);
    process.exitCode = 1;
  }
}
