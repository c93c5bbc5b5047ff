// The MCP server behind the gateways: both eras, no authentication, no sessions, one tool. What it answers is fixed except for
// the id, so that it takes little of the processors that the gateway and the load share.
//
// The program listens on a free port, which it prints. `GET /seen` says what has arrived.

import { createServer } from "node:http";

const MODERN = "2026-07-28";
const LEGACY = "2025-11-25";

const serverInfo = { name: "bench", version: "1.0.0" };
const capabilities = { tools: {} };
const TOOL = {
  name: "echo",
  description: "Answers with a fixed text.",
  inputSchema: { type: "object", properties: { text: { type: "string" } } },
};

const answers = {
  initialize: () => ({ protocolVersion: LEGACY, capabilities, serverInfo }),
  "server/discover": () => ({ supportedVersions: [MODERN, LEGACY], capabilities, serverInfo, ttlMs: 0, cacheScope: "private" }),
  "tools/list": (isModern) => ({ tools: [TOOL], ...(isModern && { ttlMs: 0, cacheScope: "private" }) }),
  "tools/call": () => ({ content: [{ type: "text", text: "echoed" }] }),
};

const seen = { requests: 0, calls: 0, authorization: undefined };

const server = createServer((request, response) => {
  if (request.method === "GET" && request.url === "/seen") return json(response, seen);
  if (request.method !== "POST") return response.writeHead(405, { allow: "POST" }).end();
  const chunks = [];
  request.on("data", (chunk) => chunks.push(chunk));
  request.on("end", () => answer(request, response, JSON.parse(Buffer.concat(chunks))));
});

function answer({ headers }, response, { id, method }) {
  seen.requests += 1;
  if (method === "tools/call") {
    seen.calls += 1;
    seen.authorization = headers.authorization;
  }
  if (id === undefined) return response.writeHead(202).end();
  const isModern = headers["mcp-protocol-version"] === MODERN;
  const result = answers[method]?.(isModern);
  if (result === undefined) return json(response, { jsonrpc: "2.0", id, error: { code: -32601, message: "Method not found" } });
  json(response, { jsonrpc: "2.0", id, result: { ...(isModern && { resultType: "complete" }), ...result } });
}

function json(response, body) {
  const text = JSON.stringify(body);
  response.writeHead(200, { "content-type": "application/json", "content-length": text.length }).end(text);
}

// A connection that is closed while a request is on its way would be an error that no gateway causes.
server.keepAliveTimeout = 0;
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
