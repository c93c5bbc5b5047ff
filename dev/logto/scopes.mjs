// The scopes of a server's tools with their descriptions: from its source, its settings, its metadata, and from flags.

import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { DEFAULT_API_SCOPES } from "../identity-provider/scopes.mjs";
import { createSender } from "./http.mjs";
import { plain, Problem } from "./problem.mjs";

const DEFAULTS = new Map([...Object.entries(DEFAULT_API_SCOPES), ["apps:write", "Register and manage your applications"]]);

// RFC 6749 §3.3.
const SCOPE = /^[\x21\x23-\x5b\x5d-\x7e]+$/;

// OpenID Connect's scopes, and Logto's for user data: no API resource has them, and no JWT of Logto carries them.
const USER_SCOPES = ["openid", "offline_access", "profile", "email", "phone", "address", "custom_data", "identities", "roles"];

const METADATA_TIMEOUT_MS = 5_000;

/** Whether a scope is about the user, and not a permission of an API resource. */
export const isUserScope = (name) => USER_SCOPES.includes(name) || name.startsWith("urn:logto:scope:");

/**
 * Scopes in the Rust source below a folder: `.scope("name", "description")` of the server, and `scope = "name"` of its
 * tools, resources and prompts. A constant is looked up in the same folder.
 * @param {string} folder
 * @returns {Promise<Map<string, string | undefined>>}  name → description
 */
export async function scopesOfSource(folder) {
  const files = await readdir(folder, { recursive: true }).catch(() => []);
  const sources = await Promise.all(files.filter((file) => file.endsWith(".rs")).map((file) => readFile(join(folder, file), "utf8")));
  const text = sources.join("\n").replaceAll(/^\s*\/\/.*$/gm, "");
  const constants = new Map([...text.matchAll(/const (\w+): &(?:'static )?str = "([^"\\]+)"/g)].map(([, name, value]) => [name, value]));
  const valueOf = (term) => (term.startsWith('"') ? term.slice(1, -1) : constants.get(term.split("::").at(-1)));
  const scopes = new Map();
  for (const [, attributes] of text.matchAll(/#\[(?:tool|prompt|resource)\(([\s\S]*?)\)\]/g)) {
    for (const [, term] of attributes.matchAll(/\bscope\s*=\s*("[^"\\]+"|[\w:]+)/g)) add(term);
  }
  for (const [, term, description] of text.matchAll(/\.scope\(\s*("[^"\\]+"|[\w:]+)\s*,\s*"((?:[^"\\]|\\.)*)"\s*,?\s*\)/g)) {
    add(term, description.replaceAll(/\\(["\\])/g, "$1"));
  }
  for (const [, term] of text.matchAll(/\.scope\(\s*("[^"\\]+"|[A-Z][\w:]*)\s*,?\s*\)/g)) add(term);
  return scopes;

  function add(term, description) {
    const name = valueOf(term);
    if (name !== undefined && SCOPE.test(name)) scopes.set(name, description ?? scopes.get(name));
  }
}

/** Scopes that settings name. */
export function scopesOfSettings({ REQUIRED_SCOPES = "", CLAIM_SCOPES = "" }) {
  return [...new Set([...parseScopes(REQUIRED_SCOPES), ...Object.keys(parseClaimScopes(CLAIM_SCOPES))])];
}

/** The scopes of `REQUIRED_SCOPES`. */
export function parseScopes(text) {
  const names = text.split(/\s+/).filter(Boolean);
  const wrong = names.find((name) => !SCOPE.test(name));
  if (wrong !== undefined) throw new Problem(`REQUIRED_SCOPES: ${plain(wrong)} is not a scope`, { why: "Scopes are visible ASCII without quotes and backslashes (RFC 6749).", fix: "Correct it in wrangler.toml." });
  return names;
}

/**
 * Scopes in the metadata of the endpoint (RFC 9728). Empty if it does not answer, or is another resource.
 * @param {string} resource
 */
export async function scopesOfEndpoint(resource) {
  const { origin, pathname } = new URL(resource);
  const send = createSender({ timeoutMs: METADATA_TIMEOUT_MS, pause: async () => {} });
  try {
    const { status, json } = await send(`${origin}/.well-known/oauth-protected-resource${pathname}`, {});
    const scopes = status === 200 && json?.resource === resource ? json.scopes_supported : [];
    return Array.isArray(scopes) ? scopes.filter((name) => typeof name === "string" && SCOPE.test(name)) : [];
  } catch {
    return [];
  }
}

/** `scope=claim,claim …` as a table: scope → claims. */
export function parseClaimScopes(text) {
  const table = new Map();
  for (const entry of text.split(/\s+/).filter(Boolean)) {
    const [scope, claims = ""] = entry.split(/=(.*)/s);
    const names = claims.split(",");
    if (!SCOPE.test(scope) || names.some((name) => name === "")) {
      throw new Problem(`CLAIM_SCOPES: ${plain(entry)} must have the form scope=claim,claim`, { fix: "Correct it in wrangler.toml." });
    }
    table.set(scope, [...new Set([...(table.get(scope) ?? []), ...names])]);
  }
  return Object.fromEntries(table);
}

/** The table with what a scope covers by implying others (`SCOPE_HIERARCHY`). */
export function withImplied(table, hierarchy = "") {
  const implied = new Map();
  for (const entry of hierarchy.split(/\s+/).filter(Boolean)) {
    const [scope, names = ""] = entry.split(/=(.*)/s);
    implied.set(scope, [...(implied.get(scope) ?? []), ...names.split(",")]);
  }
  const reached = (scope, seen = new Set()) => {
    if (seen.has(scope)) return seen;
    seen.add(scope);
    for (const name of implied.get(scope) ?? []) reached(name, seen);
    return seen;
  };
  const scopes = [...new Set([...Object.keys(table), ...implied.keys()])];
  const covered = scopes.map((scope) => [scope, [...new Set([...reached(scope)].flatMap((name) => (Object.hasOwn(table, name) ? table[name] : [])))]]);
  return Object.fromEntries(covered.filter(([, claims]) => claims.length > 0));
}

/** A flag `--scope name=description`. */
export function parseScope(text) {
  const [, name, description] = /^([^\s=]+)=(\S.*)$/s.exec(text) ?? [];
  if (name === undefined || !SCOPE.test(name)) {
    throw new Problem(`--scope ${plain(text)} must have the form name=description`, { fix: `For example --scope "notes:read=Read your notes".` });
  }
  if (isUserScope(name)) throw new Problem(`--scope ${name} is a scope for user data, not a permission`, { fix: `Let the applications ask for it: --user-scopes "${name}".` });
  return [name, description];
}

/**
 * @typedef {object} Permission
 * @property {string} name
 * @property {string} [description]
 * @property {"flag" | "source"} [origin]  who chose the description: the operator now, or the author of the server
 *
 * The permissions to have: those of flags replace the others' descriptions.
 * @param {{flags?: [string, string][], source?: Map<string, string | undefined>, others?: string[]}} from
 * @returns {Permission[]}
 */
export function permissionsOf({ flags = [], source = new Map(), others = [] }) {
  const [chosen, written] = [new Map(flags), new Map([...source].filter(([, description]) => description !== undefined))];
  const names = [...new Set([...others, ...source.keys(), ...chosen.keys()])].filter((name) => !isUserScope(name));
  const all = names.length > 0 ? names : Object.keys(DEFAULT_API_SCOPES);
  return all.map((name) => {
    if (chosen.has(name)) return { name, description: chosen.get(name), origin: "flag" };
    if (written.has(name)) return { name, description: written.get(name), origin: "source" };
    return { name, description: DEFAULTS.get(name) };
  });
}
