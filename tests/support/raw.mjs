// Requests that no HTTP library would send: bytes as they are, over a connection of their own.

import { connect } from "node:net";

/**
 * Sends bytes and gives the status of the answer, or `undefined` if the connection was closed without one.
 * @param {{port: number}} worker
 * @param {(string | Buffer)[]} parts  texts are sent as Latin-1, one byte for each character
 * @param {{andNoMore?: boolean}} [options]  closes the sending side: the server need not wait for the rest
 * @returns {Promise<number | undefined>}
 */
export function sendBytes({ port }, parts, { andNoMore = false } = {}) {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    let received = "";
    socket.setEncoding("latin1");
    socket.on("data", (chunk) => {
      received += chunk;
      const status = /^HTTP\/1\.1 (\d{3})/.exec(received)?.[1];
      // The rest of the answer does not matter; a server that waits for more of the request need not be waited for.
      if (status !== undefined) {
        resolve(Number(status));
        socket.destroy();
      }
    });
    // A server may close while it is still being written to.
    socket.on("error", () => resolve(undefined));
    socket.on("close", () => resolve(undefined));
    for (const part of parts) socket.write(typeof part === "string" ? Buffer.from(part, "latin1") : part);
    if (andNoMore) socket.end();
  });
}

/** A POST to the endpoint with these lines in its head. */
export function postBytes(worker, lines, body = "") {
  const bytes = Buffer.isBuffer(body) ? body : Buffer.from(body);
  const head = ["POST /mcp HTTP/1.1", "Host: 127.0.0.1", "Connection: close", `Content-Length: ${bytes.length}`, ...lines];
  return sendBytes(worker, [`${head.join("\r\n")}\r\n\r\n`, bytes]);
}
