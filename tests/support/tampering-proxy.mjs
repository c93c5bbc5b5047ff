// A reverse proxy on loopback in place of the software in front of a server. It forwards requests unchanged except for
// what a test sets.

import { once } from "node:events";
import { createServer, request as httpRequest } from "node:http";

/**
 * @typedef {object} Tampering
 * @property {(request: import("node:http").IncomingMessage) => Reply | undefined} [instead]
 *   returns a response in place of the server's; `undefined` forwards the request
 * @property {(headers: Record<string, string | string[]>) => void} [headers]  changes the headers of answers
 *
 * @typedef {{status: number, headers?: Record<string, string>, body?: string}} Reply
 */

/**
 * Starts the proxy. It forwards all requests unchanged until `tampering` is set.
 * @param {{port: number, to: () => number}} options  where to listen, and the port of the server
 * @returns {Promise<{tampering: Tampering, close: () => Promise<void>}>}
 */
export async function startTamperingProxy({ port, to }) {
  const proxy = { tampering: {}, close };
  const server = createServer((request, response) => {
    const reply = proxy.tampering.instead?.(request);
    if (reply !== undefined) return response.writeHead(reply.status, reply.headers).end(reply.body);
    return forward(request, response, { to: to(), tampering: proxy.tampering });
  });
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  return proxy;

  async function close() {
    const closed = once(server, "close");
    server.close();
    server.closeAllConnections();
    await closed;
  }
}

function forward(request, response, { to, tampering }) {
  const { method, url: path, headers } = request;
  const onward = httpRequest({ host: "127.0.0.1", port: to, method, path, headers, agent: false });
  onward.once("response", (answer) => {
    const changed = { ...answer.headers };
    tampering.headers?.(changed);
    response.writeHead(answer.statusCode, changed);
    answer.pipe(response);
  });
  onward.on("error", () => response.destroy());
  request.pipe(onward);
}
