// `make dev`: the Worker, the vault of its access keys and an identity provider on this machine, until Ctrl-C.
//
//   PORT=8787 VAULT_PORT=8789 IDP_PORT=3000 node dev/start.mjs
//
// With UPSTREAM=http://localhost:3001/mcp the Worker is a gateway in front of the MCP server there. With
// WORKER=examples/agenda it is that example, and the services that it reaches are started as well.

import { rm } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { stripVTControlCharacters } from "node:util";
import { PLAYGROUND_CLIENT_ID, startIdentityProvider } from "./identity-provider/index.mjs";
import { banner } from "./banner.mjs";
import { exampleOf } from "./examples/index.mjs";
import { prepareGateway } from "./gateway/local.mjs";
import { Problem } from "./logto/problem.mjs";
import { LOCAL_ADMIN_SECRET, VAULT_FOLDER, keepBoundConfig, vaultClient, vaultSettings } from "./local-vault.mjs";
import { portFrom, requireFreePort } from "./ports.mjs";
import { startWrangler } from "./wrangler-dev.mjs";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

// Kept between runs, so that tokens stay valid after a restart.
const KEYS_FILE = fileURLToPath(new URL("../.wrangler/identity-provider/keys.json", import.meta.url));

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

async function main() {
  const port = portFrom("PORT", 8787);
  const providerPort = portFrom("IDP_PORT", 3000);
  const vaultPort = portFrom("VAULT_PORT", 8789);
  example = exampleOf(process.env);
  const ports = Object.entries({ PORT: port, IDP_PORT: providerPort, VAULT_PORT: vaultPort, ...example?.ports });
  for (const [index, [name, one]] of ports.entries()) {
    const [other] = ports.slice(0, index).find(([, known]) => known === one) ?? [];
    if (other !== undefined) throw new Error(`${other} and ${name} are both ${one}; choose two`);
  }
  for (const [name, one] of ports) await requireFreePort(one, name);

  const mcpUrl = `http://localhost:${port}/mcp`;
  const gateway = await prepareGateway({ env: process.env, mcpUrl, port, print: console.log });
  provider = await startIdentityProvider({
    port: providerPort,
    resource: mcpUrl,
    ...(gateway && { scopes: gateway.scopes }),
    ...example?.provider,
    clients: [vaultClient(new URL(mcpUrl).origin)],
    keysFile: KEYS_FILE,
    log: prefixed("provider"),
  });
  await example?.start({ issuer: provider.issuer, prefixed });

  if (isStopping) return;
  console.log("Building and starting two Workers. The first time, this takes a few minutes.\n");
  const vars = { ...settings(mcpUrl), ...gateway?.vars, ...example?.vars };
  const scopes = Object.keys(gateway?.scopes ?? { [vars.REQUIRED_SCOPES]: "" });
  // A registry of their own: another `make dev` on this machine has a vault as well.
  const registry = String(port);
  // The provider forgets its grants when it ends, so keys of an earlier run would be dead.
  const state = `.wrangler/vault-${port}`;
  await rm(join(ROOT, state), { recursive: true, force: true });
  const ofVault = { ...vaultSettings(vars, scopes), ...example?.vaultVars };
  const vault = startWorker("vault", { port: vaultPort, registry, state, folder: VAULT_FOLDER, vars: ofVault });
  await vault.answers(`http://localhost:${vaultPort}/account/keys`, { method: "GET" });
  // Nobody would end what is started now.
  if (isStopping) return;
  // An example has the bindings already.
  if (example === undefined) boundConfig = keepBoundConfig(port);
  const place = example === undefined ? { config: boundConfig.name } : { folder: example.folder };
  const worker = startWorker("worker", { port, registry, ...place, vars, envFiles: gateway?.envFiles });
  await worker.answers(mcpUrl);
  clearProgress();
  console.log(banner({ mcpUrl, port, issuer: provider.issuer, adminSecret: LOCAL_ADMIN_SECRET, gateway, example }));
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

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => stop(0));

try {
  await main();
} catch (error) {
  if (!isStopping) {
    console.error(`dev: ${error instanceof Problem ? error.lines.join("\n") : error.message}`);
    await stop(1);
  }
}
