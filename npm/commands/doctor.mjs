// `mcp-edge doctor`: examines an MCP server and its identity provider from outside. See doctor/README.md.

import process from "node:process";

export const summary = "check a deployment from outside, as MCP clients see it";

/** @param {string[]} args */
export async function run(args) {
  const { doctor } = await import("../../doctor/build/npm/index.mjs");
  return doctor([...args, ...environmentOf(args)]);
}

/** The dispatcher takes --env out of the arguments. Without the settings of a gateway there is no use for it. */
function environmentOf(args) {
  const hasSettings = args.some((argument) => argument === "--settings" || argument.startsWith("--settings="));
  return hasSettings && process.env.CLOUDFLARE_ENV ? [`--env=${process.env.CLOUDFLARE_ENV}`] : [];
}
