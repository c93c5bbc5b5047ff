// Access tables: TOOL_SCOPES, PROMPT_SCOPES and RESOURCE_SCOPES, as the gateway reads them (crates/gateway/src/access).
//
// Entries are separated by white space: pattern=need[,need…], split at the last "=". A pattern is exact, or has one "*".

/** @typedef {{pattern: string, prefix: string, suffix?: string, needs: string[]}} Rule  `suffix` is unset without "*" */

// RFC 6749 §3.3, without the comma that separates needs.
const SCOPE = /^[\x21\x23-\x2b\x2d-\x5b\x5d-\x7e]+$/;

const ALONE = ["allow", "deny"];

/**
 * Reads a table. @param {string} text
 * @returns {{rules: Rule[], problems: string[]}}  the problems are those with which the Worker would not start
 */
export function parseTable(text) {
  const problems = [];
  const rules = [];
  for (const entry of text.split(/\s+/).filter(Boolean)) {
    const at = entry.lastIndexOf("=");
    const [pattern, needs] = [entry.slice(0, at), entry.slice(at + 1).split(",")];
    if (at < 1 || !needs.every((need) => SCOPE.test(need))) problems.push(`${entry} must have the form pattern=need,need`);
    else if (pattern.split("*").length > 2) problems.push(`${pattern} has more than one "*"`);
    else if (needs.length > 1 && needs.some((need) => ALONE.includes(need))) problems.push(`${entry}: "allow" and "deny" stand alone`);
    else rules.push(rule(pattern, needs));
  }
  for (const [index, one] of rules.entries()) {
    for (const other of rules.slice(0, index)) {
      if (one.pattern === other.pattern) problems.push(`${one.pattern} occurs twice`);
      else if (isAmbiguous(one, other)) problems.push(`${other.pattern} and ${one.pattern} overlap, and neither contains the other`);
    }
  }
  return { rules, problems };
}

/** @returns {Rule} */
export function rule(pattern, needs) {
  const at = pattern.indexOf("*");
  return at === -1 ? { pattern, prefix: pattern, needs } : { pattern, prefix: pattern.slice(0, at), suffix: pattern.slice(at + 1), needs };
}

/** Whether a rule covers a name. */
export function covers({ prefix, suffix }, name) {
  if (suffix === undefined) return name === prefix;
  return name.length >= prefix.length + suffix.length && name.startsWith(prefix) && name.endsWith(suffix);
}

/** Whether a rule covers all that another does. */
export function contains(one, other) {
  if (other.suffix === undefined) return covers(one, other.prefix);
  return one.suffix !== undefined && other.prefix.startsWith(one.prefix) && other.suffix.endsWith(one.suffix);
}

function isAmbiguous(one, other) {
  if (one.suffix === undefined || other.suffix === undefined || contains(one, other) || contains(other, one)) return false;
  const agree = (first, second, part) => first[part](second) || second[part](first);
  return agree(one.prefix, other.prefix, "startsWith") && agree(one.suffix, other.suffix, "endsWith");
}

/** The rule that decides on a name: the most specific one that covers it. */
export function lookUp(rules, name) {
  const length = ({ prefix, suffix }) => (suffix === undefined ? Infinity : prefix.length + suffix.length);
  return rules.filter((each) => covers(each, name)).sort((one, other) => length(other) - length(one))[0];
}

/** Without case, as the gateway compares a second time: ASCII letters, and what becomes one in other languages. */
export const fold = (text) => text.replaceAll(/[A-Z]/g, (letter) => letter.toLowerCase()).replaceAll("ſ", "s").replaceAll("\u212a", "k").replaceAll(/[ıİ]/g, "i");

/** The table's rule for a name, and why it is denied all the same. @returns {{rule?: Rule, because?: string}} */
export function decide(rules, name) {
  const exact = lookUp(rules, name);
  if (exact === undefined) return { because: "no pattern covers it" };
  const folded = lookUp(rules.map((each) => rule(fold(each.pattern), each)), fold(name))?.needs;
  if (folded !== exact) return { because: `without case, it is ${folded?.pattern}, too` };
  return { rule: exact };
}

/** What a caller needs, in words. @param {Rule} rule */
export function needsOf({ needs }) {
  if (needs[0] === "allow") return "a token";
  if (needs[0] === "deny") return "nobody may";
  return needs.map((need) => ({ user: "a user", first_party: "a first-party client" })[need] ?? need).join(" + ");
}

/** The scopes that a table names. @param {Rule[]} rules */
export function scopesIn(rules) {
  return [...new Set(rules.flatMap(({ needs }) => needs))].filter((need) => ![...ALONE, "user", "first_party"].includes(need));
}
