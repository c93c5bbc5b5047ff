// An MCP server in plain node:http that can be made to misbehave: it answers any request as a test says, and records every
// request as it arrived. By default it is honest, speaks both eras, and accepts what anybody sends.

import { once } from "node:events";
import { createServer } from "node:http";
import { MODERN, NEWEST_LEGACY } from "../../support/messages.mjs";

/**
 * @typedef {object} Recorded
 * @property {string} method
 * @property {string} path
 * @property {[string, string][]} raw  the headers as they arrived: case, order and repetitions
 * @property {import("node:http").IncomingHttpHeaders} headers  names in lower case
 * @property {string} body  byte for byte
 * @property {any} message  the body, if it is JSON
 * @property {boolean} [aborted]  once the connection is closed: whether that was before the response was complete
 * @property {number} sent  bytes of the response, as far as an answer counts them
 * @property {import("node:http").ServerResponse} response
 *
 * @typedef {(exchange: Exchange) => unknown} Answer
 *
 * @typedef {object} Exchange
 * @property {Recorded} request
 * @property {import("node:http").ServerResponse} response
 * @property {any} message
 * @property {any} honest  the response that the honest server sends
 */

/** Starts it. @returns {Promise<HostileUpstream>} */
export async function startHostileUpstream(options = {}) {
  const upstream = new HostileUpstream(options);
  await upstream.start();
  return upstream;
}

export const tool = (name, more = {}) => ({ name, description: `The tool ${name}`, inputSchema: { type: "object" }, ...more });

class HostileUpstream {
  #server = createServer((request, response) => {
    this.#serve(request, response).catch(() => response.destroy());
  });
  #answers = new Map();

  constructor({ eras = ["legacy", "modern"], tools = ["search"], prompts = [], resources = [], templates = [] }) {
    this.eras = eras;
    this.tools = tools.map((each) => (typeof each === "string" ? tool(each) : each));
    this.prompts = prompts.map((name) => ({ name }));
    this.resources = resources.map((uri) => ({ uri, name: uri }));
    this.templates = templates.map((uriTemplate) => ({ uriTemplate, name: uriTemplate }));
    /** @type {Recorded[]} every request since the last `forget` */
    this.requests = [];
  }

  async start() {
    this.#server.keepAliveTimeout = 0;
    this.#server.listen(this.port ?? 0, "127.0.0.1");
    await once(this.#server, "listening");
    this.port = this.#server.address().port;
    this.url = `http://127.0.0.1:${this.port}/mcp`;
  }

  /** Goes down. `start` starts it again on the same port. */
  async stop() {
    if (!this.#server.listening) return;
    const closed = once(this.#server, "close");
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }

  /**
   * Answers requests in another way.
   * @param {string} what  a method of JSON-RPC, or "GET", "DELETE" or "batch"
   * @param {Answer} answer
   */
  on(what, answer) {
    this.#answers.set(what, answer);
  }

  /** Is honest again, and forgets all requests. */
  forget() {
    this.#answers.clear();
    this.requests = [];
  }

  /** The requests of a method. */
  of(method) {
    return this.requests.filter(({ message }) => message?.method === method);
  }

  /** The last request of a method. */
  last(method) {
    return this.of(method).at(-1);
  }

  async #serve(request, response) {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const body = Buffer.concat(chunks).toString("utf8");
    const pairs = Array.from({ length: request.rawHeaders.length / 2 }, (_, at) => request.rawHeaders.slice(2 * at, 2 * at + 2));
    const { method, url: path, headers } = request;
    const recorded = { method, path, raw: pairs, headers, body, message: parse(body), sent: 0, response };
    this.requests.push(recorded);
    response.once("close", () => (recorded.aborted = !response.writableFinished));
    const { message } = recorded;
    const what = method === "POST" ? (Array.isArray(message) ? "batch" : message?.method) : method;
    const honest = this.#honest(method, message);
    await (this.#answers.get(what) ?? answerHonestly)({ request: recorded, response, message, honest });
  }

  #honest(method, message) {
    if (method !== "POST") return undefined;
    if (Array.isArray(message)) return message.filter(({ id }) => id !== undefined).map((each) => this.#responseTo(each));
    return message?.id === undefined || message.method === undefined ? undefined : this.#responseTo(message);
  }

  #responseTo({ id, method, params }) {
    const isModern = params?._meta?.["io.modelcontextprotocol/protocolVersion"] !== undefined;
    if (!this.eras.includes(isModern ? "modern" : "legacy")) {
      const data = { supported: isModern ? [NEWEST_LEGACY] : [MODERN], requested: "another" };
      return { jsonrpc: "2.0", id, error: { code: -32022, message: "Unsupported protocol version", data } };
    }
    const result = this.#resultOf(method, params);
    if (result === undefined) return { jsonrpc: "2.0", id, error: { code: -32601, message: "Method not found" } };
    const hints = isModern ? { resultType: "complete", ...(cacheable(method) && { ttlMs: 60_000, cacheScope: "public" }) } : {};
    return { jsonrpc: "2.0", id, result: { ...result, ...hints } };
  }

  #resultOf(method, params) {
    const changes = { listChanged: true };
    const capabilities = {
      ...{ tools: changes, prompts: changes, resources: { ...changes, subscribe: true }, completions: {}, logging: {} },
      ...{ tasks: { list: {}, cancel: {} }, extensions: { "io.modelcontextprotocol/tasks": {} } },
    };
    switch (method) {
      case "initialize":
        return { protocolVersion: params.protocolVersion, capabilities, serverInfo: { name: "upstream", version: "1" } };
      case "server/discover":
        return { supportedVersions: [MODERN], capabilities };
      case "tools/list":
        return { tools: this.tools };
      case "prompts/list":
        return { prompts: this.prompts };
      case "resources/list":
        return { resources: this.resources };
      case "resources/templates/list":
        return { resourceTemplates: this.templates };
      case "tools/call":
        return { content: [{ type: "text", text: `called ${params.name}` }] };
      case "prompts/get":
        return { messages: [{ role: "user", content: { type: "text", text: `prompt ${params.name}` } }] };
      case "resources/read":
        return { contents: [{ uri: params.uri, text: `contents of ${params.uri}` }] };
      case "completion/complete":
        return { completion: { values: ["one"] } };
      case "ping":
      case "logging/setLevel":
      case "resources/subscribe":
      case "resources/unsubscribe":
      case "tasks/get":
      case "tasks/cancel":
      case "tasks/update":
      case "tasks/result":
      case "tasks/list":
        return {};
      default:
        return undefined;
    }
  }
}

function answerHonestly({ request, response, honest }) {
  if (request.method !== "POST") return response.writeHead(405, { allow: "POST" }).end();
  if (honest === undefined) return response.writeHead(202).end();
  const status = honest.error?.code === -32022 ? 400 : 200;
  return response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(honest));
}

function cacheable(method) {
  return method === "server/discover" || method === "resources/read" || method.endsWith("/list");
}

function parse(body) {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}
