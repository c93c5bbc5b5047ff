// Compares the tables and pins of wrangler.toml with what an upstream offers.

import { digest } from "./canonical.mjs";
import { covers, decide, parseTable } from "./table.mjs";
import { canonicalUri, refusedUri } from "./uri.mjs";

/** The settings with tables: setting → the lists that it decides on. */
export const TABLES = { TOOL_SCOPES: ["tools"], PROMPT_SCOPES: ["prompts"], RESOURCE_SCOPES: ["resources", "templates"] };

/**
 * @typedef {object} Compared
 * @property {import("./table.mjs").Rule[]} rules
 * @property {string[]} problems    with which the Worker does not start
 * @property {string[]} uncovered   keys that no rule covers
 * @property {string[]} denied      keys that a rule covers, and that are denied all the same, with the reason
 * @property {string[]} unused      patterns that cover nothing
 *
 * @param {string} text  the table
 * @param {import("./offer.mjs").Entry[]} entries
 * @returns {Compared}
 */
export function compareTable(setting, text, entries) {
  const { rules, problems } = parseTable(text);
  const compared = { rules, problems, uncovered: [], denied: [], unused: [] };
  const names = entries.map(({ key }) => (setting === "RESOURCE_SCOPES" ? canonicalUri(key) : key));
  for (const [index, { key }] of entries.entries()) {
    const refused = setting === "RESOURCE_SCOPES" ? refusedUri(key.replaceAll(/\{[^}]*\}/g, "x")) : undefined;
    const { rule, because } = decide(rules, names[index]);
    if (rule !== undefined && refused === undefined) continue;
    if (refused === undefined && !rules.some((each) => covers(each, names[index]))) compared.uncovered.push(key);
    else compared.denied.push(`${key}: ${refused ?? because}`);
  }
  // A rule that denies is kept for what may come; so is one for all.
  compared.unused = rules.filter(({ pattern, needs }) => pattern !== "*" && needs[0] !== "deny").filter((each) => !names.some((name) => covers(each, name))).map(({ pattern }) => pattern);
  return compared;
}

/**
 * @param {string} text  TOOL_PINS
 * @param {import("./offer.mjs").Entry[]} tools
 * @returns {{problems: string[], changed: string[], unpinned: string[], gone: string[]}}
 */
export function comparePins(text, tools) {
  const problems = [];
  const pins = new Map();
  for (const entry of text.split(/\s+/).filter(Boolean)) {
    const at = entry.lastIndexOf("=");
    const digests = entry.slice(at + 1).split(",");
    if (at < 1 || !digests.every((each) => /^[A-Za-z0-9_-]{43}$/.test(each))) problems.push(`${entry} must have the form name=digest,digest`);
    else pins.set(entry.slice(0, at), digests);
  }
  const names = tools.map(({ key }) => key);
  return {
    problems,
    changed: tools.filter(({ key, raw }) => pins.has(key) && !pins.get(key).includes(digest(raw))).map(({ key }) => key),
    unpinned: names.filter((name) => !pins.has(name)),
    gone: [...pins.keys()].filter((name) => !names.includes(name)),
  };
}
