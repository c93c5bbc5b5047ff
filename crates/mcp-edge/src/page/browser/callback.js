// The script of the redirect URI. It passes the authorization response to the page that started the sign-in, which is in
// another window of the same origin, and closes its own window. It does not evaluate or store the response.

import { CHANNEL } from "./playground/window.js";

// A page answers at once, unless it is in a background tab of a phone.
const RESPONSE_TIMEOUT_MS = 3_000;

const query = location.search;
// Keeps the code out of the history, although it can be used only once and only with the verifier.
history.replaceState(null, "", location.pathname);

const channel = new BroadcastChannel(CHANNEL);
const timeout = setTimeout(() => {
  channel.postMessage({ kind: "unclaimed" });
  say(
    "No sign-in is waiting for this response",
    "No open page has started this sign-in. Close this window, go back to the page and start again.",
  );
}, RESPONSE_TIMEOUT_MS);

channel.addEventListener("message", ({ data }) => {
  if (data?.kind !== "received" || data.query !== query) return;
  clearTimeout(timeout);
  say("You can close this window", "The sign-in continues on the page that you came from.");
  // Has no effect if the browser no longer knows that a script opened this window.
  window.close();
});
channel.postMessage({ kind: "answer", query });

function say(title, text) {
  document.title = title;
  document.querySelector("h1").textContent = title;
  document.querySelector("p").textContent = text;
}
