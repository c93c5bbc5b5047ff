// The pages of the engine: errors that cannot be sent to a client, and signing out.

import { errorPage, PAGE_HEADERS, SIGN_OUT_PAGE_HEADERS, signedOutPage, signOutPage } from "./pages.mjs";

// Explanations of likely errors. Other errors have the engine's description.
const HELP = {
  invalid_client: {
    explanation: "This provider does not know the client, or could not read its metadata document.",
    advice:
      "Registrations are lost when the provider restarts: let the client register again, or check its client ID.",
  },
  invalid_redirect_uri: {
    explanation: "The redirect URI of the request is not registered for the client.",
    advice: "Compare the redirect URI with the registered ones, character by character.",
  },
  server_error: {
    explanation: "The provider failed; the reason is in its log.",
  },
};
const DEFAULT_ADVICE = "Go back to the client and start again.";

/** Renders an error; programs that ask for JSON get JSON. */
export function renderError(ctx, out) {
  if (ctx.accepts("html", "json") === "json") {
    ctx.body = out;
    return;
  }
  const { error: code, error_description: description = "the request could not be completed" } = out;
  const { explanation = sentence(description), advice = DEFAULT_ADVICE } = HELP[code] ?? {};
  render(ctx, errorPage({ title: "The request failed", explanation, advice, code: `${code}, ${description}` }));
}

export function renderSignOut(ctx, form) {
  render(ctx, signOutPage(form), SIGN_OUT_PAGE_HEADERS);
}

export function renderSignedOut(ctx) {
  render(ctx, signedOutPage());
}

function render(ctx, body, headers = PAGE_HEADERS) {
  ctx.set(headers);
  ctx.body = body;
}

// The engine's descriptions are written for logs: no capital letter, no full stop.
function sentence(text) {
  const capitalised = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(capitalised) ? capitalised : `${capitalised}.`;
}
