// `mcp-edge logto`: see dev/logto/main.mjs.

import process from "node:process";

export const summary = "set Logto up, and write the settings";

/** @param {string[]} args */
export async function run(args) {
  // It reads its arguments from there.
  process.argv.splice(2, Infinity, ...args);
  await import("../../dev/logto/main.mjs");
}
