// The settings on the pages of docs/providers are valid as they are printed there.

import assert from "node:assert/strict";
import { readFile, readdir } from "node:fs/promises";
import { describe, test } from "node:test";
import { send, startWorker } from "./support/worker.mjs";
import "./support/report-failures.mjs";

const FOLDER = new URL("../docs/providers/", import.meta.url);

// What an operator puts in place of the page's placeholders.
const PLACEHOLDERS = {
  "<tenant id>": "72f988bf-86f1-41af-91ab-2d7cd011db47",
  "<tenant name>": "contoso",
  "<application id of the API>": "6e74172b-be56-4843-9ff4-e66a39bb12e3",
};

/** Returns the settings of each block of TOML on a page. Further blocks of a section replace settings of its first. */
function blocks(markdown) {
  const found = [];
  let heading, first;
  for (const [, title, block] of markdown.matchAll(/^#+ ([^\n]+)$|^ *```toml\n(.*?)```/gms)) {
    if (title !== undefined) {
      heading = title;
      first = undefined;
    } else {
      found.push({ heading, settings: { ...first, ...settingsOf(block) } });
      first ??= found.at(-1).settings;
    }
  }
  return found;
}

function settingsOf(block) {
  const lines = [...block.matchAll(/^ *([A-Z_]+) = "([^"]*)"/gm)];
  return Object.fromEntries(lines.map(([, name, value]) => [name, filledIn(value)]));
}

const filledIn = (value) =>
  Object.entries(PLACEHOLDERS).reduce((text, [from, to]) => text.replaceAll(from, to), value);

const names = (await readdir(FOLDER)).filter((name) => name.endsWith(".md") && name !== "README.md");

for (const name of names) {
  const found = blocks(await readFile(new URL(name, FOLDER), "utf8")).filter(({ settings }) => settings.ISSUER);
  describe(`the settings in ${name}`, () => {
    for (const { heading, settings } of found) {
      test(`${settings.PROVIDER ?? "generic"}, under "${heading}"`, async () => {
        if (name !== "generic.md") assert.equal(`${settings.PROVIDER}.md`, name);
        const worker = await startWorker({ settings: { REQUIRED_SCOPES: "whoami:read", ...settings } });
        try {
          const { status, text } = await send(worker, { path: "/.well-known/oauth-protected-resource/mcp" });
          assert.equal(status, 200, `${text}\n${worker.raw()}`);
          assert.doesNotMatch(worker.raw(), /warning/);
        } finally {
          await worker.stop();
        }
      });
    }
  });
}

test("the table of the index has every page", async () => {
  const index = await readFile(new URL("README.md", FOLDER), "utf8");
  for (const name of names) assert.ok(index.includes(`](${name})`), name);
});
