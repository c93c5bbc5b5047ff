// `mcp-edge logto`: see dev/logto/main.mjs.

import process from "node:process";

export const summary = "set Logto up, and write the settings";

/** @param {string[]} args */
export async function run(args) {
  // The doctor is a command of its own.
  // It reads its arguments from there.
  process.argv.splice(2, Infinity, ...args, "--no-doctor");
  await import("../../dev/logto/main.mjs");
}
