// Cloudflare's `agents`, which wraps the handler of the TypeScript SDK (Host and Origin checks, CORS, another path for
// the era with a handshake). It does not verify tokens of another issuer, so this is done as with the SDK itself.

import { createMcpHandler } from "agents/mcp/server";
import { authenticate, publicDocument } from "./bearer.js";
import { createServer } from "./sdk-server.js";

const handler = createMcpHandler(createServer);

export default {
  async fetch(request) {
    const document = publicDocument(request);
    if (document !== undefined) return document;
    const authInfo = await authenticate(request);
    if (authInfo instanceof Response) return authInfo;
    return handler.fetch(request, { authInfo });
  },
};
