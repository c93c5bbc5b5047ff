// The window in which the provider signs the user in, and the authorization response from it.
//
// The response comes over a BroadcastChannel, which only pages of this origin can use. The opened window cannot send it:
// a provider that isolates its pages (Cross-Origin-Opener-Policy) removes the reference between the windows, and a link
// that the user opens has none.

export const CHANNEL = "mcp-edge-playground";

const SIZE = "popup,width=480,height=720";

const CLOSED_POLL_MS = 500;

/**
 * Opens the window in the click handler, because browsers block it later. Its URL is set later.
 * @returns {Window | null} `null` if the browser has blocked it
 */
export function openWindow() {
  const opened = window.open("", "", SIZE);
  if (opened) {
    opened.document.title = "Sign in";
    opened.document.documentElement.style.cssText = "color-scheme:light dark;font:1rem system-ui,sans-serif";
    opened.document.body.textContent = "One moment …";
  }
  return opened;
}

/**
 * Waits for the response to the authorization request with this `state`.
 * @param {string} state
 * @param {object} options
 * @param {Window | null} options.opened
 * @param {AbortSignal} options.signal   stops waiting
 * @param {() => void} options.onClosed  the window seems to be closed; not certain if the reference to it is gone
 * @param {() => void} options.onUnclaimed  a response arrived that belongs to no open page
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
      // A response with another state may belong to a sign-in in another tab.
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
