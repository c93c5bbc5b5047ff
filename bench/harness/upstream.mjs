// The MCP server behind the gateways, in a process of its own, whose CPU time is not counted.

import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { startProgram } from "./program.mjs";

const PROGRAM = fileURLToPath(new URL("../contenders/gateways/upstream.mjs", import.meta.url));

/** The tool that is called. */
export const TOOL = "echo";

/** A table as operators write it; the tokens have the scope of the tool. */
export const TOOL_SCOPES = `search_*=docs:read delete_*=docs:delete ${TOOL}=whoami:read`;

/**
 * @typedef {object} Seen
 * @property {number} requests  since its start
 * @property {number} calls     of the tool
 * @property {string} [authorization]  the header of the last call
 */

/** Starts it. */
export async function startUpstream() {
  const program = await startProgram([process.execPath, PROGRAM]);
  return {
    ...program,
    url: `${program.origin}/mcp`,
    /** @returns {Promise<Seen>} */
    seen: async () => (await fetch(`${program.origin}/seen`)).json(),
  };
}

/**
 * Asserts that the upstream got about the caller what the gateway is known to show: an assertion, the token itself, or nothing.
 * @param {import("../contenders/index.mjs").Contender} contender
 * @param {Seen} seen
 * @param {{token: string, url: string}} expected
 */
export function checkCredentials({ name, shows }, { authorization }, { token, url }) {
  if (shows === "nothing") return assert.equal(authorization, undefined, name);
  if (shows === "token") return assert.equal(authorization, `Bearer ${token}`, name);
  const [claims, { sub }] = [authorization, token].map((jwt) => JSON.parse(Buffer.from(jwt.split(".")[1], "base64url")));
  assert.deepEqual([claims.sub, claims.aud], [sub, url], name);
}
