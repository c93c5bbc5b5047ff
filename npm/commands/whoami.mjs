// `mcp-edge whoami`: see dev/whoami.mjs.

import process from "node:process";

export const summary = "sign in with the official MCP client, and call whoami";

/** @param {string[]} args */
export async function run(args) {
  // It reads its arguments from there.
  process.argv.splice(2, Infinity, ...args);
  await import("../../dev/whoami.mjs");
}
