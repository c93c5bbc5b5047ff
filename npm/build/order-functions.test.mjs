// The order of functions in a bundle, on modules that are made here.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const SCRIPT = fileURLToPath(new URL("order-functions.mjs", import.meta.url));

/** An unsigned LEB128 of four bytes, which may be more than are needed. */
const number = (value) => Buffer.from([0, 7, 14, 21].map((shift, at) => ((value >> shift) & 0x7f) | (at < 3 ? 0x80 : 0)));
const section = (id, ...parts) => Buffer.concat([Buffer.of(id), number(Buffer.concat(parts).length), ...parts]);

/** A function without parameters and results that contains these bytes: as numbers that it drops. */
function body(bytes) {
  const [I32_CONST, DROP, END] = [0x41, 0x1a, 0x0b];
  const code = Buffer.from([0, ...[...bytes].flatMap((byte) => [I32_CONST, byte & 0x3f, DROP]), END]);
  return Buffer.concat([number(code.length), code]);
}

function moduleOf(bodies) {
  const header = Buffer.from("\0asm\x01\0\0\0", "latin1");
  const type = section(1, Buffer.of(1, 0x60, 0, 0));
  const functions = section(3, Buffer.of(bodies.length, ...bodies.map(() => 0)));
  return Buffer.concat([header, type, functions, section(10, Buffer.of(bodies.length), ...bodies)]);
}

/** The places of the functions of a module. */
async function placesOf(module) {
  const folder = await mkdtemp(join(tmpdir(), "order-functions-"));
  try {
    const [from, to] = ["from.wasm", "to.wasm"].map((name) => join(folder, name));
    await writeFile(from, module);
    execFileSync(process.execPath, ["--max-old-space-size=512", SCRIPT, from, to]);
    const written = await readFile(to);
    assert.ok(WebAssembly.validate(written));
    const [names] = WebAssembly.Module.customSections(new WebAssembly.Module(written), "name");
    return Buffer.from(names).toString("latin1").match(/\d{5}/g).map(Number);
  } finally {
    await rm(folder, { recursive: true });
  }
}

test("functions that share much follow each other", async () => {
  const [one, other] = [randomBytes(1_000), randomBytes(1_000)];
  assert.deepEqual(await placesOf(moduleOf([one, other, one].map(body))), [0, 2, 1]);
});

test("a large module keeps its order, for which there would not be memory enough", async () => {
  const [one, other] = [randomBytes(400_000), randomBytes(400_000)];
  assert.deepEqual(await placesOf(moduleOf([one, other, one].map(body))), [0, 1, 2]);
});
