// The window in which the provider signs the user in, and the answer that comes back from it.
//
// The answer comes over a BroadcastChannel and not from the opened window itself: a provider that isolates its pages
// (Cross-Origin-Opener-Policy) cuts the tie between the two, and a link that people open themselves has none. Only
// pages of this origin can speak and listen there.

export const CHANNEL = "mcp-edge-playground";

const SIZE = "popup,width=480,height=720";

const CLOSED_POLL_MS = 500;

/**
 * Opens the window while the click still counts as one; where it leads is found out later.
 * @returns {Window | null} `null` if the browser has blocked it
 */
export function openWindow() {
  const opened = window.open("", "", SIZE);
  if (opened) {
    opened.document.title = "Sign in";
    opened.document.documentElement.style.cssText = "color-scheme:light dark;font:1rem system-ui,sans-serif";
    opened.document.body.textContent = "Finding out where you sign in …";
  }
  return opened;
}

/**
 * Waits for the answer to the authorization request with this `state`.
 * @param {string} state
 * @param {object} options
 * @param {Window | null} options.opened
 * @param {AbortSignal} options.signal   gives up
 * @param {() => void} options.onClosed  the window seems to be closed: certain only as long as the two are tied
 * @param {() => void} options.onUnclaimed  an answer came that belongs to no page that is open
 * @returns {Promise<URLSearchParams>}
 */
export function waitForAnswer(state, { opened, signal, onClosed, onUnclaimed }) {
  return new Promise((resolve, reject) => {
    const channel = new BroadcastChannel(CHANNEL);
    const watch = setInterval(() => {
      if (!opened?.closed) return;
      clearInterval(watch);
      onClosed();
    }, CLOSED_POLL_MS);
    const end = () => {
      clearInterval(watch);
      channel.close();
    };
    channel.addEventListener("message", ({ data }) => {
      if (data?.kind === "unclaimed") onUnclaimed();
      if (data?.kind !== "answer") return;
      const parameters = new URLSearchParams(data.query);
      // Another tab may have a sign-in of its own under way: what is not ours is left to whoever it belongs to.
      if (parameters.get("state") !== state) return;
      channel.postMessage({ kind: "received", query: data.query });
      end();
      resolve(parameters);
    });
    signal.addEventListener("abort", () => {
      end();
      reject(signal.reason);
    });
  });
}
