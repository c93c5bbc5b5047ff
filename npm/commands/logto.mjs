// `mcp-edge logto`: see dev/logto/main.mjs.

import process from "node:process";

export const summary = "set Logto up, and write the settings";

/** @param {string[]} args */
export async function run(args) {
  const values = args.filter((argument, index) => /^https?:/.test(argument) && (index === 0 || /^https?:/.test(args[index - 1])));
  const named = values.flatMap((value, index) => [["--endpoint", "--resource"][index] ?? "--more", value]);
  const others = args.filter((argument) => !values.includes(argument));
  // The doctor is a command of its own.
  // It reads its arguments from there.
  process.argv.splice(2, Infinity, ...named, ...others, "--no-doctor");
  await import("../../dev/logto/main.mjs");
}
