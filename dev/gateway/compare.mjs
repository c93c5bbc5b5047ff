// Compares the tables and pins of wrangler.toml with what an upstream offers.

import { digest } from "./canonical.mjs";
import { decide, isDeny, matches, parseTable } from "./table.mjs";
import { wordsOf } from "./text.mjs";
import { encodeUri } from "./uri.mjs";

/** The settings with tables: setting → the lists that it decides on. */
export const TABLES = { TOOL_SCOPES: ["tools"], PROMPT_SCOPES: ["prompts"], RESOURCE_SCOPES: ["resources", "templates"] };

/** Cloudflare's limit for a variable, in bytes. */
const MAX_BYTES = 5 * 1024;

/** @returns {string[]} whether a setting is too long for Cloudflare */
export const tooLong = (text) => (Buffer.byteLength(text) > MAX_BYTES ? ["it is longer than 5 KB, Cloudflare's limit for a variable"] : []);

export const tableOf = (setting, text) => parseTable(text, { isUris: setting === "RESOURCE_SCOPES" });

/**
 * @param {string} text  the table
 * @param {import("./offer.mjs").Entry[]} entries
 * @returns {{problems: string[], uncovered: string[], denied: string[], unused: string[]}}
 *   with what the Worker does not start; keys that no rule covers; keys with the reason why they are denied all the same;
 *   patterns that match nothing
 */
export function compareTable(setting, text, entries) {
  const table = tableOf(setting, text);
  const [uncovered, denied] = [[], []];
  for (const { key } of entries) {
    const { rule, because, isUncovered } = decide(table, key);
    if (isUncovered) uncovered.push(key);
    else if (rule === undefined) denied.push(`${key}: ${because}`);
  }
  const names = entries.map(({ key }) => (table.isUris ? encodeUri(key) : key));
  // A rule that denies is for what may come; so is one for all.
  const unused = table.rules.filter((each) => each.text !== "*" && !isDeny(each) && !names.some((name) => matches(each.pattern, name)));
  return { problems: [...table.problems, ...tooLong(text)], uncovered, denied, unused: unused.map((each) => each.text) };
}

/**
 * @param {string} text  TOOL_PINS
 * @param {import("./offer.mjs").Entry[]} tools
 * @returns {{problems: string[], changed: string[], unpinned: string[], gone: string[]}}
 */
export function comparePins(text, tools) {
  const problems = tooLong(text);
  const pins = new Map();
  for (const entry of wordsOf(text)) {
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
