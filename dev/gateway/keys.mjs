// `make gateway-keys`: see USAGE.

import { parseArgs } from "node:util";
import { Problem } from "../logto/problem.mjs";
import { confirm } from "../logto/prompt.mjs";
import { wranglerFor } from "../logto/secrets.mjs";
import { CONFIG, localized, ROOT } from "../surroundings.mjs";
import { privateFolder, run } from "./keys-run.mjs";

const USAGE = `Usage: make gateway-keys [ARGS="…"]

Makes the key with which a gateway signs assertions (UPSTREAM_SIGNING_KEY) and STATE_SECRET, and puts them into the Worker with
wrangler, after asking. Without a login at Cloudflare it writes files that only you can read, and prints the commands. It prints
the public key, and no secret.

  --rotate       replace the key in three steps: publish the next key, sign with it, remove the old one. Each run takes the
                 next step, or says what it waits for
  --now          do not wait between the steps
  --dry-run      only show what would be done
  --yes          do not ask
  --config FILE  another wrangler.toml
  --help         show this`;

const FLAGS = {
  rotate: { type: "boolean", default: false },
  now: { type: "boolean", default: false },
  "dry-run": { type: "boolean", default: false },
  yes: { type: "boolean", default: false },
  config: { type: "string", default: CONFIG },
  help: { type: "boolean", default: false },
};

function readOptions() {
  try {
    return parseArgs({ options: FLAGS }).values;
  } catch (error) {
    throw new Problem(error.message, { fix: "make gateway-keys ARGS=--help lists the arguments." });
  }
}

try {
  const options = readOptions();
  if (options.help) console.log(localized(USAGE));
  else {
    const surroundings = { root: ROOT, folder: privateFolder(ROOT), print: (text) => console.log(localized(text)), confirm, wranglerFor, fetch, now: Date.now };
    process.exitCode = await run(options, surroundings);
  }
} catch (error) {
  const lines = error instanceof Problem ? error.lines : [`${error.message}`];
  console.error(localized(`gateway-keys: ${lines.join("\n")}`));
  if (process.env.DEBUG && !(error instanceof Problem)) console.error(error);
  process.exitCode = 2;
}
