// The contenders, and how each is bundled for workerd.

import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import * as z from "zod";
import { freePort } from "../../tests/support/worker.mjs";
import { startProgram } from "../harness/program.mjs";
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
 * @property {boolean} [isVariant]  of another one, which alone is in the charts and whose starts are timed
 * @property {number} [leastSeconds]  of a load or a warm-up in which it responds at all
 * @property {(parties: {upstream: object, issuer: string, resource: string}) => Promise<object>} [program]
 *   starts a contender that is no Worker
 */

/** @type {Contender[]} */
export const contenders = [
  { name: "noop", title: "no-op (JS)", source: "noop.js" },
  { name: "twin", title: "hand-written JS", source: "twin/index.js" },
  // With the checks and the log of mcp-edge.
  {
    name: "twin-strict",
    title: "hand-written JS, same checks and log",
    source: "twin/index.js",
    settings: { STRICT: "on" },
    isVariant: true,
  },
  { name: "sdk", title: "TypeScript SDK v2", source: "sdk.js" },
  // Uses AsyncLocalStorage.
  { name: "agents", title: "agents", source: "agents.js", compatibilityFlags: ["nodejs_compat"] },
  { name: "mcp-edge", title: "mcp-edge" },
  // mcp-edge without its log: the others write none.
  { name: "mcp-edge-quiet", title: "mcp-edge, LOG=off", settings: { LOG: "off" }, isVariant: true },
].map((contender) => ({ settings: {}, compatibilityFlags: [], ...contender }));

/** A Python that has FastMCP, if there is one. */
const python = process.env.GATEWAY_PYTHON;

/**
 * The contenders of the loads with an upstream; `shows` is what the upstream gets about the caller.
 * @type {(Contender & {shows: "assertion" | "token" | "nothing"})[]}
 */
export const gateways = [
  { name: "upstream", title: "the upstream alone", shows: "token", program: ({ upstream }) => upstream },
  { name: "relay", title: "pass-through (JS)", source: "gateways/relay.js", shows: "nothing" },
  { name: "jose", title: "gateway with jose (JS)", source: "gateways/jose.js", shows: "assertion" },
  { name: "fastmcp", title: "FastMCP proxy", shows: "token", program: startFastMcp, leastSeconds: 4, isMissing: python === undefined },
  { name: "mcp-edge", title: "mcp-edge", shows: "assertion" },
  { name: "mcp-edge-quiet", title: "mcp-edge, LOG=off", shows: "assertion", settings: { LOG: "off" } },
  {
    name: "mcp-edge-unsigned",
    title: "mcp-edge, UPSTREAM_AUTH=none",
    shows: "nothing",
    settings: { UPSTREAM_AUTH: "none", UPSTREAM_SIGNING_KEY: undefined },
  },
]
  .filter(({ isMissing }) => !isMissing)
  .map((contender) => ({ settings: {}, compatibilityFlags: [], ...contender }));

async function startFastMcp({ upstream, issuer, resource }) {
  const port = await freePort();
  const options = { port, upstream: upstream.url, jwks_uri: `${issuer}/jwks`, issuer, audience: resource, scope: "whoami:read" };
  return startProgram([python, join(HERE, "gateways/fastmcp_proxy.py"), JSON.stringify(options)], port);
}

/**
 * @param {string} name
 * @param {Contender[]} [among]
 * @returns {Contender}
 */
export function contenderNamed(name, among = contenders) {
  const found = among.find((contender) => contender.name === name);
  if (found === undefined) throw new Error(`there is no contender "${name}": ${among.map((each) => each.name)}`);
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
      define: contender.source === "twin/index.js" ? { FIFTY_TOOLS: JSON.stringify(schemas) } : {},
      logLevel: "warning",
    });
  }
}
