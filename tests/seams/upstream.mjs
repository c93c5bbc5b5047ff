// The server behind a Worker that passes requests on: it answers as the path says, and reports what has become
// of each request.

import { brotliCompressSync, gzipSync } from "node:zlib";
import { once } from "node:events";
import { createServer } from "node:http";
import { pipeline } from "node:stream/promises";

const MEGABYTE = 1024 * 1024;

/**
 * @typedef {object} Seen
 * @property {string} method
 * @property {string} path
 * @property {import("node:http").IncomingHttpHeaders} headers
 * @property {number} received  bytes of the body so far
 * @property {number} sent      megabytes of the response so far
 * @property {boolean} aborted  whether the connection was closed before the response was complete
 * @property {import("node:http").ServerResponse} response
 *
 * @returns {Promise<{origin: string, seen: Seen[], stop: () => Promise<void>}>}
 */
export async function startUpstream() {
  const seen = [];
  const server = createServer({ maxHeaderSize: 65_536 }, (request, response) => {
    const entry = { method: request.method, path: request.url, headers: request.headers, received: 0, sent: 0, response };
    seen.push(entry);
    response.once("close", () => (entry.aborted = !response.writableFinished));
    answer(request, response, entry).catch(() => response.destroy());
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    origin: `http://127.0.0.1:${server.address().port}`,
    seen,
    stop: () =>
      new Promise((resolve) => {
        server.close(resolve);
        server.closeAllConnections();
      }),
  };
}

async function answer(request, response, entry) {
  const [, what, parameter] = request.url.split("/");
  switch (what) {
    // The same body back, as it arrives.
    case "echo":
      response.writeHead(200, { "content-type": request.headers["content-type"] ?? "text/plain" });
      for await (const chunk of request) {
        entry.received += chunk.length;
        if (!response.write(chunk)) await once(response, "drain");
      }
      return response.end();
    // What has arrived of the request, as JSON.
    case "mirror": {
      const body = Buffer.concat(await request.toArray()).toString();
      const { method, url, headers } = request;
      return response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify({ method, url, headers, body }));
    }
    case "count":
      for await (const chunk of request) entry.received += chunk.length;
      return response.end(`${entry.received}`);
    // So many megabytes, as fast as they are taken.
    case "megabytes":
      response.writeHead(200, { "content-type": "application/octet-stream" });
      return pipeline(megabytes(Number(parameter), entry), response);
    // So many megabytes of events.
    case "events":
      response.writeHead(200, { "content-type": "text/event-stream" });
      return pipeline(megabytes(Number(parameter), entry), response);
    // So many kilobytes, and then nothing more.
    case "stalled":
      response.writeHead(200, { "content-type": "application/json" });
      return response.write(Buffer.alloc(Number(parameter) * 1024, "x"));
    // Events that break off.
    case "broken-events":
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.write("data: 1\n\n");
      return setTimeout(() => response.destroy(), 100);
    // A body in a content coding, or what claims to be in one.
    case "coded": {
      const encode = { gzip: gzipSync, br: brotliCompressSync }[parameter] ?? Buffer.from;
      return response.writeHead(200, { "content-encoding": decodeURIComponent(parameter) }).end(encode("decoded"));
    }
    // Headers of a page on the same origin, and a head that comes before the head.
    case "headers":
      response.writeEarlyHints({ link: "</style.css>; rel=preload" });
      return response
        .writeHead(200, {
          "set-cookie": ["__Host-session=1", "b=2"],
          "www-authenticate": "Bearer",
          location: "https://elsewhere.example/",
          "access-control-allow-origin": "*",
          link: "</a>",
          trailer: "x-late",
        })
        .end("body");
    // Another protocol than was asked for.
    case "upgrade":
      return request.socket.end("HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n");
    // A part of what it announces, or of what has no length.
    case "broken":
      response.writeHead(200, parameter === "length" ? { "content-length": 1000 } : {});
      response.write("a part");
      return setTimeout(() => response.destroy(), 100);
    // These bytes, in hexadecimal digits.
    case "bytes":
      response.writeHead(200, { "content-type": "text/plain" });
      return response.end(Buffer.from(parameter, "hex"));
    // A head; the test writes what follows.
    case "open":
      response.writeHead(200, { "content-type": "text/event-stream", "x-chosen": "chosen", "x-other": "other" });
      return response.flushHeaders();
    // A megabyte for each kilobyte that it announces.
    case "gzip": {
      const compressed = gzipSync(Buffer.alloc(Number(parameter) * MEGABYTE));
      return response
        .writeHead(200, { "content-encoding": "gzip", "content-length": compressed.length })
        .end(compressed);
    }
    case "silent":
      return undefined;
    case "redirect":
      return response.writeHead(307, { location: "https://elsewhere.example/" }).end("there");
    case "status":
      return response.writeHead(Number(parameter), { "x-chosen": "chosen" }).end(parameter === "204" ? undefined : "body");
    case "umlaut":
      return response.writeHead(200, { "x-chosen": Buffer.from("schön", "latin1").toString("latin1") }).end("body");
    default:
      return response.writeHead(404).end();
  }
}

function* megabytes(count, entry) {
  for (; entry.sent < count; entry.sent += 1) yield Buffer.alloc(MEGABYTE, entry.sent);
}
