// What `mcp-edge build` makes of its arguments, of what a module exports, and of projects that it cannot build.

import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { execFileSync, spawnSync } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { readArguments } from "../commands/build.mjs";
import { withCopiesOfWords } from "./cargo.mjs";
import { entryModule } from "./entry.mjs";
import { fingerprint, isMadeFrom, noteSource } from "./made-from.mjs";
import { BuildProblem } from "./problem.mjs";
import { cacheFolder } from "./wasm-bindgen.mjs";

const MAIN = fileURLToPath(new URL("main.mjs", import.meta.url));
const LINKER = fileURLToPath(new URL("wasm-linker", import.meta.url));
const isFolder = (path) => path === "worker";

test("the folder and where the result goes are optional, all else is for cargo", () => {
  assert.deepEqual(readArguments([]), { folder: resolve("."), out: resolve("build"), cargoArgs: [] });
  assert.deepEqual(readArguments(["worker", "--locked"], isFolder), { folder: resolve("worker"), out: resolve("worker/build"), cargoArgs: ["--locked"] });
  const named = readArguments(["worker", "--out-dir", "/tmp/out", "--features", "extra"], isFolder);
  assert.deepEqual([named.out, named.cargoArgs], [resolve("/tmp/out"), ["--features", "extra"]]);
});

test("a folder that is not there, and a missing one, are errors", () => {
  assert.throws(() => readArguments(["elsewhere"], isFolder), new BuildProblem("there is no folder elsewhere"));
  assert.throws(() => readArguments(["--out-dir"]), new BuildProblem("--out-dir needs a folder"));
});

test("LLVM gets an option that it has since version 22, in addition to the options of others", () => {
  const version = (llvm) => `rustc 1.95.0\nhost: x86_64-unknown-linux-gnu\nrelease: 1.95.0\nLLVM version: ${llvm}\n`;
  for (const older of [version("21.1.8"), "rustc 1.95.0\n"]) assert.deepEqual(withCopiesOfWords(["--locked"], older), ["--locked"]);
  for (const newer of ["22.1.2", "100.0.0"]) {
    const [locked, separator, option, ...others] = withCopiesOfWords(["--locked"], version(newer));
    assert.deepEqual([locked, separator, others], ["--locked", "--", []]);
    assert.match(option, /^-Cllvm-args=--max-store-memcpy=\d --max-store-memmove=\d$/);
    assert.deepEqual(withCopiesOfWords(["--", "-Cdebuginfo=1"], version(newer)), ["--", "-Cdebuginfo=1", option]);
  }
});

test("the cache is where the system keeps such folders", () => {
  assert.equal(cacheFolder({ platform: "linux", env: {}, home: "/home/ada" }), "/home/ada/.cache/mcp-edge");
  assert.equal(cacheFolder({ platform: "darwin", env: { XDG_CACHE_HOME: "/cache" }, home: "/Users/ada" }), "/cache/mcp-edge");
  assert.match(cacheFolder({ platform: "win32", env: { LOCALAPPDATA: "C:/Local" }, home: "C:/Users/ada" }), /^C:\/Local.mcp-edge$/);
});

test("the entry exports the events and classes of a module", async () => {
  const wasm = await moduleWith(["fetch", "scheduled", "Ledger__objectFetch", "Ledger__objectAlarm", "Admin__entrypointFetch", "other__thing"]);
  assert.equal(
    entryModule(wasm),
    `import { guard } from "./entry.js";
import * as wasm from "./index.js";
import { durableObject, entrypoint } from "./classes.js";
export default { fetch: guard(wasm.fetch), scheduled: guard(wasm.scheduled) };
export const Ledger = durableObject(wasm.Ledger);
export const Admin = entrypoint(wasm.Admin);
`,
  );
  const twice = await moduleWith(["Ledger__objectFetch", "Ledger__entrypointFetch"]);
  assert.throws(() => entryModule(twice), /Ledger is a class of Durable Objects and an entrypoint/);
});

test("a folder without a Worker is refused, and the message says why", async () => {
  const folder = await mkdtemp(join(tmpdir(), "build-test-"));
  try {
    const none = spawnSync(process.execPath, [MAIN, folder], { encoding: "utf8" });
    assert.deepEqual([none.status, none.stderr], [1, `build: there is no Cargo.toml in ${folder}: run this in the folder of your Worker, or name the folder\n`]);
    await writeFile(join(folder, "Cargo.toml"), '[package]\nname = "other"\nversion = "0.1.0"\nedition = "2024"\n[lib]\npath = "lib.rs"\n');
    await writeFile(join(folder, "lib.rs"), "");
    const other = spawnSync(process.execPath, [MAIN, folder], { encoding: "utf8" });
    assert.equal(other.status, 1);
    assert.match(other.stderr, /is not that of a Worker made with mcp-edge: add mcp-edge/);
  } finally {
    await rm(folder, { recursive: true });
  }
});

test("what was made from the same sources is not made again, and anything else is", async () => {
  const folder = await mkdtemp(join(tmpdir(), "build-test-"));
  try {
    const [compiled, result] = [join(folder, "compiled.wasm"), join(folder, "index.js")];
    const isCurrent = async (options) => isMadeFrom(folder, await fingerprint({ files: [compiled], options }), ["index.js"]);
    await writeFile(compiled, "one");
    await writeFile(result, "made of one");
    assert.equal(await isCurrent("small"), false, "nothing says what it was made from");
    await noteSource(folder, await fingerprint({ files: [compiled], options: "small" }), ["index.js"]);
    assert.equal(await isCurrent("small"), true);
    assert.equal(await isCurrent("with names"), false);
    await writeFile(result, "edited");
    assert.equal(await isCurrent("small"), false, "the result was changed");
    await writeFile(result, "made of one");
    await writeFile(compiled, "two");
    assert.equal(await isCurrent("small"), false, "the source was changed");
    await writeFile(compiled, "one");
    await rm(result);
    assert.equal(await isCurrent("small"), false, "the result is gone");
  } finally {
    await rm(folder, { recursive: true });
  }
});

test("the linker leaves out the exports that no Worker uses", { skip: process.platform === "win32" && "the linker is not used there" }, async () => {
  const folder = await mkdtemp(join(tmpdir(), "build-test-"));
  try {
    await writeFile(join(folder, "rust-lld"), '#!/bin/sh\nprintf "%s\\n" "$@"\n', { mode: 0o755 });
    const args = ["-flavor", "wasm", "--export", "fetch", "--export", "__wbg_minifyconfig_free", "minifyconfig.o", "-o", "out.wasm"];
    const linked = execFileSync(LINKER, args, { encoding: "utf8", env: { ...process.env, PATH: `${folder}:${process.env.PATH}` } });
    assert.deepEqual(linked.trim().split("\n"), ["-flavor", "wasm", "--export", "fetch", "minifyconfig.o", "-o", "out.wasm"]);
  } finally {
    await rm(folder, { recursive: true });
  }
});

test("wasm-bindgen is installed once, also where what it was released with is not to be had", { skip: process.platform === "win32" && "the stand-in for cargo is a shell script" }, async () => {
  const folder = await mkdtemp(join(tmpdir(), "build-test-"));
  try {
    const cargo = `#!/bin/sh
case "$*" in *--locked*) echo "error: failed to select a version" >&2; exit 101 ;; esac
while [ "$1" != --root ]; do shift; done
mkdir -p "$2/bin" && touch "$2/bin/wasm-bindgen"
`;
    await writeFile(join(folder, "cargo"), cargo, { mode: 0o755 });
    const script = `import { wasmBindgen } from ${JSON.stringify(new URL("wasm-bindgen.mjs", import.meta.url).href)};
      console.log(await wasmBindgen("9.9.9", console.log));`;
    const env = { ...process.env, PATH: `${folder}:${process.env.PATH}`, XDG_CACHE_HOME: folder };
    const install = () => execFileSync(process.execPath, ["--input-type=module", "--eval", script], { encoding: "utf8", env, stdio: "pipe" }).trim().split("\n");
    const installed = join(folder, "mcp-edge/wasm-bindgen-9.9.9/bin/wasm-bindgen");
    const first = install();
    assert.match(first[0], /^installing wasm-bindgen 9\.9\.9 into /);
    assert.match(first[1], /cargo chooses compatible ones/);
    assert.equal(first.at(-1), installed);
    assert.deepEqual(install(), [installed]);
  } finally {
    await rm(folder, { recursive: true });
  }
});

/** A module that exports functions of these names. */
async function moduleWith(names) {
  const folder = await mkdtemp(join(tmpdir(), "build-test-"));
  try {
    const [text, wasm] = ["module.wat", "module.wasm"].map((name) => join(folder, name));
    await writeFile(text, `(module (func $nothing) ${names.map((name) => `(export "${name}" (func $nothing))`).join(" ")})`);
    const assembler = createRequire(import.meta.url).resolve("binaryen/package.json").replace("package.json", "bin/wasm-as");
    execFileSync(process.execPath, [assembler, text, "-o", wasm]);
    return await readFile(wasm);
  } finally {
    await rm(folder, { recursive: true });
  }
}
