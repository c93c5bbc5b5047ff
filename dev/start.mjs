// `make dev`: the Worker and an identity provider on this machine, until Ctrl-C.
//
//   PORT=8787 IDP_PORT=3000 node dev/start.mjs

import { startIdentityProvider } from "./identity-provider/index.mjs";
import { banner } from "./banner.mjs";
import { portFrom, requireFreePort } from "./ports.mjs";
import { startWrangler } from "./wrangler-dev.mjs";

const KEYS_FILE = new URL("../.wrangler/identity-provider/keys.json", import.meta.url).pathname;

// The first line of what each part prints, so that it is clear who is speaking.
const prefixed = (name) => (line) => console.log(`${name.padEnd(8)} │ ${line}`);

let provider;
let wrangler;
let isStopping = false;

async function main() {
  const port = portFrom("PORT", 8787);
  const providerPort = portFrom("IDP_PORT", 3000);
  if (port === providerPort) throw new Error(`PORT and IDP_PORT are both ${port}; choose two`);
  await requireFreePort(port, "PORT");
  await requireFreePort(providerPort, "IDP_PORT");

  const mcpUrl = `http://localhost:${port}/mcp`;
  provider = await startIdentityProvider({
    port: providerPort,
    resource: mcpUrl,
    keysFile: decodeURIComponent(KEYS_FILE),
    log: prefixed("provider"),
  });

  console.log("Building and starting the Worker. The first time, this takes a few minutes.\n");
  wrangler = startWrangler({ port, vars: settings(mcpUrl), print: prefixed("worker") });
  wrangler.ended.then(({ code, output }) => {
    if (isStopping) return;
    console.error(`${output}\ndev: wrangler ended${code === null ? "" : ` with code ${code}`}; what it said is above`);
    stop(1);
  });
  await wrangler.answers(`${mcpUrl}`);
  console.log(banner({ mcpUrl, port, issuer: provider.issuer }));
  wrangler.showOutput();
}

// What differs from wrangler.toml. The rest of it holds here, too.
function settings(mcpUrl) {
  return {
    ISSUER: provider.issuer,
    RESOURCE: mcpUrl,
    REQUIRED_SCOPES: "whoami:read",
    RESOURCE_NAME: "mcp-edge (local)",
    ENVIRONMENT: "development",
  };
}

async function stop(code) {
  if (isStopping) return;
  isStopping = true;
  await Promise.all([wrangler?.stop(), provider?.close()]);
  process.exit(code);
}

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => stop(0));

try {
  await main();
} catch (error) {
  if (!isStopping) {
    console.error(`dev: ${error.message}`);
    await stop(1);
  }
}
