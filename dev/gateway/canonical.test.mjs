// The canonical form of definitions: the same as the gateway's.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { canonical, digest, memberOf, parseRaw } from "./canonical.mjs";

const EXAMPLES = JSON.parse(readFileSync(new URL("../../crates/gateway/tests/pins.json", import.meta.url), "utf8"));

describe("the gateway's examples", () => {
  for (const { name, definition, canonical: expected, digest: hash } of EXAMPLES) {
    test(name, () => {
      const raw = parseRaw(definition);
      assert.equal(canonical(raw) ?? null, expected ?? null);
      assert.equal(digest(raw) ?? null, hash ?? null);
    });
  }
});

const canonicalOf = (text) => canonical(parseRaw(text));

test("members are in the order of their bytes, not of their code units", () => {
  assert.equal(canonicalOf('{"\u{1f600}":1,"\uff5e":2,"b":3,"B":4,"10":5,"9":6}'), '{"10":5,"9":6,"B":4,"b":3,"\uff5e":2,"\u{1f600}":1}');
});

test("numbers are as they were written", () => {
  assert.equal(canonicalOf('[1, 1.0, 1e2, -0, 12345678901234567890]'), "[1,1.0,1e2,-0,12345678901234567890]");
});

test("strings that look like structure are strings", () => {
  assert.equal(canonicalOf(String.raw`{"a":"}\",{\\","__proto__":[]}`), String.raw`{"__proto__":[],"a":"}\",{\\"}`);
});

test("what two readers may understand differently has no canonical form", () => {
  for (const text of ['{"a":1,"a":2}', String.raw`{"a":1,"\u0061":2}`, String.raw`["\ud800"]`, String.raw`{"\udc00":1}`, "[".repeat(65) + "]".repeat(65)]) {
    assert.equal(canonicalOf(text), undefined, text);
    assert.equal(digest(parseRaw(text)), undefined, text);
  }
  assert.equal(canonicalOf("[".repeat(64) + "]".repeat(64)), "[".repeat(64) + "]".repeat(64));
});

test("the last of two members is the one that JSON.parse has", () => {
  assert.deepEqual(memberOf(parseRaw('{"a":1,"a":2}'), "a"), { source: "2" });
});

test("what is not JSON is an error", () => {
  for (const text of ["", "{", '{"a":}', "[1,]", "nul"]) assert.throws(() => parseRaw(text), SyntaxError, text);
});
