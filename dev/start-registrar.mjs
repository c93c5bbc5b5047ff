// `make dev-registrar`: the MCP Worker, the registrar, an identity provider and its Management API on this machine,
// until Ctrl-C.
//
//   PORT=8787 REGISTRAR_PORT=8788 IDP_PORT=3000 node dev/start-registrar.mjs

import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { LOCAL_ACCOUNTS, startIdentityProvider } from "./identity-provider/index.mjs";
import { MANAGEMENT_CLIENT, MANAGEMENT_RESOURCE, providerOptions, startManagementApi } from "./management-api/index.mjs";
import { portFrom, requireFreePort } from "./ports.mjs";
import { startWrangler } from "./wrangler-dev.mjs";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const WRANGLER = join(ROOT, "node_modules/wrangler/bin/wrangler.js");

const SCOPES = { "whoami:read": "See who you are: your name, user name and e-mail address" };
const PORTAL = { id: "portal", secret: "portal-secret" };

// Each line says who is speaking.
const prefixed = (name) => (line) => console.log(`${name.padEnd(9)} │ ${line}`);

const started = [];
let isStopping = false;

async function main() {
  const ports = {
    PORT: portFrom("PORT", 8787),
    REGISTRAR_PORT: portFrom("REGISTRAR_PORT", 8788),
    IDP_PORT: portFrom("IDP_PORT", 3000),
  };
  for (const [variable, port] of Object.entries(ports)) await requireFreePort(port, variable);
  const mcpUrl = `http://localhost:${ports.PORT}/mcp`;
  const portal = `http://localhost:${ports.REGISTRAR_PORT}`;

  const { provider, api } = await startTenant(ports.IDP_PORT, mcpUrl, portal);
  console.log("Building and starting two Workers. The first time, this takes a few minutes.\n");
  const mcp = await startWorker("worker", ".", ports.PORT, mcpUrl, {
    ISSUER: provider.issuer,
    RESOURCE: mcpUrl,
    REQUIRED_SCOPES: "whoami:read",
    AUTHORIZATION_SERVER_MIRROR: "true",
    REGISTRATION_ENDPOINT: `${portal}/register`,
    DEVELOPER_PORTAL: `${portal}/`,
  });
  const registrar = await startWorker("registrar", "registrar", ports.REGISTRAR_PORT, `${portal}/register`, {
    ISSUER: provider.issuer,
    RESOURCE: `${portal}/register`,
    MANAGEMENT_API: api.url,
    MANAGEMENT_RESOURCE,
    MANAGEMENT_CLIENT_ID: MANAGEMENT_CLIENT.id,
    MANAGEMENT_CLIENT_SECRET: MANAGEMENT_CLIENT.secret,
    MCP_RESOURCE: mcpUrl,
    REGISTRATION: "open",
    PORTAL_CLIENT_ID: PORTAL.id,
    PORTAL_CLIENT_SECRET: PORTAL.secret,
    SESSION_SECRET: "for this machine only, never deploy it",
  });
  const accounts = LOCAL_ACCOUNTS.map(({ username, password }) => `${username} / ${password}`).join("   ");
  console.log(`
  Developer portal        ${portal}/
  Registration endpoint   ${portal}/register (open to anybody)
  MCP endpoint            ${mcpUrl}
  Sign in as              ${accounts}

  Create an application in the portal, or let a client register itself:

    curl -H 'content-type: application/json' ${portal}/register \\
      -d '{"redirect_uris":["http://127.0.0.1/callback"],"token_endpoint_auth_method":"none"}'
`);
  for (const wrangler of [mcp, registrar]) wrangler.showOutput();
}

async function startTenant(port, mcpUrl, portal) {
  const { signIns, options } = providerOptions();
  const provider = await startIdentityProvider({
    ...options,
    port,
    resource: mcpUrl,
    scopes: SCOPES,
    dynamicRegistration: false,
    registrationEndpoint: `${portal}/register`,
    moreResources: {
      ...options.moreResources,
      [`${portal}/register`]: { scopes: { "apps:write": "Register and manage your applications" } },
    },
    clients: [
      ...options.clients,
      {
        firstParty: true,
        metadata: {
          client_id: PORTAL.id,
          client_name: "Developer portal",
          client_secret: PORTAL.secret,
          grant_types: ["authorization_code"],
          redirect_uris: [`${portal}/callback`],
          post_logout_redirect_uris: [`${portal}/`],
        },
      },
    ],
    log: prefixed("provider"),
  });
  started.push(() => provider.close());
  const api = await startManagementApi({ provider, signIns, resources: { [mcpUrl]: SCOPES }, log: prefixed("api") });
  started.push(() => api.close());
  return { provider, api };
}

async function startWorker(name, folder, port, url, vars) {
  const wrangler = startWrangler({ root: ROOT, wrangler: WRANGLER, port, folder, vars, progress: () => {}, print: prefixed(name) });
  started.push(() => wrangler.stop());
  wrangler.ended.then(({ output }) => {
    if (isStopping) return;
    console.error(`${output}\ndev: wrangler ended; what it said is above`);
    stop(1);
  });
  await wrangler.answers(url);
  return wrangler;
}

async function stop(code) {
  if (isStopping) return;
  isStopping = true;
  await Promise.all(started.map((end) => end()));
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
