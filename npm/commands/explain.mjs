// `mcp-edge explain`: what the settings of a project make of an access token. See doctor/README.md.

import process from "node:process";

export const summary = "say what the settings make of a token: explain < token";

/** @param {string[]} args */
export async function run(args) {
  const { doctor } = await import("../../doctor/build/npm/index.mjs");
  // The dispatcher takes --env out of the arguments.
  const environment = process.env.CLOUDFLARE_ENV ? [`--env=${process.env.CLOUDFLARE_ENV}`] : [];
  return doctor(["explain", ...args, ...environment]);
}
