// One version for all parts: `make version TO=0.2.0` writes it everywhere, and `make check` finds what differs.
//
//   node dev/version.mjs                checks; exits 1 and lists each place that has another version
//   node dev/version.mjs --tag v0.2.0   also checks that a release with this tag is one of this version
//   node dev/version.mjs --to 0.2.0     writes the version, and dates the headings of what was unreleased
//   node dev/version.mjs --notes        prints the changelog of the newest version
//
// The version is that of `[workspace.package]` in Cargo.toml. dev/version/ has the places and the headings.

import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { parseArgs } from "node:util";

import { isOlder, newestVersion, notesOf, release, unreleased } from "./version/headings.mjs";
import { ownPackages, placesIn, workspaceVersion } from "./version/places.mjs";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

/** Documents with a section for each version. The first must have one for what is being released. */
const DATED = ["CHANGELOG.md", "docs/migration.md"];

const VERSION = /^\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?$/;

/** An error that a person can fix; printed without a stack. */
class VersionError extends Error {}

/**
 * Reads the version and all its places.
 *
 * Input: a folder, and the paths of its files. Output: the version, the places (`placesIn`), and the dated documents by path.
 */
export function survey(root, files) {
  const read = (file) => readFileSync(join(root, file), "utf8");
  const own = ownPackages(read("Cargo.lock"));
  const version = workspaceVersion(read("Cargo.toml"));
  if (version === undefined) throw new VersionError("Cargo.toml has no version in [workspace.package]");
  const places = files.filter((file) => existsSync(join(root, file))).flatMap((file) => placesIn(file, own, read));
  const documents = DATED.filter((file) => files.includes(file)).map((file) => [file, read(file)]);
  return { version, places, documents: new Map(documents) };
}

/** What differs, as lines for a person. Empty if all is one version. */
export function differences({ version, places, documents }, tag) {
  const problems = places
    .filter((place) => place.found !== version)
    .map((place) => `${place.file}:${place.line} has ${place.what} ${place.found}, and Cargo.toml ${version}`);
  for (const [file, text] of documents) {
    const newest = newestVersion(text);
    if (newest !== undefined && newest !== version) problems.push(`${file} has the version ${newest} on top, and Cargo.toml ${version}`);
    if (unreleased(text) === undefined) problems.push(`${file} has no heading "## Unreleased"`);
  }
  if (tag === undefined) return problems;
  if (tag !== `v${version}`) problems.push(`the tag is ${tag}, and the version ${version}: the tag must be v${version}`);
  if (newestVersion(documents.get("CHANGELOG.md") ?? "") !== version) {
    problems.push(`CHANGELOG.md has no section ${version}: make version TO=${version}`);
  }
  return problems;
}

/**
 * The files that change when everything gets the version `to`, with their new text.
 *
 * Errors: `to` is no version, lower than the present one, released already, or nothing is there to be released.
 */
export function bump(found, to, date, read) {
  if (!VERSION.test(to)) throw new VersionError(`"${to}" is no version: expected three numbers, such as 0.2.0`);
  if (isOlder(to, found.version)) throw new VersionError(`${to} is lower than the present version, ${found.version}`);
  const changelog = found.documents.get("CHANGELOG.md") ?? "";
  if (newestVersion(changelog) === to) throw new VersionError(`CHANGELOG.md has a section ${to} already: it is released`);
  if (!unreleased(changelog)?.trim()) {
    throw new VersionError('CHANGELOG.md has nothing under "## Unreleased": say what changes before you release it');
  }
  const changed = new Map();
  for (const file of new Set(found.places.map((place) => place.file))) {
    const text = read(file);
    // From the end, so that offsets stay true.
    const places = found.places.filter((place) => place.file === file).sort((a, b) => b.start - a.start);
    const after = places.reduce((rest, { start, found: { length } }) => rest.slice(0, start) + to + rest.slice(start + length), text);
    if (after !== text) changed.set(file, after);
  }
  for (const [file, text] of found.documents) changed.set(file, release(text, to, date));
  return changed;
}

/** The files of the repository, new ones too. */
function repositoryFiles() {
  const listed = execFileSync("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard"], { cwd: ROOT, encoding: "utf8" });
  return listed.split("\0").filter(Boolean);
}

function main() {
  const options = { to: { type: "string" }, tag: { type: "string" }, notes: { type: "boolean" } };
  const { values } = parseArgs({ options });
  const found = survey(ROOT, repositoryFiles());
  if (values.notes) {
    process.stdout.write(`${notesOf(found.documents.get("CHANGELOG.md") ?? "", found.version)}\n`);
    return;
  }
  if (values.to !== undefined) {
    const changed = bump(found, values.to, new Date().toISOString().slice(0, 10), (file) => readFileSync(join(ROOT, file), "utf8"));
    for (const [file, text] of changed) writeFileSync(join(ROOT, file), text);
    console.log(`${found.version} → ${values.to} in ${changed.size} files:\n  ${[...changed.keys()].join("\n  ")}`);
    console.log(`Next: read docs/migration.md, make test, commit, git tag v${values.to}.`);
    return;
  }
  const problems = differences(found, values.tag);
  for (const problem of problems) console.error(`version: ${problem}`);
  if (problems.length > 0) {
    console.error(`version: ${problems.length} differences. To write one version everywhere: make version TO=<version>`);
    process.exitCode = 1;
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  try {
    main();
  } catch (error) {
    if (!(error instanceof VersionError) && !String(error.code).startsWith("ERR_PARSE_ARGS")) throw error;
    console.error(`version: ${error.message}`);
    process.exitCode = 1;
  }
}
