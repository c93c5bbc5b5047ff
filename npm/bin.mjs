#!/usr/bin/env node
// `mcp-edge`: finds the command and runs it in the folder of the project.

import { readFileSync, readdirSync } from "node:fs";
import process from "node:process";

const COMMANDS = readdirSync(new URL("commands/", import.meta.url)).map((file) => file.replace(/\.mjs$/, "")).sort();

process.env.MCP_EDGE_CLI = "1";
process.exitCode = await run(process.argv.slice(2));

async function run([name, ...args]) {
  if (name === undefined || name === "--help" || name === "-h") return print(await usage()), 0;
  if (name === "--version") return print(JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")).version), 0;
  if (!COMMANDS.includes(name)) {
    console.error(`mcp-edge: there is no command ${JSON.stringify(name)}${nearest(name)} "npx mcp-edge --help" lists all.`);
    return 1;
  }
  const rest = takeEnvironment(args);
  if (rest === undefined) {
    console.error(`mcp-edge ${name}: --env needs the name of an environment, such as --env production`);
    return 1;
  }
  const command = await import(`./commands/${name}.mjs`);
  return (await command.run(rest)) ?? process.exitCode ?? 0;
}

/** Takes --env out of the arguments, for all commands. Wrangler reads the same variable. */
function takeEnvironment(args) {
  const at = args.findIndex((argument) => argument === "--env" || argument.startsWith("--env="));
  if (at === -1) return args;
  const isPair = args[at] === "--env";
  const value = isPair ? args[at + 1] : args[at].slice("--env=".length);
  if (value === undefined || value === "" || value.startsWith("-")) return undefined;
  process.env.CLOUDFLARE_ENV = value;
  return takeEnvironment(args.toSpliced(at, isPair ? 2 : 1));
}

async function usage() {
  const rows = await Promise.all(COMMANDS.map(async (name) => [name, (await import(`./commands/${name}.mjs`)).summary]));
  const width = Math.max(...rows.map(([name]) => name.length));
  return `Usage: npx mcp-edge <command> [options], in the folder of a project

${rows.map(([name, summary]) => `  ${name.padEnd(width)}  ${summary}`).join("\n")}

--env NAME, of wrangler.jsonc, says whose settings and secrets are meant; without it, those of this machine, at its top.
"npx mcp-edge <command> --help" says more. "npm create mcp-edge@latest" makes a project.`;
}

/** The command that was probably meant. */
function nearest(name) {
  const [[best, distance]] = COMMANDS.map((known) => [known, editDistance(name, known)]).sort(([, a], [, b]) => a - b);
  return distance <= 3 ? `; did you mean ${best}?` : ".";
}

function editDistance(a, b) {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) next.push(Math.min(row[j] + 1, next[j - 1] + 1, row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1)));
    row = next;
  }
  return row.at(-1);
}

function print(text) {
  console.log(text);
}
