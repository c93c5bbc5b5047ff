// The Worker, the vault of its access keys and an identity provider on this machine, until Ctrl-C: what `make dev` of this repository
// and `mcp-edge dev` of a project have in common.

import { rm } from "node:fs/promises";
import { join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { PLAYGROUND_CLIENT_ID, startIdentityProvider } from "./identity-provider/index.mjs";
import { banner } from "./banner.mjs";
import { prepareGateway } from "./gateway/local.mjs";
import { Problem } from "./logto/problem.mjs";
import { LOCAL_ADMIN_SECRET, vaultClient, vaultSettings } from "./local-vault.mjs";
import { portFrom, requireFreePort } from "./ports.mjs";
import { localized } from "./surroundings.mjs";
import { startWrangler } from "./wrangler-dev.mjs";

/** Kept between runs, so that tokens stay valid after a restart. */
const KEYS_FILE = ".wrangler/identity-provider/keys.json";

// Clears the current line of the terminal.
const START_OF_LINE = "\r\x1b[2K";

// Each line begins with the name of its program.
const prefixed = (name) => (line) => console.log(`${name.padEnd(8)} │ ${line}`);

let provider;
let example;
/** The processes of wrangler. */
const wranglers = [];
let boundConfig;
let isStopping = false;

/**
 * @typedef {object} Project
 * @property {string} root       the folder of the Worker's configuration
 * @property {string} wrangler   its program
 * @property {string} waiting    what the operator reads while the Workers start
 * @property {string} changes    what is done about changes
 * @property {() => Record<string, string>} readSettings  the variables of the configuration
 * @property {Record<string, string>} [scopes]  of the project's own Worker: name → description. Defaults to that of `whoami`
 * @property {string} [vault]    the folder of the vault's configuration, from the root
 * @property {(port: number) => {name: string, remove: () => void}} [bindVault]  makes a configuration that binds the vault, if the
 *   project's does not
 * @property {(env: Record<string, string | undefined>) => import("./examples/index.mjs").Example | undefined} [exampleOf]
 *
 * Runs until Ctrl-C, and ends the process.
 * @param {Project} project
 */
export async function runLocal(project) {
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => stop(0));
  try {
    await main(project);
  } catch (error) {
    if (isStopping) return;
    console.error(localized(`dev: ${error instanceof Problem ? error.lines.join("\n") : error.message}`));
    await stop(1);
  }
}

async function main({ root, wrangler, waiting, changes, readSettings, scopes: ownScopes, vault: vaultFolder, bindVault, exampleOf = () => undefined }) {
  const port = portFrom("PORT", 8787);
  const providerPort = portFrom("IDP_PORT", 3000);
  const vaultPort = portFrom("VAULT_PORT", 8789);
  example = exampleOf(process.env);
  const ports = Object.entries({ PORT: port, IDP_PORT: providerPort, ...(vaultFolder && { VAULT_PORT: vaultPort }), ...example?.ports });
  for (const [index, [name, one]] of ports.entries()) {
    const [other] = ports.slice(0, index).find(([, known]) => known === one) ?? [];
    if (other !== undefined) throw new Error(`${other} and ${name} are both ${one}; choose two`);
  }
  for (const [name, one] of ports) await requireFreePort(one, name);

  const mcpUrl = `http://localhost:${port}/mcp`;
  const gateway = await prepareGateway({ env: process.env, mcpUrl, port, print: console.log, root, settings: readSettings() });
  provider = await startIdentityProvider({
    port: providerPort,
    resource: mcpUrl,
    ...((gateway?.scopes ?? ownScopes) && { scopes: gateway?.scopes ?? ownScopes }),
    ...example?.provider,
    clients: vaultFolder === undefined ? [] : [vaultClient(new URL(mcpUrl).origin)],
    keysFile: join(root, KEYS_FILE),
    log: prefixed("provider"),
  });
  await example?.start({ issuer: provider.issuer, prefixed });

  if (isStopping) return;
  console.log(`${waiting}\n`);
  const vars = { ...settings(mcpUrl), ...(ownScopes && { REQUIRED_SCOPES: readSettings().REQUIRED_SCOPES ?? "" }), ...gateway?.vars, ...example?.vars };
  const scopes = Object.keys(gateway?.scopes ?? ownScopes ?? { [vars.REQUIRED_SCOPES]: "" });
  // A registry of their own: another `make dev` on this machine has a vault as well.
  const registry = String(port);
  const start = (name, options) => startWorker(name, { root, wrangler, registry, ...options });
  if (vaultFolder !== undefined) {
    // The provider forgets its grants when it ends, so keys of an earlier run would be dead.
    const state = `.wrangler/vault-${port}`;
    await rm(join(root, state), { recursive: true, force: true });
    const ofVault = { ...vaultSettings(vars, scopes), ...example?.vaultVars };
    const vault = start("vault", { port: vaultPort, state, folder: vaultFolder, vars: ofVault });
    await vault.answers(`http://localhost:${vaultPort}/account/keys`, { method: "GET" });
  }
  // Nobody would end what is started now.
  if (isStopping) return;
  // An example has the bindings already.
  if (example === undefined) boundConfig = bindVault?.(port);
  const place = example === undefined ? { config: boundConfig?.name } : { folder: example.folder };
  const worker = start("worker", { port, ...place, vars, envFiles: gateway?.envFiles });
  await worker.answers(mcpUrl);
  clearProgress();
  console.log(localized(banner({ mcpUrl, port, issuer: provider.issuer, adminSecret: vaultFolder && LOCAL_ADMIN_SECRET, changes, gateway, example })));
  wranglers.forEach((wrangler) => wrangler.showOutput());
}

function startWorker(name, options) {
  const wrangler = startWrangler({ ...options, progress: showProgress, print: prefixed(name) });
  wranglers.push(wrangler);
  wrangler.ended.then(({ code, output }) => {
    if (isStopping) return;
    clearProgress();
    console.error(`${output}\ndev: wrangler ended${code === null ? "" : ` with code ${code}`}; its output is above`);
    stop(1);
  });
  return wrangler;
}

// Replaces settings of wrangler.toml.
function settings(mcpUrl) {
  return {
    // Its tokens have the form of Logto's.
    PROVIDER: "logto",
    ISSUER: provider.issuer,
    RESOURCE: mcpUrl,
    REQUIRED_SCOPES: "whoami:read",
    RESOURCE_NAME: "mcp-edge (local)",
    PLAYGROUND_CLIENT_ID,
    ENVIRONMENT: "development",
  };
}

// Shows the progress of a long build in one line, on a terminal.
function showProgress(line) {
  if (!process.stdout.isTTY) return;
  const text = stripVTControlCharacters(line).trim();
  if (text !== "") process.stdout.write(`${START_OF_LINE}  ${text.slice(0, process.stdout.columns - 4)}`);
}

function clearProgress() {
  if (process.stdout.isTTY) process.stdout.write(START_OF_LINE);
}

async function stop(code) {
  if (isStopping) return;
  isStopping = true;
  await Promise.all([...wranglers.map((wrangler) => wrangler.stop()), provider?.close(), example?.stop()]);
  boundConfig?.remove();
  process.exit(code);
}
