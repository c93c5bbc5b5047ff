// Secrets of a Worker: piped into `wrangler secret put`, never printed and never on a command line.

import { spawn } from "node:child_process";
import { dirname } from "node:path";
import { text } from "node:stream/consumers";
import { stripVTControlCharacters } from "node:util";
import { wranglerProgram } from "../surroundings.mjs";
import { plain } from "./problem.mjs";

const TIMEOUT_MS = 120_000;
const TIMED_OUT = -2;

/**
 * @typedef {(args: string[], input?: string) => Promise<{code: number, output: string}>} Wrangler
 *
 * Runs wrangler for the Worker of a wrangler.toml.
 * @param {string} config
 * @returns {Wrangler}
 */
export function wranglerFor(config) {
  return async (args, input = "") => {
    // Without a terminal it asks nothing. `CI` would keep the names of accounts out of its messages.
    const { CI: _ci, ...env } = process.env;
    const child = spawn(process.execPath, [wranglerProgram(), ...args, "--config", config], {
      cwd: dirname(config),
      env: { ...env, WRANGLER_SEND_METRICS: "false", WRANGLER_HIDE_BANNER: "true" },
      stdio: ["pipe", "pipe", "pipe"],
      timeout: TIMEOUT_MS,
    });
    child.stdin.on("error", () => {});
    child.stdin.end(input);
    const [stdout, stderr, code] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      new Promise((resolve) => {
        child.once("error", () => resolve(-1));
        child.once("close", (status) => resolve(status ?? TIMED_OUT));
      }),
    ]);
    return { code, output: code === 0 ? stdout : `${stdout}\n${stderr}` };
  };
}

/**
 * The names of the secrets that a Worker has, or why they cannot be read.
 * @param {Wrangler} wrangler
 * @param {string} file  the wrangler.toml, for the operator
 * @returns {Promise<{names?: string[], reason?: string}>}
 */
export async function secretNames(wrangler, file) {
  const command = ["secret", "list"];
  const { code, output } = await wrangler([...command, "--format", "json"]);
  if (code !== 0) return { reason: reasonOf(code, output, command, file) };
  try {
    return { names: JSON.parse(output.slice(output.indexOf("["))).map(({ name }) => name) };
  } catch {
    return { reason: `the list of its secrets cannot be read. To see it: ${byHand(command, file)}` };
  }
}

/**
 * Sets a secret. @returns {Promise<string | undefined>} why it failed
 * @param {Wrangler} wrangler
 * @param {string} file  the wrangler.toml, for the operator
 */
export async function putSecret(wrangler, file, name, value) {
  const command = ["secret", "put", name];
  const { code, output } = await wrangler(command, value);
  // wrangler's output could repeat what it was given.
  return code === 0 ? undefined : reasonOf(code, output.replaceAll(value, "(hidden)"), command, file);
}

function reasonOf(code, output, command, file) {
  const said = stripVTControlCharacters(output);
  if (code === TIMED_OUT) return `wrangler did not finish within ${TIMEOUT_MS / 1000} seconds. To see why: ${byHand(command, file)}`;
  if (/More than one account available/i.test(said)) {
    const accounts = [...said.matchAll(/`([^`\n]*)`: `([0-9a-f]{32})`/g)].map(([, name, id]) => `${plain(name)} (${id})`);
    return `your Cloudflare login has several accounts: ${accounts.join(", ") || "see dev/with-tools wrangler whoami"}. Choose one: set the variable CLOUDFLARE_ACCOUNT_ID to its id, or account_id at the top of ${file}. Then run this command again`;
  }
  if (/not authenticated|not logged in|wrangler login|CLOUDFLARE_API_TOKEN|Authentication error/i.test(said)) {
    return "wrangler is not logged in to Cloudflare: dev/with-tools wrangler login, or set CLOUDFLARE_API_TOKEN. Then run this command again";
  }
  if (/Worker "[^"]*".* not found|Worker does not exist|\[code: 10007\]/i.test(said)) {
    const deploy = file === "wrangler.toml" ? "make deploy" : `dev/with-tools wrangler deploy --config ${file}`;
    return `the Worker is not deployed yet. After "${deploy}", run this command again`;
  }
  return `wrangler failed: ${plain(errorIn(said)) || "it says nothing"}. To see more: ${byHand(command, file)}`;
}

/** The error in wrangler's output, up to the empty line after it; without one, its last paragraph. */
function errorIn(said) {
  const error = said.split("[ERROR]").at(-1).trim();
  return said.includes("[ERROR]") ? error.split(/\n\s*\n/)[0] : error.split(/\n\s*\n/).at(-1);
}

const byHand = (command, file) => `dev/with-tools wrangler ${command.join(" ")} --config ${file}`;
