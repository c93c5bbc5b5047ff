// The examples that `make dev WORKER=examples/NAME` runs.

import { agenda } from "./agenda.mjs";

/**
 * @typedef {object} Example
 * @property {string} folder  where its wrangler.toml is, from the root of the repository
 * @property {Record<string, number>} ports  of the services that it reaches, by the variables that choose them
 * @property {object} provider  options of the local identity provider
 * @property {Record<string, string>} vars  settings of the Worker
 * @property {Record<string, string>} vaultVars  settings of the vault
 * @property {(running: {issuer: string, prefixed: (name: string) => (line: string) => void}) => Promise<void>} start
 *   starts the services
 * @property {(running: {origin: string, elsewhere: string}) => string[]} lines  what to try, for the banner
 * @property {() => Promise<void>} stop
 */

/** @type {Record<string, (env: NodeJS.ProcessEnv) => Example>} */
const EXAMPLES = { "examples/agenda": agenda };

/**
 * Returns the example that the variable `WORKER` names, or `undefined` without it.
 * @param {NodeJS.ProcessEnv} env
 */
export function exampleOf(env) {
  const { WORKER = "", UPSTREAM = "" } = env;
  if (WORKER === "") return undefined;
  const folder = WORKER.replace(/^\.\//, "").replace(/\/$/, "");
  if (!Object.hasOwn(EXAMPLES, folder)) {
    throw new Error(`WORKER=${WORKER} is no example that make dev runs; it runs ${Object.keys(EXAMPLES).join(", ")}`);
  }
  if (UPSTREAM !== "") throw new Error("WORKER and UPSTREAM are both set; a gateway is the Worker of this repository");
  return EXAMPLES[folder](env);
}
