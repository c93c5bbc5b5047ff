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
  constructor(title, explanation, advice, { retry, scopes } = {}) {
    super(title);
    Object.assign(this, { title, explanation, advice, retry, scopes });
  }
}

const AGAIN = { retry: "Sign in again" };
const RETRY = { retry: "Try again" };

// Many errors can only be fixed by the operator.
const operator = (advice) => `If you run this server: ${advice}`;

const said = (text) => (text ? ` It says: ${text}.` : "");

// --- before the sign-in ------------------------------------------------------------------------------------------

export const serverUnreachable = (url) =>
  new Problem("The server did not respond", `The browser could not reach ${url}.`, "Check your connection, then try again.", RETRY);

export const notProtected = (status) =>
  new Problem(
    "The server did not ask for a sign-in",
    `A request without a token was answered with ${status}, not with 401 and a challenge that names the metadata.`,
    operator("a bot check or login page in front of it responds instead. Exempt this host."),
    RETRY,
  );

export const otherResource = (expected, found) =>
  new Problem(
    "The metadata belongs to another server",
    `It must name the resource ${expected} and a provider. It names the resource ${found}.`,
    operator("RESOURCE must be the URL of the endpoint, byte for byte."),
  );

export const providerUnreachable = (issuer) =>
  new Problem(
    "The identity provider cannot be reached",
    `${issuer} returned no metadata. It may be down, or not allow web pages to read its metadata (CORS).`,
    `Try again in a moment. ${operator("check ISSUER.")}`,
    RETRY,
  );

export const otherIssuer = (expected, found) =>
  new Problem(
    "The provider has another issuer name",
    `This server trusts ${expected}; the metadata at that URL names ${found}.`,
    operator("set ISSUER to exactly the name in the metadata, including a slash at the end."),
  );

export const notUsable = (issuer) =>
  new Problem(
    "The provider does not support this sign-in",
    `The metadata of ${issuer} lacks an endpoint, or PKCE with S256, which MCP clients require.`,
    operator("turn on PKCE at the provider."),
  );

export const popupBlocked = () =>
  new Problem(
    "Your browser blocked the sign-in window",
    "It opens windows only for pages that you allow.",
    "Open the sign-in page here, or allow pop-ups for this page. This page continues when you have signed in.",
  );

// --- responses of the provider ------------------------------------------------------------------------------------

export const refused = (error, description) => (REFUSALS[error] ?? otherRefusal)(said(description), error);

export const unclaimed = () =>
  new Problem(
    "An unexpected response was received",
    "Its state belongs to no sign-in of this page, so it was not used. It may be old, or an attempt to make you use another account.",
    "Continue in the window that this page has opened, or cancel and start again.",
  );

export const mixedUp = (expected, found) =>
  new Problem(
    "The response came from another provider",
    `Its issuer must be ${expected}, and is ${found ?? "missing"}. The code in it was not used.`,
    `Start again. ${operator("ISSUER must be exactly the issuer in the provider’s metadata.")}`,
    RETRY,
  );

export const tokenUnreachable = (url, provider) =>
  new Problem(
    "The token could not be fetched",
    new URL(url).origin === provider
      ? `${url} is down, or does not allow this page to read its responses (CORS).`
      : `${url} is on another host than the issuer; this page may send requests to ${provider} only.`,
    operator("allow this origin for the playground’s application at the provider."),
    RETRY,
  );

// --- refusals by this server --------------------------------------------------------------------------------------

export const expired = () =>
  new Problem("Your sign-in has expired", "The access token was valid for a limited time, which is over.", "Sign in again to continue.", AGAIN);

export const opaque = (resource) =>
  new Problem(
    "The token names no server",
    "It is opaque, not a JWT: the provider ignored the resource parameter.",
    operator(`register ${resource} as an API resource at the provider, byte for byte.`),
    AGAIN,
  );

export const wrongAudience = (resource, audience) =>
  new Problem(
    "The token is for another server",
    `Its audience is ${audience}; this server accepts ${resource}.`,
    operator("register its URL as the API resource, byte for byte, or add the audience to AUDIENCE."),
    AGAIN,
  );

export const rejected = (description) =>
  new Problem("The server did not accept the token", `${description ?? "It gave no reason"}.`, operator("its log names the reason."), AGAIN);

export const missingScopes = (scopes) =>
  new Problem(
    "More access is needed",
    `This needs ${scopes.join(" and ")}, which you have not allowed yet.`,
    "Sign in again and allow it. If you are not asked, your account lacks the permission: ask the operator of this server.",
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
    status === 429 ? "It refuses requests from your address for a while." : "It cannot fetch the keys of the identity provider. Your token may be valid.",
    `Try again in ${Number(seconds) > 0 ? `${seconds} seconds` : "a moment"}.`,
    RETRY,
  );

export const failed = (status) =>
  new Problem("The server failed", `It responded with status ${status}.`, `Try again. ${operator("its log has the details.")}`, RETRY);

export const rpc = ({ code, message }) =>
  new Problem("The server refused the call", `${message} (code ${code}).`, "Change the values, then call again.");

export const unexpected = (error) => new Problem("This did not work", String(error?.message ?? error), "Try again.", RETRY);

const client = (text) =>
  new Problem(
    "The provider does not accept this page as a client",
    `The client is not registered, or not as a public client with this redirect URI.${text}`,
    operator("PLAYGROUND_CLIENT_ID must name a public client whose redirect URI is /playground/callback on this origin."),
    RETRY,
  );

const REFUSALS = {
  access_denied: (text) =>
    new Problem(
      "Access was not allowed",
      `Nothing was shared: you or the provider denied the request.${text}`,
      "Sign in again to allow it. If you were not asked, your account may lack a role with the permission.",
      AGAIN,
    ),
  invalid_target: (text) =>
    new Problem(
      "The provider does not know this server",
      `It issues no tokens for the requested URL.${text}`,
      operator("register RESOURCE as an API resource at the provider, byte for byte."),
      RETRY,
    ),
  invalid_scope: (text) =>
    new Problem(
      "The provider refused a scope",
      `The playground’s application may not request all required scopes.${text}`,
      operator("grant the scopes to the application at the provider."),
      RETRY,
    ),
  invalid_grant: (text) =>
    new Problem("The code was not accepted", `It may have expired, or been used before.${text}`, "Sign in again.", AGAIN),
  unauthorized_client: client,
  invalid_client: client,
};

const otherRefusal = (text, error) =>
  new Problem("The provider refused", `Its reason is ${error}.${text}`, "Try again, or ask the operator of this server.", RETRY);

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
  if (claims === undefined) return isFresh ? opaque(resource) : expired();
  const audience = [claims.aud].flat();
  return audience.includes(resource)
    ? rejected(description)
    : wrongAudience(resource, audience.filter(Boolean).join(", ") || "missing");
}

const isExpired = (claims) => claims?.exp * 1000 < Date.now();

/** Returns the claims in a JWT, unverified; `undefined` for any other token. */
export function claimsOf(token) {
  try {
    const [, payload] = token.split(".");
    const bytes = Uint8Array.from(atob(payload.replace(/-/g, "+").replace(/_/g, "/")), (character) => character.charCodeAt(0));
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return undefined;
  }
}
