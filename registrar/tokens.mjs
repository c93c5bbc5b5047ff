// Initial access tokens, for REGISTRATION = "token": minted, listed and revoked with wrangler.
//
//   dev/with-tools node registrar/tokens.mjs mint --name partner [--days 30] [--uses 10] [--local]
//   dev/with-tools node registrar/tokens.mjs list [--local]
//   dev/with-tools node registrar/tokens.mjs revoke <id> [--local]
//
// Only the hash of a token is stored, in the namespace REGISTRATIONS; the token itself is printed once.
// A revoked token is refused everywhere within a minute. What is stored of a token is written here and nowhere else: the
// registrar writes each use under a key of its own, so that it cannot restore what was revoked.

import { execFileSync } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const PREFIX = "initial-token/";
const USES = "initial-use/";
const DAY_SECONDS = 24 * 60 * 60;
const DEFAULT_DAYS = 30;

/** The key of a token. */
export const keyOf = (token) => `${PREFIX}${createHash("sha256").update(token).digest("hex")}`;

/**
 * Makes a token, and what the registrar is to know of it.
 * @param {{name: string, days?: number, uses?: number, now?: number}} options  `now` in seconds since 1970
 * @returns {{token: string, key: string, value: {name: string, expires_at: number, uses_left?: number}}}
 */
export function mint({ name, days = DEFAULT_DAYS, uses, now = Math.floor(Date.now() / 1000) }) {
  if (!/^[\w.-]{1,40}$/.test(name ?? "")) throw new Error("--name must be 1 to 40 letters, digits, dots, dashes");
  if (!(Number.isInteger(days) && days >= 1 && days <= 365)) throw new Error("--days must be between 1 and 365");
  if (uses !== undefined && !(Number.isInteger(uses) && uses >= 1)) throw new Error("--uses must be 1 or more");
  const token = `mcpinit_${randomBytes(32).toString("base64url")}`;
  const value = { name, expires_at: now + days * DAY_SECONDS, ...(uses !== undefined && { uses_left: uses }) };
  return { token, key: keyOf(token), value };
}

/** What is stored of a token, with the uses that are left. */
export function describe({ uses_left, ...value }, used) {
  return JSON.stringify({ ...value, ...(uses_left !== undefined && { uses_left: Math.max(0, uses_left - used) }) });
}

function wrangler(...args) {
  const folder = fileURLToPath(new URL(".", import.meta.url));
  const program = fileURLToPath(new URL("../node_modules/wrangler/bin/wrangler.js", import.meta.url));
  const options = { cwd: folder, encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] };
  return execFileSync(process.execPath, [program, "kv", "key", ...args, "--binding", "REGISTRATIONS"], options);
}

function main() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      name: { type: "string" },
      days: { type: "string" },
      uses: { type: "string" },
      local: { type: "boolean", default: false },
    },
  });
  const where = values.local ? "--local" : "--remote";
  const [command, id] = positionals;
  const number = (text) => (text === undefined ? undefined : Number(text));
  switch (command) {
    case "mint": {
      const { token, key, value } = mint({ name: values.name, days: number(values.days), uses: number(values.uses) });
      wrangler("put", key, JSON.stringify(value), "--expiration", String(value.expires_at), where);
      console.log(`${token}\n\nShown this once. Its id, to revoke it: ${key.slice(PREFIX.length)}`);
      return;
    }
    case "list": {
      const keys = (prefix) => JSON.parse(wrangler("list", "--prefix", prefix, where)).map(({ name }) => name);
      const uses = keys(USES);
      for (const name of keys(PREFIX)) {
        const id = name.slice(PREFIX.length);
        const used = uses.filter((use) => use.startsWith(`${USES}${id}/`)).length;
        console.log(id, describe(JSON.parse(wrangler("get", name, "--text", where)), used));
      }
      return;
    }
    case "revoke":
      if (!/^[0-9a-f]{64}$/.test(id ?? "")) throw new Error("revoke needs the id that `list` shows");
      wrangler("delete", `${PREFIX}${id}`, where);
      console.log("revoked");
      return;
    default:
      throw new Error("say mint, list or revoke; the beginning of this file explains them");
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    main();
  } catch (error) {
    console.error(`tokens: ${error.message}`);
    process.exit(1);
  }
}
