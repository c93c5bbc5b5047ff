// Where a program runs: in this repository, by `make`, or in a project that has the package mcp-edge, by `npx mcp-edge`. The same
// programs serve both; what differs is the folder, the configuration, and what their commands are called.

import { createRequire } from "node:module";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";

/** Set by the package's dispatcher. */
const isOfPackage = process.env.MCP_EDGE_CLI === "1";

/** The folder of the configuration. */
export const ROOT = isOfPackage ? process.cwd() : fileURLToPath(new URL("..", import.meta.url));

/** The name of a Worker's configuration. */
export const CONFIG = isOfPackage ? "wrangler.jsonc" : "wrangler.toml";

/** The program of the project's wrangler. @throws {Error} if it is not installed */
export const wranglerProgram = () => join(createRequire(join(ROOT, "package.json")).resolve("wrangler/package.json"), "../bin/wrangler.js");

const COMMAND = /\bmake (gateway-scopes|gateway-keys|logto|keys|whoami|call|doctor|explain|dev|deploy)\b((?: (?:URL|ENDPOINT|RESOURCE|UPSTREAM|ARGS)=(?:"[^"]*"|'[^']*'|[^\s"'`,;)]+))*)/g;

/**
 * A text for people with the commands and files of where they are. Programs write those of this repository.
 * @param {string} text
 */
export function localized(text, { inPackage = isOfPackage, environment = process.env.CLOUDFLARE_ENV } = {}) {
  if (!inPackage) return text;
  const env = environment ? ` --env ${environment}` : "";
  return text
    .replaceAll(/^Usage: make (\S+).*$/gm, (_all, name) => `Usage: npx mcp-edge ${name} ${POSITIONAL[name] ?? ""}[options]`)
    .replaceAll(/^Usage: node dev\/(\w+)\.mjs/gm, "Usage: npx mcp-edge $1")
    .replaceAll("Arguments in ARGS:", "Options:")
    .replaceAll(COMMAND, (_all, name, assignments) => commandOf(name, assignments, environment))
    .replaceAll(/\bARGS=(?=--)/g, "")
    .replaceAll(/dev\/with-tools wrangler ([^\n"`;&]*?)(?=$|\n|["`;&]|, | <|\. )/gm, (_all, args) => `npx wrangler ${args.trimEnd()}${/^(?:secret|deploy)/.test(args) ? env : ""}`)
    .replaceAll("dev/with-tools node dev/whoami.mjs", "npx mcp-edge whoami")
    .replaceAll("wrangler.toml", "wrangler.jsonc");
}

const POSITIONAL = { "gateway-scopes": "[URL] ", logto: "[ENDPOINT] [RESOURCE] ", keys: "<URL> ", dev: "" };

/** Those that are about a deployment, and not this machine. */
const OF_DEPLOYMENT = ["gateway-scopes", "gateway-keys", "logto", "explain"];

function commandOf(name, assignments, environment) {
  const values = [...assignments.matchAll(/(\w+)=(?:"([^"]*)"|'([^']*)'|(\S+))/g)].map(([, key, a, b, c]) => [key, a ?? b ?? c]);
  const args = values.map(([key, value]) => (key === "UPSTREAM" ? `--upstream ${value}` : value));
  if (name === "deploy") return environment && environment !== "production" ? `npm run deploy:${environment}` : "npm run deploy";
  return ["npx mcp-edge", name, ...(environment && OF_DEPLOYMENT.includes(name) ? [`--env ${environment}`] : []), ...args].join(" ");
}
