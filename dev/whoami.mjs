// `make whoami`: an MCP client for the terminal. It signs you in with your browser, calls the tool `whoami` and
// shows the result. A server without that tool, such as one behind a gateway, lists its tools instead.
//
//   node dev/whoami.mjs [URL of an MCP endpoint] [--client-id id] [--login alice] [--password alice]
//     [--json | --token]

import { parseArgs } from "node:util";
import { Client, ProtocolErrorCode } from "@modelcontextprotocol/client";
import { OAuthClient } from "./oauth-client.mjs";
import { receiveCallback } from "./receive-callback.mjs";
import { DEFAULT_URL, SIGN_IN_OPTIONS, SIGN_IN_USAGE, TerminalClient, endpointFrom, runProgram } from "./terminal-client.mjs";
import { card, toolList } from "./whoami-card.mjs";

const USAGE = `Usage: node dev/whoami.mjs [options] [URL of the MCP endpoint]

The URL defaults to ${DEFAULT_URL}.

${SIGN_IN_USAGE}
  --json               print the result as JSON
  --token              print the access token alone, without using it, for "make explain"; not to a terminal
  --help               show this`;

const newClient = () => new Client({ name: "whoami", version: "1.0.0" }, { versionNegotiation: { mode: "auto" } });

async function main({ url, login, password, ...options }) {
  const callback = await receiveCallback();
  try {
    const oauth = new OAuthClient({ name: "whoami in the terminal", redirectUrl: callback.url, clientId: options["client-id"] });
    const terminal = new TerminalClient(url, newClient);
    const connecting = { oauth, callback, login, password, quiet: options.json || options.token };
    if (options.token) return printToken(await terminal.authorize(connecting), oauth);
    const client = await terminal.connect(connecting);
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
      ...SIGN_IN_OPTIONS,
      json: { type: "boolean", default: false },
      token: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  const [url = DEFAULT_URL, ...rest] = positionals;
  if (rest.length > 0) throw new Error("expected one URL");
  const endpoint = endpointFrom(url);
  // It would stay on the screen and in the terminal's history.
  if (values.token && process.stdout.isTTY) throw new Error("--token needs a pipe: dev/with-tools node dev/whoami.mjs --token | make explain");
  return { url: endpoint, ...values };
}

async function printToken(connected, oauth) {
  await connected?.close();
  const token = oauth.tokens()?.access_token;
  if (token === undefined) throw new Error("this endpoint asked for no sign-in, so there is no token");
  console.log(token);
}

await runProgram("whoami", USAGE, readOptions, main);
