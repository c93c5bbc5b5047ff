// The canonical form of a tool's definition, and its digest for TOOL_PINS.
//
// JSON with the members of each object in the order of the UTF-8 bytes of their names, without white space, strings as
// `JSON.stringify` writes them, and numbers as the upstream wrote them: 1.0 is not 1. The gateway computes the same
// (crates/gateway/src/pins.rs; crates/gateway/tests/pins.json has examples).

import { createHash } from "node:crypto";

/** A number with its text. */
class RawNumber {
  constructor(source) {
    this.source = source;
  }
}

/**
 * Parses JSON, with numbers as they are written.
 * @param {string} text
 * @throws {SyntaxError | RangeError} if it is not JSON, or nested too deeply
 */
export function parseRaw(text) {
  return JSON.parse(text, (_name, value, { source }) => (typeof value === "number" ? new RawNumber(source) : value));
}

/** The canonical form of a value of `parseRaw`. */
export function canonical(value) {
  if (value instanceof RawNumber) return value.source;
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const names = Object.keys(value).sort((one, other) => Buffer.compare(Buffer.from(one), Buffer.from(other)));
  return `{${names.map((name) => `${JSON.stringify(name)}:${canonical(value[name])}`).join(",")}}`;
}

/** SHA-256 of the canonical form of a value of `parseRaw`: base64url without padding, 43 characters. */
export function digest(value) {
  return createHash("sha256").update(canonical(value)).digest("base64url");
}
