// The summary of `make mutants`.

import assert from "node:assert/strict";
import { test } from "node:test";
import { summarize } from "./mutants.mjs";

const mutant = (pkg, name, summary) => ({ summary, scenario: { Mutant: { package: pkg, name } } });

test("the share counts what compiled, timeouts as caught, and names each miss", () => {
  const outcomes = [
    { summary: "Success", scenario: "Baseline" },
    mutant("mcp-edge-oauth", "a.rs:1:1: replace a", "CaughtMutant"),
    mutant("mcp-edge-oauth", "a.rs:2:1: replace b", "Timeout"),
    mutant("mcp-edge-oauth", "a.rs:3:1: replace c", "MissedMutant"),
    mutant("mcp-edge-oauth", "a.rs:4:1: replace d", "Unviable"),
    mutant("registrar", "b.rs:1:1: replace e", "CaughtMutant"),
  ];
  assert.equal(
    summarize({ outcomes }),
    [
      "mcp-edge-oauth: 2 of 3 mutants caught (66.6 %), 1 missed",
      "  missed: a.rs:3:1: replace c",
      "registrar: 1 of 1 mutants caught (100 %), 0 missed",
    ].join("\n"),
  );
});

test("a run without mutants says so", () => {
  assert.equal(summarize({ outcomes: [{ summary: "Success", scenario: "Baseline" }] }), "no mutant was tested");
});
