// The program: options, questions, checks, files, and what to do next.

import { readFileSync } from "node:fs";
import { relative, resolve } from "node:path";
import { check, complete, missing } from "./answers.mjs";
import { USAGE, readOptions } from "./options.mjs";
import { Problem } from "./problem.mjs";
import { projectFiles } from "./project.mjs";
import { PROVIDERS } from "./providers.mjs";
import { Cancelled, ask } from "./questions.mjs";
import { checkUnused, writeProject } from "./write.mjs";

const NOBODY_TO_ASK = "Nobody can be asked here, because there is no terminal. --yes takes the defaults, --help lists the options.";

/**
 * @param {string[]} args
 * @param {{stdin: import("node:tty").ReadStream, stdout: import("node:stream").Writable, stderr: import("node:stream").Writable, cwd: () => string}} surroundings  `process`, or a stand-in for it
 * @returns {Promise<number>} the exit status
 */
export async function run(args, { stdin, stdout, stderr, cwd }) {
  const say = (text) => stdout.write(`${text}\n`);
  try {
    let options = readOptions(args);
    if (options.help) return say(USAGE), 0;
    const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
    if (options.version) return say(version), 0;
    options = withWhatFollows(options);
    // Before the first question: nobody answers some for nothing.
    check(options, cwd());
    if (options.folder !== undefined) checkUnused(resolve(cwd(), options.folder));
    const lacking = missing(options);
    if (stdin.isTTY && stdout.isTTY && !(options.yes && lacking.length === 0)) {
      options = await ask(options, { input: stdin, output: stdout, cwd: cwd() });
    } else if (lacking.length > 0) {
      throw new Problem(`Missing: ${lacking.join(", ")}`, NOBODY_TO_ASK);
    }
    const answers = complete(options, cwd());
    checkUnused(answers.folder);
    const files = projectFiles(answers, version);
    await writeProject(answers.folder, files);
    say(whatNext(answers, [...files.keys()], cwd()));
    return 0;
  } catch (error) {
    if (error instanceof Cancelled) return stderr.write("create-mcp-edge: ended by you; nothing was written\n"), 130;
    if (!(error instanceof Problem)) {
      // Of the file system: its message has the path and the reason.
      stderr.write(`create-mcp-edge: ${error.message}\n  Nothing was written.\n`);
      return 1;
    }
    stderr.write(`create-mcp-edge: ${error.text}\n`);
    return 1;
  }
}

/** With what options say by being there, and the defaults that --yes takes. */
function withWhatFollows(options) {
  const all = { ...options };
  // They are of use with one answer only.
  if (all.upstream !== undefined) all.mode ??= "gateway";
  if (all.registrar) all.provider ??= "logto";
  return all.yes ? withDefaults(all) : all;
}

/** With --yes only what has no default is asked for. */
function withDefaults(options) {
  return { provider: "generic", mode: "whoami", issuer: "", resource: "", vault: false, registrar: false, ...Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) };
}

function whatNext({ folder, name, provider, issuer, resource, mode, upstream, vault, registrar }, files, cwd) {
  const place = relative(cwd, folder);
  const kind = mode === "gateway" ? `a gateway in front of ${upstream}` : "an endpoint with the tool whoami";
  const further = [vault && "the vault", registrar && "the registrar"].filter(Boolean);
  const later = [issuer === "" && "the issuer", resource === "" && "the endpoint's URL"].filter(Boolean);
  return `
Created ${name}: ${[kind, ...further].join(", ")}; sign-in at ${PROVIDERS[provider].title}.
${files.map((file) => `  ${file}`).join("\n")}

Next:
${place === "" ? "" : `  cd ${/\s/.test(place) ? JSON.stringify(place) : place}\n`}  npm install
  npm run dev        on this machine, with an identity provider of its own (alice / alice)

README.md leads from there to production.${later.length === 0 ? "" : ` Left for later: ${later.join(" and ")}.`}`;
}
