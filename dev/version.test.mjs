// One version for all parts: what differs is found, and a release changes the version and nothing else.

import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "node:test";

import { bump, differences, survey } from "./version.mjs";
import { isOlder, notesOf } from "./version/headings.mjs";

const CARGO = `[workspace.package]
version = "0.1.0"
rust-version = "1.91"

[workspace.dependencies]
mcp-edge = { path = "crates/mcp-edge", version = "0.1.0" }
mcp-edge-oauth = { path = "crates/oauth", version = "=0.1.0", default-features = false }
serde = { version = "0.1.0", features = ["derive"] }
`;

const LOCK = `[[package]]
name = "mcp-edge"
version = "0.1.0"

[[package]]
name = "mcp-edge-oauth"
version = "0.1.0"

[[package]]
name = "other"
version = "0.1.0"
source = "registry+https://example"
`;

const PACKAGE = `{
  "name": "create-mcp-edge",
  "version": "0.1.0",
  "dependencies": {
    "mcp-edge": "^0.1.0",
    "other": "0.1.0"
  }
}
`;

/** A template: its own version is its author's. */
const TEMPLATE = `[package]
name = "{{project-name}}"
version = "0.1.0"

[dependencies]
mcp-edge = "0.1.0"
worker = "0.1.0"

[dev-dependencies.mcp-edge]
version = "0.1.0"
features = ["testing"]
`;

const CHANGELOG = `# Changelog

## Unreleased

- Something new.
`;

const GOOD = {
  "Cargo.toml": CARGO,
  "Cargo.lock": LOCK,
  "create-mcp-edge/package.json": PACKAGE,
  "templates/rust/Cargo.toml.liquid": TEMPLATE,
  "CHANGELOG.md": CHANGELOG,
  "docs/migration.md": "# Migration\n\n## Unreleased\n\nNothing to do.\n",
};

/** Surveys a repository of these files. */
async function surveyOf(files) {
  const root = await mkdtemp(join(tmpdir(), "mcp-edge-version-"));
  try {
    for (const [file, text] of Object.entries(files)) {
      await mkdir(dirname(join(root, file)), { recursive: true });
      await writeFile(join(root, file), text);
    }
    return survey(root, Object.keys(files));
  } finally {
    await rm(root, { recursive: true });
  }
}

const problemsOf = async (changed, tag) => differences(await surveyOf({ ...GOOD, ...changed }), tag);

test("one version everywhere is no difference", async () => {
  assert.deepEqual(await problemsOf({}), []);
});

for (const [what, file, before, after, expected] of [
  ["a crate's dependency", "Cargo.toml", 'oauth", version = "=0.1.0"', 'oauth", version = "=0.0.9"', "Cargo.toml:7 has the dependency mcp-edge-oauth 0.0.9"],
  ["a lock file", "Cargo.lock", '-oauth"\nversion = "0.1.0"', '-oauth"\nversion = "0.0.9"', "Cargo.lock:7 has mcp-edge-oauth 0.0.9"],
  ["an npm package", "create-mcp-edge/package.json", '"version": "0.1.0"', '"version": "0.0.9"', "create-mcp-edge/package.json:3 has create-mcp-edge 0.0.9"],
  ["an npm dependency", "create-mcp-edge/package.json", "^0.1.0", "^0.0.9", "create-mcp-edge/package.json:5 has the dependency mcp-edge 0.0.9"],
  ["a template", "templates/rust/Cargo.toml.liquid", 'mcp-edge = "0.1.0"', 'mcp-edge = "0.1"', "templates/rust/Cargo.toml.liquid:6 has the dependency mcp-edge 0.1"],
  ["a table", "templates/rust/Cargo.toml.liquid", 'version = "0.1.0"\nfeatures', 'version = "0.0.9"\nfeatures', "templates/rust/Cargo.toml.liquid:10 has the dependency mcp-edge 0.0.9"],
]) {
  test(`another version in ${what} is found, with its line`, async () => {
    const changed = GOOD[file].replace(before, after);
    assert.notEqual(changed, GOOD[file]);
    assert.deepEqual(await problemsOf({ [file]: changed }), [`${expected}, and Cargo.toml 0.1.0`]);
  });
}

test("what names no version is no place", async () => {
  for (const value of ["latest", "file:../npm", "{{mcp_edge_version}}"]) {
    assert.deepEqual(await problemsOf({ "create-mcp-edge/package.json": PACKAGE.replace("^0.1.0", value) }), []);
  }
});

test("a dependency that shares its line with others is an error, since it could not be written", async () => {
  const short = PACKAGE.replace(/"dependencies": .*\n.*\n.*\n.*/, '"dependencies": { "mcp-edge": "0.1.0" }');
  await assert.rejects(problemsOf({ "create-mcp-edge/package.json": short }), /a line for each member/);
});

test("the version on top of the changelog is that of the workspace", async () => {
  const released = CHANGELOG.replace("- Something new.", "## 0.2.0 – 2026-12-01");
  assert.deepEqual(await problemsOf({ "CHANGELOG.md": released }), ["CHANGELOG.md has the version 0.2.0 on top, and Cargo.toml 0.1.0"]);
  assert.deepEqual(await problemsOf({ "CHANGELOG.md": "# Changelog\n" }), ['CHANGELOG.md has no heading "## Unreleased"']);
});

test("a tag is that of the version, and the changelog has the version", async () => {
  const released = { "CHANGELOG.md": `${CHANGELOG}\n## 0.1.0 – 2026-12-01\n\n- First.\n` };
  assert.deepEqual(await problemsOf(released, "v0.1.0"), []);
  assert.deepEqual(await problemsOf(released, "v0.2.0"), ["the tag is v0.2.0, and the version 0.1.0: the tag must be v0.1.0"]);
  assert.deepEqual(await problemsOf({}, "v0.1.0"), ["CHANGELOG.md has no section 0.1.0: make version TO=0.1.0"]);
});

test("a release writes the version everywhere, and leaves what belongs to others", async () => {
  const files = { ...GOOD };
  const changed = bump(await surveyOf(files), "0.2.0", "2026-12-01", (file) => files[file]);
  for (const [file, text] of changed) files[file] = text;
  const found = await surveyOf(files);
  assert.deepEqual(differences(found, "v0.2.0"), []);
  assert.equal(found.places.length, 9);
  assert.match(files["Cargo.toml"], /version = "=0\.2\.0"/);
  assert.match(files["Cargo.toml"], /serde = \{ version = "0\.1\.0"/);
  assert.match(files["Cargo.lock"], /name = "other"\nversion = "0\.1\.0"/);
  assert.match(files["create-mcp-edge/package.json"], /"mcp-edge": "\^0\.2\.0",\n {4}"other": "0\.1\.0"/);
  assert.match(files["templates/rust/Cargo.toml.liquid"], /\}\}"\nversion = "0\.1\.0"/);
  assert.match(files["CHANGELOG.md"], /## Unreleased\n\n## 0\.2\.0 – 2026-12-01\n\n- Something new\./);
  assert.equal(notesOf(files["CHANGELOG.md"], "0.2.0"), "- Something new.");
  assert.match(files["docs/migration.md"], /## Unreleased\n\n## 0\.2\.0 – 2026-12-01\n\nNothing to do\./);
});

test("the first release may have the version that the workspace has already", async () => {
  const changed = bump(await surveyOf(GOOD), "0.1.0", "2026-12-01", (file) => GOOD[file]);
  assert.deepEqual([...changed.keys()], ["CHANGELOG.md", "docs/migration.md"]);
});

test("a version that cannot be released is refused with its reason", async () => {
  const refused = async (to, changed, message) => {
    const files = { ...GOOD, ...changed };
    const found = await surveyOf(files);
    assert.throws(() => bump(found, to, "2026-12-01", (file) => files[file]), { message });
  };
  await refused("0.2", {}, /"0\.2" is no version: expected three numbers/);
  await refused("0.0.9", {}, /lower than the present version, 0\.1\.0/);
  await refused("0.1.0", { "CHANGELOG.md": `${CHANGELOG}\n## 0.1.0 – 2026-12-01\n` }, /is released/);
  await refused("0.2.0", { "CHANGELOG.md": "# Changelog\n\n## Unreleased\n" }, /nothing under "## Unreleased"/);
});

test("a version with a suffix is lower than the one without", () => {
  assert.equal(isOlder("0.2.0-rc.1", "0.2.0"), true);
  assert.equal(isOlder("0.2.0", "0.2.0-rc.1"), false);
  assert.equal(isOlder("0.10.0", "0.9.9"), false);
});

test("a lock file of npm has the version of its package twice", async () => {
  const lock = JSON.stringify({ name: "mcp-edge", version: "0.1.0", lockfileVersion: 3, packages: {
    "": { name: "mcp-edge", version: "0.0.9", dependencies: { other: "0.1.0" } },
    "node_modules/other": { version: "3.0.0" },
  } }, null, 2);
  assert.deepEqual(await problemsOf({ "npm/package-lock.json": lock }), ["npm/package-lock.json:8 has mcp-edge 0.0.9, and Cargo.toml 0.1.0"]);
});
