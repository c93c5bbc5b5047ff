// Examines the endpoint, if it answers.

import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { isOfPackage } from "../surroundings.mjs";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const TIMEOUT_MS = 5_000;

/** Whether something answers at the endpoint. */
export async function answers(resource, fetch = globalThis.fetch) {
  try {
    const response = await fetch(resource, { method: "OPTIONS", redirect: "manual", signal: AbortSignal.timeout(TIMEOUT_MS) });
    await response.body?.cancel();
    return response.status !== 530 && response.status !== 404;
  } catch {
    return false;
  }
}

/** Runs the doctor, with its output on this terminal. @returns {Promise<number>} its exit status */
export async function runDoctor(resource) {
  if (isOfPackage) {
    // Only the package has it as a module; here it is compiled.
    const { doctor } = await import("../../doctor/build/npm/index.mjs");
    return doctor([resource]);
  }
  return new Promise((resolve) => {
    const child = spawn("cargo", ["run", "--quiet", "--locked", "-p", "mcp-edge-doctor", "--", resource], { cwd: ROOT, stdio: ["ignore", "inherit", "inherit"] });
    child.once("error", () => resolve(2));
    child.once("close", (code) => resolve(code ?? 2));
  });
}
