// The cost of the runtime for a request that is passed on: it verifies nothing and reads nothing.

import { env } from "cloudflare:workers";

const PASSED = ["content-type", "accept", "mcp-protocol-version", "mcp-method", "mcp-name"];

export default {
  fetch(request) {
    const headers = {};
    for (const name of PASSED) {
      const value = request.headers.get(name);
      if (value !== null) headers[name] = value;
    }
    return fetch(env.UPSTREAM, { method: "POST", headers, body: request.body });
  },
};
