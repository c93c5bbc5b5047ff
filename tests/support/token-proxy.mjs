// A reverse proxy on loopback that signs requests in: for clients that cannot send a token.
//
// It adds `Authorization` where there is none. Everything else passes as it is: method, path, all headers with their
// case, order and repetitions (`Host` and `Origin` included), bodies byte by byte as they come, and the end of a
// connection, whichever side ends it.

import { once } from "node:events";
import { createServer, request as httpRequest } from "node:http";

/**
 * @param {object} options
 * @param {number} options.port  where to listen
 * @param {number} options.to    the port of the Worker
 * @param {string} options.token
 * @returns {Promise<{close: () => Promise<void>}>}
 */
export async function startTokenProxy({ port, to, token }) {
  const server = createServer((request, response) => forward(request, response, { to, token }));
  // The suite keeps connections for later use; none may be cut just when it uses one.
  server.keepAliveTimeout = 0;
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  return {
    async close() {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

function forward(request, response, { to, token }) {
  const headers = [...request.rawHeaders];
  if (request.headers.authorization === undefined) headers.push("Authorization", `Bearer ${token}`);
  // Headers as a list are sent as they are; `agent: false` gives each request a connection of its own, which ends with
  // it, so that the Worker sees a client that goes away.
  const onward = httpRequest({
    host: "127.0.0.1",
    port: to,
    method: request.method,
    path: request.url,
    headers,
    agent: false,
  });

  onward.once("response", (answer) => {
    response.sendDate = false;
    response.writeHead(answer.statusCode, answer.statusMessage, answer.rawHeaders);
    // An event stream may have nothing to say for a while; its head is due at once.
    response.flushHeaders();
    answer.on("error", () => response.destroy());
    answer.pipe(response);
  });
  onward.on("error", () => {
    if (response.headersSent || response.destroyed) response.destroy();
    else response.writeHead(502).end();
  });
  response.once("close", () => {
    if (!response.writableFinished) onward.destroy();
  });
  request.on("error", () => onward.destroy());
  request.pipe(onward);
}
