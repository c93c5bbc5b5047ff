// Cross-origin access for clients that run in a browser: open on the endpoints that programs call,
// as at Logto, and absent from the pages that people see.

const OPEN_PATHS = [
  "/.well-known/openid-configuration",
  "/.well-known/oauth-authorization-server",
  "/jwks",
  "/token",
  "/token/introspection",
  "/token/revocation",
  "/me",
  "/reg",
  "/request",
];

const PREFLIGHT_SECONDS = 3600;

/**
 * Sets the headers for an endpoint, given as its path below the issuer. Answers preflights, and says
 * so with `true`. The engine leaves an answer alone that already has such headers.
 */
export function applyCors(path, request, response) {
  if (!OPEN_PATHS.includes(path)) return false;

  // No credentials are ever allowed along, so any origin may read the answer.
  response.setHeader("Access-Control-Allow-Origin", "*");
  const isPreflight = request.method === "OPTIONS" && request.headers["access-control-request-method"];
  if (!isPreflight) {
    response.setHeader("Access-Control-Expose-Headers", "WWW-Authenticate");
    return false;
  }

  response.setHeader("Access-Control-Allow-Methods", "GET,POST");
  response.setHeader("Access-Control-Allow-Headers", request.headers["access-control-request-headers"] ?? "*");
  response.setHeader("Access-Control-Max-Age", PREFLIGHT_SECONDS);
  response.writeHead(204).end();
  return true;
}
