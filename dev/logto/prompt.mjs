// Questions on the terminal.

import { openLineReader } from "./line-reader.mjs";
import { Problem } from "./problem.mjs";

/**
 * The credentials of the machine-to-machine application: from the environment, or asked for on a terminal.
 * @param {{clientId?: string, clientSecret?: string}} given
 * @param {{input?: NodeJS.ReadStream, output?: NodeJS.WriteStream}} [terminal]
 */
export async function askForCredentials({ clientId, clientSecret }, { input = process.stdin, output = process.stderr } = {}) {
  if (clientId !== undefined && clientSecret !== undefined) return { clientId, clientSecret };
  if (!input.isTTY) {
    throw new Problem("LOGTO_CLIENT_ID or LOGTO_CLIENT_SECRET is missing", {
      why: "There is no terminal to ask on.",
      fix: 'In the Logto console, create a machine-to-machine application with the role "Logto Management API access"; set both variables to its app ID and secret.',
    });
  }
  output.write('A machine-to-machine application of the tenant with the role "Logto Management API access":\n');
  const reader = openLineReader({ input, output });
  try {
    const id = clientId ?? (await reader.ask("  App ID: ", { isOneWord: true }));
    const secret = clientSecret ?? (await reader.ask("  App secret (not shown): ", { isHidden: true, isOneWord: true }));
    if (id === "" || secret === "") throw new Problem("without credentials nothing can be done");
    return { clientId: id, clientSecret: secret };
  } finally {
    reader.close();
  }
}

/** Asks whether to go on; anything but "y" or "yes" means no. */
export async function confirm(question, { input = process.stdin, output = process.stderr } = {}) {
  if (!input.isTTY) {
    throw new Problem("nothing was changed", { why: "There is no terminal to ask on.", fix: "Add ARGS=--yes to do it, or ARGS=--dry-run to see the plan only." });
  }
  const reader = openLineReader({ input, output });
  try {
    return /^y(es)?$/i.test(await reader.ask(`${question} [y/N] `));
  } finally {
    reader.close();
  }
}
