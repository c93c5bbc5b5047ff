// Signing in and calling tools, step by step, as any MCP client does it (MCP 2026-07-28, basic/authorization).
//
// Each step is shown as it happens: `trail` takes what is sent and what comes back. The token is in this object and
// nowhere else; it is gone with the page.

import { authorizationUrl, challengeOf, codeIn, random } from "./authorization.js";
import { answerText, parametersText, requestText, Secrets, send } from "./exchange.js";
import { mcpAnswer, mcpRequest } from "./mcp.js";
import { bearerChallenge, checkProvider, discoveryUrls, issuerOf } from "./metadata.js";
import { problems, refusalBy } from "./problems.js";

/**
 * @typedef {object} Server
 * @property {string} url       the MCP endpoint
 * @property {string} clientId  of the playground, at the provider
 * @property {string} callback  where the provider sends the window back to
 * @property {string} provider  the provider's origin, the only one beside its own that the page may talk to
 * @property {string} [first]   the tool that is called first
 */

export class Flow {
  #server;
  #trail;
  #secrets = new Secrets();
  #token;
  #isFresh = false;
  #granted = [];

  /**
   * @param {Server} server
   * @param {import("./trail.js").Trail} trail
   */
  constructor(server, trail) {
    this.#server = server;
    this.#trail = trail;
  }

  /** Whether there is a token to call tools with. */
  get isSignedIn() {
    return this.#token !== undefined;
  }

  /** Forgets the token. */
  signOut() {
    this.#token = undefined;
    this.#granted = [];
  }

  /**
   * From the first refusal to a token.
   * @param {object} options
   * @param {string[]} [options.scopes]  to ask for beside those of the challenge and those granted before
   * @param {(url: string, state: string) => Promise<URLSearchParams>} options.ask  shows the sign-in page
   */
  async signIn({ scopes = [], ask }) {
    this.#token = undefined;
    const { challenge, metadataUrl } = await this.#askWithoutToken();
    const metadata = await this.#readMetadata(metadataUrl);
    const provider = await this.#discover(issuerOf(metadata, this.#server.url));
    // The scopes of the challenge are what this request needs; without any, everything that the resource names.
    const needed = challenge.scope?.split(" ") ?? metadata.scopes_supported ?? [];
    const scope = [...new Set([...this.#granted, ...needed, ...scopes])].filter(Boolean).join(" ");
    const { code, verifier } = await this.#authorize(provider, scope, ask);
    await this.#exchange(provider, code, verifier, scope);
  }

  async #askWithoutToken() {
    const step = this.#trail.begin("Knock without a token", "The server refuses, and says where to find out more.");
    const { first, url } = this.#server;
    const request = first
      ? mcpRequest(url, "tools/call", { name: first, arguments: {} })
      : mcpRequest(url, "tools/list", {});
    const answer = await this.#send(step, request, problems.serverUnreachable(url));
    const challenge = bearerChallenge(answer.headers.get("www-authenticate"));
    if (answer.status !== 401 || !challenge?.resource_metadata) throw step.failed(problems.notProtected(answer.status));
    step.done();
    return { challenge, metadataUrl: challenge.resource_metadata };
  }

  async #readMetadata(url) {
    const step = this.#trail.begin("Read the server's metadata", "It names the resource and who signs users in (RFC 9728).");
    const { json } = await this.#send(step, { method: "GET", url }, problems.serverUnreachable(url));
    step.done();
    return json;
  }

  async #discover(issuer) {
    const step = this.#trail.begin("Find the provider's endpoints", "The provider describes itself (OpenID Connect Discovery).");
    for (const url of discoveryUrls(issuer)) {
      const answer = await this.#send(step, { method: "GET", url }).catch(() => undefined);
      if (answer?.status !== 200 || answer.json === undefined) continue;
      const provider = step.checked(() => checkProvider(answer.json, issuer));
      step.done();
      return provider;
    }
    throw step.failed(problems.providerUnreachable(issuer));
  }

  async #authorize(provider, scope, ask) {
    const step = this.#trail.begin("Ask you", "In a window of the provider you sign in and say what this page may do.");
    const [state, verifier] = [random(), random()];
    const parameters = {
      response_type: "code",
      client_id: this.#server.clientId,
      redirect_uri: this.#server.callback,
      scope,
      resource: this.#server.url,
      state,
      code_challenge: await challengeOf(verifier),
      code_challenge_method: "S256",
    };
    this.#secrets.add(state, verifier);
    const url = authorizationUrl(provider.authorization_endpoint, parameters);
    const sent = parametersText(new URL(url).searchParams);
    step.sent(`GET ${provider.authorization_endpoint}`, this.#secrets.hide(`GET ${provider.authorization_endpoint}\n\n${sent}`));
    const answer = await step.attempt(() => ask(url, state));
    this.#secrets.add(answer.get("code"));
    const received = parametersText(answer);
    step.received("answered", this.#secrets.hide(`GET ${parameters.redirect_uri}\n\n${received}`));
    const code = step.checked(() => codeIn(answer, provider));
    step.done();
    return { code, verifier };
  }

  async #exchange({ token_endpoint: url }, code, verifier, scope) {
    const step = this.#trail.begin("Exchange the code for a token", "Only this page can: it alone knows the verifier (PKCE).");
    const form = {
      grant_type: "authorization_code",
      client_id: this.#server.clientId,
      code,
      redirect_uri: this.#server.callback,
      code_verifier: verifier,
      resource: this.#server.url,
    };
    const headers = { accept: "application/json", "content-type": "application/x-www-form-urlencoded" };
    const request = { method: "POST", url, headers, body: new URLSearchParams(form).toString() };
    const { status, json } = await this.#send(step, request, problems.tokenUnreachable(url, this.#server.provider));
    if (typeof json?.access_token !== "string") {
      const error = json?.error ?? `status ${status}`;
      throw step.failed(problems.tokenRefused(error, json?.error_description));
    }
    this.#token = json.access_token;
    this.#isFresh = true;
    this.#granted = (json.scope ?? scope).split(" ");
    step.done();
  }

  /** The tools that this user may call with this token. */
  async listTools() {
    const tools = [];
    let cursor;
    do {
      const step = this.#trail.begin("List the tools", "Only those that the token allows are listed.");
      const result = await this.#ask(step, "tools/list", cursor === undefined ? {} : { cursor });
      tools.push(...(result.tools ?? []));
      cursor = result.nextCursor;
    } while (cursor !== undefined);
    return tools;
  }

  /**
   * Calls a tool.
   * @param {{name: string, inputSchema?: object}} tool
   * @param {object} given  its arguments
   * @returns {Promise<object>}  `CallToolResult`
   */
  callTool({ name, inputSchema }, given) {
    const step = this.#trail.begin(`Call ${name}`, "The server verifies the token anew, for each request.");
    return this.#ask(step, "tools/call", { name, arguments: given }, inputSchema);
  }

  async #ask(step, method, params, inputSchema) {
    const { url } = this.#server;
    const request = mcpRequest(url, method, params, { token: this.#token, inputSchema });
    const answer = await this.#send(step, request, problems.serverUnreachable(url));
    const message = mcpAnswer(answer);
    if (answer.status >= 400 && message?.error?.code === undefined) throw step.failed(this.#refusal(answer));
    this.#isFresh = false;
    if (message?.error) throw step.failed(problems.rpc(message.error));
    if (message?.result === undefined) throw step.failed(problems.failed(answer.status));
    step.done();
    return message.result;
  }

  #refusal(answer) {
    const challenge = bearerChallenge(answer.headers.get("www-authenticate"));
    const context = { resource: this.#server.url, token: this.#token, challenge, isFresh: this.#isFresh };
    if (answer.status === 401) this.#token = undefined;
    return refusalBy(answer, context);
  }

  /** Sends a request as part of a step. */
  async #send(step, request, problem) {
    this.#secrets.add(this.#token);
    step.sent(`${request.method} ${request.url}`, this.#secrets.hide(requestText(request)));
    let answer;
    try {
      answer = await send(request);
    } catch (error) {
      step.received("no answer", `The browser could not read an answer: ${error.message}.`);
      throw problem === undefined ? error : step.failed(problem);
    }
    // What it issues is secret before it is shown.
    this.#secrets.add(answer.json?.access_token, answer.json?.refresh_token, answer.json?.id_token);
    step.received(answer.status, this.#secrets.hide(answerText(answer)), answer.milliseconds);
    return answer;
  }
}
