// One HTTP exchange: what was sent, what came back, and how both are shown, without secrets.

import { parse } from "./mcp.js";

// Longer than any answer here should take; shorter than people wait.
const TIMEOUT_MS = 20_000;

/** @typedef {{status: number, headers: Headers, text: string, json: any, milliseconds: number}} Answer */

/**
 * Sends a request. Neither cookies nor the cache are involved.
 * @param {{method: string, url: string, headers?: Record<string, string>, body?: string}} request
 * @returns {Promise<Answer>}
 * @throws if nothing came back that this page may read
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

/** Texts that must not be seen over a shoulder or in a screenshot. */
export function createSecrets() {
  const known = new Set();
  return {
    add(...texts) {
      for (const text of texts) if (text && typeof text === "string") known.add(text);
    },

    /** The text with each secret cut down to its beginning. */
    hide(text) {
      for (const secret of known) {
        text = text.replaceAll(secret, `${secret.slice(0, 8)}… (${secret.length} characters)`);
      }
      return text;
    },
  };
}

/** A request as text, the way it looks on the wire. */
export function requestText({ method, url, headers = {}, body }) {
  const lines = [`${method} ${url}`, ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`)];
  return body === undefined ? lines.join("\n") : `${lines.join("\n")}\n\n${bodyText(body, headers["content-type"])}`;
}

/** An answer as text; of another host's headers a page sees only a few. */
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

/** Parameters one below the other, decoded. */
export const parametersText = (parameters) => [...parameters].map(([name, value]) => `${name}=${value}`).join("\n");
