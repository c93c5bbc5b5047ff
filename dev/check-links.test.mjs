// Links between documents: what leads nowhere is named with its line, and code is no link.

import assert from "node:assert/strict";
import { test } from "node:test";

import { brokenLinks } from "./check-links.mjs";

const FILES = {
  "README.md": "# Title\n\n## Two words, and `code`\n\n## Again\n\n## Again\n",
  "docs/keys.md": "# Keys\n\n```sh\n# no heading\n```\n",
  "docs/a.svg": "",
};

const brokenIn = (text, file = "docs/page.md") => {
  const files = { ...FILES, [file]: text };
  return brokenLinks(file, text, { exists: (path) => path in files || path === "docs", read: (path) => files[path] });
};

test("links to files, folders, headings and other hosts are good", () => {
  for (const target of ["keys.md", "../README.md", "../README.md#two-words-and-code", "../README.md#again-1", "https://a.example/b#c", "../docs", "a.svg", "mailto:a@b.example", "../node_modules/a/b.md"]) {
    assert.deepEqual(brokenIn(`\n[text](${target})\n`), [], target);
  }
  assert.deepEqual(brokenIn("# Here\n\n[up](#here)"), []);
});

test("a file that is not there is named, with the line of the link", () => {
  assert.deepEqual(brokenIn("a\n\n[text](gone.md)"), ["docs/page.md:3 links to gone.md: there is no docs/gone.md"]);
  assert.deepEqual(brokenIn('<img src="b.svg">'), ["docs/page.md:1 links to b.svg: there is no docs/b.svg"]);
  assert.deepEqual(brokenIn("[text][a]\n\n[a]: gone.md"), ["docs/page.md:3 links to gone.md: there is no docs/gone.md"]);
});

test("a heading that is not there is named; a comment in code is none", () => {
  assert.deepEqual(brokenIn("[text](../README.md#gone)"), [
    "docs/page.md:1 links to ../README.md#gone: README.md has no heading of this name",
  ]);
  assert.equal(brokenIn("[text](keys.md#no-heading)").length, 1);
  assert.equal(brokenIn("[text](../README.md#again-2)").length, 1);
});

test("code is no link", () => {
  assert.deepEqual(brokenIn("`[a](gone.md)` and ``[b](`gone.md)``\n\n```md\n[c](gone.md)\n```\n"), []);
});
