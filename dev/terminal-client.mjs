// An MCP client for the terminal: it signs its user in with their browser, or at the local provider with a password.

import { Client, StreamableHTTPClientTransport, UnauthorizedError } from "@modelcontextprotocol/client";
import { signIn } from "./scripted-browser.mjs";
import { localized } from "./surroundings.mjs";
import { openInBrowser } from "./open-in-browser.mjs";
import { plain } from "./whoami-card.mjs";

/** The options of the command line that {@link TerminalClient} takes. */
export const SIGN_IN_OPTIONS = {
  "client-id": { type: "string" },
  login: { type: "string" },
  password: { type: "string" },
};

/** What their help says. */
export const SIGN_IN_USAGE = `  --client-id <id>     a public client at the provider, with the redirect URI http://127.0.0.1/callback and any port
                       ("make logto ARGS=--whoami" creates it at Logto); needed if clients cannot register themselves
  --login <name>       sign in without a browser; only at the local identity provider
  --password <text>    defaults to the login, as for the local accounts`;

/** The endpoint of `make dev`, unless PORT is set. */
export const DEFAULT_URL = `http://localhost:${process.env.PORT || 8787}/mcp`;

/** Returns the URL of an endpoint that a command line names. */
export function endpointFrom(text) {
  if (!URL.canParse(text) || !/^https?:$/.test(new URL(text).protocol)) throw new Error(`${text} is not a URL`);
  return new URL(text);
}

/**
 * @typedef {object} Connecting
 * @property {import("./oauth-client.mjs").OAuthClient} oauth
 * @property {import("./receive-callback.mjs").Callback} callback
 * @property {string} [login]     without a browser
 * @property {string} [password]  defaults to the login
 * @property {boolean} [quiet]    only the result goes to standard output
 */

export class TerminalClient {
  #url;
  #newClient;

  /**
   * @param {URL} url  of the endpoint
   * @param {() => Client} newClient  a client that is not connected
   */
  constructor(url, newClient) {
    this.#url = url;
    this.#newClient = newClient;
  }

  /**
   * Signs in, if the endpoint asks for it: afterwards `oauth` has a token. If it does not ask, returns a client.
   * @param {Connecting} connecting
   */
  async authorize({ oauth, callback, login, password, quiet }) {
    const first = new StreamableHTTPClientTransport(this.#url, { authProvider: oauth });
    try {
      return await this.#open(first);
    } catch (error) {
      if (!(error instanceof UnauthorizedError) || oauth.authorizationUrl === undefined) throw error;
    }
    const parameters = await (login === undefined
      ? askForSignIn(oauth, callback, quiet)
      : signInAs({ login, password }, oauth));
    if (parameters.get("state") !== oauth.state()) throw new Error("the response belongs to another sign-in; try again");
    await first.finishAuth(parameters);
    return undefined;
  }

  /**
   * Signs in, if the endpoint asks for it, and connects.
   * @param {Connecting} connecting
   */
  async connect(connecting) {
    const connected = await this.authorize(connecting);
    return connected ?? this.#open(new StreamableHTTPClientTransport(this.#url, { authProvider: connecting.oauth }));
  }

  async #open(transport) {
    const client = this.#newClient();
    await client.connect(transport);
    return client;
  }
}

function askForSignIn({ authorizationUrl }, callback, quiet) {
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

/**
 * Runs a program of the command line: its options, or its usage if they are wrong or asked for, then its work. Everything that
 * fails is one line.
 * @param {string} name
 * @param {string} usage
 * @param {() => {help: boolean, url?: URL}} readOptions
 * @param {(options: object) => Promise<void>} main
 */
export async function runProgram(name, usage, readOptions, main) {
  let options;
  try {
    options = readOptions();
    if (options.help) console.log(localized(usage));
    else await main(options);
  } catch (error) {
    const message = options === undefined ? `${error.message}\n\n${usage}` : plain(explain(error, options.url));
    console.error(localized(`${name}: ${message}`));
    if (process.env.DEBUG) console.error(error);
    process.exitCode = 1;
  }
}

// What the user reads about an error.
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
