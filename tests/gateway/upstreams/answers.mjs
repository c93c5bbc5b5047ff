// What the hostile upstream answers: each returns a function for `HostileUpstream.on`.

import { once } from "node:events";
import { brotliCompressSync, gzipSync } from "node:zlib";

const MEGABYTE = 1024 * 1024;
const JSON_TYPE = { "content-type": "application/json" };
const STREAM_TYPE = { "content-type": "text/event-stream" };

/** These headers, status and body. Without a body the honest one. */
export const answer = ({ status = 200, headers = {}, type = "application/json", body } = {}) =>
  ({ response, honest }) =>
    response.writeHead(status, { "content-type": type, ...headers }).end(body ?? JSON.stringify(honest));

/** The honest response with another result, or another id. */
export const changed = (change) =>
  ({ response, honest }) => response.writeHead(200, JSON_TYPE).end(JSON.stringify({ ...honest, ...change(honest) }));

/** Nothing, for ever. */
export const silent = () => () => {};

/** A head, and then nothing for ever. */
export const headOnly = (headers = STREAM_TYPE) => ({ response }) => response.writeHead(200, headers).flushHeaders();

/** A head that announces a small body, of which only the beginning ever comes. */
export const stalled = ({ response, honest }) => {
  const body = JSON.stringify(honest);
  response.writeHead(200, { ...JSON_TYPE, "content-length": body.length }).write(body.slice(0, 20));
};

/** So many megabytes of one JSON text, as fast as they are taken. */
export const flood = (megabytes, headers = JSON_TYPE) =>
  async ({ request, response, message }) => {
    response.writeHead(200, headers);
    response.write(`{"jsonrpc":"2.0","id":${JSON.stringify(message.id)},"result":{"content":[{"type":"text","text":"`);
    const chunk = Buffer.alloc(MEGABYTE, "a");
    for (let sent = 0; sent < megabytes && !response.destroyed; sent += 1) {
      request.sent += chunk.length;
      // A closed connection never drains.
      if (!response.write(chunk)) await Promise.race([once(response, "drain"), once(response, "close")]);
    }
    response.end('"}]}}');
  };

/** The honest response behind so many megabytes of blanks, compressed. */
export const gzipBomb = (megabytes) =>
  ({ response, honest }) => {
    const body = gzipSync(Buffer.concat([Buffer.alloc(megabytes * MEGABYTE, " "), Buffer.from(JSON.stringify(honest))]));
    response.writeHead(200, { ...JSON_TYPE, "content-encoding": "gzip", "content-length": body.length }).end(body);
  };

const CODERS = { gzip: gzipSync, br: brotliCompressSync };

/** So many megabytes of blanks, compressed to what is announced as a small body. */
export function bomb(megabytes, coding) {
  const body = CODERS[coding](Buffer.alloc(megabytes * MEGABYTE, " "));
  return ({ response }) =>
    response.writeHead(200, { ...JSON_TYPE, "content-encoding": coding, "content-length": body.length }).end(body);
}

/** So many megabytes of blanks, in chunks that nothing announces but `content-length`, which says that there are few. */
export const underestimated = (megabytes) =>
  async ({ response: { socket } }) => {
    socket.write("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 100\r\ntransfer-encoding: chunked\r\n\r\n");
    const chunk = Buffer.concat([Buffer.from(`${MEGABYTE.toString(16)}\r\n`), Buffer.alloc(MEGABYTE, " "), Buffer.from("\r\n")]);
    for (let sent = 0; sent < megabytes && !socket.destroyed; sent += 1) {
      if (!socket.write(chunk)) await Promise.race([once(socket, "drain"), once(socket, "close")]);
    }
    socket.end("0\r\n\r\n");
  };

/** A part of the honest response, and the end of the connection. */
export const breakOff = (headers = JSON_TYPE) =>
  ({ response, honest }) => {
    response.writeHead(200, headers);
    response.write(JSON.stringify(honest).slice(0, 20));
    setTimeout(() => response.destroy(), 50);
  };

/** One event. */
export const event = (message) => `event: message\ndata: ${JSON.stringify(message)}\n\n`;

/**
 * An event stream that a test writes.
 * @param {(stream: {send: (message: object) => void, raw: (text: string) => void, end: () => void}, exchange: object) => unknown} write
 */
export const stream = (write = () => {}) =>
  async (exchange) => {
    const { response } = exchange;
    response.writeHead(200, STREAM_TYPE).flushHeaders();
    const send = (message) => response.write(event(message));
    await write({ send, raw: (text) => response.write(text), end: () => response.end() }, exchange);
  };

/** An event stream with these messages before the honest response. */
export const streamed = (...messages) =>
  stream(({ send, end }, { honest }) => {
    for (const message of messages) send(message);
    send(honest);
    end();
  });

/** Headers that no client may see. */
export const FOREIGN_HEADERS = {
  "set-cookie": ["a=b; Path=/", "c=d"],
  location: "https://elsewhere.example/",
  "www-authenticate": 'Bearer resource_metadata="https://elsewhere.example/"',
  "access-control-allow-origin": "https://elsewhere.example",
  "access-control-allow-credentials": "true",
  "access-control-expose-headers": "x-secret",
  "cache-control": "public, max-age=3600",
  etag: '"1"',
  "retry-after": "5",
  server: "upstream/1.0",
  "strict-transport-security": "max-age=1",
  "x-powered-by": "upstream",
  "x-secret": "secret",
  link: "<https://elsewhere.example/>; rel=preload",
};
