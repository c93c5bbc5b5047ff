// The contenders, and how each is bundled for workerd.

import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import * as z from "zod";
import { fiftyTools } from "./fifty-tools.js";

const HERE = fileURLToPath(new URL("./", import.meta.url));
const ROOT = fileURLToPath(new URL("../../", import.meta.url));

/**
 * @typedef {"whoami" | "fifty"} Tools  `whoami` alone, or fifty others
 *
 * @typedef {object} Contender
 * @property {string} name
 * @property {string} title     shown in the results
 * @property {string} [source]  entry point of a contender in JavaScript, in this folder; `dev/build` builds the others
 * @property {Record<string, string>} settings
 * @property {string[]} compatibilityFlags  that it requires
 */

/** @type {Contender[]} */
export const contenders = [
  { name: "noop", title: "no-op (JS)", source: "noop.js" },
  { name: "twin", title: "hand-written JS", source: "twin/index.js" },
  { name: "sdk", title: "TypeScript SDK v2", source: "sdk.js" },
  // Uses AsyncLocalStorage.
  { name: "agents", title: "agents", source: "agents.js", compatibilityFlags: ["nodejs_compat"] },
  { name: "mcp-edge", title: "mcp-edge" },
  // mcp-edge without its log: the others write none.
  { name: "mcp-edge-quiet", title: "mcp-edge, LOG=off", settings: { LOG: "off" } },
].map((contender) => ({ settings: {}, compatibilityFlags: [], ...contender }));

/** @returns {Contender} */
export function contenderNamed(name) {
  const found = contenders.find((contender) => contender.name === name);
  if (found === undefined) throw new Error(`there is no contender "${name}": ${contenders.map((each) => each.name)}`);
  return found;
}

/**
 * Returns the folder with its modules, from the root of the repository.
 * @param {Contender} contender
 * @param {Tools} [tools]  selects the tools of contenders in JavaScript
 */
export function buildOf({ name, source }, tools = "whoami") {
  if (source !== undefined) return `bench/build/${name}`;
  return tools === "fifty" ? "bench/worker/build" : "build";
}

/**
 * Bundles the contenders in JavaScript like wrangler for a deployment, minified.
 * @param {Contender[]} chosen
 */
export async function bundle(chosen) {
  const schemas = fiftyTools.map((tool) => ({ ...tool, inputSchema: z.toJSONSchema(tool.inputSchema) }));
  for (const contender of chosen.filter(({ source }) => source !== undefined)) {
    const folder = join(ROOT, buildOf(contender));
    await mkdir(folder, { recursive: true });
    await build({
      entryPoints: [join(HERE, contender.source)],
      outfile: join(folder, "index.js"),
      bundle: true,
      minify: true,
      format: "esm",
      target: "es2024",
      conditions: ["workerd", "worker", "browser"],
      mainFields: ["browser", "module", "main"],
      external: ["cloudflare:*", "node:*"],
      define: contender.name === "twin" ? { FIFTY_TOOLS: JSON.stringify(schemas) } : {},
      logLevel: "warning",
    });
  }
}
