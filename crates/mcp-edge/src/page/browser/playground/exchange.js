// One HTTP exchange: sending the request, and both messages as text without secrets.

import { isEventStream, mcpAnswer, parse } from "./mcp.js";

// Longer than metadata should take, shorter than users wait.
const TIMEOUT_MS = 20_000;

// Tools may work for long. After this time a gateway has said that its upstream has not answered.
const CALL_TIMEOUT_MS = 300_000;

/** @typedef {{status: number, headers: Headers, text: string, json: any, milliseconds: number}} Answer */

/**
 * Sends a request, without cookies and without the cache.
 * @param {{method: string, url: string, headers?: Record<string, string>, body?: string, id?: number}} request
 *   `id` is that of a JSON-RPC request: an event stream is read as far as its response
 * @returns {Promise<Answer>}
 * @throws if there is no response, or none that this page may read
 */
export async function send({ method, url, headers, body, id }) {
  const start = performance.now();
  const response = await fetch(url, {
    method,
    headers,
    body,
    cache: "no-store",
    credentials: "omit",
    redirect: "error",
    signal: AbortSignal.timeout(id === undefined ? TIMEOUT_MS : CALL_TIMEOUT_MS),
  });
  const { status, headers: received } = response;
  const text = await textOf(response, id);
  return { status, headers: received, text, json: parse(text), milliseconds: Math.round(performance.now() - start) };
}

/** Returns the text of a body; of an event stream, the text up to the response to the request with this `id`. */
async function textOf({ headers, body }, id) {
  const reader = body?.pipeThrough(new TextDecoderStream()).getReader();
  let [text, seen] = ["", 0];
  try {
    while (reader) {
      const { done, value } = await reader.read();
      if (done) break;
      text += value;
      const end = Math.max(text.lastIndexOf("\n\n"), text.lastIndexOf("\r\n\r\n"));
      if (end <= seen || !isEventStream(headers)) continue;
      // Servers may keep the stream open.
      if (mcpAnswer({ headers, text: text.slice(seen, end) }, id)) {
        reader.cancel();
        break;
      }
      seen = end;
    }
  } catch (error) {
    if (id === undefined) throw error;
    // What came before is shown, too.
    text += `\n\n(cut off: ${error.message})`;
  }
  return text;
}

/** Creates a set of secrets, which are shortened in everything that is shown. */
export function createSecrets() {
  const known = new Set();
  return {
    add(...values) {
      for (const value of values) if (value && typeof value === "string") known.add(value);
    },

    /** Returns the text with only the first characters of each secret. */
    hide(text) {
      for (const secret of known) {
        text = text.replaceAll(secret, `${secret.slice(0, 8)}… (${secret.length} characters)`);
      }
      return text;
    },
  };
}

/** Formats a request as it is sent. */
export const requestText = ({ method, url, headers = {}, body }) => messageText(`${method} ${url}`, Object.entries(headers), body);

/** Formats a response. A page can read only a few headers of another host's response. */
export function answerText({ status, headers, text }) {
  const names = ["www-authenticate", "retry-after", "mcp-session-id", "content-type"].filter((name) => headers.has(name));
  return messageText(`HTTP ${status}`, names.map((name) => [name, headers.get(name)]), text);
}

function messageText(first, headers, body) {
  const head = [first, ...headers.map(([name, value]) => `${name}: ${value}`)].join("\n");
  return body ? `${head}\n\n${bodyText(body, new Map(headers).get("content-type"))}` : head;
}

function bodyText(body, type) {
  if (type?.includes("x-www-form-urlencoded")) return parametersText(new URLSearchParams(body));
  const json = parse(body);
  return json === undefined ? body : JSON.stringify(json, null, 2);
}

/** Formats parameters, decoded, one per line. */
export const parametersText = (parameters) => [...parameters].map(([name, value]) => `${name}=${value}`).join("\n");
