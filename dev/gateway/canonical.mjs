// The canonical form of a tool's definition, and its digest for TOOL_PINS. The gateway computes the same
// (crates/gateway/src/pins.rs has the rules, crates/gateway/tests/pins.json examples).
//
// JSON.parse cannot tell 1.0 from 1, nor see a member that occurs twice: so the text itself is read, after JSON.parse has
// found it valid.

import { createHash } from "node:crypto";

/** Levels of objects and arrays that a definition may have, and members of one object. */
const MAX_DEPTH = 64;
const MAX_MEMBERS = 1000;

const TOKEN = /"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/g;

/**
 * A value with its text: an object is a list of members, an array a list, everything else its text.
 * @typedef {{members: [string, Raw][]} | {elements: Raw[]} | {source: string}} Raw
 *
 * @param {string} text
 * @returns {Raw}
 * @throws {SyntaxError | RangeError} if it is not JSON, or nested too deeply
 */
export function parseRaw(text) {
  JSON.parse(text);
  const tokens = text.matchAll(TOKEN);
  const take = () => tokens.next().value[0];
  return value(take());

  function value(token) {
    if (token === "{") return { members: list("}", (name) => (take(), [JSON.parse(name), value(take())])) };
    return token === "[" ? { elements: list("]", value) } : { source: token };
  }

  function list(end, element) {
    const elements = [];
    for (let token = take(); token !== end; token = take()) if (token !== ",") elements.push(element(token));
    return elements;
  }
}

/** The member of an object that JSON.parse would return: the last of its name. @param {Raw} raw */
export const memberOf = (raw, name) => raw.members?.findLast(([each]) => each === name)?.[1];

/**
 * The canonical form of a definition; undefined if it has none: a member that occurs twice, an unpaired surrogate, too deep,
 * too many members.
 * @param {Raw} raw
 */
export function canonical({ members, elements, source }, depth = 0) {
  if (source !== undefined) return source.startsWith('"') ? canonicalString(JSON.parse(source)) : source;
  if (depth === MAX_DEPTH) return undefined;
  if (elements !== undefined) {
    const parts = elements.map((element) => canonical(element, depth + 1));
    return parts.includes(undefined) ? undefined : `[${parts.join(",")}]`;
  }
  const parts = members.map(([name, value]) => [canonicalString(name), canonical(value, depth + 1), Buffer.from(name)]);
  const names = new Set(members.map(([name]) => name));
  if (parts.flat().includes(undefined) || names.size < members.length || names.size > MAX_MEMBERS) return undefined;
  parts.sort(([, , one], [, , other]) => Buffer.compare(one, other));
  return `{${parts.map(([name, value]) => `${name}:${value}`).join(",")}}`;
}

const canonicalString = (text) => (text.isWellFormed() ? JSON.stringify(text) : undefined);

/** SHA-256 of the canonical form: base64url without padding, 43 characters. Undefined if there is none. @param {Raw} raw */
export function digest(raw) {
  const text = canonical(raw);
  return text === undefined ? undefined : createHash("sha256").update(text).digest("base64url");
}
