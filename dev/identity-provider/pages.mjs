// The pages: sign-in, consent, errors, sign-out. Plain HTML without scripts.

import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { html, trusted } from "./html.mjs";

const STYLE = readFileSync(new URL("style.css", import.meta.url), "utf8");
const STYLE_HASH = createHash("sha256").update(STYLE).digest("base64");

/**
 * Without `form-action`: browsers apply it to the redirects after a form as well, and after consent those lead to
 * the client, with any scheme and port.
 */
export const PAGE_HEADERS = {
  "Content-Type": "text/html; charset=utf-8",
  "Content-Security-Policy": [
    "default-src 'none'",
    `style-src 'sha256-${STYLE_HASH}'`,
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ].join("; "),
  "Cache-Control": "no-store",
  "Referrer-Policy": "no-referrer",
  "X-Content-Type-Options": "nosniff",
};

const SAY_YES = `document.querySelector("button[name=logout]").click()`;

/** The headers of the page that confirms a sign-out. */
export const SIGN_OUT_PAGE_HEADERS = {
  ...PAGE_HEADERS,
  "Content-Security-Policy": `${PAGE_HEADERS["Content-Security-Policy"]}; script-src 'sha256-${createHash("sha256").update(SAY_YES).digest("base64")}'`,
};

/**
 * @param {object} view
 * @param {string} view.action        where the form is sent
 * @param {ClientView} view.client
 * @param {import("./accounts.mjs").Account[]} view.accounts
 * @param {string} [view.login]       the previous input, or the client's `login_hint`
 * @param {boolean} [view.failed]
 * @param {string} [view.provider]    what the provider is called, if it is another than the usual one
 */
export function signInPage({ action, client, accounts, login = "", failed = false, provider }) {
  return page(
    "Sign in",
    html`<h1>Sign in${provider && html` at ${provider}`}</h1>
      <p class="lead">to continue to <strong>${client.name}</strong></p>
      ${unverifiedNote(client)}
      ${failed && html`<p class="note error" role="alert" id="failure">User name or password is wrong. Try again.</p>`}
      <form method="post" action="${action}">
        <label for="login">User name or e-mail address</label>
        <input id="login" name="login" value="${login}" autocomplete="username" autocapitalize="none"
          spellcheck="false" required ${failed ? describedByFailure : autofocus} />
        <label for="password">Password</label>
        <input id="password" name="password" type="password" autocomplete="current-password" required
          ${failed && autofocus} />
        <div class="buttons">
          <button>Sign in</button>
          <button class="quiet" name="decision" value="deny" formnovalidate>Cancel</button>
        </div>
      </form>`,
    html`<p>This is a development provider.</p>
      <p>Accounts: ${accountHint(accounts)}</p>`,
    provider,
  );
}

const autofocus = html`autofocus`;
const describedByFailure = html`aria-invalid="true" aria-describedby="failure"`;

function accountHint(accounts) {
  return accounts.map(
    ({ username, password }, index) =>
      html`${index > 0 && ", "}<span class="account"><code>${username}</code> / <code>${password}</code></span>`,
  );
}

/**
 * @typedef {object} ClientView
 * @property {string} name
 * @property {boolean} verified       false for clients that registered themselves
 * @property {string} [documentHost]  host of the client's metadata document
 *
 * @typedef {{name: string, description: string}} ScopeView
 *
 * @param {object} view
 * @param {string} view.action        where the form is sent
 * @param {string} view.switchUrl     the URL for signing in with another account
 * @param {ClientView} view.client
 * @param {import("./accounts.mjs").Account} view.account
 * @param {ScopeView[]} view.userScopes
 * @param {{resource: string, scopes: ScopeView[]}[]} view.resources
 * @param {string} view.returnTarget  the target of the response
 * @param {string} [view.provider]    what the provider is called, if it is another than the usual one
 */
export function consentPage({ action, switchUrl, client, account, userScopes, resources, returnTarget, provider }) {
  return page(
    `Allow ${client.name}?`,
    html`<h1>Allow ${client.name} access${provider && html` to ${provider}`}?</h1>
      ${unverifiedNote(client)}
      <div class="user">
        <span class="initial" aria-hidden="true">${account.name.charAt(0)}</span>
        <p>${account.name} <small>${account.email}</small></p>
        <a href="${switchUrl}">Not you?</a>
      </div>
      ${userScopes.length > 0 && scopeList("It wants to", userScopes)}
      ${resources.map(({ resource, scopes }) => scopeList(html`At <code>${resource}</code> it wants to`, scopes))}
      ${userScopes.length + resources.length === 0 && html`<p class="lead">It requests no permissions.</p>`}
      <form method="post" action="${action}">
        <div class="buttons">
          <button name="decision" value="allow">Allow</button>
          <button class="quiet" name="decision" value="deny">Deny</button>
        </div>
        <p class="small aside">Either answer takes you back to <code>${returnTarget}</code>.</p>
      </form>`,
    undefined,
    provider,
  );
}

function scopeList(title, scopes) {
  return html`<h2>${title}</h2>
    <ul class="scopes">
      ${scopes.map(({ name, description }) => html`<li>${description} <code>${name}</code></li>`)}
    </ul>`;
}

function unverifiedNote({ verified, documentHost }) {
  if (verified) return undefined;
  const origin = documentHost
    ? html`It describes itself at <code>${documentHost}</code>.`
    : html`It registered itself, under a name of its own choice.`;
  return html`<p class="note warn"><strong>Not verified.</strong> ${origin} Continue only if you started this.</p>`;
}

/**
 * @param {object} view
 * @param {string} view.title
 * @param {string} view.explanation   what happened
 * @param {string} view.advice        what to do
 * @param {string} [view.code]        the protocol's name for the error
 */
export function errorPage({ title, explanation, advice, code }) {
  return page(
    title,
    html`<h1>${title}</h1>
      <p>${explanation}</p>
      <p class="lead">${advice}</p>
      ${code && html`<p class="small aside">Error: <code>${code}</code></p>`}`,
  );
}

/** `form` is the engine's own form, to which the buttons belong by its id. */
/** The page that confirms a sign-out. With scripts it submits itself, like that of Logto. */
export function signOutPage(form) {
  return page(
    "Sign out?",
    html`<h1>Sign out?</h1>
      <p class="lead">You will have to sign in again the next time a client asks.</p>
      ${trusted(form)}
      <div class="buttons">
        <button form="op.logoutForm" name="logout" value="yes">Sign out</button>
        <button class="quiet" form="op.logoutForm">Stay signed in</button>
      </div>
      <script>${trusted(SAY_YES)}</script>`,
  );
}

export function signedOutPage() {
  return page(
    "Signed out",
    html`<h1>Signed out</h1>
      <p class="lead">You can close this page.</p>`,
  );
}

function page(title, content, footer, provider = "Development identity provider") {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title} – ${provider}</title>
<style>${trusted(STYLE)}</style>
</head>
<body>
<main>
${content}
</main>
<footer>
${footer ?? html`<p>This is a development provider.</p>`}
</footer>
</body>
</html>
`.toString();
}
