// What the packages consist of, from builds that are stand-ins.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { StageProblem, stageCreate, stageMcpEdge } from "./stage.mjs";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const GITHUB = { GITHUB_SERVER_URL: "https://github.com", GITHUB_REPOSITORY: "acme/edge" };
const MODULES = ["workers/endpoint/index_bg.wasm", "workers/vault/index_bg.wasm", "workers/registrar/index_bg.wasm", "doctor/build/npm/doctor_bg.wasm"];
const BUILDS = ["build", "vault/build", "registrar/build"].flatMap((folder) => [`${folder}/index.js`, `${folder}/index_bg.wasm`]);
const DOCTOR = ["index.mjs", "http-worker.mjs", "doctor_bg.wasm"].map((name) => `doctor/build/npm/${name}`);

let root, builds, folder;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "mcp-edge-stage-"));
  [builds, folder] = [join(root, "builds"), join(root, "package")];
  for (const file of [...BUILDS, ...DOCTOR]) put(join(builds, file), `// ${file}\n`);
});
afterEach(() => rmSync(root, { recursive: true }));

function put(file, text) {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
}

const stage = (env = {}) => stageMcpEdge(folder, { builds, env });
const packed = (file) => readFileSync(join(folder, file), "utf8");

describe("package.json", () => {
  test("names the repository that the packages are built in, as npm compares it with the provenance", () => {
    stage(GITHUB);
    assert.deepEqual(JSON.parse(packed("package.json")).repository, { type: "git", url: "git+https://github.com/acme/edge.git", directory: "npm" });
    stageCreate(join(root, "create"), { env: GITHUB });
    const { repository } = JSON.parse(readFileSync(join(root, "create/package.json"), "utf8"));
    assert.deepEqual(repository, { type: "git", url: "git+https://github.com/acme/edge.git", directory: "create-mcp-edge" });
  });

  test("names none on a machine that does not know it", () => {
    stage();
    assert.equal("repository" in JSON.parse(packed("package.json")), false);
  });

  test("has the packages that the modules import, in the versions of this repository", () => {
    stage();
    const { devDependencies } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
    const { dependencies } = JSON.parse(packed("package.json"));
    assert.ok(Object.keys(dependencies).includes("oidc-provider"), "the local identity provider");
    for (const [name, version] of Object.entries(dependencies)) assert.equal(version, devDependencies[name], name);
  });
});

test("the checksums cover every module and every script that is built", () => {
  stage();
  const sums = packed("SHA256SUMS").trim().split("\n").map((line) => line.split("  "));
  const files = sums.map(([, file]) => file);
  for (const file of [...MODULES, "workers/vault/index.js"]) assert.ok(files.includes(file), file);
  for (const [sum, file] of sums) assert.equal(sum, createHash("sha256").update(packed(file)).digest("hex"), file);
});

test("a module that names a folder of this machine is not packed", () => {
  for (const path of ["/somewhere/.cargo/registry/src/index-1/serde-1.0.0/src/lib.rs", `${ROOT}crates/mcp-edge/src/lib.rs`]) {
    writeFileSync(join(builds, "vault/build/index_bg.wasm"), `\0asm\0${path}\0`);
    assert.throws(() => stage(), (error) => error instanceof StageProblem && error.message.includes(`workers/vault/index_bg.wasm contains the path ${path}`) && /build again/.test(error.message));
    rmSync(folder, { recursive: true });
  }
});

describe("documents", () => {
  test("link to each other, and to the repository for what is not packed", () => {
    stage(GITHUB);
    const { version } = JSON.parse(packed("package.json"));
    assert.match(packed("docs/tools.md"), new RegExp(`\\]\\(https://github\\.com/acme/edge/tree/v${version}/examples/notes\\)`));
    assert.match(packed("docs/gateway.md"), /\]\(doctor\.md#examine-a-gateway\)/);
    assert.match(packed("docs/providers/logto.md"), /\]\(\.\.\/registrar\.md\)/);
  });

  test("do not say that a package is in no registry, where it is built for one", () => {
    stageCreate(join(root, "create"), { env: GITHUB });
    stageCreate(join(root, "create-here"), { env: {} });
    const [released, here] = ["create", "create-here"].map((name) => readFileSync(join(root, name, "README.md"), "utf8"));
    assert.match(here, /^Until the first release/m);
    assert.doesNotMatch(released, /first release/);
    assert.match(released, /^# create-mcp-edge\n\n```sh\nnpm create mcp-edge@latest/);
    stage(GITHUB);
    for (const file of ["README.md", "docs/tools.md"]) assert.doesNotMatch(packed(file), /^Until the first release/m, file);
    assert.match(packed("docs/tools.md"), /^Then, from an empty folder/m);
  });

  test("name what cannot be reached without a link", () => {
    stage();
    const links = readdirSync(join(folder, "docs"), { recursive: true })
      .filter((file) => file.endsWith(".md"))
      .flatMap((file) => [...packed(join("docs", file)).matchAll(/\]\(([^)\s]*(?:examples|crates|images)\/[^)\s]*)\)/g)].map(([, target]) => target));
    assert.deepEqual(links, []);
    assert.match(packed("docs/tools.md"), /examples\/notes/);
    assert.equal(existsSync(join(folder, "docs/images")), false);
  });
});
