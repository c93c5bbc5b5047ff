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
  const all = { ...DEFAULTS, ...given };
  check(all, cwd);
  const { provider, mode, vault, registrar, upstream, issuer = "", resource = "", "staging-resource": stagingResource = "" } = all;
  const folder = resolve(cwd, options.folder);
  return { folder, name: options.name ?? basename(folder), provider, issuer, resource, stagingResource, mode, upstream, vault, registrar };
}

/**
 * Checks what is known so far, each value alone and together with the others.
 * @param {Partial<import("./options.mjs").Options>} options  without what is not known
 * @param {string} cwd
 * @throws {Problem} for the first value that cannot be right
 */
export function check({ folder, name: given, provider, mode, registrar, upstream, issuer = "", resource = "", "staging-resource": stagingResource = "" }, cwd) {
  const name = given ?? (folder === undefined ? undefined : basename(resolve(cwd, folder)));
  if (name !== undefined) checkName(name, given === undefined ? "The folder's name" : "--name");
  if (provider !== undefined) checkProvider(provider);
  if (mode !== undefined) checkMode(mode);
  checkIssuer(issuer, provider);
  checkResource(resource, name);
  checkResource(stagingResource, name === undefined ? undefined : `${name}-staging`, "The resource of staging");
  if (resource !== "" && resource === stagingResource) throw new Problem("Staging and production have the same resource", "Give each its own URL: a token for one must not be accepted by the other.");
  if (upstream !== undefined) checkUpstream(upstream, [resource, stagingResource]);
  if (upstream !== undefined && mode === "whoami") throw new Problem("--upstream is for gateways", "Add --mode gateway, or leave it out.");
  if (registrar && provider !== undefined) checkRegistrar(provider);
}

/** @param {string} mode */
function checkMode(mode) {
  if (!MODES.includes(mode)) throw new Problem(`--mode ${JSON.stringify(mode)} is unknown`, `Choose ${MODES.join(" or ")}.`);
}

function checkRegistrar(provider) {
  if (provider !== "logto") throw new Problem("The registrar administers clients at Logto, and at no other provider", "Leave --registrar out. Most other providers register clients themselves.");
}
