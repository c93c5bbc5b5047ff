// An MCP server that is a Worker, for a service binding. It answers a call with what it has received, or as the argument
// `how` says.

const VERSION = "2026-07-28";

// Of all streams: how many events were written. It stands still when the last one has ended.
let events = 0;

const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

const json = (status, body, headers = {}) => Response.json(body, { status, headers: { ...FOREIGN, ...headers } });

const FOREIGN = { "set-cookie": "a=b", "www-authenticate": "Basic", "access-control-allow-origin": "https://elsewhere.example" };

export default {
  async fetch(request) {
    if (request.method !== "POST") return new Response(null, { status: 405 });
    const message = await request.json();
    const { id, method, params } = message;
    const result = (value) => ({ jsonrpc: "2.0", id, result: { resultType: "complete", ...value } });
    const hints = { ttlMs: 0, cacheScope: "private" };
    const agreed = { capabilities: { tools: {} }, serverInfo: { name: "bound", version: "1" } };
    switch (method) {
      case "initialize":
        return json(200, result({ protocolVersion: "2025-11-25", ...agreed }), { "mcp-session-id": "of-the-worker" });
      case "server/discover":
        return json(200, result({ supportedVersions: [VERSION], ...agreed, ...hints }));
      case "tools/list":
        return json(200, result({ tools: ["search", "delete"].map((name) => ({ name, inputSchema: { type: "object" } })), ...hints }));
      case "tools/call":
        return call(request, message, params.arguments.how, result);
      default:
        return new Response(null, { status: 202 });
    }
  },
};

function call(request, message, how, result) {
  const received = { url: request.url, headers: Object.fromEntries(request.headers), message, events };
  switch (how) {
    case "throws":
      throw new Error("the words of the bound Worker");
    case "stays silent":
      return pause(30_000).then(() => json(200, result({})));
    case "redirects":
      return json(307, {}, { location: "https://elsewhere.example/" });
    case "redirects to itself":
      return json(302, {}, { location: "/mcp" });
    case "answers HTML":
      return new Response("<html>", { headers: { "content-type": "text/html" } });
    case "streams":
      return stream(3, result({ content: [] }));
    case "streams without end":
      return stream(Infinity);
    // No connection between the two makes it true.
    case "announces less":
    case "announces far less": {
      const text = "a".repeat(how === "announces less" ? 1_000 : 10_000_000);
      return json(200, result({ content: [{ type: "text", text }] }), { "content-length": "100" });
    }
    default:
      if (/^answers \d+$/.test(how)) return json(Number(how.slice(8)), { error: "the words of the bound Worker" });
      return json(200, result({ content: [], structuredContent: received }));
  }
}

function stream(count, last) {
  const { readable, writable } = new TransformStream();
  const writer = writable.getWriter();
  const write = (message) => writer.write(new TextEncoder().encode(`event: message\ndata: ${JSON.stringify(message)}\n\n`));
  const writeAll = async () => {
    for (let progress = 1; progress <= count; progress += 1) {
      await write({ jsonrpc: "2.0", method: "notifications/progress", params: { progressToken: 1, progress } });
      events += 1;
      await pause(20);
    }
    await write(last);
    await writer.close();
  };
  writeAll().catch(() => {});
  return new Response(readable, { headers: { ...FOREIGN, "content-type": "text/event-stream" } });
}
