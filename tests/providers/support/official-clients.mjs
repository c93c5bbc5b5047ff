// Sign-ins with the official MCP clients for TypeScript and Python.

import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { connect, oauthClient } from "../../support/mcp-client.mjs";
import { without } from "./installed.mjs";

const SCRIPT = fileURLToPath(new URL("../sign_in.py", import.meta.url));
const PYTHON = process.env.MCP_PYTHON ?? "";

// Far longer than a sign-in takes.
const TIMEOUT_MS = 60_000;

/** The reason why tests of the Python client are skipped, or `false`. */
export const skipsPython = without("Python client", PYTHON);

/**
 * @typedef {object} SignIn
 * @property {string} mcpUrl
 * @property {"legacy" | "auto"} [mode]
 * @property {(authorizationUrl: URL) => Promise<URL>} visit  signs the user in, and returns the redirect URI
 * @property {{client_id: string, client_secret?: string, token_endpoint_auth_method?: string}} [client]
 *   that the provider knows; without it the client registers itself
 */

/**
 * Signs in with the TypeScript client and calls `whoami`.
 * @param {SignIn} options
 * @returns {Promise<{whoami: object}>}
 */
export async function signInWithTypeScript({ mcpUrl, mode = "auto", visit, client: registered }) {
  const oauth = oauthClient();
  if (registered) oauth.saveClientInformation(registered);
  const { client } = await connect(mcpUrl, { mode, oauth, visit });
  const { structuredContent, isError, content } = await client.callTool({ name: "whoami", arguments: {} });
  await client.close();
  if (isError) throw new Error(content?.[0]?.text);
  return { whoami: structuredContent };
}

/**
 * Signs in with the Python client and calls `whoami`.
 * @param {SignIn} options
 * @returns {Promise<{whoami: object}>}
 */
export async function signInWithPython({ mcpUrl, mode = "auto", visit, client }) {
  const metadata = oauthClient().clientMetadata;
  const input = JSON.stringify({ url: mcpUrl, mode, metadata, client });
  const child = spawn(PYTHON, [SCRIPT, input], { stdio: ["pipe", "pipe", "pipe"], timeout: TIMEOUT_MS, killSignal: "SIGKILL" });
  let errors = "";
  child.stderr.setEncoding("utf8").on("data", (part) => (errors += part));
  const ended = new Promise((resolve) => child.once("close", resolve));
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  try {
    const { authorizationUrl } = JSON.parse((await lines.next()).value);
    const callback = await visit(new URL(authorizationUrl));
    child.stdin.end(`${callback}\n`);
    return JSON.parse((await lines.next()).value);
  } catch (error) {
    child.kill();
    await ended;
    throw new Error(`the Python client did not sign in: ${error.message}\n${errors}`);
  }
}
