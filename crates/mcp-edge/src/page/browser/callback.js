// The page that the provider sends the sign-in window back to. It hands the answer to the page that asked, which is in
// another window of the same origin, and closes itself. It neither reads nor keeps anything.

import { CHANNEL } from "./playground/window.js";

// A page that is there answers at once; one in a background tab of a phone may need a moment.
const PATIENCE_MS = 3_000;

const query = location.search;
// The code is good for one use and worth nothing without the verifier; still, it need not stay in the history.
history.replaceState(null, "", location.pathname);

const channel = new BroadcastChannel(CHANNEL);
const impatience = setTimeout(() => {
  channel.postMessage({ kind: "unclaimed" });
  say(
    "Nobody is waiting for this answer",
    "It belongs to no sign-in that an open page has begun, so it was not used. Close this window, go back to the page and start again.",
  );
}, PATIENCE_MS);

channel.addEventListener("message", ({ data }) => {
  if (data?.kind !== "received" || data.query !== query) return;
  clearTimeout(impatience);
  say("You can close this window", "The page that you came from goes on.");
  // Works only where the browser still knows that a script has opened this window.
  window.close();
});
channel.postMessage({ kind: "answer", query });

function say(title, text) {
  document.title = title;
  document.querySelector("h1").textContent = title;
  document.querySelector("p").textContent = text;
}
