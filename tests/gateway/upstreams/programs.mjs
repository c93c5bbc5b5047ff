// MCP servers that are programs of their own, each on a free port of loopback.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { connect } from "node:net";
import { fileURLToPath } from "node:url";
import { without } from "../../providers/support/installed.mjs";
import { freePort } from "../../support/worker.mjs";

// Far longer than any of them takes. A program that never answers is a bug, but must not stop the tests.
const PATIENCE_MS = 60_000;
const POLL_MS = 50;
const SHOWN_CHARACTERS = 4_000;

const EVERYTHING = fileURLToPath(import.meta.resolve("@modelcontextprotocol/server-everything/dist/index.js"));
const FASTMCP = fileURLToPath(new URL("./fastmcp_server.py", import.meta.url));

/** A Python that has FastMCP and the official client. */
export const python = process.env.GATEWAY_PYTHON ?? "";

/** Why the tests of FastMCP and of the Python client are skipped, or `false`. */
export const skipsPython = without("FastMCP", python, process.env, "gateway");

const rmcp = process.env.GATEWAY_RMCP ?? "";

/** Why the tests of rmcp are skipped, or `false`. */
export const skipsRmcp = without("rmcp", rmcp, process.env, "gateway");

const running = new Set();
process.on("exit", () => running.forEach((child) => child.kill("SIGKILL")));

/** The reference server `everything`: the era with a handshake, sessions, streams that can be resumed. */
export async function startEverything({ port } = {}) {
  port ??= await freePort();
  return start([process.execPath, EVERYTHING, "streamableHttp"], { port, env: { PORT: `${port}` } });
}

/**
 * A FastMCP server that requires assertions.
 * @param {{issuer: string, audience?: string, jwksUrl: string, port?: number}} options
 */
export async function startFastMcp({ issuer, audience, jwksUrl, port }) {
  port ??= await freePort();
  const options = { port, issuer, jwks_uri: jwksUrl, audience: audience ?? urlOf(port) };
  return start([python, FASTMCP, JSON.stringify(options)], { port });
}

/** A server of rmcp that requires assertions. Options as for FastMCP; the keys must be published when it starts. */
export async function startRmcp({ issuer, audience, jwksUrl, port }) {
  port ??= await freePort();
  const options = { port, issuer, jwks_uri: jwksUrl, audience: audience ?? urlOf(port) };
  return start([rmcp, JSON.stringify(options)], { port });
}

const urlOf = (port) => `http://127.0.0.1:${port}/mcp`;

async function start([program, ...args], { port, env = {} }) {
  let output = "";
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"], env: { ...process.env, ...env } });
  running.add(child);
  const ended = once(child, "close").then(() => running.delete(child));
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (part) => (output = (output + part).slice(-SHOWN_CHARACTERS)));
  }
  const deadline = Date.now() + PATIENCE_MS;
  while (!(await accepts(port))) {
    if (!running.has(child) || Date.now() > deadline) {
      child.kill("SIGKILL");
      throw new Error(`${program} ${args[0]} does not listen; its output:\n${output}`);
    }
    await new Promise((wake) => setTimeout(wake, POLL_MS));
  }
  return {
    url: urlOf(port),
    port,
    output: () => output,
    async stop() {
      // Open event streams would keep some of them waiting.
      child.kill("SIGKILL");
      await ended;
    },
  };
}

function accepts(port) {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => resolve(true) || socket.destroy());
    socket.once("error", () => resolve(false));
  });
}
