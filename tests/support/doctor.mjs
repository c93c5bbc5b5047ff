// Runs mcp-edge-doctor as its users do: the built program, on a URL.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const PROGRAM = join(process.env.CARGO_TARGET_DIR ?? join(ROOT, "target"), "debug/mcp-edge-doctor");

/** For machines that are busy with something else: the time that requests have by default may not be enough there. */
export const PATIENTLY = ["--timeout", "120"];

/**
 * @param {string[]} parameters
 * @param {Record<string, string>} [environment]  in addition to the usual one
 * @returns {Promise<{code: number, stdout: string, stderr: string}>}
 */
export async function runDoctor(parameters, environment = {}) {
  if (!existsSync(PROGRAM)) throw new Error("there is no doctor: cargo build -p mcp-edge-doctor");
  const { NO_COLOR, CLICOLOR_FORCE, MCP_EDGE_DOCTOR_TOKEN, ...usual } = process.env;
  const child = spawn(PROGRAM, parameters, { env: { ...usual, ...environment }, stdio: ["ignore", "pipe", "pipe"] });
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "close")]);
  return { code, stdout, stderr };
}

/**
 * Has a server examined, and gives the report with the slugs of each verdict.
 * @param {string} url
 * @param {{token?: string, parameters?: string[]}} [options]
 */
export async function diagnose(url, { token, parameters = [] } = {}) {
  const environment = token === undefined ? {} : { MCP_EDGE_DOCTOR_TOKEN: token };
  const { code, stdout, stderr } = await runDoctor([url, "--json", ...PATIENTLY, ...parameters], environment);
  if (code !== 0 && code !== 1) throw new Error(`the doctor did not run: ${stderr}`);
  const report = JSON.parse(stdout);
  const slugs = (verdict) => report.findings.filter((it) => it.verdict === verdict).map(({ slug }) => slug);
  return {
    code,
    output: stdout,
    failures: slugs("failure"),
    warnings: slugs("warning"),
    skipped: slugs("skipped"),
    finding: (slug) => report.findings.find((it) => it.slug === slug),
    connects: Object.fromEntries(report.clients.map(({ client, connects }) => [client, connects])),
    clients: report.clients,
  };
}
