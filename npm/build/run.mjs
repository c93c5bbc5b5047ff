// Running the programs of a build.

import { spawn } from "node:child_process";
import { once } from "node:events";
import process from "node:process";
import { text } from "node:stream/consumers";
import { BuildProblem } from "./problem.mjs";

/**
 * Runs a program to its end. What it writes to standard error is shown.
 * @param {string} program
 * @param {string[]} args
 * @param {{cwd?: string, env?: Record<string, string | undefined>, missing?: string, failed?: string, keepsErrors?: boolean}} [options]
 *   with `keepsErrors`, the error of a program that fails has what it wrote to standard error as `errors`;
 *   `missing` and `failed` say what to do if the program is not there, and if it fails
 * @returns {Promise<string>} what it wrote to standard output
 * @throws {BuildProblem} if it cannot be started, or fails
 */
export async function run(program, args, { cwd, env = process.env, missing = `cannot run ${program}`, failed = `${program} failed`, keepsErrors = false } = {}) {
  const child = spawn(program, args, { cwd, env, stdio: ["ignore", "pipe", keepsErrors ? "pipe" : "inherit"] });
  let errors = "";
  child.stderr?.on("data", (part) => {
    errors += part;
    process.stderr.write(part);
  });
  // `once` rejects with the event `error`: the program could not be started.
  try {
    const [output, [code]] = await Promise.all([text(child.stdout), once(child, "close")]);
    if (code !== 0) throw Object.assign(new BuildProblem(failed), { errors });
    return output;
  } catch (error) {
    if (error.code === "ENOENT") throw new BuildProblem(missing);
    throw error;
  }
}
