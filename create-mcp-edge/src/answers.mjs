// From options and answers to what the project is: what is missing, defaults, and checks of all values together.

import { basename, resolve } from "node:path";
import { checkIssuer, checkName, checkProvider, checkResource, checkUpstream } from "./checks.mjs";
import { Problem } from "./problem.mjs";

/** What stands in front of users: a tool of the endpoint itself, or a server of the operator's own. */
export const MODES = ["whoami", "gateway"];

const DEFAULTS = { provider: "generic", mode: "whoami", vault: false, registrar: false };

/**
 * @typedef {object} Answers
 * @property {string} folder    absolute
 * @property {string} name      of the project and its Workers
 * @property {string} provider
 * @property {string} issuer    empty: left for later, as are the two resources
 * @property {string} resource
 * @property {string} stagingResource
 * @property {"whoami" | "gateway"} mode
 * @property {string} [upstream]  of a gateway
 * @property {boolean} vault
 * @property {boolean} registrar
 *
 * What an option has to say where nobody can be asked. What may be left for later is not among it.
 * @param {import("./options.mjs").Options} options
 * @returns {string[]}
 */
export function missing(options) {
  const needed = options.yes ? [] : ["provider", "mode"].filter((name) => options[name] === undefined).map((name) => `--${name}`);
  const upstream = options.mode === "gateway" && options.upstream === undefined ? ["--upstream"] : [];
  return [...(options.folder === undefined ? ["the folder"] : []), ...needed, ...upstream];
}

/**
 * @param {import("./options.mjs").Options} options  with all that `missing` asks for
 * @param {string} cwd
 * @returns {Answers}
 * @throws {Problem} for the first value that cannot be right
 */
export function complete(options, cwd) {
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
  const { provider, mode, vault, registrar, upstream, issuer = "", resource = "", "staging-resource": stagingResource = "" } = { ...DEFAULTS, ...given };
  const folder = resolve(cwd, options.folder);
  const name = options.name ?? basename(folder);
  checkName(name, options.name === undefined ? "The folder's name" : "--name");
  checkProvider(provider);
  checkMode(mode);
  checkIssuer(issuer, provider);
  checkResource(resource, name);
  checkResource(stagingResource, `${name}-staging`, "The resource of staging");
  if (resource !== "" && resource === stagingResource) throw new Problem("Staging and production have the same resource", "Give each its own URL: a token for one must not be accepted by the other.");
  if (mode === "gateway") checkUpstream(upstream, [resource, stagingResource]);
  else if (upstream !== undefined) throw new Problem("--upstream is for gateways", "Add --mode gateway, or leave it out.");
  checkRegistrar(registrar, provider);
  return { folder, name, provider, issuer, resource, stagingResource, mode, upstream, vault, registrar };
}

/** @param {string} mode */
export function checkMode(mode) {
  if (!MODES.includes(mode)) throw new Problem(`--mode ${JSON.stringify(mode)} is unknown`, `Choose ${MODES.join(" or ")}.`);
}

function checkRegistrar(registrar, provider) {
  if (registrar && provider !== "logto") throw new Problem("The registrar administers clients at Logto, and at no other provider", "Leave --registrar out. Most other providers register clients themselves.");
}
