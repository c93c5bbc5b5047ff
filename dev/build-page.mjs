// Bundles style and scripts of the page: crates/mcp-edge/src/page/browser/ into crates/mcp-edge/src/page/built/.
//
//   node dev/build-page.mjs
//
// The result is under version control, so that the crate builds without Node. A test compares it with the sources.

import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const PAGE = fileURLToPath(new URL("../crates/mcp-edge/src/page", import.meta.url));

const ENTRIES = ["style.css", "callback.css", "page.js", "page-with-playground.js", "callback.js"];

/** Returns the built files: path → text. */
export async function buildPage() {
  const { outputFiles } = await build({
    entryPoints: ENTRIES.map((entry) => `${PAGE}/browser/${entry}`),
    outdir: `${PAGE}/built`,
    bundle: true,
    minify: true,
    format: "iife",
    // Browsers of the last two years.
    target: ["chrome123", "firefox125", "safari17.5"],
    charset: "utf8",
    write: false,
  });
  return new Map(outputFiles.map(({ path, text }) => [path, text.trim()]));
}

// An unchanged file is not written, because cargo would compile the crate again.
async function writeChanged(path, text) {
  if ((await readFile(path, "utf8").catch(() => undefined)) === text) return;
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const [path, text] of await buildPage()) await writeChanged(path, text);
}
