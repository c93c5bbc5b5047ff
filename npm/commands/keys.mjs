// `mcp-edge keys`: see dev/keys.mjs.

import { run as keys } from "../../dev/keys.mjs";

export const summary = "list and revoke access keys as their operator";

/** @param {string[]} args */
export const run = (args) => keys(args);
