// `make check`: the rules of CONTRIBUTING.md that no compiler knows.
//
// 1. The crates of this repository depend on each other only along the arrows.
// 2. The modules of a crate do not import each other in a circle.
// 3. Nothing but the Worker shell and the Workers needs Cloudflare, and nothing but verification makes an identity.
// 4. No source file has more than `MAX_LINES` lines.
// 5. The lock file of the fuzz targets names the versions of the workspace's.
// 6. No locked dependency needs a later Rust than Cargo.toml promises.

import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

/** About one thing, and read in one sitting. */
const MAX_LINES = 410;

/** What a crate may depend on, of those in this repository. */
const ARROWS = {
  "mcp-edge-runtime": [],
  "mcp-edge-identity": [],
  "mcp-edge-providers": [],
  "mcp-edge-access-keys": ["mcp-edge-runtime"],
  "mcp-edge-connections": ["mcp-edge-runtime"],
  "mcp-edge-oauth": ["mcp-edge-runtime", "mcp-edge-identity", "mcp-edge-providers", "mcp-edge-access-keys"],
  "mcp-edge-sign-in": ["mcp-edge-runtime", "mcp-edge-oauth"],
  "mcp-edge-protocol": ["mcp-edge-runtime"],
  "mcp-edge-server": ["mcp-edge-runtime", "mcp-edge-identity", "mcp-edge-protocol", "mcp-edge-connections"],
  "mcp-edge-gateway": ["mcp-edge-runtime", "mcp-edge-identity", "mcp-edge-protocol", "mcp-edge-connections"],
  "mcp-edge": [
    "mcp-edge-runtime", "mcp-edge-identity", "mcp-edge-oauth", "mcp-edge-server", "mcp-edge-gateway", "mcp-edge-macros",
    "mcp-edge-connections",
  ],
  "mcp-edge-macros": [],
  // Facts about providers, and no code of the library that it judges.
  "mcp-edge-doctor": ["mcp-edge-providers"],
  registrar: ["mcp-edge-runtime", "mcp-edge-oauth", "mcp-edge-sign-in"],
  "mcp-edge-vault": ["mcp-edge-runtime", "mcp-edge-oauth", "mcp-edge-access-keys", "mcp-edge-connections", "mcp-edge-sign-in"],
  "seams-worker": ["mcp-edge-runtime"],
  // What isolates of the Worker do with keys, at many locations.
  "scale-simulation": ["mcp-edge-runtime", "mcp-edge-identity", "mcp-edge-oauth", "mcp-edge-access-keys"],
};

/**
 * What the tests of a crate may depend on in addition: what a macro writes is tested in the crate that it writes for, and
 * what the doctor says of a token is compared with what the library does.
 */
const ARROWS_OF_TESTS = {
  // The world of the tests of access tokens.
  "mcp-edge-sign-in": ["mcp-edge-identity"],
  // Callers of connections.
  "mcp-edge-vault": ["mcp-edge-identity"],
  "mcp-edge-macros": ["mcp-edge"],
  "mcp-edge-doctor": ["mcp-edge-runtime", "mcp-edge-identity", "mcp-edge-oauth", "mcp-edge-gateway"],
};

/** The Workers: they depend on the library alone. */
for (const worker of ["mcp-edge-worker", "notes", "agenda", "conformance-worker", "bench-worker"]) ARROWS[worker] = ["mcp-edge"];

/** What only the Worker shell, and Workers, may depend on: an optional dependency elsewhere. */
const PLATFORM = /^(worker|web-sys|js-sys|wasm-bindgen.*|wasm-streams|getrandom)$/;

/** The crates that must compile without the platform. */
const PORTABLE = Object.keys(ARROWS).filter((name) => /^mcp-edge(-(runtime|identity|access-keys|connections|providers|oauth|sign-in|protocol|server|gateway|macros))?$/.test(name));

const metadata = JSON.parse(
  execFileSync("cargo", ["metadata", "--format-version=1", "--no-deps", "--locked"], { encoding: "utf8", cwd: ROOT }),
);
const problems = [
  ...wrongArrows(metadata.packages),
  ...metadata.packages.flatMap(circles),
  ...madeUpIdentities(),
  ...longFiles(),
  ...otherVersions("Cargo.lock", "fuzz/Cargo.lock"),
  ...laterRust(),
];
for (const problem of problems) console.error(problem);
if (problems.length > 0) process.exit(1);

/** Dependencies that are not along the arrows; those of tests count as well. */
function wrongArrows(packages) {
  const own = new Set(packages.map(({ name }) => name));
  return packages.flatMap(({ name, dependencies }) => {
    const allowed = ARROWS[name];
    if (allowed === undefined) return [`${name} has no arrows: add it to CONTRIBUTING.md and to ARROWS`];
    // A package may use its own features in its tests.
    const inner = dependencies.filter((each) => own.has(each.name) && each.name !== name);
    const allowedInTests = [...allowed, ...(ARROWS_OF_TESTS[name] ?? [])];
    const wrong = inner.filter((each) => !(each.kind === "dev" ? allowedInTests : allowed).includes(each.name));
    const platform = PORTABLE.includes(name) ? dependencies.filter(needsPlatform) : [];
    return [
      ...wrong.map((each) => `${name} depends on ${each.name}: CONTRIBUTING.md has no such arrow`),
      ...platform.map((each) => `${name} needs ${each.name}: only an optional dependency may know Cloudflare`),
      ...inner.filter(testsInProduction).map((each) => `${name} needs ${each.name} with the feature testing`),
    ];
  });
}

/** Whether a dependency brings the platform in, switched on by no feature. */
function needsPlatform({ name, kind, optional, features }) {
  return kind === null && !optional && (PLATFORM.test(name) || features.includes("cloudflare"));
}

/** Whether a dependency makes what only tests may make, such as identities. */
function testsInProduction({ kind, features }) {
  return kind === null && features.includes("testing");
}

/** `Identity::new` outside of the crate that verifies tokens. */
function madeUpIdentities() {
  return tracked()
    .filter((file) => file.endsWith(".rs") && !/\/crates\/(identity|oauth-resource-server)\//.test(file))
    .filter((file) => /\bIdentity::new\(/.test(readFileSync(file, "utf8")))
    .map((file) => `${relative(ROOT, file)} makes up an identity: only the verification of a token may`);
}

/** Circular imports between the modules of a package's library. */
function circles({ name, targets }) {
  const library = targets.find(({ kind }) => kind.some((each) => ["lib", "cdylib", "rlib"].includes(each)));
  if (library === undefined) return [];
  const folder = dirname(library.src_path);
  const files = new Map(sourcesIn(folder).map((file) => [moduleOf(folder, file), file]));
  const edges = new Map([...files].map(([module, file]) => [module, importsOf(module, file, files)]));
  return componentsOf(edges).map((modules) => {
    const inside = (from) => [...edges.get(from)].filter((to) => modules.includes(to));
    const links = modules.flatMap((from) => inside(from).map((to) => `    ${from} → ${to}`));
    return `${name}: modules import each other in a circle:\n${links.join("\n")}`;
  });
}

function sourcesIn(folder) {
  const sources = tracked().filter((file) => file.endsWith(".rs") && file.startsWith(`${folder}/`));
  return sources.filter((file) => !/\/tests?(\/|\.rs$)/.test(file.slice(folder.length)));
}

/** All files that git knows or would add. */
function tracked() {
  const options = ["ls-files", "--cached", "--others", "--exclude-standard"];
  const list = execFileSync("git", options, { encoding: "utf8", cwd: ROOT });
  return list
    .split("\n")
    .filter(Boolean)
    .map((file) => join(ROOT, file))
    .filter((file) => existsSync(file));
}

/** `crate::a::b` for `a/b.rs` and `a/b/mod.rs`. */
function moduleOf(folder, file) {
  const parts = relative(folder, file).replace(/\.rs$/, "").split("/");
  if (["mod", "lib", "main"].includes(parts.at(-1))) parts.pop();
  return ["crate", ...parts].join("::");
}

/** The modules that a file names outside of its tests and comments, with re-exports followed to where things are. */
function importsOf(module, file, files) {
  const found = new Set();
  for (const path of pathsIn(codeOf(file), module)) {
    const target = resolve(path, files);
    if (target !== undefined && target !== module) found.add(target);
  }
  return found;
}

function codeOf(file) {
  // The tests of a file are its last item; other items that are compiled for tests alone are single lines.
  const forTests = /^#\[cfg\(.*\btest\b.*\)\]\n(?:pub(?:\([^)]*\))? )?(?:mod|use) [^;{]*;/gm;
  const text = readFileSync(file, "utf8").replace(forTests, "");
  const [code] = text.split(/^#\[cfg\((?:all\()?test\b.*\)\]\nmod /m);
  return code.replace(/^\s*\/\/.*$/gm, "");
}

/** All paths in a text that begin with `crate`, `self` or `super`, as absolute ones. */
function* pathsIn(code, module) {
  const uses = /(?:^|\n)\s*(?:pub(?:\([^)]*\))? )?use ((?:crate|self|super)\b[^;]*);/g;
  for (const [, tree] of code.matchAll(uses)) {
    for (const path of expand(tree.replace(/\s+/g, " "))) yield absolute(path, module);
  }
  const rest = code.replace(uses, "");
  for (const [path] of rest.matchAll(/(?<![\w:$])(?:crate|super)(?:::\w+)+/g)) {
    yield absolute(path.split("::"), module);
  }
}

function* expand(tree, prefix = []) {
  let depth = 0;
  let start = 0;
  const parts = [];
  for (const [index, character] of [...tree].entries()) {
    if (character === "{") depth += 1;
    if (character === "}") depth -= 1;
    if (character === "," && depth === 0) {
      parts.push(tree.slice(start, index));
      start = index + 1;
    }
  }
  parts.push(tree.slice(start));
  for (const part of parts.map((each) => each.trim()).filter(Boolean)) {
    const brace = part.indexOf("{");
    if (brace === -1) yield [...prefix, ...segmentsOf(part.replace(/ as .*/, ""))];
    else yield* expand(part.slice(brace + 1, part.lastIndexOf("}")), [...prefix, ...segmentsOf(part.slice(0, brace))]);
  }
}

function segmentsOf(path) {
  return path
    .split("::")
    .map((each) => each.trim())
    .filter(Boolean);
}

function absolute(path, module) {
  const base = module.split("::");
  const [first, ...rest] = path;
  if (first === "crate") return path;
  if (first === "self") return [...base, ...rest];
  let here = base;
  let index = 0;
  while (path[index] === "super") {
    here = here.slice(0, -1);
    index += 1;
  }
  return index > 0 ? [...here, ...path.slice(index)] : path;
}

/** The module that a path leads to: its longest beginning that is one, or where that re-exports the rest from. */
function resolve(path, files) {
  for (let length = path.length; length > 0; length -= 1) {
    const module = path.slice(0, length).join("::");
    const file = files.get(module);
    if (file === undefined) continue;
    const name = path[length];
    if (name === undefined || name === "self" || name === "*") return module;
    for (const [, tree] of codeOf(file).matchAll(/pub(?:\([^)]*\))? use ([^;]*);/g)) {
      for (const exported of expand(tree.replace(/\s+/g, " "))) {
        if (exported.at(-1) !== name) continue;
        const [first] = exported;
        const isAbsolute = ["crate", "self", "super"].includes(first);
        const from = isAbsolute ? absolute(exported, module) : [...module.split("::"), ...exported];
        const target = from.join("::") === path.join("::") ? undefined : resolve(from, files);
        if (target !== undefined) return target;
      }
    }
    return module;
  }
  return undefined;
}

/** Sets of modules that reach each other (Tarjan), those of one module left out. */
function componentsOf(edges) {
  const order = new Map();
  const low = new Map();
  const stack = [];
  const components = [];
  const visit = (module) => {
    order.set(module, order.size);
    low.set(module, order.get(module));
    stack.push(module);
    for (const next of edges.get(module) ?? []) {
      if (!order.has(next)) visit(next);
      if (stack.includes(next)) low.set(module, Math.min(low.get(module), low.get(next)));
    }
    if (low.get(module) !== order.get(module)) return;
    const component = stack.splice(stack.indexOf(module));
    if (component.length > 1) components.push(component);
  };
  for (const module of edges.keys()) if (!order.has(module)) visit(module);
  return components;
}

function longFiles() {
  return tracked()
    .filter((file) => /\.(rs|mjs|js|css|sh)$/.test(file) && !/\/page\/built\//.test(file))
    .map((file) => ({ file, lines: readFileSync(file, "utf8").split("\n").length - 1 }))
    .filter(({ lines }) => lines > MAX_LINES)
    .map(({ file, lines }) => `${relative(ROOT, file)} has ${lines} lines: at most ${MAX_LINES}, split it by subject`);
}

/** Packages that a second lock file has in another version; what the first has not is its own. */
function otherVersions(first, second) {
  const [known, others] = [first, second].map((file) => lockedVersions(join(ROOT, file)));
  return [...others].flatMap(([name, versions]) => {
    const wrong = versions.filter((version) => known.has(name) && !known.get(name).includes(version));
    return wrong.map((version) => `${second} has ${name} ${version}, and ${first} ${known.get(name).join(", ")}: see fuzz/README.md`);
  });
}

/** Locked packages that the oldest Rust of the workspace could not compile. */
function laterRust() {
  const options = { encoding: "utf8", cwd: ROOT, maxBuffer: 2 ** 28 };
  const { packages } = JSON.parse(execFileSync("cargo", ["metadata", "--format-version=1", "--locked"], options));
  const promised = packages.find(({ name }) => name === "mcp-edge").rust_version;
  const [major, minor] = promised.split(".").map(Number);
  const isLater = (version) => {
    const [otherMajor, otherMinor = 0] = version.split(".").map(Number);
    return otherMajor > major || (otherMajor === major && otherMinor > minor);
  };
  return packages
    .filter(({ rust_version }) => rust_version !== null && isLater(rust_version))
    .map(({ name, version, rust_version }) => `${name} ${version} needs Rust ${rust_version}, and Cargo.toml promises ${promised}`);
}

function lockedVersions(file) {
  const versions = new Map();
  for (const [, name, version] of readFileSync(file, "utf8").matchAll(/^name = "(.+)"\nversion = "(.+)"$/gm)) {
    versions.set(name, [...(versions.get(name) ?? []), version]);
  }
  return versions;
}
