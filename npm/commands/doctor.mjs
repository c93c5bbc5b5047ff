// `mcp-edge doctor`: examines an MCP server and its identity provider from outside. See doctor/README.md.

import process from "node:process";

export const summary = "check a deployment from outside, as MCP clients see it";

/** @param {string[]} args */
export async function run(args) {
  const { doctor } = await import("../../doctor/build/npm/index.mjs");
  return doctor([...args, ...environmentOf(args)]);
}

/**
 * The dispatcher takes --env out of the arguments, and puts it into a variable that wrangler reads as well. Named on the command line,
 * it is passed on: without --settings there is no use for it, and the doctor says so.
 */
function environmentOf(args) {
  const isNamed = process.argv.some((argument) => argument === "--env" || argument.startsWith("--env="));
  const hasSettings = args.some((argument) => argument === "--settings" || argument.startsWith("--settings="));
  return (isNamed || hasSettings) && process.env.CLOUDFLARE_ENV ? [`--env=${process.env.CLOUDFLARE_ENV}`] : [];
}
