// Proposed tables: the gateway takes each of them, and what they leave out is said.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { propose, tableText } from "./propose.mjs";
import { decide, MAX_ENTRIES, parseTable } from "./table.mjs";

const NONE = { tools: [], prompts: [], resources: [], templates: [] };
const KEYS = { tools: "name", prompts: "name", resources: "uri", templates: "uriTemplate" };
const offer = (lists) => ({ ...NONE, ...Object.fromEntries(Object.entries(lists).map(([kind, keys]) => [kind, keys.map((key) => (typeof key === "string" ? { key, value: { [KEYS[kind]]: key } } : key))])) });
const reads = (key) => ({ key, value: { name: key, annotations: { readOnlyHint: true } } });

/** The proposal for one table, which must have no error, and the table. */
function proposed(kind, lists) {
  const proposal = propose(offer(lists), "p")[kind];
  const table = parseTable(tableText(proposal.entries), { isUris: kind === "resources" });
  assert.deepEqual(table.problems, []);
  return { ...proposal, table, isAllowed: (key) => decide(table, key).rule !== undefined };
}

describe("URIs that an upstream may take for one another, or cannot decode, are left out", () => {
  for (const [what, lists, left] of [
    ["resources that differ in case", { resources: ["note://x/A", "note://x/a", "note://x/b"] }, "note://x/b=p:read"],
    ["templates that differ in case", { templates: ["note://A/{x}", "note://a/{x}"] }, ""],
    ["a slash that is encoded", { resources: ["a:b%2Fc", "a:b/c"] }, ""],
    ["a resource and a template", { resources: ["note://x/A"], templates: ["note://x/a"] }, ""],
    ["what is encoded and no UTF-8", { resources: ["file:///x%FF", "file:///y"], templates: ["file:///z%C3{a}"] }, "file:///y=p:read"],
  ]) {
    test(what, () => {
      const { entries, skipped } = proposed("resources", lists);
      assert.equal(tableText(entries), left);
      const kept = entries.map(([pattern]) => pattern);
      assert.deepEqual(skipped.map(({ key }) => key).sort(), Object.values(lists).flat().filter((key) => !kept.includes(key)).sort());
      for (const { because } of skipped) assert.match(because, /differs from it only in case or percent-encoding|no UTF-8/);
    });
  }

  test("but not under one pattern for all of them", () => {
    const { skipped, isAllowed } = proposed("resources", { resources: ["note://x/A", "note://x/a"], templates: ["note://x/{any}"] });
    assert.deepEqual(skipped, []);
    assert.ok(isAllowed("note://x/A"));
  });
});

describe("more than a table may have", () => {
  const many = (count, nameOf) => Array.from({ length: count }, (_, index) => nameOf(index));

  test("is grouped by what names begin with, where all of these need the same", () => {
    const tools = [...many(150, (index) => reads(`get_item_${index}`)), ...many(60, (index) => `put_${index}`), ...many(5, (index) => reads(`put_mixed_${index}`)), "alone"];
    const { entries, notes, skipped, isAllowed } = proposed("tools", { tools });
    assert.ok(entries.length <= MAX_ENTRIES);
    assert.deepEqual(new Map(entries).get("get_item_*"), "p:read");
    assert.deepEqual(skipped, []);
    assert.match(notes.join(), /get_item_\*.*also cover what the upstream adds/);
    for (const tool of tools) assert.ok(isAllowed(tool.key ?? tool));
    assert.equal(isAllowed("other"), false);
  });

  test("is one pattern for all if nothing else helps and all need the same", () => {
    const { entries, notes } = proposed("tools", { tools: many(201, (index) => `tool${index}`) });
    assert.deepEqual(entries, [["*", "p:write"]]);
    assert.match(notes.join(), /\*.*also cover/);
  });

  test("no pattern allows what is left out", () => {
    const { skipped, isAllowed, entries } = proposed("tools", { tools: [...many(201, (index) => `get_${index}`), "get_a b", "GET_x", "get_x"] });
    for (const { key } of skipped.filter(({ because }) => !/entries/.test(because))) assert.equal(isAllowed(key), false, key);
    assert.equal(entries.length, MAX_ENTRIES);
  });

  test("is cut if the tools differ, and what is cut is said", () => {
    const tools = many(230, (index) => (index % 2 === 0 ? reads(`tool${index}`) : `tool${index}`));
    const { entries, skipped } = proposed("tools", { tools });
    assert.equal(entries.length, MAX_ENTRIES);
    assert.deepEqual(skipped, [{ key: "tool200 and 29 more", because: "a table has 200 entries at most" }]);
  });

  test("of templates gets wider patterns", () => {
    const { entries, isAllowed } = proposed("resources", { templates: many(300, (index) => `note://host/kind${index}/{id}`) });
    assert.deepEqual(entries, [["note://host/*", "p:read"]]);
    assert.ok(isAllowed("note://host/kind1/2"));
    assert.deepEqual(proposed("resources", { templates: many(300, (index) => `note://host${index}/{id}`) }).entries, [["note:*", "p:read"]]);
  });
});
