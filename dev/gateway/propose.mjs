// Proposes access tables for what an upstream offers: a scope for each kind of use, by the hints of its tools.

import { fold } from "./fold.mjs";
import { contains, decide, patternOf, scopesIn } from "./table.mjs";
import { safe } from "./text.mjs";
import { encodeUri, refusedUri } from "./uri.mjs";

const MAX_SCOPE_PREFIX = 32;
const MAX_EXACT_RESOURCES = 20;
const MAX_NAMES_SHOWN = 5;

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
 * @typedef {{entries: [string, string][], skipped: {key: string, because: string}[]}} Proposal  pattern → scope
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
  return withoutFoldedTwins([...entries], skipped);
}

// An upstream that compares without case takes one for the other: the gateway denies both.
function withoutFoldedTwins(entries, skipped) {
  const names = entries.map(([name]) => fold(name));
  const usable = entries.filter(([name], index) => {
    const isAlone = names.every((each, other) => other === index || each !== names[index]);
    if (!isAlone) skipped.push({ key: name, because: "another name differs from it in case only" });
    return isAlone;
  });
  return { entries: usable, skipped };
}

/** Patterns end with "*" or are exact: such patterns never overlap without one containing the other. */
function proposeResources({ resources, templates }, scope) {
  const skipped = [];
  const patterns = new Set();
  for (const { key } of templates) {
    const start = key.split("{")[0];
    const because = refusedUri(key) ?? unusable(start);
    if (because !== undefined) skipped.push({ key, because });
    else patterns.add(key.includes("{") ? `${encodeUri(start)}*` : encodeUri(key));
  }
  const exact = [];
  for (const { key } of resources) {
    const because = refusedUri(key) ?? unusable(key);
    if (because === undefined) exact.push(encodeUri(key));
    else skipped.push({ key, because });
  }
  const isMany = exact.length > MAX_EXACT_RESOURCES;
  for (const uri of exact) patterns.add(isMany ? `${/^[^:]+:(?:\/\/[^/?#]*\/?)?/.exec(uri)[0]}*` : uri);
  const all = [...patterns].map((text) => ({ text, pattern: patternOf(text) }));
  const needed = all.filter((one) => !all.some((other) => other !== one && contains(other.pattern, one.pattern)));
  return { entries: needed.map(({ text }) => [text, scope]), skipped };
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
