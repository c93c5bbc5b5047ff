// The module that a Worker starts with.
//
// The exports of a module are static, so the classes that the Worker exports (Durable Objects, named entrypoints) get a
// line each. They are found by the names of what the wasm exports: `Ledger__objectFetch` is the function `objectFetch`
// in the namespace `Ledger`, as the macros `durable_object!` and `entrypoint!` of mcp-edge-runtime name them. It names
// what it imports, so that the bundle contains no more of the bindings.

const EVENTS = ["fetch", "scheduled", "queue", "email"];

const MAKERS = { objectFetch: "durableObject", objectAlarm: "durableObject", entrypointFetch: "entrypoint" };

/**
 * @param {Uint8Array} wasm  the module, as wasm-bindgen leaves it
 * @returns {string} the text of the entry; it imports `./index.js`, and of mcp-edge-runtime `./entry.js` and `./classes.js`
 * @throws {Error} if one name is a class of two kinds
 */
export function entryModule(wasm) {
  const names = WebAssembly.Module.exports(new WebAssembly.Module(wasm)).map(({ name }) => name);
  const classes = classesIn(names);
  const lines = ['import { guard } from "./entry.js";', 'import * as wasm from "./index.js";'];
  if (classes.size > 0) {
    const makers = [...new Set(classes.values())].sort();
    lines.push(`import { ${makers.join(", ")} } from "./classes.js";`);
  }
  const events = EVENTS.filter((event) => names.includes(event));
  lines.push(`export default { ${events.map((event) => `${event}: guard(wasm.${event})`).join(", ")} };`);
  for (const [name, maker] of classes) lines.push(`export const ${name} = ${maker}(wasm.${name});`);
  return `${lines.join("\n")}\n`;
}

/** The classes that exports of these names belong to, each with what makes it. */
function classesIn(names) {
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
  return classes;
}
