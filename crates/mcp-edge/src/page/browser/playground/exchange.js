// One HTTP exchange: sending the request, and both messages as text without secrets.

import { parse } from "./mcp.js";

// Longer than any response should take, shorter than users wait.
const TIMEOUT_MS = 20_000;

/** @typedef {{status: number, headers: Headers, text: string, json: any, milliseconds: number}} Answer */

/**
 * Sends a request, without cookies and without the cache.
 * @param {{method: string, url: string, headers?: Record<string, string>, body?: string}} request
 * @returns {Promise<Answer>}
 * @throws if there is no response, or none that this page may read
 */
export async function send({ method, url, headers, body }) {
  const start = performance.now();
  const response = await fetch(url, {
    method,
    headers,
    body,
    cache: "no-store",
    credentials: "omit",
    redirect: "error",
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  const text = await response.text();
  const milliseconds = Math.round(performance.now() - start);
  return { status: response.status, headers: response.headers, text, json: parse(text), milliseconds };
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
export function requestText({ method, url, headers = {}, body }) {
  const lines = [`${method} ${url}`, ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`)];
  return body === undefined ? lines.join("\n") : `${lines.join("\n")}\n\n${bodyText(body, headers["content-type"])}`;
}

/** Formats a response. A page can read only a few headers of another host's response. */
export function answerText({ status, headers, text }) {
  const shown = ["www-authenticate", "retry-after", "content-type"].filter((name) => headers.has(name));
  const lines = [`HTTP ${status}`, ...shown.map((name) => `${name}: ${headers.get(name)}`)];
  return text === "" ? lines.join("\n") : `${lines.join("\n")}\n\n${bodyText(text, headers.get("content-type"))}`;
}

function bodyText(body, type = "") {
  if (type?.includes("x-www-form-urlencoded")) return parametersText(new URLSearchParams(body));
  const json = parse(body);
  return json === undefined ? body : JSON.stringify(json, null, 2);
}

/** Formats parameters, decoded, one per line. */
export const parametersText = (parameters) => [...parameters].map(([name, value]) => `${name}=${value}`).join("\n");
