// Routes requests: to the engine below /oidc, to the pages below /interaction.

import { applyCors } from "./cors.mjs";
import { errorPage, PAGE_HEADERS } from "./pages.mjs";

/** The path of the issuer, as at Logto, without a slash at the end. */
export const ISSUER_PATH = "/oidc";

/**
 * @param {object} parts
 * @param {(request, response) => void} parts.engine
 * @param {(path: string, request, response) => Promise<boolean>} parts.interactions
 * @param {(request, response) => Promise<boolean>} parts.routes  asked first; answers a request or changes its URL
 * @param {string} parts.host  host name of the issuer
 * @param {(message: string) => void} parts.log
 */
export function createRequestHandler({ engine, interactions, routes, host, log }) {
  const ownNames = new Set(["localhost", "127.0.0.1", "[::1]", host]);

  return async function handle(request, response) {
    try {
      await route(request, response);
    } catch (error) {
      log(`server error: ${error.stack}`);
      if (!response.headersSent) response.writeHead(500, PAGE_HEADERS);
      response.end(SERVER_ERROR_PAGE);
    }
  };

  async function route(request, response) {
    // A web page can make its own host name resolve to this machine (DNS rebinding) and so reach a loopback
    // port. The Host header shows that name.
    if (!ownNames.has(hostName(request))) return response.writeHead(421).end();
    if (await routes(request, response)) return undefined;
    const [pathname] = request.url.split("?");
    if (pathname === "/favicon.ico") return response.writeHead(204).end();
    if (pathname.startsWith(`${ISSUER_PATH}/`)) {
      if (applyCors(pathname.slice(ISSUER_PATH.length), request, response)) return undefined;
      return engine(mounted(request), response);
    }
    if (await interactions(pathname, request, response)) return undefined;
    return response.writeHead(404, PAGE_HEADERS).end(NOT_FOUND_PAGE);
  }
}

function hostName(request) {
  return URL.parse(`http://${request.headers.host}`)?.hostname;
}

// The engine compares the two URLs to find its mount path, as in Express.
function mounted(request) {
  request.originalUrl = request.url;
  request.url = request.url.slice(ISSUER_PATH.length);
  return request;
}

const NOT_FOUND_PAGE = errorPage({
  title: "Not found",
  explanation: "This is the development identity provider. Clients send you to its sign-in page.",
  advice: `Its discovery document is at ${ISSUER_PATH}/.well-known/openid-configuration.`,
});

const SERVER_ERROR_PAGE = errorPage({
  title: "The request failed",
  explanation: "The provider failed; the reason is in its log.",
  advice: "Go back to the client and start again.",
});
