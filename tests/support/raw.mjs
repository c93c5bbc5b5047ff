// Raw bytes over a new connection, for requests that an HTTP library does not send.

import { connect } from "node:net";

const PATIENCE_MS = 120_000;

/**
 * Sends bytes and returns the status, or `undefined` if the connection was closed without one.
 * @param {{port: number}} worker
 * @param {(string | Buffer)[]} parts  strings are sent as Latin-1, one byte per character
 * @param {{andNoMore?: boolean}} [options]  closes the sending side: the server need not wait for the rest
 * @returns {Promise<number | undefined>}
 * @throws {Error} if nothing happens for two minutes
 */
export function sendBytes({ port }, parts, { andNoMore = false } = {}) {
  return new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1");
    socket.setTimeout(PATIENCE_MS, () => {
      reject(new Error(`no response within ${PATIENCE_MS / 1000} s`));
      socket.destroy();
    });
    let received = "";
    socket.setEncoding("latin1");
    socket.on("data", (chunk) => {
      received += chunk;
      const status = /^HTTP\/1\.1 (\d{3})/.exec(received)?.[1];
      // Does not wait for the rest of the response: the server may wait for more of the request.
      if (status !== undefined) {
        resolve(Number(status));
        socket.destroy();
      }
    });
    // The server may close the connection during a write.
    socket.on("error", () => resolve(undefined));
    socket.on("close", () => resolve(undefined));
    for (const part of parts) socket.write(typeof part === "string" ? Buffer.from(part, "latin1") : part);
    if (andNoMore) socket.end();
  });
}

/** Creates a POST to the endpoint with these header lines. */
export function postBytes(worker, lines, body = "") {
  const bytes = Buffer.isBuffer(body) ? body : Buffer.from(body);
  const head = ["POST /mcp HTTP/1.1", "Host: 127.0.0.1", "Connection: close", `Content-Length: ${bytes.length}`, ...lines];
  return sendBytes(worker, [`${head.join("\r\n")}\r\n\r\n`, bytes]);
}
