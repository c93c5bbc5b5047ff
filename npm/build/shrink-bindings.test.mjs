// What the build takes out of the bindings, on modules that are made here.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";

const SCRIPT = fileURLToPath(new URL("shrink-bindings.mjs", import.meta.url));
const WASM_AS = fileURLToPath(new URL("../../node_modules/.bin/wasm-as", import.meta.url));

/** As wasm-bindgen writes it. */
const BINDINGS = `import * as import1 from "./bridge.js"
export function fetch() {
    return wasm.fetch(wasm.memory.buffer);
}
function __wbg_get_imports() {
    const import0 = {
        __proto__: null,
        __wbg_log_1234: function(arg0) {
            log(arg0);
        },
        __wbg_unused_5678: function(arg0) {
            const ret = arg0 => {
                unused(arg0);
            };
            return ret;
        },
    };
    return {
        __proto__: null,
        "./index_bg.js": import0,
        "./bridge.js": import1,
    };
}
`;

let folder;
before(async () => (folder = await mkdtemp(join(tmpdir(), "shrink-bindings-"))));
after(() => rm(folder, { recursive: true }));

async function shrink(step, script, other) {
  const [path, otherPath] = ["index.js", "other"].map((name) => join(folder, name));
  await writeFile(path, script);
  await writeFile(otherPath, other);
  execFileSync(process.execPath, [SCRIPT, step, path, otherPath]);
  return await readFile(path, "utf8");
}

async function moduleOf(text) {
  const [from, to] = ["module.wat", "module.wasm"].map((name) => join(folder, name));
  await writeFile(from, text);
  execFileSync(WASM_AS, [from, "-o", to]);
  return await readFile(to);
}

test("functions that are not imported are removed", async () => {
  const module = await moduleOf(`(module (import "./index_bg.js" "__wbg_log_1234" (func (param i32))))`);
  const script = await shrink("imports", BINDINGS, module);
  assert.match(script, /__wbg_log_1234: function\(arg0\) \{\n {12}log\(arg0\);\n {8}\},\n {4}\};/);
  assert.doesNotMatch(script, /unused/);
});

test("imports and exports get their short names, whichever module they are of", async () => {
  const names = {
    imports: [
      ["./index_bg.js", "__wbg_log_1234", "x"],
      ["./bridge.js", "body", "y"],
    ],
    exports: [
      ["memory", "z"],
      ["fetch", "q"],
    ],
  };
  const script = await shrink("names", BINDINGS, JSON.stringify(names));
  assert.match(script, /export function fetch\(\) \{\n {4}return wasm\.q\(wasm\.z\.buffer\)/);
  assert.match(script, /\bx: function\(arg0\)/);
  assert.match(script, /a: \{ \.\.\.import0, y: import1\.body \}/);
});
