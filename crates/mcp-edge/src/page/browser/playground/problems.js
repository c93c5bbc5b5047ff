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

export const problems = {
  // --- before anybody is asked --------------------------------------------------------------------------------------

  serverUnreachable: (url) =>
    new Problem(
      "The server did not answer",
      `The browser could not reach ${url}.`,
      "Check your connection, then try again. If other pages work, the server may be down.",
      RETRY,
    ),
  notProtected: (status) =>
    new Problem(
      "The server did not ask for a sign-in",
      `A request without a token was answered with ${status}, not with 401 and a challenge that names the metadata.`,
      "Something between you and the server may answer in its place: a bot check, a login page, a proxy. Exempt this host from it.",
      RETRY,
    ),
  otherResource: (expected, found) =>
    new Problem(
      "The metadata is about another resource",
      `It should name ${expected}, and names ${found ?? "none"}.`,
      "RESOURCE must be the URL of this endpoint, byte for byte.",
    ),
  noProvider: () =>
    new Problem("The metadata names no provider", "So there is nowhere to sign in.", "Set ISSUER for this server.", RETRY),
  providerUnreachable: (issuer) =>
    new Problem(
      "The identity provider cannot be reached",
      `Nothing usable came back from ${issuer}. It may be down, or it may not let web pages read its discovery document (CORS).`,
      "Try again in a moment. If it stays, check that ISSUER is right and that the provider is up.",
      RETRY,
    ),
  otherIssuer: (expected, found) =>
    new Problem(
      "The provider calls itself something else",
      `The server trusts ${expected}; the document found there says ${found ?? "nothing"}.`,
      "Set ISSUER to exactly what the document says; a slash at the end counts.",
    ),
  noEndpoints: (issuer) =>
    new Problem(
      "The provider offers no sign-in",
      `The document of ${issuer} lacks an authorization or a token endpoint.`,
      "Check that ISSUER is an OpenID Connect provider.",
    ),
  noPkce: (issuer) =>
    new Problem(
      "The provider does not announce PKCE",
      `Its document lacks S256 in code_challenge_methods_supported, without which no MCP client signs anybody in (${issuer}).`,
      "Turn on PKCE with S256 at the provider.",
    ),
  popupBlocked: () =>
    new Problem(
      "Your browser blocked the sign-in window",
      "It opens windows only where you allow them.",
      "Open the sign-in page with the link below, or allow pop-ups for this page. This page goes on by itself when you are done.",
    ),

  // --- what the provider answered -----------------------------------------------------------------------------------

  refused: (error, description) => (REFUSALS[error] ?? otherRefusal(error))(description && ` It says: ${description}.`),
  unclaimed: () =>
    new Problem(
      "An answer came that was not asked for",
      "Its state parameter belongs to no sign-in that was begun here, so it was not used. It may be a leftover of an earlier attempt; it may also be somebody who wants you to use their account.",
      "Finish in the window that this page has opened, or start again.",
      { retry: "Start again" },
    ),
  mixedUp: (expected, found) =>
    new Problem(
      "The answer came from another provider",
      `It was expected from ${expected} and ${found === undefined ? "does not say where it comes from" : `says it is from ${found}`} (the iss parameter), so its code was not used.`,
      "Start again. If it happens again, check that ISSUER is exactly what the provider calls itself.",
      { retry: "Start again" },
    ),
  tokenUnreachable: (url, provider) =>
    new Problem(
      "The token could not be fetched",
      new URL(url).origin === provider
        ? `Either ${url} is down, or it does not let pages of ${location.origin} read its answers (CORS).`
        : `${url} is on another host than the issuer, and this page may talk to ${provider} only.`,
      "If you run this server: allow this page's origin for the playground's application at the provider.",
      RETRY,
    ),
  tokenRefused: (error, description) => (TOKEN_REFUSALS[error] ?? otherRefusal(error))(description && ` It says: ${description}.`),

  // --- what this server said to the token ---------------------------------------------------------------------------

  expired: () =>
    new Problem(
      "Your sign-in has expired",
      "The access token was good for a limited time, and that is over. This page keeps no means to renew it.",
      "Sign in again to go on.",
      AGAIN,
    ),
  opaque: (resource) =>
    new Problem(
      "The provider issued a token without an audience",
      "It is opaque, not a JWT: the provider did not take the resource parameter into account.",
      `If you run this server: register ${resource} as an API resource at the provider, byte for byte.`,
      AGAIN,
    ),
  wrongAudience: (resource, audience) =>
    new Problem(
      "The token is for another server",
      `Its audience is ${audience}; this server accepts ${resource} only.`,
      "If you run this server: register its URL as the API resource, byte for byte, or add the audience that the provider uses to AUDIENCE.",
      AGAIN,
    ),
  rejected: (description) =>
    new Problem(
      "The server did not accept the token",
      `${description ?? "It gave no reason"}.`,
      "If you run this server: its log names the reason, and docs/denials.md says what to do about each.",
      AGAIN,
    ),
  missingScopes: (scopes) =>
    new Problem(
      "More access is needed",
      `This needs ${list(scopes)}, which you have not granted, or which your account may not have.`,
      "Sign in again and allow it. If you are not asked for it, your account lacks the permission: ask whoever runs this server.",
      { retry: "Sign in and allow it", scopes },
    ),
  forbidden: (description) =>
    new Problem(
      "The server does not let this client in",
      `${description ?? "It gave no reason"}.`,
      "If you run this server: look at ALLOWED_CLIENTS, DENIED_CLIENTS and ALLOWED_ORIGINS.",
    ),
  tooMany: (seconds) =>
    new Problem("Too many failed attempts", "The server pauses for your address.", `Wait ${wait(seconds)}, then try again.`, RETRY),
  unavailable: (seconds) =>
    new Problem(
      "The server cannot check tokens right now",
      "It cannot reach the identity provider for its keys. Your token may well be good.",
      `Try again in ${wait(seconds)}.`,
      RETRY,
    ),
  failed: (status) =>
    new Problem(
      "The server failed",
      `It answered with status ${status}.`,
      "Try again. If you run this server, its log says more.",
      RETRY,
    ),
  rpc: ({ code, message }) =>
    new Problem("The server refused the call", `${message} (code ${code}).`, "Change what you entered and call again."),
  unexpected: (error) =>
    new Problem("This did not work", String(error?.message ?? error), "Try again. If it stays, tell whoever runs this server.", RETRY),
};

const REFUSALS = {
  access_denied: (said = "") =>
    new Problem(
      "Access was not allowed",
      `Nothing was shared: you declined, or the provider did so for you.${said}`,
      "If you declined by mistake, sign in again. If you were not asked at all, your account may lack a role with the permission.",
      AGAIN,
    ),
  invalid_target: (said = "") =>
    new Problem(
      "The provider does not know this server",
      `It issues no tokens for the URL that it was asked for (the resource parameter).${said}`,
      "If you run this server: register RESOURCE as an API resource at the provider, byte for byte.",
      RETRY,
    ),
  invalid_scope: (said = "") =>
    new Problem(
      "The provider refused a scope",
      `The playground's application may not ask for all that this server needs.${said}`,
      "If you run this server: grant the scopes to the application at the provider.",
      RETRY,
    ),
  unauthorized_client: (said = "") => clientProblem(said),
  invalid_client: (said = "") => clientProblem(said),
};

const TOKEN_REFUSALS = {
  ...REFUSALS,
  invalid_grant: (said = "") =>
    new Problem(
      "The code was not accepted",
      `It may have been too old, or used before.${said}`,
      "Sign in again.",
      AGAIN,
    ),
};

const clientProblem = (said) =>
  new Problem(
    "The provider does not accept this page as a client",
    `PLAYGROUND_CLIENT_ID must name a public client (no secret) with the redirect URI ${location.origin}/playground/callback.${said}`,
    "If you run this server: check the application at the provider.",
    RETRY,
  );

const otherRefusal = (error) => (said = "") =>
  new Problem("The provider refused", `Its reason is ${error}.${said}`, "Try again. If it stays, tell whoever runs this server.", RETRY);

const list = (names) => (names.length > 1 ? `${names.slice(0, -1).join(", ")} and ${names.at(-1)}` : names[0] ?? "more scopes");

const wait = (seconds) => (Number(seconds) > 0 ? `${seconds} seconds` : "a moment");

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
        ? problems.missingScopes((challenge.scope ?? "").split(" ").filter(Boolean))
        : problems.forbidden(description);
    case 429:
      return problems.tooMany(headers.get("retry-after"));
    case 503:
      return problems.unavailable(headers.get("retry-after"));
    default:
      return problems.failed(status);
  }
}

// The token is read to say what is wrong with it; what it says is not believed.
function tokenRefused(token, { resource, description, isFresh }) {
  const claims = claimsOf(token);
  if (isExpired(claims) || /expired/.test(description)) return problems.expired();
  if (claims === undefined) return isFresh ? problems.opaque(resource) : problems.expired();
  const audience = [claims.aud].flat();
  return audience.includes(resource)
    ? problems.rejected(description)
    : problems.wrongAudience(resource, audience.filter(Boolean).join(", ") || "missing");
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
