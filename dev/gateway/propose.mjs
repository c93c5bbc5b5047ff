// Proposes access tables for what an upstream offers: a scope for each kind of use, by the hints of its tools.

import { fold } from "./fold.mjs";
import { contains, decide, MAX_ENTRIES, parseTable, patternOf, scopesIn } from "./table.mjs";
import { safe } from "./text.mjs";
import { encodeUri, foldUri, refusedUri } from "./uri.mjs";

const MAX_SCOPE_PREFIX = 32;
const MAX_EXACT_RESOURCES = 20;
const MAX_NAMES_SHOWN = 5;

// What a URI begins with.
const SCHEME = /^[^:]+:/;
const HOST = /^[^:]+:(?:\/\/[^/?#*]*\/?)?/;

/** What a tool does, by its hints: "read", "delete" or "write". A hint that is absent promises nothing. */
export function useOf({ annotations }) {
  if (annotations?.readOnlyHint === true) return "read";
  return annotations?.destructiveHint === true ? "delete" : "write";
}

/** The first part of proposed scopes, from the name of the server. */
export function scopePrefix(name) {
  const word = safe(name).split("/").at(-1).normalize("NFKD").toLowerCase();
  return word.replaceAll(/[^a-z0-9]+/g, "-").replaceAll(/^-+|-+$/g, "").slice(0, MAX_SCOPE_PREFIX).replace(/-+$/, "") || "upstream";
}

/** Why a name cannot be an exact pattern. */
export function unusable(name) {
  if (name === "") return "it is empty";
  if (/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\s]/u.test(name)) return "it has white space or invisible characters";
  return name.includes("*") ? 'it has a "*"' : undefined;
}

/**
 * @typedef {{entries: [string, string][], skipped: {key: string, because: string}[], notes: string[]}} Proposal
 *   pattern → scope; what nobody may use by it; what the operator should know of its patterns
 *
 * @param {import("./offer.mjs").Offer} offer
 * @param {string} prefix  of the scopes
 * @returns {{tools: Proposal, prompts: Proposal, resources: Proposal}}
 */
export function propose(offer, prefix) {
  const read = `${prefix}:read`;
  return {
    tools: proposeNames(offer.tools, (tool) => `${prefix}:${useOf(tool)}`),
    prompts: proposeNames(offer.prompts, () => read),
    resources: proposeResources(offer, read),
  };
}

function proposeNames(list, scopeOf) {
  const skipped = [];
  const entries = new Map();
  for (const { key, value } of list) {
    const because = unusable(key);
    if (because !== undefined) skipped.push({ key, because });
    else entries.set(key, scopeOf(value));
  }
  const usable = withoutFoldedTwins([...entries], skipped, fold, "another name differs from it in case only");
  return limited({ ...grouped(usable, skipped), skipped });
}

// An upstream that compares without case, or decodes URIs, takes one for the other: the gateway refuses to start with both.
function withoutFoldedTwins(entries, skipped, change, because) {
  const counts = new Map();
  for (const [name] of entries) counts.set(change(name), (counts.get(change(name)) ?? 0) + 1);
  return entries.filter(([name]) => {
    const isAlone = counts.get(change(name)) === 1;
    if (!isAlone) skipped.push({ key: name, because });
    return isAlone;
  });
}

/**
 * Puts names together that begin alike and need the same, the longest beginnings first, until a table has room for them. No
 * group has a name that needs something else, or that is left out.
 */
function grouped(entries, skipped) {
  let found = entries;
  const [names, denied] = [entries.map(([name]) => fold(name)), skipped.map(({ key }) => fold(key))];
  // "get_" and "item_" of get_item_1.
  const words = entries.map(([name]) => name.match(/[^_./:-]*[_./:-]+/g) ?? []);
  for (let depth = Math.max(0, ...words.map(({ length }) => length)); depth >= 0 && found.length > MAX_ENTRIES; depth -= 1) {
    const starts = new Set(words.filter(({ length }) => length >= depth).map((each) => each.slice(0, depth).join("")));
    const usable = [...starts].flatMap((start) => {
      const folded = fold(start);
      const within = entries.filter((_, index) => names[index].startsWith(folded));
      const isOne = within.length > 1 && within.every(([name, scope]) => name.startsWith(start) && scope === within[0][1]);
      return isOne && !denied.some((name) => name.startsWith(folded)) ? [[start, within[0][1]]] : [];
    });
    found = [...usable.map(([start, scope]) => [`${start}*`, scope]), ...found.filter(([name]) => !usable.some(([start]) => name.startsWith(start)))];
  }
  return { entries: found, notes: notesOn(found.filter((each) => !entries.includes(each))) };
}

function notesOn(groups) {
  const shown = groups.slice(0, MAX_NAMES_SHOWN).map(([pattern]) => pattern);
  if (shown.length === 0) return [];
  const more = groups.length > shown.length ? ` and ${groups.length - shown.length} more` : "";
  return [`For a table of ${MAX_ENTRIES} entries, there are patterns: ${shown.join(", ")}${more}. They also cover what the upstream adds later.`];
}

function limited({ entries, skipped, notes }) {
  const cut = entries.slice(MAX_ENTRIES).map(([pattern]) => pattern);
  if (cut.length > 0) skipped.push({ key: `${cut[0]}${cut.length > 1 ? ` and ${cut.length - 1} more` : ""}`, because: `a table has ${MAX_ENTRIES} entries at most` });
  return { entries: entries.slice(0, MAX_ENTRIES), skipped, notes };
}

/** Patterns end with "*" or are exact: such patterns never overlap without one containing the other. */
function proposeResources({ resources, templates }, scope) {
  const refused = [];
  const usable = (list, partOf) =>
    list.flatMap(({ key }) => {
      const part = partOf(key);
      const because = refusedUri(key) ?? unusable(part) ?? (foldUri(encodeUri(part)) === undefined ? "it has percent-encoding that is no UTF-8" : undefined);
      if (because !== undefined) refused.push({ key, because });
      return because === undefined ? [{ key, pattern: part === key ? encodeUri(key) : `${encodeUri(part)}*` }] : [];
    });
  const exact = usable(resources, (key) => key);
  const open = usable(templates, (key) => key.split("{")[0]);
  const isMany = exact.length > MAX_EXACT_RESOURCES;
  for (const one of exact) one.pattern = isMany ? `${HOST.exec(one.pattern)[0]}*` : one.pattern;

  const all = [...open, ...exact];
  const notes = [];
  let needed = broadest(all);
  for (const beginning of [HOST, SCHEME]) {
    if (needed.length <= MAX_ENTRIES) break;
    for (const one of all) one.pattern = `${beginning.exec(one.pattern)[0]}*`;
    needed = broadest(all);
    notes.splice(0, 1, ...notesOn(needed.map((text) => [text])));
  }
  const twins = [];
  const because = "another differs from it only in case or percent-encoding";
  const entries = withoutFoldedTwins(needed.map((text) => [text, scope]), twins, foldUri, because);
  const lost = twins.map(({ key }) => patternOf(key));
  const skipped = [...refused, ...all.filter(({ pattern }) => lost.some((each) => contains(each, patternOf(pattern)))).map(({ key }) => ({ key, because }))];
  const table = parseTable(tableText(entries), { isUris: true });
  // What is left out by itself may be within a pattern.
  return limited({ entries, skipped: skipped.filter(({ key }) => decide(table, key).rule === undefined), notes });
}

/** The patterns that no other contains. */
function broadest(all) {
  const patterns = [...new Set(all.map(({ pattern }) => pattern))].map((text) => ({ text, pattern: patternOf(text) }));
  return patterns.filter((one) => !patterns.some((other) => other !== one && contains(other.pattern, one.pattern))).map(({ text }) => text);
}

/** A table as the value of a setting. @param {[string, string][]} entries */
export const tableText = (entries) => entries.map(([pattern, scope]) => `${pattern}=${scope}`).join(" ");

/**
 * Descriptions of the scopes of tables, for a consent page. Names of others are shortened; the page escapes them.
 * @param {import("./offer.mjs").Offer} offer
 * @param {Record<"tools" | "prompts" | "resources", import("./table.mjs").Table>} tables
 * @returns {Record<string, string>}
 */
export function describeScopes(offer, tables) {
  const all = { tools: offer.tools, prompts: offer.prompts, resources: [...offer.resources, ...offer.templates] };
  const scopes = scopesIn(Object.values(tables).flatMap(({ rules }) => rules));
  return Object.fromEntries(scopes.map((scope) => [scope, describe(scope)]));

  function describe(scope) {
    const uses = Object.entries(all).flatMap(([kind, list]) => {
      const needing = list.filter(({ key }) => decide(tables[kind], key).rule?.needs.includes(scope));
      if (needing.length === 0) return [];
      if (kind === "resources") return [needing.length === 1 ? "read a resource" : `read ${needing.length} resources`];
      const names = needing.slice(0, MAX_NAMES_SHOWN).map(({ key }) => safe(key).slice(0, 40));
      const more = needing.length > names.length ? ` and ${needing.length - names.length} more` : "";
      return [`${kind === "tools" ? "use" : "use the prompts"} ${names.join(", ")}${more}`];
    });
    const text = uses.join("; ") || "no tool needs it";
    return text[0].toUpperCase() + text.slice(1);
  }
}
