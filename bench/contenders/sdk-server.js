// The MCP server of the contenders that are built on the TypeScript SDK: `whoami`, or fifty tools.

import { env } from "cloudflare:workers";
import { McpServer } from "@modelcontextprotocol/server";
import * as z from "zod";
import { fiftyTools } from "./fifty-tools.js";

const identity = z.object({
  sub: z.string(),
  issuer: z.string(),
  client_id: z.string(),
  client_party: z.enum(["first", "third"]),
  kind: z.enum(["user", "machine"]),
  credential: z.literal("access_token"),
  scopes: z.array(z.string()),
  expires_at: z.int(),
});

const whoami = {
  title: "Who am I",
  description: "Tells who is signed in: the identity that the user agreed to share with this client.",
  inputSchema: z.object({}),
  outputSchema: identity,
  annotations: { readOnlyHint: true, openWorldHint: false },
};

/** Creates a server for one request, as the SDK requires. */
export function createServer() {
  const server = new McpServer({ name: "bench", version: "1.0.0" });
  if (env.TOOLS === "fifty") {
    for (const { name, ...tool } of fiftyTools) server.registerTool(name, tool, () => ({ content: [] }));
  } else {
    server.registerTool("whoami", whoami, (_, { http }) => answer(http.authInfo));
  }
  return server;
}

function answer({ clientId, scopes, expiresAt, extra }) {
  const structuredContent = {
    sub: extra.sub,
    issuer: extra.iss,
    client_id: clientId,
    client_party: "third",
    kind: extra.sub === clientId ? "machine" : "user",
    credential: "access_token",
    scopes,
    expires_at: expiresAt,
  };
  return { content: [{ type: "text", text: JSON.stringify(structuredContent) }], structuredContent };
}
