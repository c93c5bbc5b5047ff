// Where a program runs: in this repository, by `make`, or in a project that has the package mcp-edge, by `npx mcp-edge`. The same
// programs serve both; what differs is the folder, the configuration, and what their commands are called.

import { createRequire } from "node:module";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";

/** Set by the package's dispatcher. */
export const isOfPackage = process.env.MCP_EDGE_CLI === "1";

/** The folder of the configuration. */
export const ROOT = isOfPackage ? process.cwd() : fileURLToPath(new URL("..", import.meta.url));

/** The name of a Worker's configuration. */
export const CONFIG = isOfPackage ? "wrangler.jsonc" : "wrangler.toml";

/** The program of the project's wrangler. @throws {Error} if it is not installed */
export const wranglerProgram = () => join(createRequire(join(ROOT, "package.json")).resolve("wrangler/package.json"), "../bin/wrangler.js");

/** A command of this repository: variables of its environment, its name, and those that are arguments. */
const COMMAND = /((?:\b[A-Z_]+=(?:'[^'\n]*'|[^\s"']+) )*)\bmake (gateway-scopes|gateway-keys|logto|keys|whoami|call|doctor|explain|dev|deploy)\b((?: (?:URL|ENDPOINT|RESOURCE|UPSTREAM|ARGS)=(?:"[^"]*"|'[^']*'|[^\s"'`,;)]+))*)/g;

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
    .replaceAll(COMMAND, (_all, before, name, after) => commandOf(name, before, after, environment))
    .replaceAll(/\bARGS=(?=--)/g, "")
    .replaceAll(/dev\/with-tools wrangler ([^\n"`;&]*?)(?=$|\n|["`;&]|, | <|\. )/gm, (_all, args) => `npx wrangler ${args.trimEnd()}${/^(?:secret|deploy)/.test(args) ? env : ""}`)
    .replaceAll("dev/with-tools node dev/whoami.mjs", "npx mcp-edge whoami")
    .replaceAll("wrangler.toml", "wrangler.jsonc");
}

const POSITIONAL = { "gateway-scopes": "[URL] ", logto: "[ENDPOINT] [RESOURCE] ", keys: "<URL> ", dev: "" };

/** Those that are about a deployment, and not this machine. */
const OF_DEPLOYMENT = ["gateway-scopes", "gateway-keys", "logto", "explain"];

/** The options of `mcp-edge dev` by the variables of `make dev`. */
export const PORT_OPTIONS = { PORT: "port", IDP_PORT: "idp-port", VAULT_PORT: "vault-port" };

/**
 * The command of a project. `NAME=value command` is no command of cmd or PowerShell, so variables become arguments, and those that
 * have none are named beside it.
 */
function commandOf(name, before, after, environment) {
  if (name === "deploy") return `${before}${environment && environment !== "production" ? `npm run deploy:${environment}` : "npm run deploy"}`;
  const given = before.trimEnd();
  const variables = [...given.matchAll(/(\w+)=('[^']*'|\S+)/g)];
  const isPort = ([, key]) => (name === "dev" ? Object.hasOwn(PORT_OPTIONS, key) : key === "PORT");
  const ports = variables.filter(isPort).map(([, key, value]) => (name === "dev" ? `--${PORT_OPTIONS[key]} ${value}` : `${name === "call" ? "--url " : ""}http://localhost:${value}/mcp`));
  const others = variables.filter((one) => !isPort(one)).map(([all]) => all);
  const values = [...after.matchAll(/(\w+)=(?:"([^"]*)"|'([^']*)'|(\S+))/g)].map(([, key, a, b, c]) => [key, a ?? b ?? c]);
  const args = values.map(([key, value]) => (key === "UPSTREAM" ? `--upstream ${value}` : value));
  const command = ["npx mcp-edge", name, ...(environment && OF_DEPLOYMENT.includes(name) ? [`--env ${environment}`] : []), ...args, ...ports].join(" ");
  return others.length === 0 ? command : `${command} with ${others.join(" and ")} in its environment`;
}
