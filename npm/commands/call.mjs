// `mcp-edge call`: see dev/call.mjs.

import process from "node:process";

export const summary = "call a tool with the official MCP client";

/** @param {string[]} args */
export async function run(args) {
  // It reads its arguments from there.
  process.argv.splice(2, Infinity, ...args);
  await import("../../dev/call.mjs");
}
