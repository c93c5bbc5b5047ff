// What of a release its registries do not have yet, so that a release that broke off can be run again.
//
//   node dev/release/unpublished.mjs crates        prints the arguments of `cargo publish`, in a line; an empty line if nothing is left
//   node dev/release/unpublished.mjs npm ARCHIVE…  prints the archives that are left, a line each
//
// Asks with cargo and npm, so that their own settings say where the registries are.

import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { basename } from "node:path";
import process from "node:process";
import { pathToFileURL } from "node:url";

/** What a person has to correct before a release can go on. */
export class ReleaseProblem extends Error {}

/**
 * @typedef {{status: number | null, stdout: string, stderr: string}} Ran
 * @typedef {(program: string, args: string[]) => Ran} Run
 *
 * The crates of the workspace that are meant for a registry, and whose version it does not have.
 * @param {Run} run
 * @returns {string[]} names
 * @throws {ReleaseProblem} if the registry cannot be asked
 */
export function unpublishedCrates(run) {
  const { packages } = JSON.parse(succeed(run, "cargo", ["metadata", "--no-deps", "--format-version=1", "--locked"]));
  // `publish` lists the registries that are allowed: absent means all, and `publish = false` none.
  const meant = packages.filter(({ publish }) => publish === null || publish.length > 0);
  return meant.filter(({ name, version }) => !isKnown(run, "cargo", ["info", "--registry", "crates-io", `${name}@${version}`], /could not find `/)).map(({ name }) => name);
}

/**
 * Whether the registry lacks the version of an archive.
 * @param {string} archive  its path, as `npm pack` names it: NAME-VERSION.tgz
 * @param {Buffer} content
 * @param {Run} run
 * @throws {ReleaseProblem} if the registry cannot be asked, or has this version with other contents
 */
export function isUnpublished(archive, content, run) {
  const [, name, version] = /^(.+?)-(\d+\.\d+\.\d+.*)\.tgz$/.exec(basename(archive)) ?? [];
  if (name === undefined) throw new ReleaseProblem(`${archive} is not named as "npm pack" does: NAME-VERSION.tgz`);
  const found = isKnown(run, "npm", ["view", `${name}@${version}`, "dist.integrity"], /\bE404\b/);
  // Of a package without this version, some releases of npm print nothing.
  if (!found || found.trim() === "") return true;
  const integrity = `sha512-${createHash("sha512").update(content).digest("base64")}`;
  if (found.trim() === integrity) return false;
  throw new ReleaseProblem(`the registry has ${name} ${version} with other contents than ${archive}: a version is published once, so publish the next one (make version TO=…)`);
}

/** What a program prints about a version, or `false` if it says that the registry does not have it. */
function isKnown(run, program, args, absent) {
  const { status, stdout, stderr } = run(program, args);
  if (status === 0) return stdout;
  if (absent.test(stderr)) return false;
  throw new ReleaseProblem(`"${program} ${args.join(" ")}" could not ask the registry: make it reachable, and run the job again\n${stderr}`);
}

function succeed(run, program, args) {
  const { status, stdout, stderr } = run(program, args);
  if (status !== 0) throw new ReleaseProblem(`"${program} ${args.join(" ")}" failed\n${stderr}`);
  return stdout;
}

function main([what, ...archives]) {
  const run = (program, args) => {
    const ran = spawnSync(program, args, { encoding: "utf8", maxBuffer: 2 ** 26 });
    if (ran.error) throw ran.error;
    return ran;
  };
  if (what === "crates") {
    console.log(unpublishedCrates(run).map((name) => `--package ${name}`).join(" "));
  } else if (what === "npm" && archives.length > 0) {
    for (const archive of archives.filter((path) => isUnpublished(path, readFileSync(path), run))) console.log(archive);
  } else {
    throw new ReleaseProblem('expected "crates", or "npm" and archives');
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  try {
    main(process.argv.slice(2));
  } catch (error) {
    if (!(error instanceof ReleaseProblem)) throw error;
    console.error(`unpublished: ${error.message}`);
    process.exitCode = 1;
  }
}
