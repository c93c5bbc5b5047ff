// Prints the module that a Worker starts with: build-entry.mjs WASM
//
// The exports of a module are static, so the classes that the Worker exports (Durable Objects, named entrypoints) get a
// line each. They are found by the names of what the wasm exports: `Ledger__objectFetch` is the function `objectFetch`
// in the namespace `Ledger`, as the macros `durable_object!` and `entrypoint!` of crates/edge-runtime name them. It names
// what it imports, so that the bundle contains no more of the bindings.

import { readFile } from "node:fs/promises";

const EVENTS = ["fetch", "scheduled", "queue", "email"];

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

const lines = ['import { guard } from "./entry.js";', 'import * as wasm from "./index.js";'];
if (classes.size > 0) {
  const makers = [...new Set(classes.values())].sort();
  lines.push(`import { ${makers.join(", ")} } from "./classes.js";`);
}
const events = EVENTS.filter((event) => names.includes(event));
lines.push(`export default { ${events.map((event) => `${event}: guard(wasm.${event})`).join(", ")} };`);
for (const [name, maker] of classes) lines.push(`export const ${name} = ${maker}(wasm.${name});`);
console.log(lines.join("\n"));
