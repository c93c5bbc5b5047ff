// Secrets of a Worker: piped into `wrangler secret put`, never printed and never on a command line.

import { spawn } from "node:child_process";
import { dirname } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";

const WRANGLER = fileURLToPath(new URL("../../node_modules/wrangler/bin/wrangler.js", import.meta.url));
const TIMEOUT_MS = 120_000;

/**
 * @typedef {(args: string[], input?: string) => Promise<{code: number, output: string}>} Wrangler
 *
 * Runs wrangler for the Worker of a wrangler.toml.
 * @param {string} config
 * @returns {Wrangler}
 */
export function wranglerFor(config) {
  return async (args, input = "") => {
    const child = spawn(process.execPath, [WRANGLER, ...args, "--config", config], {
      cwd: dirname(config),
      env: { ...process.env, WRANGLER_SEND_METRICS: "false", WRANGLER_HIDE_BANNER: "true", CI: "1", LOGTO_CLIENT_SECRET: "" },
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
        child.once("close", (status) => resolve(status ?? -1));
      }),
    ]);
    return { code, output: code === 0 ? stdout : `${stdout}\n${stderr}` };
  };
}

/**
 * The names of the secrets that a Worker has, or why they cannot be read.
 * @param {Wrangler} wrangler
 * @returns {Promise<{names?: string[], reason?: string}>}
 */
export async function secretNames(wrangler) {
  const { code, output } = await wrangler(["secret", "list", "--format", "json"]);
  if (code !== 0) return { reason: reasonOf(output) };
  try {
    return { names: JSON.parse(output.slice(output.indexOf("["))).map(({ name }) => name) };
  } catch {
    return { reason: "the list of its secrets cannot be read" };
  }
}

/**
 * Sets a secret. @returns {Promise<string | undefined>} why it failed
 * @param {Wrangler} wrangler
 */
export async function putSecret(wrangler, name, value) {
  const { code, output } = await wrangler(["secret", "put", name], value);
  return code === 0 ? undefined : reasonOf(output);
}

// Only known reasons are shown: wrangler's output could repeat what it was given.
function reasonOf(output) {
  if (/not authenticated|not logged in|wrangler login|CLOUDFLARE_API_TOKEN|Authentication error/i.test(output)) return "wrangler is not logged in to Cloudflare";
  if (/does not exist|not found|10007|doesn't seem to be a Worker/i.test(output)) return "the Worker is not deployed yet";
  return "wrangler failed";
}
