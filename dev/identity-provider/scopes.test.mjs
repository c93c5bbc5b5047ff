// The scopes that the local identity provider knows of a project's own Worker.

import assert from "node:assert/strict";
import { test } from "node:test";
import { DEFAULT_API_SCOPES, scopesOf } from "./scopes.mjs";

test("those that every request needs, and those that are named with a description", () => {
  assert.deepEqual(scopesOf("notes:read  greet:use", ["notes:write=Write = change notes"]), {
    "notes:read": "Use notes:read",
    "greet:use": "Use greet:use",
    "notes:write": "Write = change notes",
  });
  assert.deepEqual(scopesOf("notes:read", ["notes:read=Read your notes"]), { "notes:read": "Read your notes" });
});

test("that of whoami keeps its description, and no scope at all leaves the default", () => {
  assert.deepEqual(scopesOf("whoami:read"), DEFAULT_API_SCOPES);
  assert.equal(scopesOf(), undefined);
  assert.equal(scopesOf(""), undefined);
});

test("a scope without a description is refused", () => {
  assert.throws(() => scopesOf("", ["notes:write"]), /--scope notes:write must have the form name=description/);
});
