// The doctor for Node.js: the program of this crate, compiled to WebAssembly, and what it needs of the machine.
//
//   index ──▶ host ──▶ http-worker (a thread)
//     └─────▶ doctor_bg.wasm
//
// `dev/build-doctor` makes one file of this one, host.mjs, terminal.mjs and the bindings, and puts http-worker.mjs and the
// WebAssembly beside it.

import { readFileSync } from "node:fs";
import process from "node:process";
import { initSync, run } from "./doctor.js";
import { Host } from "./host.mjs";
import { write } from "./terminal.mjs";

/** The exit status if the doctor could not run. */
const NOT_RUN = 2;

/**
 * Runs the doctor, with this process's environment, folder and streams.
 * @param {string[]} args  as of mcp-edge-doctor
 * @returns {Promise<number>} the exit status
 */
export async function doctor(args) {
  initSync({ module: readFileSync(new URL("doctor_bg.wasm", import.meta.url)) });
  const host = new Host(args);
  let status = NOT_RUN;
  try {
    status = run(host);
  } catch (error) {
    // A panic: the doctor has printed where it was.
    host.printError(`mcp-edge-doctor: this is a fault of the doctor, not of the server (${error.message})\n`);
  } finally {
    host.close();
  }
  await write(process.stderr, host.errors);
  try {
    await write(process.stdout, host.output);
  } catch (error) {
    await write(process.stderr, `mcp-edge-doctor: cannot write the report: ${error.message}\n`);
    return NOT_RUN;
  }
  return status;
}
