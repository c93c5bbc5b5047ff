// Cross-origin access for clients in a browser: allowed on the endpoints for programs, as at Logto, and not
// on pages.

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
 * Sets the headers for an endpoint, given as its path below the issuer. Returns `true` if the request was a
 * preflight, which is then answered. The engine does not change existing headers.
 */
export function applyCors(path, request, response) {
  if (!OPEN_PATHS.includes(path)) return false;

  // Credentials are not allowed, so any origin may read the response.
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
