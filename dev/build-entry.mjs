// Prints the module that a Worker starts with: build-entry.mjs WASM
//
// The exports of a module are static, so the classes that the Worker exports (Durable Objects, named entrypoints) get a
// line each. They are found by the names of what the wasm exports: `Ledger__objectFetch` is the function `objectFetch`
// in the namespace `Ledger`, as the macros `durable_object!` and `entrypoint!` of crates/edge-runtime name them.

import { readFile } from "node:fs/promises";

const MAKERS = { objectFetch: "durableObject", objectAlarm: "durableObject", entrypointFetch: "entrypoint" };

const [, , path] = process.argv;
const names = WebAssembly.Module.exports(new WebAssembly.Module(await readFile(path))).map(({ name }) => name);
const classes = new Map();
for (const name of names) {
  const [, className, event] = /^(\w+?)__(\w+)$/.exec(name) ?? [];
  const maker = Object.hasOwn(MAKERS, event ?? "") ? MAKERS[event] : undefined;
  if (maker === undefined) continue;
  if (classes.has(className) && classes.get(className) !== maker) {
    throw new Error(`${className} is a class of Durable Objects and an entrypoint: give one of them another name`);
  }
  classes.set(className, maker);
}

const lines = ['export { default } from "./entry.js";'];
if (classes.size > 0) {
  const makers = [...new Set(classes.values())].sort();
  lines.push('import * as wasm from "./index.js";', `import { ${makers.join(", ")} } from "./classes.js";`);
}
for (const [name, maker] of classes) lines.push(`export const ${name} = ${maker}(wasm.${name});`);
console.log(lines.join("\n"));
