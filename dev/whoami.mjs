// `make whoami`: an MCP client for the terminal. It signs you in with your browser, calls the tool `whoami` and
// shows the result. A server without that tool, such as one behind a gateway, lists its tools instead.
//
//   node dev/whoami.mjs [URL of an MCP endpoint] [--client-id id] [--login alice] [--password alice]
//     [--json | --token]

import { parseArgs } from "node:util";
import { Client, ProtocolErrorCode, StreamableHTTPClientTransport, UnauthorizedError } from "@modelcontextprotocol/client";
import { signIn } from "../tests/support/sign-in.mjs";
import { OAuthClient } from "./oauth-client.mjs";
import { openInBrowser } from "./open-in-browser.mjs";
import { receiveCallback } from "./receive-callback.mjs";
import { card, plain, toolList } from "./whoami-card.mjs";

const DEFAULT_URL = `http://localhost:${process.env.PORT || 8787}/mcp`;

const USAGE = `Usage: node dev/whoami.mjs [options] [URL of the MCP endpoint]

The URL defaults to ${DEFAULT_URL}.

  --client-id <id>     a public client at the provider, with the redirect URI http://127.0.0.1/callback and any port
                       ("make logto ARGS=--whoami" creates it at Logto); needed if clients cannot register themselves
  --login <name>       sign in without a browser; only at the local identity provider
  --password <text>    defaults to the login, as for the local accounts
  --json               print the result as JSON
  --token              print the access token alone, without using it, for "make explain"; not to a terminal
  --help               show this`;

async function main({ url, ...options }) {
  const callback = await receiveCallback();
  try {
    const oauth = new OAuthClient({ name: "whoami in the terminal", redirectUrl: callback.url, clientId: options["client-id"] });
    const connected = await authorize(url, { oauth, callback, ...options });
    if (options.token) return printToken(oauth);
    const client = connected ?? (await open(new StreamableHTTPClientTransport(url, { authProvider: oauth })));
    const { structuredContent, isError, content, tools } = await callWhoami(client);
    await client.close();
    if (tools !== undefined) return console.log(options.json ? JSON.stringify(tools, null, 2) : toolList(tools));
    if (isError) throw new Error(`whoami failed: ${content?.[0]?.text ?? "no reason given"}`);
    console.log(options.json ? JSON.stringify(structuredContent, null, 2) : card(structuredContent));
  } finally {
    callback.close();
  }
}

// A server that has no such tool refuses the call with a JSON-RPC error, or with a result that is an error.
async function callWhoami(client) {
  const result = await client.callTool({ name: "whoami", arguments: {} }).catch((error) => {
    if (error.code === ProtocolErrorCode.InvalidParams) return { isError: true, error };
    throw error;
  });
  if (!result.isError) return result;
  const { tools } = await client.listTools();
  if (!tools.some(({ name }) => name === "whoami")) return { tools };
  if (result.error !== undefined) throw result.error;
  return result;
}

function readOptions() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      "client-id": { type: "string" },
      login: { type: "string" },
      password: { type: "string" },
      json: { type: "boolean", default: false },
      token: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  const [url = DEFAULT_URL, ...rest] = positionals;
  if (rest.length > 0) throw new Error("expected one URL");
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol)) throw new Error(`${url} is not a URL`);
  // It would stay on the screen and in the terminal's history.
  if (values.token && process.stdout.isTTY) throw new Error("--token needs a pipe: dev/with-tools node dev/whoami.mjs --token | make explain");
  return { url: new URL(url), ...values };
}

// The first attempt is refused with the URL of the metadata. Afterwards `oauth` has a token. If the attempt is not
// refused, returns its client.
async function authorize(url, { oauth, callback, login, password, json, token }) {
  const first = new StreamableHTTPClientTransport(url, { authProvider: oauth });
  try {
    return await open(first);
  } catch (error) {
    if (!(error instanceof UnauthorizedError) || oauth.authorizationUrl === undefined) throw error;
  }
  const parameters = await (login === undefined
    ? askForSignIn(oauth, callback, json || token)
    : signInAs({ login, password }, oauth));
  if (parameters.get("state") !== oauth.state()) throw new Error("the response belongs to another sign-in; try again");
  await first.finishAuth(parameters);
  return undefined;
}

function printToken(oauth) {
  const token = oauth.tokens()?.access_token;
  if (token === undefined) throw new Error("this endpoint asked for no sign-in, so there is no token");
  console.log(token);
}

async function open(transport) {
  const client = new Client({ name: "whoami", version: "1.0.0" }, { versionNegotiation: { mode: "auto" } });
  await client.connect(transport);
  return client;
}

function askForSignIn({ authorizationUrl }, callback, quiet) {
  // With --json and --token only the result goes to standard output.
  const say = quiet ? console.error : console.log;
  say(`\n  Sign in with your browser:\n\n    ${authorizationUrl}\n\n  Waiting … (Ctrl-C cancels)`);
  openInBrowser(authorizationUrl);
  return callback.parameters;
}

async function signInAs({ login, password }, { authorizationUrl }) {
  if (!["localhost", "127.0.0.1", "[::1]"].includes(authorizationUrl.hostname)) {
    throw new Error(`--login is for the local identity provider only, and this one is at ${authorizationUrl.host}`);
  }
  const { searchParams } = await signIn({ authorizationUrl, login, password });
  return searchParams;
}

/** Returns the message for the user. */
function explain(error, url) {
  const reasons = [...reasonsOf(error)];
  const has = (...codes) => reasons.some(({ code }) => codes.includes(code));
  if (has("access_denied")) return "you denied access, so there is nothing to show";
  if (has("ECONNREFUSED")) return `nothing answers at ${url}; start the server with "make dev" in another terminal`;
  if (has("ENOTFOUND", "EAI_AGAIN")) return `there is no server called ${url.host}`;
  if (reasons.some(({ data }) => data?.status === 404)) return `there is no MCP endpoint at ${url}`;
  return reasons.at(-1).message;
}

// The SDK wraps errors several times; the last one is the cause.
function* reasonsOf(error) {
  for (let reason = error; reason instanceof Error; reason = reason.cause) {
    yield reason;
    // Node tries each address of a host and reports all errors.
    yield* reason.errors ?? [];
  }
}

let options;
try {
  options = readOptions();
  if (options.help) console.log(USAGE);
  else await main(options);
} catch (error) {
  const message = options === undefined ? `${error.message}\n\n${USAGE}` : plain(explain(error, options.url));
  console.error(`whoami: ${message}`);
  if (process.env.DEBUG) console.error(error);
  process.exitCode = 1;
}
