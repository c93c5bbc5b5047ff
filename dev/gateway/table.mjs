// Access tables: TOOL_SCOPES, PROMPT_SCOPES and RESOURCE_SCOPES, as the gateway reads them (crates/gateway/src/access).
//
// Entries are separated by white space: pattern=need[,need…], split at the last "=". A pattern is exact, or has one "*".

import { fold } from "./fold.mjs";
import { hasSpaceAtEnds, wordsOf } from "./text.mjs";
import { beforeQuery, encodeUri, foldUri, refusedPattern, refusedUri } from "./uri.mjs";

/** How many entries a table may have. */
export const MAX_ENTRIES = 200;

// RFC 6749 §3.3, without the comma that separates needs.
const SCOPE = /^[\x21\x23-\x2b\x2d-\x5b\x5d-\x7e]+$/;

const ALONE = ["allow", "deny"];
/** The needs that are no scopes. */
export const KEYWORDS = [...ALONE, "user", "first_party", "no_keys"];

/**
 * @typedef {{prefix: string, suffix?: string}} Pattern  `suffix` is unset without "*"
 * @typedef {{text: string, pattern: Pattern, folded: Pattern, needs: string[]}} Rule
 * @typedef {{rules: Rule[], problems: string[], isUris: boolean}} Table
 *   the problems are those with which the Worker would not start
 *
 * Reads a table.
 * @param {string} text
 * @param {{isUris?: boolean}} [options]  whether its names are URIs
 * @returns {Table}
 */
export function parseTable(text, { isUris = false } = {}) {
  const problems = [];
  const rules = [];
  const entries = wordsOf(text);
  if (entries.length > MAX_ENTRIES) problems.push(`it has ${entries.length} entries, and may have ${MAX_ENTRIES}: use patterns with *`);
  for (const entry of entries) {
    const at = entry.lastIndexOf("=");
    const [pattern, needs] = [entry.slice(0, Math.max(at, 0)), entry.slice(at + 1).split(",")];
    const problem = problemOfEntry(pattern, needs, isUris);
    if (problem === undefined) rules.push(ruleOf(pattern, needs, isUris));
    else problems.push(`${entry} ${problem}`);
  }
  for (const [index, one] of rules.entries()) {
    for (const other of rules.slice(0, index)) {
      const problem = problemOfPair(other, one, rules);
      if (problem !== undefined) problems.push(problem);
    }
  }
  return { rules, problems, isUris };
}

function problemOfEntry(pattern, needs, isUris) {
  if (pattern === "") return "must have the form pattern=need,need";
  if (pattern.split("*").length > 2) return "has more than one *";
  if (needs.length > 1 && needs.some((need) => ALONE.includes(need))) return 'must have "allow" and "deny" alone';
  const capital = needs.find((need) => !KEYWORDS.includes(need) && KEYWORDS.includes(need.toLowerCase()));
  if (capital !== undefined) return `must have ${capital} in lower case`;
  if (!needs.every((need) => SCOPE.test(need))) return "must name scopes, user, first_party, no_keys, allow or deny";
  const refused = isUris ? refusedPattern(pattern) : undefined;
  if (refused !== undefined) return `cannot match: ${refused}`;
  return isUris && pattern.split("*").some((part) => foldUri(encodeUri(part)) === undefined) ? "must have percent-encoded UTF-8" : undefined;
}

function ruleOf(text, needs, isUris) {
  const pattern = patternOf(isUris ? encodeUri(text) : text);
  const change = isUris ? foldUri : fold;
  return { text, pattern, folded: { prefix: change(pattern.prefix), suffix: pattern.suffix === undefined ? undefined : change(pattern.suffix) }, needs };
}

function problemOfPair(one, other, rules) {
  if (isSame(one.pattern, other.pattern)) return `${one.text} occurs twice`;
  if (isSame(one.folded, other.folded)) return `${one.text} and ${other.text} may be the same for an upstream that ignores case or decodes URIs`;
  const missing = overlapOf(one.folded, other.folded).filter((both) => !rules.some(({ folded }) => isSame(folded, both)));
  if (missing.length === 0) return undefined;
  const shown = missing.map(({ prefix, suffix }) => (suffix === undefined ? `${prefix}=…` : `${prefix}*${suffix}=…`));
  return `${one.text} and ${other.text} match the same names, and neither is more specific: change one of them, or add ${shown.join(" and ")}`;
}

/** @returns {Pattern} */
export function patternOf(text) {
  const at = text.indexOf("*");
  return at === -1 ? { prefix: text } : { prefix: text.slice(0, at), suffix: text.slice(at + 1) };
}

const isSame = (one, other) => one.prefix === other.prefix && one.suffix === other.suffix;

/** Whether a pattern matches a name. @param {Pattern} pattern */
export function matches({ prefix, suffix }, name) {
  if (suffix === undefined) return name === prefix;
  return name.length >= prefix.length + suffix.length && name.startsWith(prefix) && name.endsWith(suffix);
}

/** Whether a pattern matches all that another does. @param {Pattern} one @param {Pattern} other */
export function contains(one, other) {
  if (other.suffix === undefined) return matches(one, other.prefix);
  return one.suffix !== undefined && other.prefix.startsWith(one.prefix) && other.suffix.endsWith(one.suffix);
}

/** The patterns of the names that both match, if neither contains the other. */
function overlapOf(one, other) {
  if (one.suffix === undefined || other.suffix === undefined || contains(one, other) || contains(other, one)) return [];
  const longer = (first, second) => (first.length > second.length ? first : second);
  const both = { prefix: longer(one.prefix, other.prefix), suffix: longer(one.suffix, other.suffix) };
  if (!contains(one, both) || !contains(other, both)) return [];
  const shared = [];
  for (let count = 1; count <= Math.min(both.prefix.length, both.suffix.length); count += 1) {
    if (both.prefix.endsWith(both.suffix.slice(0, count))) shared.push({ prefix: both.prefix + both.suffix.slice(count) });
  }
  return [both, ...shared.filter((name) => contains(one, name) && contains(other, name))];
}

/** The most specific rule; none if two are equally so. */
function mostSpecific(rules, match) {
  const found = rules.filter(match).map((each) => ({ each, length: each.folded.suffix === undefined ? Infinity : Buffer.byteLength(each.folded.prefix + each.folded.suffix) }));
  found.sort((one, other) => other.length - one.length);
  return found.length > 1 && found[0].length === found[1].length ? undefined : found[0]?.each;
}

/**
 * The rule that decides on a name, or why nobody may use it.
 * @param {Table} table
 * @param {string} name  of a tool or prompt, or a URI or template
 * @returns {{rule?: Rule, because?: string, isUncovered?: boolean}}
 */
export function decide({ rules, isUris }, name) {
  const refused = isUris ? refusedUri(name) : refusedName(name);
  if (refused !== undefined) return { because: refused };
  const canonical = isUris ? encodeUri(name) : name;
  const exact = mostSpecific(rules, ({ pattern }) => matches(pattern, canonical));
  if (exact === undefined) return { because: "no pattern matches it", isUncovered: true };
  const folded = isUris ? foldUri(canonical) : fold(canonical);
  const alike = folded === undefined ? undefined : mostSpecific(rules, (each) => matches(each.folded, folded));
  if (alike !== exact) return { because: `an upstream that ignores case or decodes URIs may take it for ${alike?.text ?? "another"}` };
  const because = isUris ? conflictOf(rules, exact, canonical, folded) : undefined;
  return because === undefined ? { rule: exact } : { because };
}

/** Why an upstream that drops query and fragment may take a URI for one of another rule. */
function conflictOf(rules, rule, uri, folded) {
  const [bare, bareFolded] = [beforeQuery(uri), beforeQuery(folded)];
  if (bareFolded === folded) return undefined;
  if (bare !== uri && /%3F|%23/.test(bare)) return "it has a ? or # percent-encoded in front of another";
  const own = patternBeforeQuery(rule.folded);
  let other;
  if (own === undefined) {
    const found = [mostSpecific(rules, ({ pattern }) => matches(pattern, bare)), mostSpecific(rules, (each) => matches(each.folded, bareFolded))];
    if (found.every((each) => each === rule)) return undefined;
    other = found.find((each) => each !== rule);
  } else {
    other = rules.find((each) => matches(each.folded, bareFolded) && !contains(each.folded, own));
    if (other === undefined && matches(own, bareFolded)) return undefined;
  }
  return `an upstream that drops the query may take it for ${other?.text ?? "another"}`;
}

/** A pattern without what begins at its first ? or #; undefined if it has neither. */
function patternBeforeQuery({ prefix, suffix }) {
  if (/[?#]/.test(prefix)) return { prefix: beforeQuery(prefix) };
  return /[?#]/.test(suffix ?? "") ? { prefix, suffix: beforeQuery(suffix) } : undefined;
}

function refusedName(name) {
  if (name === "") return "it is empty";
  return hasSpaceAtEnds(name) || /[\x00-\x1f\x7f]/.test(name) ? "it has control characters, or white space at its ends" : undefined;
}

/** Whether nobody may use what a rule decides on. @param {Rule} rule */
export const isDeny = ({ needs }) => needs[0] === "deny";

/** What a caller needs, in words. @param {Rule} rule */
export function needsOf({ needs }) {
  if (needs[0] === "allow") return "a token";
  if (needs[0] === "deny") return "– (denied)";
  return needs.map((need) => ({ user: "a user", first_party: "a first-party client", no_keys: "no key" })[need] ?? need).join(" + ");
}

/** The scopes that tables name. @param {Rule[]} rules */
export const scopesIn = (rules) => [...new Set(rules.flatMap(({ needs }) => needs))].filter((need) => !KEYWORDS.includes(need));
