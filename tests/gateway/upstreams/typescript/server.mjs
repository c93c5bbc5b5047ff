// An MCP server of the TypeScript SDK v2: both eras, sessions in the older one, and everything that the conformance suite
// asks for. It can require assertions of a gateway, which it verifies with `jose`.

import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import { toNodeHandler } from "@modelcontextprotocol/node";
import {
  McpServer, ResourceTemplate, WebStandardStreamableHTTPServerTransport, createMcpHandler, createRequestStateCodec, fromJsonSchema,
  hostHeaderValidationResponse, isLegacyRequest, localhostAllowedHostnames, localhostAllowedOrigins, originValidationResponse,
} from "@modelcontextprotocol/server";
import { createRemoteJWKSet, jwtVerify } from "jose";
import { embedded, image, object, text, toolsOf } from "./tools.mjs";

const state = createRequestStateCodec({ key: "the state of this server, 32 bytes or more" });
const CAPABILITIES = {
  tools: { listChanged: true }, prompts: { listChanged: true }, resources: { listChanged: true, subscribe: true }, completions: {}, logging: {},
};

/**
 * Starts it.
 * @param {object} [options]
 * @param {{issuer: string, audience: string, jwksUrl: string}} [options.assertions]  which ones it requires; without,
 *   it lets everybody in
 * @param {number} [options.port]
 * @param {boolean} [options.legacy]  whether it speaks the era with a handshake
 */
export async function startTypeScript({ assertions, port = 0, legacy = true } = {}) {
  const services = { counts: new Map(), state, notify: undefined };
  const modern = createMcpHandler(({ era }) => mcpServer(era, services), { legacy: "reject" });
  services.notify = modern.notify;
  const sessions = new Map();
  const verify = assertions && verifier(assertions);

  async function serve(request) {
    const rejected = hostHeaderValidationResponse(request, localhostAllowedHostnames()) ??
      originValidationResponse(request, localhostAllowedOrigins());
    if (rejected) return rejected;
    let authInfo;
    if (verify) {
      try {
        authInfo = await verify(request.headers.get("authorization"));
      } catch (error) {
        return new Response(JSON.stringify({ error: "invalid_token", error_description: error.code }), {
          status: 401, headers: { "content-type": "application/json", "www-authenticate": 'Bearer error="invalid_token"' },
        });
      }
    }
    if (!legacy || !(await isLegacyRequest(request))) return modern.fetch(request, { authInfo });
    return serveSession(request, authInfo);
  }

  async function serveSession(request, authInfo) {
    const id = request.headers.get("mcp-session-id");
    const known = sessions.get(id);
    if (id !== null && known === undefined) return Response.json({ jsonrpc: "2.0", id: null, error: { code: -32001, message: "Session not found" } }, { status: 404 });
    const transport = known ?? new WebStandardStreamableHTTPServerTransport({
      sessionIdGenerator: randomUUID,
      eventStore: new Events(),
      retryInterval: 200,
      onsessioninitialized: (opened) => void sessions.set(opened, transport),
      onsessionclosed: (closed) => void sessions.delete(closed),
    });
    if (!known) await mcpServer("legacy", services).connect(transport);
    return transport.handleRequest(request, { authInfo });
  }

  const server = createServer(toNodeHandler({ fetch: serve }));
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${server.address().port}/mcp`,
    notify: services.notify,
    sessions,
    async stop() {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await Promise.all([closed, modern.close(), ...[...sessions.values()].map((transport) => transport.close())]);
    },
  };
}

/** Verifies what the gateway says of a caller, as docs/gateway.md shows it. */
function verifier({ issuer, audience, jwksUrl }) {
  const keys = createRemoteJWKSet(new URL(jwksUrl));
  return async (authorization) => {
    const [, token] = /^Bearer (\S+)$/.exec(authorization ?? "") ?? [];
    const { payload } = await jwtVerify(token ?? "", keys, {
      issuer, audience, typ: "at+jwt", algorithms: ["ES256"], requiredClaims: ["sub", "client_id", "exp", "jti"],
    });
    return { token, clientId: payload.client_id, scopes: (payload.scope ?? "").split(" "), expiresAt: payload.exp, extra: payload };
  };
}

function mcpServer(era, services) {
  const server = new McpServer({ name: "typescript", version: "1.0.0" }, { capabilities: CAPABILITIES, requestState: { verify: state.verify } });
  for (const [name, [description, properties, call, required]] of Object.entries(toolsOf(era))) {
    const schema = properties.type === "object" ? properties : object(properties, required);
    const inputSchema = fromJsonSchema(schema);
    server.registerTool(name, { description, inputSchema }, (args, ctx) => call(args, ctx, services));
  }
  registerPrompts(server, era);
  registerResources(server);
  server.server.setRequestHandler("completion/complete", () => ({ completion: { values: ["paris", "park"] } }));
  if (era === "legacy") {
    for (const method of ["resources/subscribe", "resources/unsubscribe"]) server.server.setRequestHandler(method, () => ({}));
  }
  return server;
}

function registerPrompts(server, era) {
  const says = (...contents) => ({ messages: contents.map((content) => ({ role: "user", content })) });
  const takes = (...names) => fromJsonSchema(object(Object.fromEntries(names.map((name) => [name, { type: "string" }]))));
  const add = (name, argsSchema, get) => server.registerPrompt(name, { description: name, ...(argsSchema && { argsSchema }) }, get);
  add("test_simple_prompt", undefined, () => says(text("This is a simple prompt for testing.")));
  add("test_prompt_with_arguments", takes("arg1", "arg2"), ({ arg1, arg2 }) => says(text(`Prompt with arguments: arg1='${arg1}', arg2='${arg2}'`)));
  add("test_prompt_with_embedded_resource", takes("resourceUri"), ({ resourceUri }) =>
    says(embedded(resourceUri, "Embedded resource content for testing."), text("Please process the embedded resource above.")));
  add("test_prompt_with_image", undefined, () => says(image, text("Please analyze the image above.")));
  if (era === "modern") add("test_input_required_result_prompt", undefined, (ctx) => promptWithContext(ctx, says));
}

function promptWithContext(ctx, says) {
  const given = ctx.mcpReq.inputResponses?.user_context;
  if (given?.action === "accept") return says(text(`With context: ${given.content?.context}`));
  const requestedSchema = object({ context: { type: "string" } });
  const user_context = { method: "elicitation/create", params: { mode: "form", message: "What context should the prompt use?", requestedSchema } };
  return { resultType: "input_required", inputRequests: { user_context } };
}

function registerResources(server) {
  const add = (name, uri, mimeType, content) =>
    server.registerResource(name, uri, { description: name, mimeType }, ({ href }) => ({ contents: [{ uri: href, mimeType, ...content }] }));
  add("static-text", "test://static-text", "text/plain", { text: "This is the content of the static text resource." });
  add("static-binary", "test://static-binary", "image/png", { blob: image.data });
  add("watched", "test://watched-resource", "text/plain", { text: "Watched" });
  const template = new ResourceTemplate("test://template/{id}/data", { list: undefined });
  server.registerResource("template", template, { description: "template", mimeType: "application/json" }, ({ href }, { id }) => ({
    contents: [{ uri: href, mimeType: "application/json", text: JSON.stringify({ id, templateTest: true, data: `Data for ID: ${id}` }) }],
  }));
}

/** The events of one session's streams, for clients that reconnect. */
class Events {
  #events = [];

  async storeEvent(stream, message) {
    this.#events.push({ stream, message });
    return `${this.#events.length}`;
  }

  async replayEventsAfter(last, { send }) {
    const { stream } = this.#events[Number(last) - 1] ?? {};
    for (const [at, each] of this.#events.entries()) {
      if (at >= Number(last) && each.stream === stream && Object.keys(each.message).length > 0) await send(`${at + 1}`, each.message);
    }
    return stream;
  }
}
