// A `fetch` for the official client that keeps the bodies of lists as they are on the wire, follows no redirect, and
// remembers how the upstream responded last.

import { Problem } from "../logto/problem.mjs";
import { safe } from "./text.mjs";

/** As much as the gateway reads of a list. */
const MAX_BYTES = 4 * 1024 * 1024;

const LISTS = ["tools/list", "prompts/list", "resources/list", "resources/templates/list"];

/**
 * @param {{fetch?: typeof fetch, headers?: Record<string, string>}} [options]  `headers` go out with each request
 */
export function createRecorder({ fetch = globalThis.fetch, headers = {} } = {}) {
  let list;
  let last = {};
  return {
    fetch: async (url, init = {}) => {
      const sent = new Headers(init.headers);
      for (const [name, value] of Object.entries(headers)) sent.set(name, value);
      const response = await fetch(url, { ...init, headers: sent, redirect: "manual" });
      last = { status: response.status, type: response.headers.get("content-type") };
      if (response.status >= 300 && response.status < 400) {
        await response.body?.cancel();
        throw new Problem(`the upstream redirects to ${safe(response.headers.get("location"))}`, {
          why: "The gateway follows no redirect: it would send the caller's identity to where it leads.",
          fix: "Give the URL that it leads to.",
        });
      }
      const request = requestIn(init);
      if (request === undefined || !response.ok) return response;
      const text = await readList(response, request);
      list = messageIn(text, response, request.id);
      return new Response(text, { status: response.status, headers: response.headers });
    },

    /** The JSON text of the last response to a list, once. */
    takeList() {
      const taken = list;
      list = undefined;
      return taken;
    },

    /** Status and content type of the last response. @returns {{status?: number, type?: string}} */
    last: () => last,
  };
}

function requestIn({ method, body }) {
  if (method !== "POST" || typeof body !== "string") return undefined;
  const message = JSON.parse(body);
  return LISTS.includes(message.method) ? message : undefined;
}

const isEventStream = (response) => /^text\/event-stream\b/i.test(response.headers.get("content-type") ?? "");

// An event stream may stay open after the response.
async function readList(response, { id, method }) {
  const decoder = new TextDecoder();
  let [text, length] = ["", 0];
  for await (const chunk of response.body ?? []) {
    length += chunk.length;
    if (length > MAX_BYTES) {
      throw new Problem(`the response to ${method} is larger than ${MAX_BYTES / 1024 / 1024} MiB`, {
        why: "The gateway reads lists up to this size and refuses longer ones with 502.",
        fix: "Have the upstream send its lists in pages (nextCursor).",
      });
    }
    text += decoder.decode(chunk, { stream: true });
    if (isEventStream(response) && messageIn(text, response, id) !== undefined) break;
  }
  return text;
}

/** The JSON text of the response with an id. */
function messageIn(text, response, id) {
  const candidates = isEventStream(response) ? eventsIn(text) : [text];
  return candidates.find((candidate) => {
    try {
      const message = JSON.parse(candidate);
      return message.id === id && ("result" in message || "error" in message);
    } catch {
      return false;
    }
  });
}

/** The data of the complete events in a text (HTML, "Server-sent events"). */
function eventsIn(text) {
  const blocks = text.replace(/^\ufeff/, "").split(/\r\n\r\n|\n\n|\r\r/).slice(0, -1);
  return blocks.map((block) =>
    block
      .split(/\r\n|\n|\r/)
      .filter((line) => line.startsWith("data:"))
      .map((line) => line.slice(5).replace(/^ /, ""))
      .join("\n"),
  );
}
