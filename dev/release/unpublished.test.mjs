// What is left of a release: a run that broke off is run again, and publishes the rest.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { ReleaseProblem, isUnpublished, unpublishedCrates } from "./unpublished.mjs";

const CONTENT = Buffer.from("an archive");
const INTEGRITY = `sha512-${createHash("sha512").update(CONTENT).digest("base64")}`;

const METADATA = JSON.stringify({
  packages: [
    { name: "one", version: "0.2.0", publish: null },
    { name: "two", version: "0.2.0", publish: null },
    { name: "worker", version: "0.2.0", publish: [] },
  ],
});

/** A cargo whose registry has these. */
const cargo = (published, error = "error: could not find `x` in registry") => (_program, args) => {
  if (args[0] === "metadata") return { status: 0, stdout: METADATA, stderr: "" };
  return published.includes(args.at(-1)) ? { status: 0, stdout: "about it", stderr: "" } : { status: 101, stdout: "", stderr: error };
};

const npm = (ran) => () => ({ status: 0, stdout: "", stderr: "", ...ran });

test("crates that the registry has in this version are left out, and those that are not meant for it", () => {
  assert.deepEqual(unpublishedCrates(cargo([])), ["one", "two"]);
  assert.deepEqual(unpublishedCrates(cargo(["one@0.2.0", "two@0.1.0"])), ["two"]);
  assert.deepEqual(unpublishedCrates(cargo(["one@0.2.0", "two@0.2.0"])), []);
});

test("a registry that cannot be asked is no registry without the crate", () => {
  assert.throws(() => unpublishedCrates(cargo([], "error: failed to get response")), (error) => error instanceof ReleaseProblem && /could not ask the registry: make it reachable/.test(error.message));
  assert.throws(() => isUnpublished("a-0.2.0.tgz", CONTENT, npm({ status: 1, stderr: "npm error code ECONNREFUSED" })), /could not ask the registry/);
});

test("an archive is left if npm does not know its version", () => {
  assert.equal(isUnpublished("some/create-mcp-edge-0.2.0-rc.1.tgz", CONTENT, (program, args) => {
    assert.deepEqual([program, args], ["npm", ["view", "create-mcp-edge@0.2.0-rc.1", "dist.integrity"]]);
    return { status: 1, stdout: "", stderr: "npm error code E404" };
  }), true);
  assert.equal(isUnpublished("a-0.2.0.tgz", CONTENT, npm({ stdout: "" })), true);
  assert.equal(isUnpublished("a-0.2.0.tgz", CONTENT, npm({ stdout: `${INTEGRITY}\n` })), false);
});

test("a version that is published with other contents ends the release", () => {
  assert.throws(() => isUnpublished("a-0.2.0.tgz", CONTENT, npm({ stdout: "sha512-other\n" })), /has a 0\.2\.0 with other contents than a-0\.2\.0\.tgz: .*publish the next one/);
});

test("an archive of another name is refused", () => {
  assert.throws(() => isUnpublished("deploy-template.tgz", CONTENT, npm({})), /is not named as "npm pack" does/);
});
