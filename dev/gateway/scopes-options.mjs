// What the operator of `make gateway-scopes` asks for: flags and environment variables.

import { parseArgs } from "node:util";
import { isPrivate } from "../loopback.mjs";
import { Problem } from "../logto/problem.mjs";
import { CONFIG } from "../surroundings.mjs";

export const USAGE = `Usage: make gateway-scopes [URL=https://upstream.example.com/mcp] [ARGS="…"]

Lists what an MCP server offers, and proposes TOOL_SCOPES, PROMPT_SCOPES and RESOURCE_SCOPES for a gateway in front of it. If
wrangler.toml has them, it says where they differ from what the server offers; the exit status is 1 then. Changes nothing.

  URL      of the upstream; without it, UPSTREAM in wrangler.toml
  HEADER   "name: value", sent with each request; in the environment, so that it is on no command line

Arguments in ARGS:

  --pins           print TOOL_PINS: digests of the tools' definitions
  --prefix NAME    first part of proposed scopes; without it, the server's name
  --assertion      sign in with the key of "make dev", for an upstream on this machine that verifies it
  --config FILE    another wrangler.toml
  --help           show this`;

const FLAGS = {
  pins: { type: "boolean", default: false },
  prefix: { type: "string" },
  assertion: { type: "boolean", default: false },
  config: { type: "string", default: CONFIG },
  help: { type: "boolean", default: false },
};

/**
 * @param {string[]} args
 * @param {Record<string, string | undefined>} env
 */
export function readOptions(args, env) {
  let values;
  try {
    ({ values } = parseArgs({ args, options: FLAGS }));
  } catch (error) {
    throw new Problem(error.message, { fix: "make gateway-scopes ARGS=--help lists the arguments." });
  }
  if (values.prefix !== undefined && !/^[A-Za-z0-9._:/-]+$/.test(values.prefix)) throw new Problem("--prefix must be letters, digits, and . _ : / -");
  return { ...values, url: env.URL || undefined, header: headerFrom(env.HEADER || undefined) };
}

/** @returns {{name: string, value: string} | undefined} */
export function headerFrom(text) {
  if (text === undefined) return undefined;
  // The value is a secret: no message repeats it.
  const [, name, value] = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([\x21-\x7e](?:[\x20-\x7e\t]*[\x21-\x7e])?)[ \t]*$/.exec(text) ?? [];
  if (name === undefined) throw new Problem('HEADER must have the form "name: value"', { fix: "For example HEADER='authorization: Bearer …', in ASCII and on one line." });
  return { name: name.toLowerCase(), value };
}

/**
 * Checks the URL of an upstream, as the Worker does.
 * @param {string | undefined} text
 * @returns {string}
 */
export function checkUpstream(text, { name = "URL", why } = {}) {
  const fix = `For example ${name}=https://upstream.example.com/mcp, or on this machine ${name}=http://localhost:3001/mcp`;
  if (!text) throw new Problem(`${name} is missing`, { why, fix });
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol)) throw new Problem(`${name} is not a URL`, { fix });
  if (url.username !== "" || url.password !== "") throw new Problem(`${name} must not contain a password`, { fix: "Send it as a header instead." });
  // Also an empty one, which `search` and `hash` do not show.
  if (/[?#]/.test(text)) throw new Problem(`${name} must have neither query nor fragment`, { fix });
  if (!isPrivate(url)) throw new Problem(`${name} is not https`, { why: "Others could read what is sent to it, and change the answers.", fix });
  // The Worker takes URLs only as parsers write them: otherwise one URL could be written in two ways.
  if (text !== url.href && `${text}/` !== url.href) throw new Problem(`${name} is not in the form that URL parsers give it`, { why: "The Worker refuses it therefore.", fix: `Write ${name}=${url.href}` });
  return text;
}

/** Takes a secret out of what is printed, with and without its scheme. */
export function redact(text, header) {
  if (header === undefined) return text;
  const parts = [header.value, header.value.split(/\s+/).at(-1)].filter((part) => part.length >= 6);
  return parts.reduce((clean, part) => clean.replaceAll(part, "(hidden)"), text);
}
