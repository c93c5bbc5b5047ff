// Questions on the terminal.

import { createInterface } from "node:readline/promises";
import { Problem } from "./problem.mjs";

const CTRL_C = "\u0003";
const CTRL_D = "\u0004";

const CANCELLED = "cancelled; nothing was changed";

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
  const id = clientId ?? (await ask("  App ID: ", { input, output }));
  const secret = clientSecret ?? (await askHidden("  App secret (not shown): ", { input, output }));
  if (id === "" || secret === "") throw new Problem("without credentials nothing can be done");
  return { clientId: id, clientSecret: secret };
}

/** Asks whether to go on; anything but "y" or "yes" means no. */
export async function confirm(question, { input = process.stdin, output = process.stderr } = {}) {
  if (!input.isTTY) {
    throw new Problem("nothing was changed", { why: "There is no terminal to ask on.", fix: "Add ARGS=--yes to do it, or ARGS=--dry-run to see the plan only." });
  }
  return /^y(es)?$/i.test(await ask(`${question} [y/N] `, { input, output }));
}

async function ask(question, { input, output }) {
  const lines = createInterface({ input, output });
  try {
    return (await lines.question(question)).trim();
  } catch (error) {
    // Ctrl-C.
    throw error.name === "AbortError" ? new Problem(CANCELLED) : error;
  } finally {
    lines.close();
  }
}

function askHidden(question, { input, output }) {
  output.write(question);
  return new Promise((resolve, reject) => {
    let text = "";
    input.setRawMode(true);
    input.setEncoding("utf8");
    input.resume();
    input.on("data", read);

    function read(chunk) {
      for (const character of chunk) {
        if (character === CTRL_C) return end(() => reject(new Problem(CANCELLED)));
        if (character === "\r" || character === "\n" || character === CTRL_D) return end(() => resolve(text.trim()));
        text = character === "\u007f" || character === "\b" ? text.slice(0, -1) : text + character;
      }
    }

    function end(finish) {
      input.off("data", read);
      input.setRawMode(false);
      input.pause();
      output.write("\n");
      finish();
    }
  });
}
