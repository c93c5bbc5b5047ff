// A reverse proxy on loopback that adds a token, for clients that cannot send one.
//
// It adds `Authorization` if the request has none. Everything else is unchanged: method, path, all headers with their
// case, order and repetitions (`Host` and `Origin` included), bodies as streams, and the end of a connection by either
// side.

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
  // The suite reuses connections, so they must not time out.
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
    // Sends the headers of an event stream before its first event.
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
