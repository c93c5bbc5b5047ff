// The redirect URI of `make whoami`: one page on a free loopback port (RFC 8252 §7.3).

import { createServer } from "node:http";

const PAGE = (title, text) => `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${title}</title>
<style>
  :root { color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif }
  body { max-width: 28rem; margin: 20vh auto; padding: 0 1.5rem }
  h1 { font-size: 1.25rem }
</style>
<h1>${title}</h1>
<p>${text}</p>
</html>
`;

const SIGNED_IN = PAGE("You are signed in", "Go back to the terminal; this page can be closed.");
const REFUSED = PAGE("You are not signed in", "The terminal says why; this page can be closed.");

/**
 * @typedef {object} Callback
 * @property {string} url  the redirect address
 * @property {Promise<URLSearchParams>} parameters  of the first visit
 * @property {() => void} close
 */

/** @returns {Promise<Callback>} */
export function receiveCallback() {
  return new Promise((resolve, reject) => {
    const { promise: parameters, resolve: receive } = Promise.withResolvers();
    const server = createServer((request, response) => {
      const { pathname, searchParams } = new URL(request.url, "http://callback");
      if (pathname !== "/callback") return response.writeHead(404).end();
      response.writeHead(200, {
        "content-type": "text/html; charset=utf-8",
        "cache-control": "no-store",
        "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'",
        "referrer-policy": "no-referrer",
        connection: "close",
      });
      response.end(searchParams.has("code") ? SIGNED_IN : REFUSED, () => receive(searchParams));
    });
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const close = () => {
        server.close();
        server.closeAllConnections();
      };
      resolve({ url: `http://127.0.0.1:${server.address().port}/callback`, parameters, close });
    });
  });
}
