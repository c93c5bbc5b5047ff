// A project is written as a whole or not at all.

import assert from "node:assert/strict";
import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { writeProject } from "../src/write.mjs";

const FILES = new Map([["a.txt", "a"], ["b/c.txt", "c"]]);

/** The second needs a folder where the first is a file. */
const IMPOSSIBLE = new Map([["a.txt", "a"], ["b", "b"], ["b/c.txt", "c"]]);

let root;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "create-mcp-edge-"));
});
afterEach(() => rm(root, { recursive: true, force: true }));

async function assertWritten(folder) {
  assert.deepEqual((await readdir(folder)).sort(), ["a.txt", "b"]);
  assert.equal(await readFile(join(folder, "b/c.txt"), "utf8"), "c");
}

test("a new folder, with those above it", async () => {
  await writeProject(join(root, "x/y/acme"), FILES);
  await assertWritten(join(root, "x/y/acme"));
  assert.deepEqual(await readdir(join(root, "x/y")), ["acme"]);
});

test("an empty folder", async () => {
  const folder = join(root, "acme");
  await mkdir(folder);
  await writeProject(folder, FILES);
  await assertWritten(folder);
  assert.deepEqual(await readdir(root), ["acme"]);
});

test("a folder with anything in it is not touched", async () => {
  await mkdir(join(root, "acme"));
  await writeFile(join(root, "acme/.hidden"), "mine");
  await assert.rejects(writeProject(join(root, "acme"), FILES), { message: /is not empty: it has \.hidden/ });
  assert.deepEqual(await readdir(join(root, "acme")), [".hidden"]);
  assert.deepEqual(await readdir(root), ["acme"]);
});

test("a file is not replaced", async () => {
  await writeFile(join(root, "acme"), "mine");
  await assert.rejects(writeProject(join(root, "acme"), FILES), { message: /is a file/ });
  assert.equal(await readFile(join(root, "acme"), "utf8"), "mine");
});

test("a failure leaves nothing", async () => {
  await assert.rejects(writeProject(join(root, "x/acme"), IMPOSSIBLE), { code: /ENOTDIR|EEXIST/ });
  assert.deepEqual(await readdir(root), []);
});

test("a failure leaves an empty folder empty", async () => {
  await mkdir(join(root, "acme"));
  await assert.rejects(writeProject(join(root, "acme"), IMPOSSIBLE));
  assert.deepEqual(await readdir(join(root, "acme")), []);
  assert.deepEqual(await readdir(root), ["acme"]);
});
