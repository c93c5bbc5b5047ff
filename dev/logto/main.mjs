// `make logto`: sets a Logto tenant up for this server. See options.mjs for its arguments.

import { answers, runDoctor } from "./doctor.mjs";
import { readOptions, USAGE } from "./options.mjs";
import { Problem } from "./problem.mjs";
import { askForCredentials, confirm } from "./prompt.mjs";
import { run } from "./run.mjs";
import { scopesOfEndpoint } from "./scopes.mjs";
import { wranglerFor } from "./secrets.mjs";
import { localized, ROOT } from "../surroundings.mjs";

try {
  const options = readOptions(process.argv.slice(2), process.env);
  // Programs that this one starts need no secret of it; make adds what stands on its own command line.
  for (const name of ["LOGTO_CLIENT_SECRET", "MAKEFLAGS", "MFLAGS", "MAKEOVERRIDES"]) delete process.env[name];
  if (options.help) console.log(localized(USAGE));
  else {
    const tools = { askForCredentials, confirm, wranglerFor, scopesOfEndpoint, answers, runDoctor };
    process.exitCode = await run(options, { root: ROOT, print: (text) => console.log(localized(text)), ...tools });
  }
} catch (error) {
  const lines = error instanceof Problem ? error.lines : [`${error.message}`];
  console.error(localized(`logto: ${lines.join("\n")}`));
  if (process.env.DEBUG && !(error instanceof Problem)) console.error(error);
  process.exitCode = 2;
}
