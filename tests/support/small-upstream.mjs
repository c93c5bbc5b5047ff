// A small MCP server in one of the two eras, to be behind a gateway: it answers as JSON or as an event stream, and has sessions
// in the era with a handshake.

import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";

const REVISIONS = { legacy: "2025-11-25", modern: "2026-07-28" };

const TOOLS = [
  { name: "greet", title: "Greet", description: "Greets somebody.", inputSchema: schema({ name: { type: "string" } }) },
  { name: "count", description: "Counts to three, in an event stream.", inputSchema: schema({}) },
  { name: "vanish", description: "Ends its event stream too early.", inputSchema: schema({}) },
  { name: "delete_all", description: "Deletes everything.", inputSchema: schema({}) },
];

function schema(properties) {
  return { type: "object", properties, required: Object.keys(properties) };
}

/**
 * Starts the server.
 * @param {"legacy" | "modern"} era
 * @returns {Promise<SmallUpstream>}
 *
 * @typedef {object} SmallUpstream
 * @property {string} url
 * @property {Set<string>} sessions
 * @property {{method: string, headers: import("node:http").IncomingHttpHeaders}[]} received  the messages since the start
 * @property {() => Promise<void>} close
 */
export async function startSmallUpstream(era) {
  const sessions = new Set();
  const received = [];
  const server = createServer(async (request, response) => {
    const chunks = await request.toArray();
    if (request.method !== "POST") return response.writeHead(405, { allow: "POST" }).end();
    const message = JSON.parse(Buffer.concat(chunks).toString());
    received.push({ method: message.method, headers: request.headers });
    const refusal = era === "legacy" ? refusalOfSession(request, message) : refusalOfVersion(request);
    if (refusal) return json(response, refusal.status, { jsonrpc: "2.0", id: message.id ?? null, error: refusal.error });
    return answer(response, message);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return { url: `http://127.0.0.1:${server.address().port}/mcp`, sessions, received, close };

  // As servers of the TypeScript SDK do.
  function refusalOfSession({ headers }, { method }) {
    const id = headers["mcp-session-id"];
    if (id === undefined) {
      const isFirst = method === "initialize";
      return isFirst ? undefined : { status: 400, error: { code: -32000, message: "Bad Request: No valid session ID provided" } };
    }
    return sessions.has(id) ? undefined : { status: 404, error: { code: -32001, message: "Session not found" } };
  }

  function refusalOfVersion({ headers }) {
    if (headers["mcp-protocol-version"] === REVISIONS.modern) return undefined;
    const error = { code: -32022, message: "Unsupported protocol version", data: { supported: [REVISIONS.modern] } };
    return { status: 400, error };
  }

  function answer(response, { id, method, params }) {
    if (id === undefined) return response.writeHead(202).end();
    const result = (value) => ({ jsonrpc: "2.0", id, result: era === "modern" ? { resultType: "complete", ...value } : value });
    const serverInfo = { name: "small", version: "1.0.0" };
    switch (method) {
      case "initialize": {
        const session = randomUUID();
        sessions.add(session);
        const agreed = { protocolVersion: REVISIONS.legacy, capabilities: { tools: {} }, serverInfo };
        return json(response, 200, result(agreed), { "mcp-session-id": session });
      }
      case "server/discover":
        return json(response, 200, result({ supportedVersions: [REVISIONS.modern], capabilities: { tools: {} }, ...HINTS }));
      case "tools/list":
        return json(response, 200, result({ tools: TOOLS, ...(era === "modern" && HINTS) }));
      case "tools/call":
        return call(response, params, result);
      default:
        return json(response, 200, { jsonrpc: "2.0", id, error: { code: -32601, message: "Method not found" } });
    }
  }

  async function close() {
    const closed = once(server, "close");
    server.close();
    server.closeAllConnections();
    await closed;
  }
}

const HINTS = { ttlMs: 0, cacheScope: "private" };

function call(response, { name, arguments: given }, result) {
  const text = (value) => result({ content: [{ type: "text", text: value }] });
  if (name === "greet") {
    const greeting = `Hello ${given.name}`;
    return json(response, 200, result({ content: [{ type: "text", text: greeting }], structuredContent: { greeting } }));
  }
  if (name === "delete_all") return json(response, 200, text("Everything is deleted."));
  response.writeHead(200, { "content-type": "text/event-stream" });
  const event = (message) => response.write(`event: message\ndata: ${JSON.stringify(message)}\n\n`);
  for (const progress of [1, 2, 3]) {
    event({ jsonrpc: "2.0", method: "notifications/progress", params: { progressToken: "t", progress } });
  }
  if (name === "vanish") return response.end();
  // The server may ask something itself before, and may leave the stream open.
  event({ jsonrpc: "2.0", id: 1, method: "ping" });
  return event(text("One, two, three."));
}

function json(response, status, body, headers = {}) {
  response.writeHead(status, { "content-type": "application/json", ...headers }).end(JSON.stringify(body));
}
