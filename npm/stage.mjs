// What the npm packages consist of, put into folders as they are packed.

import { createHash } from "node:crypto";
import { copyFileSync, cpSync, existsSync, mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { brokenLinks } from "../dev/check-links.mjs";
import { packedDocument } from "./documents.mjs";
import { machinePathsIn } from "./machine-paths.mjs";
import { addressOf, repositoryOf } from "./repository.mjs";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const ENTRIES = ["npm/bin.mjs", ...readdirSync(join(ROOT, "npm/commands")).map((name) => `npm/commands/${name}`)];
/** What the modules start as programs, and no `import` names. */
const PROGRAMS = ["npm/build/order-functions.mjs", "npm/build/shrink-bindings.mjs", "npm/build/wasm-linker"];
const PROGRAM_PACKAGES = ["binaryen"];
/** What the doctor reads from beside it: `dev/build-doctor` makes them. */
const DOCTOR = ["doctor/build/npm/http-worker.mjs", "doctor/build/npm/doctor_bg.wasm"];
const ASSETS = ["dev/identity-provider/style.css", "LICENSE"];
const WORKERS = { endpoint: "build", vault: "vault/build", registrar: "registrar/build" };
/** Documents that are elsewhere in the package than in the repository. */
const MOVED = { "npm/README.md": "README.md", "registrar/README.md": "docs/registrar.md", "vault/README.md": "docs/vault.md", "doctor/README.md": "docs/doctor.md" };

/** Why something is not packed: what is wrong, a line each. */
export class StageProblem extends Error {}

/**
 * Puts the package mcp-edge into a folder.
 * @param {string} folder  where nothing is yet
 * @param {object} options
 * @param {string} options.builds  the folder with build/, vault/build/, registrar/build/ and doctor/build/npm/
 * @param {Record<string, string | undefined>} options.env  says which repository this is: see repository.mjs
 * @throws {StageProblem} if a document links to nothing, or a module names a folder of this machine
 * @throws the file system's error if a build is missing
 */
export function stageMcpEdge(folder, { builds, env }) {
  const sourceOf = (file) => join(file.startsWith("doctor/build/") ? builds : ROOT, file);
  const { files, packages } = reachable(ENTRIES, sourceOf);
  for (const file of [...files, ...PROGRAMS, ...DOCTOR, ...ASSETS]) copy(sourceOf(file), join(folder, file));
  for (const [name, build] of Object.entries(WORKERS)) {
    for (const file of ["index.js", "index_bg.wasm"]) copy(join(builds, build, file), join(folder, "workers", name, file));
  }
  const description = json("npm/package.json");
  stageDocuments(folder, description.version, env);
  checkModules(folder);
  writeFileSync(join(folder, "SHA256SUMS"), checksums(folder));
  const { devDependencies } = json("package.json");
  const dependencies = Object.fromEntries([...packages, ...PROGRAM_PACKAGES].sort().map((name) => [name, devDependencies[name]]));
  writePackage(folder, { ...description, repository: repositoryOf("npm", env), dependencies });
}

/** Puts the package create-mcp-edge into a folder. See `stageMcpEdge`. */
export function stageCreate(folder, { env }) {
  cpSync(join(ROOT, "create-mcp-edge"), folder, { recursive: true, filter: (source) => !/[\\/](?:tests|node_modules)$/.test(source) });
  copyFileSync(join(ROOT, "LICENSE"), join(folder, "LICENSE"));
  const readme = join(folder, "README.md");
  writeFileSync(readme, withoutNotice(readFileSync(readme, "utf8"), env));
  writePackage(folder, { ...json("create-mcp-edge/package.json"), repository: repositoryOf("create-mcp-edge", env) });
}

function writePackage(folder, content) {
  writeFileSync(join(folder, "package.json"), `${JSON.stringify(content, null, 2)}\n`);
}

function stageDocuments(folder, version, env) {
  const docs = ["docs", "skills"].flatMap((name) => filesIn(join(ROOT, name)).filter((file) => file.endsWith(".md")).map((file) => `${name}/${file}`));
  const documents = Object.fromEntries([...docs, "CHANGELOG.md"].map((file) => [file, file]));
  Object.assign(documents, MOVED);
  const packing = {
    packedAs: (path) => documents[path] ?? (!path.endsWith(".md") && existsSync(join(folder, path)) ? path : undefined),
    addressOf(path, isPicture) {
      const isFolder = statSync(join(ROOT, path), { throwIfNoEntry: false })?.isDirectory();
      return addressOf(path, isPicture ? "raw" : isFolder ? "tree" : "blob", version, env);
    },
  };
  for (const [from, to] of Object.entries(documents)) {
    mkdirSync(dirname(join(folder, to)), { recursive: true });
    writeFileSync(join(folder, to), withoutNotice(packedDocument(readFileSync(join(ROOT, from), "utf8"), from, packing), env));
  }
  const read = (file) => readFileSync(join(folder, file), "utf8");
  const exists = (file) => existsSync(join(folder, file));
  const broken = Object.values(documents).flatMap((file) => brokenLinks(file, read(file), { exists, read }));
  if (broken.length > 0) throw new StageProblem(broken.map((line) => `of what is packed, ${line}`).join("\n"));
}

/** A document of a package that comes from a registry does not say that it is in none. Elsewhere it may. */
function withoutNotice(text, env) {
  return repositoryOf(".", env) === undefined ? text : text.replaceAll(/^Until the first release[^]*?\n\n/gm, "");
}

/** No module may tell where it was built. */
function checkModules(folder) {
  const found = modulesIn(folder).flatMap((file) => machinePathsIn(readFileSync(join(folder, file)), { root: ROOT }).map((path) => `${file} contains the path ${path}`));
  if (found.length > 0) throw new StageProblem(`${found.join("\n")}\nnpm/build/source-paths.mjs replaces such paths: delete this build, and build again.`);
}

/** What is executed and cannot be read: the Workers, and the doctor. */
function checksums(folder) {
  const built = ["workers", "doctor/build/npm"].flatMap((name) => filesIn(join(folder, name)).map((file) => `${name}/${file}`)).sort();
  return built.map((file) => `${createHash("sha256").update(readFileSync(join(folder, file))).digest("hex")}  ${file}\n`).join("");
}

const modulesIn = (folder) => filesIn(folder).filter((file) => file.endsWith(".wasm")).sort();

/** The paths of all files in a folder, with / between their parts. */
function filesIn(folder) {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return entries.map((entry) => relative(folder, join(entry.parentPath, entry.name)).replaceAll("\\", "/"));
}

/** The modules that some import, directly or not, and the packages. */
function reachable(entries, sourceOf) {
  const [files, packages] = [new Set(), new Set()];
  const open = [...entries];
  while (open.length > 0) {
    const file = open.pop();
    if (files.has(file)) continue;
    files.add(file);
    const source = readFileSync(sourceOf(file), "utf8");
    for (const [, target] of source.matchAll(/^(?:import|export)\b[^;]*?from "([^"]+)";|^import "([^"]+)";/gm)) if (target !== undefined) follow(target, file);
    for (const [, target] of source.matchAll(/await import\("(\.[^"]+)"\)/g)) follow(target, file);
  }
  return { files, packages };

  function follow(target, file) {
    if (target.startsWith("node:")) return;
    if (target.startsWith(".")) open.push(relative(ROOT, join(ROOT, dirname(file), target)).replaceAll("\\", "/"));
    else packages.add(target.split("/").slice(0, target.startsWith("@") ? 2 : 1).join("/"));
  }
}

function copy(from, to) {
  mkdirSync(dirname(to), { recursive: true });
  copyFileSync(from, to);
}

function json(file) {
  return JSON.parse(readFileSync(join(ROOT, file), "utf8"));
}
