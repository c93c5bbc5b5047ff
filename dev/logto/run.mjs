// The command from beginning to end: read, plan, show, ask, do, check.

import { readFile, rename, stat, writeFile } from "node:fs/promises";
import { dirname, join, relative, resolve } from "node:path";
import { applyPlan } from "./apply.mjs";
import { discover } from "./discovery.mjs";
import { connect, managementResourceOf } from "./management-client.mjs";
import { checkResource, normaliseEndpoint } from "./options.mjs";
import { applicationRef } from "./plan-applications.mjs";
import { changesAnything, planTenant } from "./plan.mjs";
import { Problem } from "./problem.mjs";
import { doneLines, planLines, summary } from "./report.mjs";
import { permissionsOf, scopesOfSettings, scopesOfSource } from "./scopes.mjs";
import { applySettings, baseSettings, idsInSettings, planSettings, registrarSettings } from "./settings.mjs";
import { readTenant } from "./state.mjs";
import { wantedFrom } from "./wanted.mjs";
import { applySecrets, planSecrets, wantedSecrets } from "./worker-secrets.mjs";
import { readSettings } from "./wrangler-toml.mjs";

/**
 * @typedef {object} Surroundings  what the command needs from outside
 * @property {string} root  of the repository
 * @property {(line: string) => void} print
 * @property {(given: object) => Promise<{clientId: string, clientSecret: string}>} askForCredentials
 * @property {(question: string) => Promise<boolean>} confirm
 * @property {(config: string) => import("./secrets.mjs").Wrangler} wranglerFor
 * @property {(resource: string) => Promise<string[]>} scopesOfEndpoint
 * @property {(resource: string) => Promise<boolean>} answers
 * @property {(resource: string) => Promise<number>} runDoctor
 * @property {import("./http.mjs").Options} [http]
 *
 * @param {object} options  of `readOptions`
 * @param {Surroundings} surroundings
 * @returns {Promise<number>} the exit status: 1 if something failed
 */
export async function run(options, surroundings) {
  const { print } = surroundings;
  const note = (text) => text && print(`! ${text}`);

  const files = await readFiles(options, surroundings.root);
  const [worker] = files;
  const { endpoint, note: endpointNote } = normaliseEndpoint(options.endpoint ?? worker.settings.ISSUER);
  const { resource, note: resourceNote } = checkResource(options.resource ?? worker.settings.RESOURCE);
  [options.endpoint && endpointNote, resourceNote].forEach(note);
  const http = { log: print, ...surroundings.http };
  const { issuer, note: issuerNote } = await discover(endpoint, http);
  note(issuerNote);

  const credentials = await surroundings.askForCredentials(options);
  const managementResource = options["management-resource"] ?? managementResourceOf(endpoint);
  const client = await connect({ endpoint, managementResource, ...credentials, http });

  const endpointScopes = await surroundings.scopesOfEndpoint(resource);
  const wanted = await describeWanted({ options, files, endpointScopes, issuer, resource, endpoint, managementResource });
  const plan = planTenant(await readTenant(client, wanted), wanted);
  const settingSteps = files.map(({ name, text, values }, index) => planSettings(name, text, values, laterSettings(wanted, index), plan));
  const secrets = Object.values(wantedSecrets(wanted));
  const secretSteps = [];
  for (const [index, { name, path }] of files.entries()) {
    secretSteps.push(await planSecrets(name, secrets[index], plan.ids, surroundings.wranglerFor(path)));
  }
  const steps = [...plan.steps, ...settingSteps.flat(), ...secretSteps.flat()];

  print(`\n${resource} at ${issuer}\n`);
  planLines(steps).forEach((line) => print(line));
  print(`\n${summary(steps)}`);
  const isComplete = !steps.some(({ isIncomplete }) => isIncomplete);

  if (options.dryRun) {
    print("Nothing was changed, because only the plan was asked for.");
    return 0;
  }
  if (!changesAnything(steps)) {
    print("There is nothing to change.");
    return finish({ options, surroundings, wanted, ids: plan.ids, resource, isComplete, hasNewSettings: false });
  }
  if (!options.yes && !(await surroundings.confirm("Do this?"))) {
    print("Nothing was changed.");
    return 0;
  }

  print("");
  const report = (step, problem) => doneLines(step, problem).forEach((line) => print(line));
  const { ids, failed } = await applyPlan(client, plan, report);
  let hasNewSettings = false;
  for (const [index, file] of files.entries()) hasNewSettings = (await writeSettings(file, laterSettings(wanted, index), ids, print)) || hasNewSettings;
  let failedSecrets = 0;
  for (const [index, { path }] of files.entries()) {
    failedSecrets += await applySecrets(secretSteps[index], ids, client, surroundings.wranglerFor(path), report);
  }
  if (failed + failedSecrets > 0) {
    print(`\n${failed + failedSecrets} steps failed. When their cause is fixed, run the same command again: it does what is left.`);
    return 1;
  }
  return finish({ options, surroundings, wanted, ids, resource, isComplete, hasNewSettings });
}

/** Reads wrangler.toml of the Worker and, if it is wanted, of the registrar. */
async function readFiles({ config = "wrangler.toml", registrar }, root) {
  const paths = [resolve(root, config), ...(registrar ? [join(root, "registrar/wrangler.toml")] : [])];
  return Promise.all(
    paths.map(async (path) => {
      const text = await readFile(path, "utf8").catch(() => {
        throw new Problem(`${path} cannot be read`, { fix: "Name another one with --config." });
      });
      return { path, name: relative(root, path), text, settings: readSettings(text) };
    }),
  );
}

async function describeWanted({ options, files: [worker, registrar], endpointScopes, issuer, resource, endpoint, managementResource }) {
  worker.values = baseSettings(worker.settings, worker.text, { issuer, resource });
  if (registrar !== undefined) {
    registrar.values = registrarSettings({ endpoint, issuer, resource, managementResource, origin: options.registrar, settings: registrar.settings });
  }
  const settings = { ...worker.settings, ...worker.values };
  const permissions = permissionsOf({
    flags: options.scopes,
    source: await scopesOfSource(join(dirname(worker.path), "src")),
    others: [...scopesOfSettings(settings), ...endpointScopes],
  });
  return wantedFrom({ resource, options, settings, registrarSettings: registrar?.settings, permissions, managementResource });
}

// Settings that are ids of applications: of the Worker (0), and of the registrar (1).
function laterSettings(wanted, index) {
  return index === 0 ? idsInSettings(wanted) : { PORTAL_CLIENT_ID: applicationRef("portal") };
}

async function writeSettings({ path, name, text, values }, later, ids, print) {
  const known = Object.fromEntries(Object.entries(later).map(([setting, reference]) => [setting, ids[reference]]));
  // Somebody may have edited the file while the question was open.
  if ((await readFile(path, "utf8")) !== text) {
    throw new Problem(`${name} was changed meanwhile`, { fix: "Run the same command again." });
  }
  const { text: changed, set } = applySettings(text, { ...values, ...known });
  if (set.length === 0) return false;
  // Renamed into place, so that an interruption leaves one of the two versions.
  const { mode } = await stat(path);
  await writeFile(`${path}.new`, changed, { mode });
  await rename(`${path}.new`, path);
  print(`~ changed  ${name}: ${set.join(" ")}`);
  return true;
}

async function finish({ options, surroundings, wanted, ids, resource, isComplete, hasNewSettings }) {
  const { print } = surroundings;
  const terminal = ids[applicationRef("whoami")];
  print("");
  if (!isComplete) print("Not complete: see what was left alone above.\n");
  if (!options["default-role"] && wanted.users.length === 0) {
    print(`Give users the role "${wanted.roles[0].name}": --user NAME, or --default-role for those who register from now on. Without it they are refused with 403.`);
  }
  if (wanted.registrar) print(`Give developers the role "${wanted.roles[1].name}", in the Logto console.`);
  const whoami = terminal && `make whoami ARGS="--client-id ${terminal} ${resource}"`;
  if (!(await surroundings.answers(resource))) {
    print("The endpoint does not answer yet. Next:\n\n  make deploy");
    print(`  make doctor URL=${resource}${whoami ? `\n  ${whoami}` : ""}`);
    return 0;
  }
  if (hasNewSettings) print("The settings were changed: deploy them (make deploy). What answers now may have the former ones.");
  if (whoami) print(`To sign in from the terminal: ${whoami}`);
  if (options["no-doctor"]) return 0;
  print("");
  const status = await surroundings.runDoctor(resource);
  return hasNewSettings ? 0 : status;
}
