// The official clients, as agents that call tools with connections. What the server answers is kept.

import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { Client as ClientV2, StreamableHTTPClientTransport as TransportV2 } from "@modelcontextprotocol/client";
import { Client as ClientV1 } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport as TransportV1 } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { MODERN } from "./messages.mjs";

const SCRIPT = fileURLToPath(new URL("./connections-client.py", import.meta.url));

const info = { name: "connections.test", version: "1" };

const python = process.env.MCP_PYTHON ?? "";

/** Why the tests of the Python client are skipped, or `false`. */
export const skipsPython = existsSync(python) ? false : "no Python client: dev/setup conformance says why";

/** The bodies of all answers that the clients of this process have got. */
export const answers = [];

async function keepingFetch(input, init) {
  const response = await fetch(input, init);
  const copy = response.clone();
  copy.text().then((text) => answers.push(text), () => {});
  return response;
}

const transportOptions = (token) => ({ requestInit: { headers: { authorization: `Bearer ${token}` } }, fetch: keepingFetch });

/**
 * Connects the client of the TypeScript SDK v2.
 * @param {string} url
 * @param {string} token
 * @param {object} [options]
 * @param {import("./mcp-client.mjs").Mode} [options.mode]
 * @param {(request: {url: string, message: string}) => Promise<"accept" | "decline" | "cancel">} [options.onLink]
 *   what the user does with a link; without it the client cannot show any
 */
export async function connectV2(url, token, { mode = { pin: MODERN }, onLink } = {}) {
  const capabilities = onLink && { elicitation: { url: {} } };
  const client = new ClientV2(info, { capabilities, versionNegotiation: { mode } });
  if (onLink) client.setRequestHandler("elicitation/create", async ({ params }) => ({ action: await onLink(params) }));
  await client.connect(new TransportV2(new URL(url), transportOptions(token)));
  return client;
}

/** Connects the client of the TypeScript SDK v1. */
export async function connectV1(url, token) {
  const client = new ClientV1(info);
  await client.connect(new TransportV1(new URL(url), transportOptions(token)));
  return client;
}

/**
 * Calls a tool with the Python client, as often as asked.
 * @param {{url: string, token: string, mode: "auto" | "legacy", tool: string}} visit
 */
export function callWithPython(visit) {
  const child = spawn(python, [SCRIPT, JSON.stringify(visit)], { stdio: ["pipe", "pipe", "inherit"] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  let isFirst = true;
  return {
    /** @returns {Promise<{is_error: boolean, text: string, structured: object | null}>} */
    async call() {
      if (!isFirst) child.stdin.write("\n");
      isFirst = false;
      const { value, done } = await lines.next();
      if (done) throw new Error("the Python client has ended");
      answers.push(value);
      return JSON.parse(value);
    },
    close: () => new Promise((resolve) => (child.once("close", resolve), child.stdin.end())),
  };
}
