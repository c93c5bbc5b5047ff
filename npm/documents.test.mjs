// Links of documents that are packed.

import assert from "node:assert/strict";
import { test } from "node:test";
import { packedDocument } from "./documents.mjs";

const PACKED = { "docs/tools.md": "docs/tools.md", "docs/providers/logto.md": "docs/providers/logto.md", "registrar/README.md": "docs/registrar.md", "npm/README.md": "README.md" };
const packing = { packedAs: (path) => PACKED[path], addressOf: (path, isPicture) => `https://git.example/${isPicture ? "raw" : "blob"}/${path}` };
const nowhere = { ...packing, addressOf: () => undefined };

test("a link leads to where the package has the document", () => {
  assert.equal(packedDocument("[a](../../registrar/README.md#b)", "docs/providers/logto.md", packing), "[a](../registrar.md#b)");
  assert.equal(packedDocument("[a](../docs/tools.md)", "registrar/README.md", packing), "[a](tools.md)");
  assert.equal(packedDocument("[a](../docs/tools.md)", "npm/README.md", packing), "[a](docs/tools.md)");
});

test("what is not packed is linked to in the repository", () => {
  assert.equal(packedDocument("See [`src/x`](src/x.rs#L1), and ![a page](images/a.webp).", "docs/tools.md", packing), "See [`src/x`](https://git.example/blob/docs/src/x.rs#L1), and ![a page](https://git.example/raw/docs/images/a.webp).");
});

test("what is nowhere is named without a link", () => {
  assert.equal(packedDocument("See [`src/x`](src/x.rs), and ![a page](images/a.webp).", "docs/tools.md", nowhere), "See `src/x`, and *a page*.");
});

test("code, headings of the same document and other hosts stay as they are", () => {
  for (const text of ["`[a](gone.md)`", "```md\n[a](gone.md)\n```\n", "[a](#here)", "[a](https://a.example/b.md)", "[a](node_modules/mcp-edge/README.md)"]) {
    assert.equal(packedDocument(text, "docs/tools.md", nowhere), text);
  }
});
