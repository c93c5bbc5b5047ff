// The official TypeScript SDK, version 2, with `jose`, as in its documentation.

import { createMcpHandler } from "@modelcontextprotocol/server";
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
