// Command line of the development identity provider.
//
//   node dev/identity-provider/main.mjs [--port 3000] [--host localhost] [--resource http://localhost:8787/mcp]
//     [--scope "notes:read=Read your notes"]…

import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { LOCAL_ACCOUNTS, LOCAL_CLIENTS, startIdentityProvider } from "./index.mjs";
import { parseScope } from "./scopes.mjs";

const USAGE = `Usage: node dev/identity-provider/main.mjs [options]

  --port <number>   port on loopback (3000)
  --host <name>     host name in the issuer (localhost)
  --resource <uri>  resource indicator of the MCP server (http://localhost:8787/mcp)
  --scope <name=description>
                    a scope of the MCP server; repeat it for others (whoami:read)
  --help            show this`;

// Kept between runs, see keys.mjs; the folder is not under version control.
const KEYS_FILE = fileURLToPath(new URL("../../.wrangler/identity-provider/keys.json", import.meta.url));

const HIGHEST_PORT = 65_535;

function readOptions() {
  const { values } = parseArgs({
    options: {
      port: { type: "string", default: "3000" },
      host: { type: "string", default: "localhost" },
      resource: { type: "string", default: "http://localhost:8787/mcp" },
      scope: { type: "string", multiple: true },
      help: { type: "boolean", default: false },
    },
  });
  const port = Number(values.port);
  const isPort = Number.isInteger(port) && port >= 0 && port <= HIGHEST_PORT;
  if (!isPort) throw new Error(`--port ${values.port} is not a port`);
  if (!URL.canParse(values.resource)) throw new Error(`--resource ${values.resource} is not an absolute URI`);
  return { ...values, port, scopes: values.scope && Object.fromEntries(values.scope.map(parseScope)) };
}

function explain(error, { port }) {
  switch (error.code) {
    case "EADDRINUSE":
      return `port ${port} is taken; stop the program that uses it, or choose another with --port`;
    case "EACCES":
      return `port ${port} is not permitted; choose one above 1023 with --port`;
    default:
      return error.message;
  }
}

function fail(message) {
  console.error(`identity provider: ${message}`);
  process.exit(1);
}

function announce({ issuer }, resource) {
  const accounts = LOCAL_ACCOUNTS.map(({ username, password }) => `${username} / ${password}`).join(", ");
  const clients = LOCAL_CLIENTS.map(({ metadata }) => metadata.client_id).join(", ");
  console.log(`Identity provider ready
  issuer    ${issuer}
  resource  ${resource}
  accounts  ${accounts}
  clients   ${clients}`);
}

let options;
try {
  options = readOptions();
} catch (error) {
  fail(error.message);
}

if (options.help) {
  console.log(USAGE);
  process.exit(0);
}

try {
  const { port, host, resource, scopes } = options;
  const log = (message) => console.log(`identity provider: ${message}`);
  const provider = await startIdentityProvider({ port, host, resource, scopes, keysFile: KEYS_FILE, log });
  announce(provider, resource);
  for (const signal of ["SIGINT", "SIGTERM"]) {
    process.once(signal, () => provider.close().then(() => process.exit(0)));
  }
} catch (error) {
  fail(explain(error, options));
}
