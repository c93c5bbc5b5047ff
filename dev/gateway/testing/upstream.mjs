// An MCP server for tests: lists as raw text, in both eras or one.

import { createServer } from "node:http";
import { once } from "node:events";

const MODERN = "2026-07-28";
const LEGACY = "2025-11-25";

const CAPABILITIES = { tools: {}, prompts: {}, resources: {} };

/**
 * @param {object} [options]
 * @param {string} [options.name]
 * @param {("modern" | "legacy")[]} [options.eras]
 * @param {Record<string, string[][]>} [options.lists]  member of the result → pages → entries as JSON text
 * @param {boolean} [options.isStream]  answers with event streams
 * @param {(request: import("node:http").IncomingMessage, response: import("node:http").ServerResponse) => boolean} [options.refuse]
 *   whether it has answered the request itself
 * @param {number} [options.port]
 */
export async function startUpstream({ name = "notes", eras = ["legacy"], lists = {}, isStream = false, refuse = () => false, port = 0 } = {}) {
  const requests = [];
  const server = createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request.setEncoding("utf8")) body += chunk;
    requests.push({ method: request.method, headers: request.headers, body });
    if (refuse(request, response)) return;
    if (request.method !== "POST") return void response.writeHead(405).end();
    const message = JSON.parse(body);
    if (message.id === undefined) return void response.writeHead(202).end();
    const isModern = request.headers["mcp-protocol-version"] === MODERN;
    const text = answer(message, { name, eras, lists, isModern });
    const status = text.includes('"error"') && isModern ? 400 : 200;
    response.writeHead(status, { "content-type": isStream && status === 200 ? "text/event-stream" : "application/json" });
    // An event stream stays open: the response is in its second event.
    if (isStream && status === 200) return void response.write(`: hello\n\nevent: message\ndata: ${text}\n\n`);
    response.end(text);
  });
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${server.address().port}/mcp`,
    port: server.address().port,
    requests,
    stop: () => new Promise((resolve) => (server.close(resolve), server.closeAllConnections())),
  };
}

function answer({ id, method, params }, { name, eras, lists, isModern }) {
  const head = `{"jsonrpc":"2.0","id":${JSON.stringify(id)}`;
  const error = (code, message, data) => `${head},"error":${JSON.stringify({ code, message, data })}}`;
  const result = (members) => `${head},"result":{${members}}}`;
  const info = JSON.stringify({ name, version: "1.2.3" });
  const capabilities = `"capabilities":${JSON.stringify(CAPABILITIES)}`;
  if (isModern && !eras.includes("modern")) return error(-32022, "Unsupported protocol version", { supported: [LEGACY], requested: MODERN });
  const complete = isModern ? '"resultType":"complete","ttlMs":0,"cacheScope":"public",' : "";
  if (method === "server/discover" && isModern) return result(`${complete}"supportedVersions":["${MODERN}"],${capabilities},"_meta":{"io.modelcontextprotocol/serverInfo":${info}}`);
  if (method === "initialize" && eras.includes("legacy")) return result(`"protocolVersion":"${LEGACY}",${capabilities},"serverInfo":${info}`);
  const member = { "tools/list": "tools", "prompts/list": "prompts", "resources/list": "resources", "resources/templates/list": "resourceTemplates" }[method];
  if (member === undefined || !(isModern || eras.includes("legacy"))) return error(-32601, "Method not found");
  const pages = lists[member] ?? [[]];
  const page = Number(params?.cursor ?? 0);
  const next = page + 1 < pages.length ? `,"nextCursor":"${page + 1}"` : "";
  return result(`${complete}"${member}":[${pages[page].join(",")}]${next}`);
}
