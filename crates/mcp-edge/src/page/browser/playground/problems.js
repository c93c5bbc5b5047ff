// The errors of the playground: what happened, and what to do.
//
// The readers are users who try the server and operators who set it up, so an error may have advice for both.

/** An error with its explanation for the user. */
export class Problem extends Error {
  /**
   * @param {string} title        what happened, in a few words
   * @param {string} explanation  what that means
   * @param {string} advice       what to do
   * @param {{retry?: string, scopes?: string[]}} [options]
   *   label of a button that signs in (again), if that may help, and the scopes that it requests
   */
  constructor(title, explanation, advice, options) {
    super(title);
    Object.assign(this, { title, explanation, advice }, options);
  }
}

const AGAIN = { retry: "Sign in again" };
const RETRY = { retry: "Try again" };

// Many errors can only be fixed by the operator.
const operator = (advice) => `If you run this server: ${advice}`;

const REGISTER = operator("register RESOURCE as an API resource at the provider, byte for byte.");

const said = (text) => (text ? ` It says: ${text}.` : "");

// --- before the sign-in ------------------------------------------------------------------------------------------

export const serverUnreachable = (url) =>
  new Problem("The server did not respond", `The browser could not reach ${url}.`, "Check your connection.", RETRY);

export const notProtected = (status) =>
  new Problem(
    "The server did not ask for a sign-in",
    `It answered ${status}, not 401 with a challenge that names its metadata.`,
    operator("exempt this host from bot checks and login pages."),
    RETRY,
  );

export const otherResource = (expected, found) =>
  new Problem(
    "The metadata belongs to another server",
    `It must name a provider, and the resource ${expected}. It names ${found}.`,
    operator("RESOURCE must be its URL, byte for byte."),
  );

export const providerUnreachable = (issuer) =>
  new Problem(
    "The identity provider cannot be reached",
    `${issuer} returned no metadata. It may be down, or not let pages read it (CORS).`,
    operator("check ISSUER."),
    RETRY,
  );

export const otherIssuer = (expected, found) =>
  new Problem(
    "The provider has another issuer name",
    `This server trusts ${expected}; its metadata names ${found}.`,
    operator("ISSUER must be exactly that name, including any slash at its end."),
  );

export const notUsable = (issuer) =>
  new Problem(
    "The provider does not support this sign-in",
    `The metadata of ${issuer} lacks an endpoint, or PKCE with S256.`,
    operator("turn on PKCE at the provider."),
  );

export const popupBlocked = () =>
  new Problem(
    "Your browser blocked the sign-in window",
    "It opens windows only for pages that you allow.",
    "Open the sign-in page here. This page continues when you have signed in.",
  );

// --- responses of the provider ------------------------------------------------------------------------------------

export const refused = (error, description) => (REFUSALS[error] ?? otherRefusal)(said(description), error);

export const unclaimed = () =>
  new Problem(
    "An unexpected response was received",
    "It belongs to no sign-in of this page, so it was not used. It may be meant to sign you in as someone else.",
    "Continue in the other window, or cancel.",
  );

export const mixedUp = (expected, found) =>
  new Problem(
    "The response came from another provider",
    `Its issuer must be ${expected}, and is ${found ?? "missing"}. The code in it was not used.`,
    operator("check ISSUER."),
    RETRY,
  );

export const tokenUnreachable = (url, provider) =>
  new Problem(
    "The token could not be fetched",
    new URL(url).origin === provider
      ? `${url} is down, or does not let this page read it (CORS).`
      : `${url} is not at ${provider}, where this page may send requests.`,
    operator("allow this origin for the playground’s application."),
    RETRY,
  );

// --- refusals by this server --------------------------------------------------------------------------------------

export const expired = () =>
  new Problem("Your sign-in has expired", "Access tokens are valid for a limited time.", "Sign in again to continue.", AGAIN);

const opaque = () =>
  new Problem(
    "The token names no server",
    "It is opaque, no JWT: the provider ignored the resource parameter.",
    REGISTER,
    AGAIN,
  );

export const wrongAudience = (resource, audience) =>
  new Problem(
    "The token is for another server",
    `Its audience is ${audience}; this server accepts ${resource}.`,
    operator("register RESOURCE as the API resource, byte for byte, or set AUDIENCE."),
    AGAIN,
  );

export const rejected = (description) =>
  new Problem("The server did not accept the token", `${description ?? "It gave no reason"}.`, operator("its log names the reason."), AGAIN);

export const missingScopes = (scopes) =>
  new Problem(
    "More access is needed",
    `This needs ${scopes.join(" and ")}, which you have not allowed yet.`,
    "Sign in again and allow it. If you are not asked, your account lacks the permission.",
    { retry: "Sign in and allow it", scopes },
  );

export const forbidden = (description) =>
  new Problem(
    "The server does not allow this page",
    `${description ?? "It gave no reason"}.`,
    operator("check ALLOWED_CLIENTS, DENIED_CLIENTS and ALLOWED_ORIGINS."),
  );

export const later = (status, seconds) =>
  new Problem(
    status === 429 ? "Too many failed attempts" : "The server cannot check tokens right now",
    status === 429 ? "It refuses your address for a while." : "It cannot reach the identity provider. Your token may be valid.",
    `Try again in ${Number(seconds) > 0 ? `${seconds} seconds` : "a moment"}.`,
    RETRY,
  );

export const failed = (status) =>
  new Problem("The server failed", `It responded with status ${status}.`, operator("its log has the details."), RETRY);

const INTERNAL_ERROR = -32603;

export const rpc = ({ code, message }) => {
  const said = `${message} (code ${code}).`;
  const problem =
    code === INTERNAL_ERROR
      ? new Problem("The server failed", said, operator("its log has the details."), RETRY)
      : new Problem("The server refused the call", said, "Change the values, then call again.");
  return Object.assign(problem, { code });
};

export const noResult = (status) =>
  new Problem(
    "The response ended without a result",
    `It ended early, with status ${status}.`,
    "Call again. If the access token has expired, sign in again.",
    AGAIN,
  );

export const noCommonRevision = (revisions) =>
  new Problem(
    "The server speaks other revisions of MCP",
    `This page does not know ${[revisions].flat().join(" or ") || "any"}.`,
    operator("update it."),
  );

export const unexpected = (error) => new Problem("This did not work", String(error?.message ?? error), "Try again.", RETRY);

const client = (text) =>
  new Problem(
    "The provider does not accept this page as a client",
    `It is not registered, or not as a public client with this redirect URI.${text}`,
    operator("PLAYGROUND_CLIENT_ID must be a public client with the redirect URI /playground/callback of this origin."),
    RETRY,
  );

const REFUSALS = {
  access_denied: (text) =>
    new Problem(
      "Access was not allowed",
      `Nothing was shared.${text}`,
      "If you were not asked, your account may lack the permission.",
      AGAIN,
    ),
  invalid_target: (text) =>
    new Problem(
      "The provider does not know this server",
      `It issues no tokens for the requested URL.${text}`,
      REGISTER,
      RETRY,
    ),
  invalid_scope: (text) =>
    new Problem(
      "The provider refused a scope",
      `The playground’s application may not request all of them.${text}`,
      operator("grant them to the application at the provider."),
      RETRY,
    ),
  invalid_grant: (text) =>
    new Problem("The code was not accepted", `It may have expired.${text}`, "Sign in again.", AGAIN),
  unauthorized_client: client,
  invalid_client: client,
};

const otherRefusal = (text, error) =>
  new Problem("The provider refused", `Its reason is ${error}.${text}`, "Try again, or ask the operator.", RETRY);

/**
 * Returns the problem for a refusal by this server.
 * @param {import("./exchange.js").Answer} answer
 * @param {object} context
 * @param {string} context.resource
 * @param {string} context.token
 * @param {Record<string, string> | undefined} context.challenge
 * @param {boolean} context.isFresh  whether the token has never been accepted
 */
export function refusalBy({ status, headers, json }, { resource, token, challenge, isFresh }) {
  const description = challenge?.error_description ?? json?.error_description;
  switch (status) {
    case 401:
      return tokenRefused(token, { resource, description, isFresh });
    case 403:
      return challenge?.error === "insufficient_scope"
        ? missingScopes((challenge.scope ?? "").split(" ").filter(Boolean))
        : forbidden(description);
    case 429:
    case 503:
      return later(status, headers.get("retry-after"));
    default:
      return failed(status);
  }
}

// Reads the token only to explain the refusal; the claims are not verified.
function tokenRefused(token, { resource, description, isFresh }) {
  const claims = claimsOf(token);
  if (isExpired(claims) || /expired/.test(description)) return expired();
  if (claims === undefined) return isFresh ? opaque() : expired();
  const audience = [claims.aud].flat();
  return audience.includes(resource)
    ? rejected(description)
    : wrongAudience(resource, audience.filter(Boolean).join(", ") || "missing");
}

const isExpired = (claims) => claims?.exp * 1000 < Date.now();

/** Returns the claims in a JWT, unverified; `undefined` for any other token. */
function claimsOf(token) {
  try {
    const [, payload] = token.split(".");
    // Other characters than those of ASCII become wrong, but nothing that is read here has any.
    return JSON.parse(atob(payload.replace(/-/g, "+").replace(/_/g, "/")));
  } catch {
    return undefined;
  }
}
