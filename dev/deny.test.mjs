// What `make deny` says of the check of known weaknesses.

import assert from "node:assert/strict";
import { test } from "node:test";
import { adviceOf } from "./deny.mjs";

const UNREACHABLE = { status: 1, output: "[ERROR] failed to fetch advisory database https://db.example: could not resolve host" };

test("a weakness fails", () => {
  assert.equal(adviceOf({ status: 1, output: "error[vulnerability]: …" }, false).code, 1);
  assert.equal(adviceOf({ status: 0, output: "advisories ok" }, true).code, 0);
});

test("a database that cannot be reached is said to be skipped, and fails where it is required", () => {
  const { code, line } = adviceOf(UNREACHABLE, false);
  assert.equal(code, 0);
  assert.match(line, /SKIPPED/);
  assert.equal(adviceOf(UNREACHABLE, true).code, 1);
});
