// Runs the built doctor, and servers for it to examine: the program mcp-edge-doctor, or with DOCTOR=node what
// `npx mcp-edge doctor` and `npx mcp-edge explain` run.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const NATIVE = join(process.env.CARGO_TARGET_DIR ?? join(ROOT, "target"), "debug/mcp-edge-doctor");
const IN_NODE = join(ROOT, "doctor/build/npm/index.mjs");

/**
 * Program and arguments that start the doctor.
 * @param {string[]} parameters  of mcp-edge-doctor
 * @param {string} [kind]  `native` or `node`
 */
function commandOf(parameters, kind = process.env.DOCTOR ?? "native") {
  if (kind === "native") {
    if (!existsSync(NATIVE)) throw new Error("the doctor is not built: run cargo build -p mcp-edge-doctor");
    return [NATIVE, parameters];
  }
  if (!existsSync(IN_NODE)) throw new Error("the doctor for Node.js is not built: run dev/build-doctor");
  const command = parameters[0] === "explain" ? parameters : ["doctor", ...parameters];
  return [process.execPath, [join(ROOT, "npm/bin.mjs"), ...command]];
}

/** A timeout for busy machines, on which the default may be too short. */
export const LONG_TIMEOUT = ["--timeout", "120"];

/**
 * @param {string[]} parameters
 * @param {Record<string, string>} [environment]  added to that of this process
 * @param {"native" | "node"} [kind]
 * @returns {Promise<{code: number, stdout: string, stderr: string}>}
 */
export async function runDoctor(parameters, environment = {}, kind = undefined) {
  const [program, args] = commandOf(parameters, kind);
  const { NO_COLOR, CLICOLOR_FORCE, MCP_EDGE_DOCTOR_TOKEN, MCP_EDGE_DOCTOR_UPSTREAM_AUTHORIZATION, ...inherited } = process.env;
  const child = spawn(program, args, { env: { ...inherited, ...environment }, stdio: ["ignore", "pipe", "pipe"] });
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "close")]);
  return { code, stdout, stderr };
}

/**
 * Explains a token. The environment has nothing but `environment`, and standard input nothing but `input`.
 * @param {string[]} parameters
 * @param {{input?: string, environment?: Record<string, string>, folder?: string}} [options]
 * @returns {Promise<{code: number, stdout: string, stderr: string}>}
 */
export async function runExplain(parameters, { input = "", environment = {}, folder = ROOT } = {}) {
  const [program, args] = commandOf(["explain", ...parameters]);
  const child = spawn(program, args, { cwd: folder, env: environment, stdio: "pipe" });
  // It reads nothing if the command line is wrong.
  child.stdin.on("error", () => {});
  child.stdin.end(input);
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "close")]);
  return { code, stdout, stderr };
}

/**
 * Examines a server, and returns the report with the slugs of each verdict.
 * @param {string} url
 * @param {{token?: string, upstreamAuthorization?: string, parameters?: string[]}} [options]
 */
export async function diagnose(url, { token, upstreamAuthorization, parameters = [] } = {}) {
  const secrets = { MCP_EDGE_DOCTOR_TOKEN: token, MCP_EDGE_DOCTOR_UPSTREAM_AUTHORIZATION: upstreamAuthorization };
  const environment = Object.fromEntries(Object.entries(secrets).filter(([, value]) => value !== undefined));
  const { code, stdout, stderr } = await runDoctor([url, "--json", ...LONG_TIMEOUT, ...parameters], environment);
  if (code !== 0 && code !== 1) throw new Error(`the doctor did not run: ${stderr}`);
  const report = JSON.parse(stdout);
  const isOfDirectories = (slug) => report.findings.some((it) => it.slug === slug && it.section === "directories");
  const slugs = (verdict) => report.findings.filter((it) => it.verdict === verdict).map(({ slug }) => slug);
  return {
    code,
    output: stdout,
    failures: slugs("failure"),
    warnings: slugs("warning"),
    // Nobody is asked about directories without --directories.
    skipped: slugs("skipped").filter((slug) => parameters.includes("--directories") || !isOfDirectories(slug)),
    finding: (slug) => report.findings.find((it) => it.slug === slug),
    connects: Object.fromEntries(report.clients.map(({ client, connects }) => [client, connects])),
    clients: report.clients,
  };
}

/** Asserts the slugs of all failures and warnings, and the exit status. */
export function assertFound({ failures, warnings, code }, expected) {
  assert.deepEqual({ failures, warnings }, { failures: [], warnings: [], ...expected });
  assert.equal(code, expected.failures === undefined ? 0 : 1);
}

/** Starts an HTTP server, and returns the URL of its endpoint. */
export async function serve(listener) {
  const server = createServer(listener);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const close = async () => {
    const closed = once(server, "close");
    server.close();
    server.closeAllConnections();
    await closed;
  };
  return { url: `http://127.0.0.1:${server.address().port}/mcp`, close };
}
