// Access tables, as the gateway reads them: crates/gateway/src/access has the same cases.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { comparePins } from "./compare.mjs";
import { decide, needsOf, parseTable, scopesIn } from "./table.mjs";
import { encodeUri, foldUri, refusedPattern, refusedUri } from "./uri.mjs";

const tools = (text) => parseTable(text);
const resources = (text) => parseTable(text, { isUris: true });
const needs = (table, name) => {
  const { rule } = decide(table, name);
  return rule && needsOf(rule);
};

test("the most specific pattern counts, in any order", () => {
  const table = tools("*=deny search*=docs:read search_all=docs:read,user delete_*=docs:delete ping=allow");
  assert.deepEqual(table.problems, []);
  assert.equal(needs(table, "search"), "docs:read");
  assert.equal(needs(table, "search_all"), "docs:read + a user");
  assert.equal(needs(table, "delete_x"), "docs:delete");
  assert.equal(needs(table, "ping"), "a token");
  assert.equal(needs(table, "other"), "– (denied)");
  assert.deepEqual(scopesIn(table.rules), ["docs:read", "docs:delete"]);
  assert.deepEqual(decide(tools("a=b"), "c"), { because: "no pattern matches it", isUncovered: true });
});

test("keys can be refused", () => {
  const table = tools("pay=payments,no_keys");
  assert.deepEqual(table.problems, []);
  assert.equal(needs(table, "pay"), "payments + no key");
  assert.deepEqual(scopesIn(table.rules), ["payments"]);
});

test("an entry is split at its last =", () => {
  assert.equal(needs(resources("a:b?c=d=e"), "a:b?c=d"), "e");
});

test("entries are separated by white space of ASCII alone, as the Worker does", () => {
  assert.deepEqual(tools("a=x\tb=x\n\f\r c=x").rules.map(({ text }) => text), ["a", "b", "c"]);
  for (const space of ["\u00a0", "\u2003", "\u000b", "\ufeff"]) assert.equal(tools(`a=x${space}b=y`).rules.length, 1, JSON.stringify(space));
  assert.deepEqual(tools("a\u00a0b=x").rules.map(({ text }) => text), ["a\u00a0b"]);
  const pin = "A".repeat(43);
  assert.equal(comparePins(`a=${pin}\u00a0b=${pin}`, []).gone.length, 1);
});

test("names with white space of Unicode at their ends are denied, a mark of byte order is none", () => {
  for (const space of ["\u0085", "\u00a0", "\u3000", "\n"]) assert.equal(decide(tools("*=x"), `a${space}`).rule, undefined, JSON.stringify(space));
  assert.notEqual(decide(tools("*=x"), "\ufeffa").rule, undefined);
  assert.notEqual(refusedUri("a:b\u0085"), undefined);
  assert.equal(refusedUri("a:b\ufeff"), undefined);
});

test("a name that another rule covers without case is denied", () => {
  const table = tools("a*=x A*_b=y");
  assert.deepEqual(table.problems, []);
  assert.equal(needs(table, "a_c"), "x");
  assert.equal(decide(table, "a_b").rule, undefined);
  assert.equal(needs(tools("a*=x ſ=y"), "a"), "x");
  assert.equal(decide(tools("s=x ﬆ*=y"), "sT").rule, undefined);
});

describe("entries that are errors", () => {
  for (const [table, problem] of [
    [tools("search"), "must have the form"],
    [tools("=a"), "must have the form"],
    [tools("a="), "must name scopes"],
    [tools("a=no_keys,allow"), 'must have "allow" and "deny" alone'],
    [tools("a=No_Keys"), "must have No_Keys in lower case"],
    [tools("a=b,"), "must name scopes"],
    [tools("a=deny,b"), "alone"],
    [tools("a=Deny"), "lower case"],
    [tools("a**=b"), "more than one *"],
    [resources("A:b=c"), "scheme"],
    [resources("a:%C3*=c"), "UTF-8"],
    [resources("a:b/../c=d"), "dot segments"],
    [tools("a=x a=x"), "occurs twice"],
    [tools("A*=x a*=y"), "may be the same"],
    [resources("a:b/c=x a:b%2Fc=x"), "may be the same"],
    [tools("get_*=x *=deny *_admin=y"), "add get_*_admin=… and get_admin=…"],
    [tools("get_*=x *_admin=y get_*_admin=z"), "add get_admin=…"],
    [tools(Array.from({ length: 201 }, (_, index) => `t${index}=x`).join(" ")), "201 entries"],
  ]) {
    test(problem, () => {
      assert.equal(table.problems.length, 1, table.problems.join("\n"));
      assert.ok(table.problems[0].includes(problem), table.problems[0]);
    });
  }
  test("an overlap that further entries decide is none", () => {
    assert.deepEqual(tools("get_*=x *_admin=y get_*_admin=z get_admin=z").problems, []);
    assert.deepEqual(tools("ab*=x *ba=x ab*ba=x aba=x").problems, []);
  });
});

describe("URIs", () => {
  test("are compared in one form", () => {
    const table = resources("file:///ä=x note:%2fa*=y");
    assert.equal(needs(table, "file:///%c3%a4"), "x");
    assert.equal(needs(table, "note:%2Fab"), "y");
    assert.equal(encodeUri("file:///{path}"), "file:///%7Bpath%7D");
  });

  test("that programs read differently are denied", () => {
    const wrong = ["", "a", "file:///a b", "file:///a%00", "a:%", "a:%4", "a:%61", "a:b%2e", "file:///a\\b", "file:///C|/a", "File:///a", "https://A.example/", "https://a@b.example/", "note://a:b@c/d",
      "file:///a/../b", "file:///..", "file:///a/..?b", "file:///a%2F../b", "docs:../b", "docs://a?path=b/../c", "https:a", "https:///a", "https://a.example:443/", "https://127.1/", "https://127.0.0.01/",
      "https://[::1]/", "https://{host}/", "file:a", "file://localhost/a", "file://a:1/b", "file://a", "ws://a.example:80/", "https://a.example./", "https://a.example", "https://a.example?b", "docs://a:/b", "docs://a:", "docs://a:08/b", "docs://[::1]/b"];
    for (const uri of wrong) assert.notEqual(refusedUri(uri), undefined, uri);
    const right = ["file:///a/b.md", "file://server/share", "https://api.example.com/a?b=../c#d", "https://127.0.0.1:8443/a", "http://localhost:3000/", "note://Alice/1", "mailto:bob@example.com", "urn:isbn:0451450523",
      "docs://list/a%2Fb%5Cc%20d%C3%A4", "a:.b/..c/d../...", "proxy://fetch/https://example.com", "docs://a:0/b", "docs://a:80/b", "docs://a:b/c", "notes://note/{id}"];
    for (const uri of right) assert.equal(refusedUri(uri), undefined, uri);
  });

  test("a pattern may leave open how a URI begins", () => {
    for (const pattern of ["*", "*.md", "https://*", "https://api*", "no*", "file:///*", "note:*", "a:.*", "file:*", "*://a/b"]) assert.equal(refusedPattern(pattern), undefined, pattern);
    for (const pattern of ["Note:*", "a", "https://A.example/*", "file://localhost/*", "a:b/../*", "a:%4*", "a:%41*"]) assert.notEqual(refusedPattern(pattern), undefined, pattern);
  });

  test("lead to the same rule without their query, or to none", () => {
    const table = resources("docs://*=read docs://x/admin=admin docs://search?q=*=q docs://search=deny docs://x*?raw=raw");
    assert.deepEqual(table.problems, []);
    for (const [uri, need] of [["docs://x?y", "read"], ["docs://search?q=a", "q"], ["docs://x1?raw", "raw"], ["docs://c%23", "read"], ["docs://x{?y}", "read"]]) assert.equal(needs(table, uri), need, uri);
    for (const uri of ["docs://x/admin?", "docs://x/Admin#y", "docs://x/admin%3Fy", "docs://search?p", "docs://x/admin?raw", "docs://x/admin?y/b", "docs://x/a%3Fb?c"]) assert.equal(decide(table, uri).rule, undefined, uri);
  });

  test("are folded as an upstream may decode them", () => {
    assert.equal(foldUri("file:///a%2F%5C/B"), "file:///a/b");
    assert.equal(foldUri("a:%C5%BF"), "a:s");
    assert.equal(foldUri("a:%FF"), undefined);
    assert.equal(decide(resources("a:b/*=x a:b/secret*=deny"), "a:b/Secret").rule, undefined);
  });
});
