// `make call`: an MCP client for the terminal that calls one tool and shows its answer. If the tool needs an account of yours
// at another service, it shows you the link, as an agent would, and goes on when you have connected it.
//
//   node dev/call.mjs TOOL [ARGUMENTS AS JSON] [--url URL of an MCP endpoint] [--client-id id] [--login alice] [--password alice]

import { createInterface } from "node:readline/promises";
import { parseArgs } from "node:util";
import { Client } from "@modelcontextprotocol/client";
import { OAuthClient } from "./oauth-client.mjs";
import { openInBrowser } from "./open-in-browser.mjs";
import { receiveCallback } from "./receive-callback.mjs";
import { DEFAULT_URL, SIGN_IN_OPTIONS, SIGN_IN_USAGE, TerminalClient, endpointFrom, runProgram } from "./terminal-client.mjs";
import { plain } from "./whoami-card.mjs";

const USAGE = `Usage: node dev/call.mjs [options] <tool> [<arguments as JSON>]

  --url <url>          of the MCP endpoint. Defaults to ${DEFAULT_URL}
${SIGN_IN_USAGE}
  --no-links           do not offer to show links: the answer of the tool then has the link in its text
  --help               show this`;

async function main({ url, tool, input, login, password, ...options }) {
  const callback = await receiveCallback();
  try {
    const oauth = new OAuthClient({ name: "A tool called in the terminal", redirectUrl: callback.url, clientId: options["client-id"] });
    const terminal = new TerminalClient(url, options["no-links"] ? newClient : newClientThatShowsLinks);
    const client = await terminal.connect({ oauth, callback, login, password });
    const { structuredContent, content = [], isError } = await client.callTool({ name: tool, arguments: input });
    await client.close();
    const text = content.map((block) => block.text ?? `(${block.type})`).join("\n");
    if (isError) throw new Error(text || "the tool failed and gave no reason");
    console.log(plain(structuredContent === undefined ? text : JSON.stringify(structuredContent, null, 2)));
  } finally {
    callback.close();
  }
}

function newClient(capabilities = {}) {
  return new Client({ name: "call", version: "1.0.0" }, { capabilities, versionNegotiation: { mode: "auto" } });
}

function newClientThatShowsLinks() {
  const client = newClient({ elicitation: { url: {} } });
  client.setRequestHandler("elicitation/create", async ({ params }) => {
    if (params.mode !== "url") return { action: "decline" };
    console.log(plain(`\n  ${params.message}\n\n    ${params.url}\n`));
    openInBrowser(params.url);
    return { action: (await hasOpened()) ? "accept" : "cancel" };
  });
  return client;
}

// Without a terminal nobody can answer: the server waits a while for the account.
async function hasOpened() {
  if (!process.stdin.isTTY) return true;
  const lines = createInterface({ input: process.stdin, output: process.stdout });
  try {
    const answer = await lines.question("  Press Enter when you have connected it, or type n to give up: ");
    return !/^n/i.test(answer.trim());
  } finally {
    lines.close();
  }
}

function readOptions() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      url: { type: "string", default: DEFAULT_URL },
      ...SIGN_IN_OPTIONS,
      "no-links": { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return values;
  const [tool, json = "{}", ...rest] = positionals;
  if (tool === undefined) throw new Error("expected the name of a tool");
  if (rest.length > 0) throw new Error("expected one tool and its arguments");
  return { ...values, url: endpointFrom(values.url), tool, input: argumentsFrom(json) };
}

function argumentsFrom(json) {
  try {
    const input = JSON.parse(json);
    if (typeof input === "object" && input !== null && !Array.isArray(input)) return input;
  } catch {
    // Said below.
  }
  throw new Error(`the arguments must be a JSON object, such as '{"days": 3}'`);
}

await runProgram("call", USAGE, readOptions, main);
