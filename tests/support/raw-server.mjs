// A TCP server for what no HTTP library would send.

import { once } from "node:events";
import { createServer } from "node:net";
import { createServer as createTlsServer } from "node:tls";

/**
 * @typedef {object} Head
 * @property {string} method
 * @property {string} path
 * @property {string[]} headers  the lines
 *
 * Starts a server on loopback that reads one request from each connection.
 * @param {(socket: import("node:net").Socket, head: Head, body: string) => void} respond
 * @param {import("node:tls").TlsOptions} [tls]  for https
 * @returns {Promise<{port: number, requests: {head: Head, body: string}[], close: () => Promise<void>}>}
 */
export async function startRawServer(respond, tls) {
  const requests = [];
  const sockets = new Set();
  const server = tls === undefined ? createServer(accept) : createTlsServer(tls, accept);
  // Clients that do not trust the certificate.
  server.on("tlsClientError", () => {});
  server.on("connection", (socket) => sockets.add(socket.on("error", () => {}).once("close", () => sockets.delete(socket))));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return { port: server.address().port, requests, close };

  function accept(socket) {
    let received = "";
    socket.on("error", () => {});
    socket.setEncoding("latin1").on("data", function read(text) {
      received += text;
      const end = received.indexOf("\r\n\r\n");
      if (end === -1) return;
      const [first, ...headers] = received.slice(0, end).split("\r\n");
      const length = Number(/^content-length: (\d+)$/im.exec(headers.join("\n"))?.[1] ?? 0);
      const body = received.slice(end + 4);
      if (body.length < length) return;
      socket.off("data", read);
      const [method, path] = first.split(" ");
      const head = { method, path, headers };
      requests.push({ head, body });
      respond(socket, head, body);
    });
  }

  async function close() {
    const closed = once(server, "close");
    server.close();
    for (const socket of sockets) socket.destroy();
    await closed;
  }
}
