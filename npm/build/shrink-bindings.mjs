// Takes out of the JavaScript that wasm-bindgen has written what the optimized module does not need.
//
//   shrink-bindings.mjs imports JS WASM   removes from JS, written by wasm-bindgen, the functions that WASM does not import
//   shrink-bindings.mjs names JS MAP      gives imports and exports in JS the names that wasm-opt has given them in MAP:
//                                         half of each name is a hash, which does not compress

import { readFileSync, writeFileSync } from "node:fs";

/** The module that functions are imported from, but for those that need no conversions. */
const BINDINGS = "./index_bg.js";

/** A text as a pattern that matches it. Node.js 22 has no `RegExp.escape`. */
const escaped = (text) => text.replace(/[^\w]/g, "\\$&");

const [, , step, path, other] = process.argv;
const script = readFileSync(path, "utf8");
({ imports: removeUnusedImports, names: rename })[step]();

function removeUnusedImports() {
  const module = new WebAssembly.Module(readFileSync(other));
  const used = new Set(WebAssembly.Module.imports(module).map(({ name }) => name));
  writeFileSync(path, script.replace(/^ {8}(\w+): function\([^]*?^ {8}\},\n/gm, (all, name) => (used.has(name) ? all : "")));
}

function rename() {
  const { imports, exports } = JSON.parse(readFileSync(other, "utf8"));
  const imported = new Map(imports.map(([, name, short]) => [name, short]));
  const exported = new Map(exports);
  // All of them are imported from one module now, those that need no conversions as well.
  const direct = imports.filter(([module]) => module !== BINDINGS);
  const namespaceOf = (module) => script.match(`"${escaped(module)}": (\\w+)`)[1];
  const others = direct.map(([module, name, short]) => `, ${short}: ${namespaceOf(module)}.${name}`);
  const renamed = script
    .replace(/^ {8}(\w+): /gm, (all, name) => (imported.has(name) ? `${imported.get(name)}: ` : all))
    .replace(/\bwasm\.(\w+)/g, (all, name) => (exported.has(name) ? `wasm.${exported.get(name)}` : all))
    .replace(new RegExp(`"${escaped(BINDINGS)}": (\\w+),[^}]*`), (all, bindings) => `a: { ...${bindings}${others.join("")} } `);
  writeFileSync(path, renamed);
}
