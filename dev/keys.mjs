// `make keys`: see USAGE.

import { createHmac, randomBytes } from "node:crypto";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { openLineReader } from "./logto/line-reader.mjs";
import { Problem, plain } from "./logto/problem.mjs";
import { localized } from "./surroundings.mjs";

const USAGE = `Usage: make keys ARGS="…" [URL=https://mcp.example.com/mcp]

Lists and revokes access keys as their operator. URL is the endpoint's RESOURCE. ADMIN_SECRET, the vault's secret of that name, is
taken from the environment, or asked for; it is never sent.

  list --subject SUB         the keys of a user, by their id at the provider
  describe ID                one key
  revoke ID                  revokes one key
  revoke --subject SUB       revokes all keys of a user
  --issuer ISS               the user's issuer, if it is not the one that users sign in at
  --json                     print the answer as it came
  --help                     show this`;

/** What stands before the deployment and the message when the code is computed: see vault/src/administration.rs. */
const LABEL = "mcp-edge keys administration v1";

const TIMEOUT_MS = 30_000;

const OPTIONS = {
  subject: { type: "string" },
  issuer: { type: "string" },
  json: { type: "boolean", default: false },
  help: { type: "boolean", default: false },
};

/**
 * What the arguments ask for.
 * @param {string[]} args
 * @returns {{help?: boolean, json?: boolean, url?: string, command?: object}}
 */
export function read(args) {
  const parsed = parse(args);
  const { subject, issuer, json, help } = parsed.values;
  if (help) return { help };
  const words = parsed.positionals;
  const url = words.find((word) => /^https?:\/\//.test(word));
  const [verb, id, ...rest] = words.filter((word) => word !== url);
  if (url === undefined) throw new Problem("the URL of the endpoint is missing", { fix: "make keys ARGS=… URL=https://mcp.example.com/mcp" });
  if (rest.length > 0) throw new Problem(`too many arguments: ${plain(rest.join(" "))}`);
  const user = { subject, ...(issuer !== undefined && { issuer }) };
  if (verb === "list" && subject !== undefined && id === undefined) return { json, url, command: { list: user } };
  if (verb === "revoke" && subject !== undefined && id === undefined) return { json, url, command: { revoke_all: user } };
  if (verb === "describe" && isId(id) && subject === undefined) return { json, url, command: { describe: { id } } };
  if (verb === "revoke" && isId(id) && subject === undefined) return { json, url, command: { revoke: { id } } };
  throw new Problem("no such command", {
    why: verb === undefined ? undefined : "list needs --subject; describe needs an id; revoke needs an id or --subject, not both.",
    fix: "make keys ARGS=--help lists the commands. An id is the part of a key between its two underscores.",
  });
}

function parse(args) {
  try {
    return parseArgs({ args, allowPositionals: true, options: OPTIONS });
  } catch (error) {
    throw new Problem(error.message, { fix: "make keys ARGS=--help lists the arguments." });
  }
}

const isId = (text) => /^[0-9A-Za-z]{16}$/.test(text ?? "");

/**
 * The body of the request: the message, and its code.
 * @param {{command: object, secret: string, resource: string, now?: number, nonce?: string}} options  `now` in seconds
 */
export function envelope({ command, secret, resource, now = Math.floor(Date.now() / 1000), nonce = randomBytes(16).toString("hex") }) {
  const message = JSON.stringify({ time: now, nonce, command });
  const mac = createHmac("sha256", secret).update(`${LABEL}\0${resource}\0${message}`).digest("base64url");
  return JSON.stringify({ message, mac });
}

/** The lines that an answer is printed as. */
export function lines({ keys, revoked }) {
  if (revoked !== undefined) {
    if (revoked.length === 0) return ["no key that works"];
    return revoked.map(({ id, name, grant }) => `${id}  revoked  ${plain(name)}  (grant at the provider: ${plain(grant)})`);
  }
  if (keys.length === 0) return ["no keys"];
  const day = (seconds) => (seconds === undefined ? "?" : new Date(seconds * 1000).toISOString().slice(0, 10));
  const used = (days) => (typeof days === "number" ? `used ${day(days * 86_400)}` : "never used");
  return keys.map(({ id, state, name, subject, scopes, tools, created_at, expires_at, last_used_day }) =>
    [
      id,
      plain(state),
      ...(created_at === undefined ? [] : [`${day(created_at)} to ${day(expires_at)}`, used(last_used_day)]),
      ...(subject === undefined ? [] : [`sub ${plain(subject)}`]),
      ...(scopes === undefined ? [] : [plain(scopes), tools ? `tools ${plain(tools.join(" "))}` : "all tools"]),
      plain(name),
    ].join("  "),
  );
}

/** Sends the command, and returns the answer. */
export async function send({ url, command }, secret, { fetch = globalThis.fetch } = {}) {
  const address = new URL("/account/administration", url);
  const isLocal = ["localhost", "127.0.0.1", "[::1]"].includes(address.hostname);
  if (address.protocol !== "https:" && !isLocal) throw new Problem("the URL must begin with https://");
  let response;
  try {
    response = await fetch(address, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: envelope({ command, secret, resource: url }),
      redirect: "error",
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
  } catch (error) {
    throw new Problem(`${address.origin} does not answer`, { why: plain(error.cause?.message ?? error.message) });
  }
  const answer = await response.json().catch(() => ({}));
  if (response.ok) return answer;
  throw new Problem(refusal(response.status, answer), {
    why: answer.error === undefined ? undefined : plain(answer.error),
    fix: FIXES[response.status],
    status: response.status,
  });
}

const FIXES = {
  401: "URL must be RESOURCE byte for byte, ADMIN_SECRET that of the vault, and the clock right.",
  404: "Is the id right? Is the vault bound to the endpoint (VAULT), and has it ADMIN_SECRET?",
  503: "Repeat the command: it is not known what was done.",
};

const refusal = (status, { error }) => (status === 404 && error === "not_found" ? "there is no such key" : `refused with status ${status}`);

async function askForSecret({ input = process.stdin, output = process.stderr } = {}) {
  const given = process.env.ADMIN_SECRET;
  if (given) return given.trim();
  if (!input.isTTY) throw new Problem("ADMIN_SECRET is missing", { why: "There is no terminal to ask on.", fix: "Set it in the environment." });
  const reader = openLineReader({ input, output });
  try {
    const secret = await reader.ask("ADMIN_SECRET (not shown): ", { isHidden: true, isOneWord: true });
    if (secret === "") throw new Problem("without ADMIN_SECRET nothing can be done");
    return secret;
  } finally {
    reader.close();
  }
}

async function main(args) {
  const { help, json, url, command } = read(args);
  if (help) return console.log(localized(USAGE));
  const answer = await send({ url, command }, await askForSecret());
  console.log(json ? JSON.stringify(answer, null, 2) : lines(answer).join("\n"));
}

/** The program. @param {string[]} args */
export async function run(args) {
  try {
    await main(args);
  } catch (error) {
    const text = error instanceof Problem ? error.lines : [`${error.message}`];
    console.error(localized(`keys: ${text.join("\n")}`));
    process.exitCode = 1;
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await run(process.argv.slice(2));
