// `mcp-edge gateway-scopes`: see dev/gateway/scopes.mjs.

import process from "node:process";

export const summary = "propose who may use which tool of an MCP server";

/** @param {string[]} args */
export async function run(args) {
  // The URL of the upstream is a variable of its environment.
  const [url] = args.filter((argument) => /^https?:/.test(argument));
  if (url !== undefined) process.env.URL = url;
  // It reads its arguments from there.
  process.argv.splice(2, Infinity, ...args.filter((argument) => argument !== url));
  await import("../../dev/gateway/scopes.mjs");
}
