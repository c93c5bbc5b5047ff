// Signing in and calling tools as an MCP client does (MCP 2026-07-28, basic/authorization).
//
// Each step is added to `trace` with its request and response. The token is only in the memory of this module.

import { authorizationUrl, challengeOf, codeIn, random } from "./authorization.js";
import { createClient } from "./client.js";
import { answerText, createSecrets, parametersText, requestText, send } from "./exchange.js";
import { mcpRequest } from "./mcp.js";
import { bearerChallenge, checkProvider, discoveryUrls, issuerOf } from "./metadata.js";
import * as problems from "./problems.js";

const METHOD_NOT_FOUND = -32601;

/**
 * @typedef {object} Server
 * @property {string} url       the MCP endpoint
 * @property {string} clientId  of the playground, at the provider
 * @property {string} callback  the redirect URI
 * @property {string} provider  the provider's origin; the page may send requests to it and to its own origin only
 * @property {string} [first]   the tool to call after signing in
 */

/**
 * @param {Server} server
 * @param {ReturnType<import("./trace.js").createTrace>} trace
 */
export function createFlow(server, trace) {
  const { url, clientId, callback, first } = server;
  const secrets = createSecrets();
  let token;
  // True until the token has been accepted once: a refusal before that means a wrong configuration.
  let isFresh = false;
  let granted = [];
  const request = createClient(url, {
    trace,
    judge,
    exchange: (step, message) => sendIn(step, message, problems.serverUnreachable(url)),
  });

  /**
   * Obtains a token, beginning with a request without one.
   * @param {object} options
   * @param {string[]} [options.scopes]  scopes to request besides those of the challenge and those granted before
   * @param {(url: string, state: string) => Promise<URLSearchParams>} options.ask  shows the sign-in page
   */
  async function signIn({ scopes = [], ask }) {
    token = undefined;
    const challenge = await requestChallenge();
    const { metadata, issuer } = await readMetadata(challenge.resource_metadata);
    const provider = await discover(issuer);
    // The challenge names the scopes that this request needs; without any, all scopes of the resource are requested.
    const needed = challenge.scope?.split(" ") ?? metadata.scopes_supported ?? [];
    const scope = [...new Set([...granted, ...needed, ...scopes])].filter(Boolean).join(" ");
    const { code, verifier } = await authorize(provider, scope, ask);
    await redeem(provider, code, verifier, scope);
  }

  async function requestChallenge() {
    const step = trace.begin("Send a request without a token", "The server refuses it and names its metadata.");
    const request = first
      ? mcpRequest(url, "tools/call", { name: first, arguments: {} })
      : mcpRequest(url, "tools/list", {});
    const answer = await sendIn(step, request, problems.serverUnreachable(url));
    const challenge = bearerChallenge(answer.headers.get("www-authenticate"));
    if (answer.status !== 401 || !challenge?.resource_metadata) throw step.failed(problems.notProtected(answer.status));
    step.done();
    return challenge;
  }

  async function readMetadata(place) {
    const step = trace.begin("Read the server’s metadata", "It names the resource and its identity provider (RFC 9728).");
    const { json } = await sendIn(step, { method: "GET", url: place }, problems.serverUnreachable(place));
    const issuer = await step.attempt(() => issuerOf(json, url));
    step.done();
    return { metadata: json, issuer };
  }

  async function discover(issuer) {
    const step = trace.begin("Find the provider’s endpoints", "They are in its metadata (OpenID Connect Discovery).");
    let problem = problems.providerUnreachable(issuer);
    for (const place of discoveryUrls(issuer)) {
      const answer = await sendIn(step, { method: "GET", url: place }).catch(() => undefined);
      if (answer?.status !== 200 || answer.json === undefined) continue;
      try {
        const provider = checkProvider(answer.json, issuer);
        step.done();
        return provider;
      } catch (found) {
        problem = found;
      }
    }
    throw step.failed(problem);
  }

  async function authorize(provider, scope, ask) {
    const step = trace.begin("Ask for your consent", "You sign in at the provider and allow what this page may do.");
    const [state, verifier] = [random(), random()];
    const endpoint = provider.authorization_endpoint;
    const address = authorizationUrl(endpoint, {
      response_type: "code",
      client_id: clientId,
      redirect_uri: callback,
      scope,
      resource: url,
      state,
      code_challenge: await challengeOf(verifier),
      code_challenge_method: "S256",
    });
    secrets.add(state, verifier);
    step.sent(secrets.hide(`GET ${endpoint}\n\n${parametersText(new URL(address).searchParams)}`));
    const answer = await step.attempt(() => ask(address, state));
    secrets.add(answer.get("code"));
    step.received("answered", secrets.hide(`GET ${callback}\n\n${parametersText(answer)}`));
    const code = await step.attempt(() => codeIn(answer, provider));
    step.done();
    return { code, verifier };
  }

  async function redeem({ token_endpoint: endpoint }, code, verifier, scope) {
    const step = trace.begin("Exchange the code for a token", "Only this page can: it alone has the verifier (PKCE).");
    const form = {
      grant_type: "authorization_code",
      client_id: clientId,
      code,
      redirect_uri: callback,
      code_verifier: verifier,
      resource: url,
    };
    const headers = { accept: "application/json", "content-type": "application/x-www-form-urlencoded" };
    const request = { method: "POST", url: endpoint, headers, body: String(new URLSearchParams(form)) };
    const { status, json } = await sendIn(step, request, problems.tokenUnreachable(endpoint, server.provider));
    if (typeof json?.access_token !== "string") {
      throw step.failed(problems.refused(json?.error ?? `status ${status}`, json?.error_description));
    }
    token = json.access_token;
    isFresh = true;
    granted = (json.scope ?? scope).split(" ");
    step.done();
  }

  /** Returns the tools that the token allows. A server without tools may not know the method. */
  async function listTools() {
    const tools = [];
    let cursor;
    do {
      const about = ["List the tools", "The server lists those that the token allows."];
      const result = await request(about, "tools/list", { cursor }, { token }).catch((problem) => {
        if (problem.code === METHOD_NOT_FOUND) return { tools: [] };
        throw problem;
      });
      tools.push(...result.tools);
      cursor = result.nextCursor;
    } while (cursor !== undefined);
    return tools;
  }

  /**
   * Calls a tool.
   * @param {{name: string, inputSchema?: object}} tool
   * @param {object} given  the arguments
   * @returns {Promise<object>}  `CallToolResult`
   */
  function callTool({ name, inputSchema }, given) {
    const about = [`Call ${name}`, "The server verifies the token with each request."];
    return request(about, "tools/call", { name, arguments: given }, { token, inputSchema });
  }

  /** Returns the problem of an answer to a request with the token, if there is one. */
  function judge(answer, error) {
    const isAccepted = answer.status < 400 || error?.code !== undefined;
    if (isAccepted) {
      isFresh = false;
      return error && problems.rpc(error);
    }
    const challenge = bearerChallenge(answer.headers.get("www-authenticate"));
    const problem = problems.refusalBy(answer, { resource: url, token, challenge, isFresh });
    if (answer.status === 401) token = undefined;
    return problem;
  }

  /** Sends a request as part of a step. */
  async function sendIn(step, message, problem) {
    secrets.add(token);
    step.sent(secrets.hide(requestText(message)));
    let answer;
    try {
      answer = await send(message);
    } catch (error) {
      step.received("no response", `The browser could not read a response: ${error.message}.`);
      throw step.failed(problem ?? error);
    }
    // Tokens in the response are hidden before it is shown. So is the session: who knows it can use it, with a token.
    secrets.add(answer.headers.get("mcp-session-id"), answer.json?.access_token, answer.json?.refresh_token, answer.json?.id_token);
    step.received(answer.status, secrets.hide(answerText(answer)), answer.milliseconds);
    return answer;
  }

  return {
    signIn,
    listTools,
    callTool,

    /** Whether there is a token. */
    isSignedIn: () => token !== undefined,

    /** Whether all of these scopes are granted. */
    has: (scopes) => scopes.every((scope) => granted.includes(scope)),

    /** Forgets the token. */
    signOut() {
      token = undefined;
      granted = [];
    },
  };
}
