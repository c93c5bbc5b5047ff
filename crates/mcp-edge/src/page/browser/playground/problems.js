// Everything that can go wrong in the playground: what happened, and what to do about it.
//
// The people who read this are either trying the server out or setting it up, so each says both to whom it may help.

/** Something went wrong, in words for people. */
export class Problem extends Error {
  /**
   * @param {string} title        what happened, in a few words
   * @param {string} explanation  what that means
   * @param {string} advice       what to do
   * @param {{retry?: string, scopes?: string[]}} [options]
   *   what the button says that signs in (again), if that may help, and which scopes it then asks for
   */
  constructor(title, explanation, advice, { retry, scopes } = {}) {
    super(title);
    Object.assign(this, { title, explanation, advice, retry, scopes });
  }
}

const AGAIN = { retry: "Sign in again" };
const RETRY = { retry: "Try again" };

// Many lines are for those who run the server: they are the ones who can mend it.
const operator = (advice) => `If you run this server: ${advice}`;

const said = (text) => (text ? ` It says: ${text}.` : "");

// --- before anybody is asked --------------------------------------------------------------------------------------

export const serverUnreachable = (url) =>
  new Problem("The server did not answer", `The browser could not reach ${url}.`, "Check your connection, then try again.", RETRY);

export const notProtected = (status) =>
  new Problem(
    "The server did not ask for a sign-in",
    `A request without a token was answered with ${status}, not with 401 and a challenge that names the metadata.`,
    operator("something in front of it answers in its place (a bot check, a login page). Exempt this host."),
    RETRY,
  );

export const otherResource = (expected, found) =>
  new Problem(
    "The metadata is not that of this server",
    `It should be about ${expected} and name a provider; it is about ${found}.`,
    operator("RESOURCE must be the URL of the endpoint, byte for byte."),
  );

export const providerUnreachable = (issuer) =>
  new Problem(
    "The identity provider cannot be reached",
    `Nothing usable came from ${issuer}. It may be down, or not let web pages read its metadata (CORS).`,
    `Try again in a moment. ${operator("check ISSUER.")}`,
    RETRY,
  );

export const otherIssuer = (expected, found) =>
  new Problem(
    "The provider calls itself something else",
    `This server trusts ${expected}; the metadata there is of ${found}.`,
    operator("set ISSUER to exactly that; a slash at the end counts."),
  );

export const notUsable = (issuer) =>
  new Problem(
    "The provider cannot sign users in here",
    `The metadata of ${issuer} lacks an endpoint, or PKCE with S256, without which no MCP client signs anybody in.`,
    operator("turn on PKCE at the provider."),
  );

export const popupBlocked = () =>
  new Problem(
    "Your browser blocked the sign-in window",
    "It opens windows only where you allow them.",
    "Open the sign-in page here, or allow pop-ups for this page. When you are done, this page goes on by itself.",
  );

// --- what the provider answered -----------------------------------------------------------------------------------

export const refused = (error, description) => (REFUSALS[error] ?? otherRefusal)(said(description), error);

export const unclaimed = () =>
  new Problem(
    "An answer came that was not asked for",
    "Its state belongs to no sign-in that was begun here, so it was not used. It may be a leftover, or somebody who wants you to use their account.",
    "Go on in the window that this page has opened, or cancel and start again.",
  );

export const mixedUp = (expected, found) =>
  new Problem(
    "The answer came from another provider",
    `Its issuer should be ${expected}, and is ${found ?? "missing"}. The code in it was not used.`,
    `Start again. ${operator("ISSUER must be exactly what the provider calls itself.")}`,
    RETRY,
  );

export const tokenUnreachable = (url, provider) =>
  new Problem(
    "The token could not be fetched",
    new URL(url).origin === provider
      ? `${url} is down, or does not let pages of ${location.origin} read its answers (CORS).`
      : `${url} is on another host than the issuer; this page may talk to ${provider} only.`,
    operator("allow this origin for the playground’s application at the provider."),
    RETRY,
  );

// --- what this server said to the token ---------------------------------------------------------------------------

export const expired = () =>
  new Problem("Your sign-in has expired", "The access token was good for a limited time, and that is over.", "Sign in again to go on.", AGAIN);

export const opaque = (resource) =>
  new Problem(
    "The token is for no server in particular",
    "It is opaque, not a JWT: the provider did not heed the resource parameter.",
    operator(`register ${resource} as an API resource at the provider, byte for byte.`),
    AGAIN,
  );

export const wrongAudience = (resource, audience) =>
  new Problem(
    "The token is for another server",
    `Its audience is ${audience}; this server accepts ${resource}.`,
    operator("register its URL as the API resource, byte for byte, or add the provider’s name for it to AUDIENCE."),
    AGAIN,
  );

export const rejected = (description) =>
  new Problem("The server did not accept the token", `${description ?? "It gave no reason"}.`, operator("its log names the reason."), AGAIN);

export const missingScopes = (scopes) =>
  new Problem(
    "More access is needed",
    `This needs ${scopes.join(" and ")}, which you have not allowed yet.`,
    "Sign in again and allow it. If you are not asked, your account lacks the permission: ask whoever runs this server.",
    { retry: "Sign in and allow it", scopes },
  );

export const forbidden = (description) =>
  new Problem(
    "The server does not let this page in",
    `${description ?? "It gave no reason"}.`,
    operator("look at ALLOWED_CLIENTS, DENIED_CLIENTS and ALLOWED_ORIGINS."),
  );

export const later = (status, seconds) =>
  new Problem(
    status === 429 ? "Too many failed attempts" : "The server cannot check tokens right now",
    status === 429 ? "It pauses for your address." : "It cannot reach the identity provider for its keys. Your token may well be good.",
    `Try again in ${Number(seconds) > 0 ? `${seconds} seconds` : "a moment"}.`,
    RETRY,
  );

export const failed = (status) =>
  new Problem("The server failed", `It answered with status ${status}.`, `Try again. ${operator("its log says more.")}`, RETRY);

export const rpc = ({ code, message }) =>
  new Problem("The server refused the call", `${message} (code ${code}).`, "Change what you entered, then call again.");

export const unexpected = (error) => new Problem("This did not work", String(error?.message ?? error), "Try again.", RETRY);

const client = (text) =>
  new Problem(
    "The provider does not accept this page as a client",
    `It is not what the provider expects of it.${text}`,
    operator(`PLAYGROUND_CLIENT_ID must name a public client with the redirect URI ${location.origin}/playground/callback.`),
    RETRY,
  );

const REFUSALS = {
  access_denied: (text) =>
    new Problem(
      "Access was not allowed",
      `Nothing was shared: you declined, or the provider did so for you.${text}`,
      "Sign in again if that was a mistake. If you were not asked, your account may lack a role with the permission.",
      AGAIN,
    ),
  invalid_target: (text) =>
    new Problem(
      "The provider does not know this server",
      `It issues no tokens for the URL that it was asked for.${text}`,
      operator("register RESOURCE as an API resource at the provider, byte for byte."),
      RETRY,
    ),
  invalid_scope: (text) =>
    new Problem(
      "The provider refused a scope",
      `The playground’s application may not ask for all that is needed.${text}`,
      operator("grant the scopes to the application at the provider."),
      RETRY,
    ),
  invalid_grant: (text) =>
    new Problem("The code was not accepted", `It may have been too old, or used before.${text}`, "Sign in again.", AGAIN),
  unauthorized_client: client,
  invalid_client: client,
};

const otherRefusal = (text, error) =>
  new Problem("The provider refused", `Its reason is ${error}.${text}`, "Try again, or tell whoever runs this server.", RETRY);

/**
 * What a refusal by this server means.
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

// The token is read to say what is wrong with it; what it says is not believed.
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

/** The claims in a JWT, unverified; `undefined` for any other token. */
export function claimsOf(token) {
  try {
    const [, payload] = token.split(".");
    const bytes = Uint8Array.from(atob(payload.replace(/-/g, "+").replace(/_/g, "/")), (character) => character.charCodeAt(0));
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return undefined;
  }
}
