// An internet on this machine: names such as `calendar.example`, each with a server behind it, reached with https as far as
// Workers, servers and browsers can tell. Nothing is encrypted.
//
// A Worker's requests come through a proxy (its option `outbound`); tests and the servers use `fetch` of what this starts.

import { createServer, request as httpRequest } from "node:http";

// What undici and proxies add, and what belongs to one connection.
const OF_CONNECTION = new Set(["connection", "proxy-connection", "keep-alive", "transfer-encoding", "content-length", "host"]);

/**
 * Starts it.
 * @param {Record<string, number>} ports  of the servers, by their host names; may be changed
 * @returns {Promise<Internet>}
 *
 * @typedef {object} Internet
 * @property {number} port  of the proxy
 * @property {typeof fetch} fetch
 * @property {{method: string, host: string, path: string, userAgent?: string}[]} requests  that came through the proxy
 * @property {() => Promise<void>} close
 */
export async function startInternet(ports) {
  const requests = [];

  /** Sends a request to the server of a host. */
  function send({ method, url, headers, body }) {
    const own = Object.fromEntries(Object.entries(headers).filter(([name]) => !OF_CONNECTION.has(name.toLowerCase())));
    return new Promise((resolve, reject) => {
      const port = ports[url.hostname];
      if (port === undefined) return reject(new Error(`there is no ${url.hostname}`));
      const options = {
        host: "127.0.0.1",
        port,
        method,
        path: `${url.pathname}${url.search}`,
        headers: { ...own, host: url.host, "x-forwarded-proto": "https" },
      };
      const request = httpRequest(options, async (response) => {
        const chunks = await response.toArray();
        resolve({ status: response.statusCode, headers: response.rawHeaders, body: Buffer.concat(chunks) });
      });
      request.once("error", reject);
      request.end(body);
    });
  }

  // A proxy is sent whole URLs, and by workerd nothing else that names the host.
  const server = createServer({ requireHostHeader: false }, async (request, response) => {
    const { method, headers } = request;
    const url = new URL(request.url);
    requests.push({ method, host: url.hostname, path: url.pathname, userAgent: headers["user-agent"] });
    try {
      const answer = await send({ method, url, headers, body: Buffer.concat(await request.toArray()) });
      response.writeHead(answer.status, answer.headers).end(answer.body);
    } catch {
      response.writeHead(502).end();
    }
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));

  return {
    port: server.address().port,
    requests,

    async fetch(input, { method = "GET", headers = {}, body } = {}) {
      const sent = body instanceof URLSearchParams ? { "content-type": "application/x-www-form-urlencoded" } : {};
      const own = { ...sent, ...Object.fromEntries(new Headers(headers)) };
      const answer = await send({ method, url: new URL(input), headers: own, body: body?.toString() });
      const pairs = answer.headers.flatMap((name, index, all) => (index % 2 === 0 ? [[name, all[index + 1]]] : []));
      return new Response(answer.body.length === 0 ? null : answer.body, { status: answer.status, headers: pairs });
    },

    close: () => new Promise((resolve) => (server.close(resolve), server.closeAllConnections())),
  };
}
