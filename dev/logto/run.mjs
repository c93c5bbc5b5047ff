// The command from beginning to end: read, plan, show, ask, do, check.

import { readFile } from "node:fs/promises";
import { dirname, join, relative, resolve } from "node:path";
import { applyPlan } from "./apply.mjs";
import { discover } from "./discovery.mjs";
import { connect, managementResourceOf } from "./management-client.mjs";
import { checkResource, normaliseEndpoint } from "./options.mjs";
import { applicationRef } from "./plan-applications.mjs";
import { changesAnything, planTenant } from "./plan.mjs";
import { plain, Problem } from "./problem.mjs";
import { replaceFile } from "./replace-file.mjs";
import { CONFIG } from "../surroundings.mjs";
import { doneLines, planLines, summary } from "./report.mjs";
import { permissionsOf, scopesOfSettings, scopesOfSource } from "./scopes.mjs";
import { secretNames } from "./secrets.mjs";
import { baseSettings, exchangeSettings, idsInSettings, planSettings, registrarSettings, settingsOf, vaultSettings } from "./settings.mjs";
import { readTenant } from "./state.mjs";
import { wantedFrom } from "./wanted.mjs";
import { applySecrets, heldApplications, planSecrets, wantedSecrets } from "./worker-secrets.mjs";
import { decodeConfig, readName, readSettings, setSettings } from "./wrangler-file.mjs";

const INCOMPLETE = "Not complete: see what was left alone above.";

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
  await readSecretNames(files, wanted, surroundings.wranglerFor);
  const state = await readTenant(client, wanted);
  const plan = planTenant(state, wanted, heldApplications(files));
  for (const file of files) {
    const ids = idsInSettings(wanted.applications.filter((application) => application.worker === file.kind), file.settings);
    file.settingSteps = planSettings(file.name, file.text, file.values, ids, plan);
    file.secretSteps = planSecrets(file, state, plan);
  }
  const steps = [plan.steps, ...files.map(({ settingSteps }) => settingSteps), ...files.map(({ secretSteps }) => secretSteps)].flat();

  print(`\n${resource} at ${issuer}\n`);
  planLines(steps).forEach((line) => print(line));
  print(`\n${summary(steps)}`);
  const isComplete = !steps.some(({ isIncomplete }) => isIncomplete);
  const end = { options, surroundings, wanted, roleNames: plan.roleNames, resource, isComplete };

  if (options.dryRun) {
    print("Nothing was changed, because only the plan was asked for.");
    if (!isComplete) print(INCOMPLETE);
    return 0;
  }
  if (!changesAnything(steps)) {
    print("There is nothing to change.");
    return finish({ ...end, ids: plan.ids, hasNewSettings: false });
  }
  if (!options.yes && !(await surroundings.confirm("Do this?"))) {
    print("Nothing was changed.");
    return 0;
  }

  print("");
  const report = (step, problem) => doneLines(step, problem).forEach((line) => print(line));
  const { ids, failed } = await applyPlan(client, plan, report);
  let hasNewSettings = false;
  for (const file of files) hasNewSettings = (await writeSettings(file, ids, print)) || hasNewSettings;
  let failedSecrets = 0;
  for (const file of files) failedSecrets += await applySecrets(file, file.secretSteps, ids, client, surroundings.wranglerFor(file.path), report);
  const failures = failed + failedSecrets;
  if (failures > 0) {
    print(`\n${failures} ${failures === 1 ? "step" : "steps"} failed. When their cause is fixed, run the same command again: it does what is left.`);
    return 1;
  }
  return finish({ ...end, ids, hasNewSettings });
}

/** Reads wrangler.toml of the Worker and, if they are wanted, of the vault and the registrar. */
async function readFiles({ config = CONFIG, keys, registrar }, root) {
  const others = [keys && "vault", registrar && "registrar"].filter(Boolean);
  const paths = [["worker", resolve(root, config)], ...others.map((kind) => [kind, join(root, kind, CONFIG)])];
  return Promise.all(
    paths.map(async ([kind, path]) => {
      const bytes = await readFile(path).catch(() => {
        throw new Problem(`${path} cannot be read`, { fix: "Name another one with --config." });
      });
      const name = relative(root, path);
      const text = decodeConfig(bytes, name);
      return { kind, path, name, bytes, text, settings: readSettings(text, name), worker: readName(text, name) ?? name };
    }),
  );
}

async function describeWanted({ options, files, endpointScopes, issuer, resource, endpoint, managementResource }) {
  const [worker, vault, registrar] = ["worker", "vault", "registrar"].map((kind) => files.find((file) => file.kind === kind));
  worker.values = baseSettings(worker.settings, { issuer, resource });
  if (registrar !== undefined) {
    registrar.values = registrarSettings({ endpoint, issuer, resource, managementResource, origin: options.registrar, settings: registrar.settings });
  }
  const settings = { ...worker.settings, ...worker.values };
  const permissions = permissionsOf({
    flags: options.scopes,
    source: await scopesOfSource(join(dirname(worker.path), "src")),
    others: [...scopesOfSettings(settings), ...endpointScopes],
  });
  const all = (file) => file && { ...file.settings, ...file.values };
  if (vault !== undefined) vault.values = vaultSettings(settings, vault.settings);
  if (options.pat) {
    const exchanger = vault ?? worker;
    Object.assign(exchanger.values, exchangeSettings(all(exchanger), permissions));
    // The endpoint knows them by their beginning.
    worker.values.PAT_PREFIX = exchanger.values.PAT_PREFIX;
  }
  return wantedFrom({ resource, options, settings: all(worker), vaultSettings: all(vault), registrarSettings: all(registrar), permissions, managementResource });
}

/** Adds to each file the secrets that its Worker needs, and the names of those that it has. */
async function readSecretNames(files, wanted, wranglerFor) {
  const secrets = wantedSecrets(wanted);
  for (const file of files) {
    file.secrets = secrets[file.kind];
    if (file.secrets.length === 0) continue;
    const { names, reason } = await secretNames(wranglerFor(file.path), file.name);
    Object.assign(file, { secretNames: names, reason });
  }
}

async function writeSettings({ path, name, bytes, text, settingSteps }, ids, print) {
  // Somebody may have edited the file while the question was open.
  if (!(await readFile(path)).equals(bytes)) {
    throw new Problem(`${name} was changed meanwhile`, { fix: "Run the same command again." });
  }
  const values = settingsOf(settingSteps, ids);
  if (Object.keys(values).length === 0) return false;
  await replaceFile(path, setSettings(text, values, name)).catch((error) => {
    throw new Problem(`${name} cannot be written (${plain(error.code ?? error.message)})`, { why: "What was made at Logto stays.", fix: "Make the file and its folder writable, and run the same command again: it does what is left." });
  });
  print(`~ changed  ${name}: ${Object.keys(values).join(" ")}`);
  return true;
}

async function finish({ options, surroundings, wanted, roleNames, ids, resource, isComplete, hasNewSettings }) {
  const { print } = surroundings;
  const terminal = ids[applicationRef("whoami")];
  print("");
  if (!isComplete) print(`${INCOMPLETE}\n`);
  if (!options["default-role"] && wanted.users.length === 0) {
    print(`Give users the role "${plain(roleNames[0])}": --user NAME, or --default-role for those who register from now on. Without it they are refused with 403.`);
  }
  if (wanted.registrar) print(`Give developers the role "${plain(roleNames[1])}", in the Logto console.`);
  if (options.keys) {
    print("For access keys: deploy the vault (dev/with-tools wrangler deploy --config vault/wrangler.toml) and put its secrets, then remove the # before the bindings VAULT and VAULT_CALLS in wrangler.toml. docs/keys.md leads through it.");
  }
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
