// The size of a Worker: all modules together, raw and compressed. Cloudflare limits the compressed size.

import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { buildOf } from "../contenders/index.mjs";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

/**
 * @param {import("../contenders/index.mjs").Contender} contender
 * @returns {Promise<{rawBytes: number, gzipBytes: number}>}
 */
export async function sizeOf(contender) {
  const folder = join(ROOT, buildOf(contender));
  const names = (await readdir(folder)).filter((name) => /^index(\.js|_bg\.wasm)$/.test(name));
  const modules = await Promise.all(names.map((name) => readFile(join(folder, name))));
  return {
    rawBytes: modules.reduce((sum, { length }) => sum + length, 0),
    gzipBytes: modules.reduce((sum, bytes) => sum + gzipSync(bytes).length, 0),
  };
}
