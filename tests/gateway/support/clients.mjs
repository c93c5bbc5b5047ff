// The official clients, all asked for the same: connect with a token, list the tools, call some.

import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { Client as ClientV2, StreamableHTTPClientTransport as TransportV2 } from "@modelcontextprotocol/client";
import { Client as ClientV1 } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { StreamableHTTPClientTransport as TransportV1 } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { ElicitRequestSchema } from "@modelcontextprotocol/sdk/types.js";
import { MODERN } from "../../support/messages.mjs";
import { python, skipsPython } from "../upstreams/programs.mjs";

// Far longer than any of them takes.
const TIMEOUT_MS = 60_000;

const SCRIPT = fileURLToPath(new URL("./client.py", import.meta.url));
const installed = (path) => fileURLToPath(new URL(`../node_modules/${path}`, import.meta.url));
const INSPECTOR = installed("@modelcontextprotocol/inspector/clients/launcher/build/index.js");
const MCP_REMOTE = installed("mcp-remote/dist/proxy.js");

const info = { name: "gateway.test", version: "1" };
const options = (token) => ({ requestInit: { headers: { Authorization: `Bearer ${token}` } } });

/**
 * @typedef {object} Visit
 * @property {string} url
 * @property {string} token
 * @property {Record<string, object>} calls  arguments by the names of tools
 *
 * @typedef {object} Seen
 * @property {string[]} tools
 * @property {Record<string, string>} results  the text of each result, or what went wrong after "error: "
 * @property {string} [version]  the revision that both sides agreed on
 */

/** Connects the client of the TypeScript SDK v1. With `onElicit` it answers for its user. */
export async function connectV1({ url, token, onElicit }) {
  const client = new ClientV1(info, { capabilities: onElicit ? { elicitation: {} } : {} });
  if (onElicit) client.setRequestHandler(ElicitRequestSchema, onElicit);
  await client.connect(new TransportV1(new URL(url), options(token)));
  return client;
}

/** Connects the client of the TypeScript SDK v2. */
export async function connectV2({ url, token, mode = "auto" }) {
  const client = new ClientV2(info, { versionNegotiation: { mode } });
  await client.connect(new TransportV2(new URL(url), options(token)));
  return client;
}

/** Lists and calls with a connected client. @returns {Promise<Seen>} */
async function useClient(client, { calls }) {
  try {
    const { tools } = await client.listTools();
    const results = {};
    for (const [name, args] of Object.entries(calls)) {
      const result = await client.callTool({ name, arguments: args }).catch((error) => ({ content: [{ text: `error: ${error.message}` }] }));
      results[name] = result.content[0].text;
    }
    return { tools: tools.map(({ name }) => name), results, version: client.getNegotiatedProtocolVersion?.() };
  } finally {
    await client.close();
  }
}

const v2 = (mode) => async (visit) => useClient(await connectV2({ ...visit, mode }), visit);

const pythonIn = (mode) => async ({ url, token, calls }) => {
  const { stdout } = await promisify(execFile)(python, [SCRIPT, JSON.stringify({ url, token, mode, calls })], { timeout: TIMEOUT_MS });
  return JSON.parse(stdout);
};

/** Some programs write to the home folder of their user. */
async function withHome(use) {
  const home = await mkdtemp(join(tmpdir(), "mcp-edge-home-"));
  try {
    return await use({ ...process.env, HOME: home, MCP_REMOTE_CONFIG_DIR: home });
  } finally {
    await rm(home, { recursive: true, force: true });
  }
}

/** A run of the Inspector's command line for each request. */
async function inspector({ url, token, calls }) {
  return withHome(async (env) => {
    const run = async (...args) => {
      const target = [INSPECTOR, "--cli", url, "--transport", "http", "--header", `Authorization: Bearer ${token}`];
      const { stdout } = await promisify(execFile)(process.execPath, [...target, ...args], { env, timeout: TIMEOUT_MS });
      return JSON.parse(stdout);
    };
    const { tools } = await run("--method", "tools/list");
    const results = {};
    for (const [name, args] of Object.entries(calls)) {
      const pairs = Object.entries(args).flatMap(([key, value]) => ["--tool-arg", `${key}=${value}`]);
      try {
        const { content } = await run("--method", "tools/call", "--tool-name", name, ...pairs);
        results[name] = content[0].text;
      } catch (error) {
        results[name] = `error: ${error.stdout}${error.stderr}`;
      }
    }
    return { tools: tools.map(({ name }) => name), results };
  });
}

/** mcp-remote, which a client talks to over its standard input and output. */
const mcpRemote = (...more) => async (visit) =>
  withHome(async (env) => {
    const client = new ClientV1(info);
    const args = [MCP_REMOTE, visit.url, "--allow-http", "--header", `Authorization: Bearer ${visit.token}`, ...more];
    await client.connect(new StdioClientTransport({ command: process.execPath, args, env, stderr: "ignore" }));
    return useClient(client, visit);
  });

/**
 * All of them: which eras each speaks, and how it is used.
 * @type {Record<string, {eras: ("legacy" | "modern")[], use: (visit: Visit) => Promise<Seen>, skip?: string | false}>}
 */
export const CLIENTS = {
  "TypeScript v1": { eras: ["legacy"], use: async (visit) => useClient(await connectV1(visit), visit) },
  "TypeScript v2": { eras: ["legacy"], use: v2("legacy") },
  "TypeScript v2, auto": { eras: ["modern", "legacy"], use: v2("auto") },
  "TypeScript v2, modern": { eras: ["modern"], use: v2({ pin: MODERN }) },
  "Python": { eras: ["legacy"], use: pythonIn("legacy"), skip: skipsPython },
  "Python, auto": { eras: ["modern", "legacy"], use: pythonIn("auto"), skip: skipsPython },
  "Inspector": { eras: ["legacy"], use: inspector },
  "mcp-remote": { eras: ["legacy"], use: mcpRemote() },
  "mcp-remote, auto": { eras: ["modern", "legacy"], use: mcpRemote("--protocol", "auto") },
};
