// `mcp-edge gateway-keys`: see dev/gateway/keys.mjs.

import process from "node:process";

export const summary = "make the key that a gateway signs with, or replace it";

/** @param {string[]} args */
export async function run(args) {
  // It reads its arguments from there.
  process.argv.splice(2, Infinity, ...args);
  await import("../../dev/gateway/keys.mjs");
}
