// Whole requests that are passed on to another Worker, and its responses.

import { body, headersOf, waitUntil } from "./bridge.js";

// Of these the runtime sends no body: `fetch` throws.
const WITHOUT_BODY = ["GET", "HEAD"];

// The response, or `!kind` and an explanation. If the client leaves, the runtime would drop what is under way here, and with it
// the Rust that waits for it and then writes the line of the log: `waitUntil` lets both end.
export function passOn(...request) {
  const response = send(...request);
  waitUntil(response);
  return response;
}

async function send(env, binding, request, url, names, limit, milliseconds) {
  const target = env[binding];
  if (typeof target?.fetch !== "function") return "!unbound\n";
  let content;
  try {
    if (request.body !== null && !WITHOUT_BODY.includes(request.method)) content = await body(request, limit);
  } catch {
    return "!truncated\n";
  }
  if (content === null) return "!large\n";
  try {
    const headers = new Headers();
    for (const name of names.split("\n")) {
      const value = request.headers.get(name);
      if (value !== null) headers.set(name, value);
    }
    const signal = AbortSignal.any([request.signal, AbortSignal.timeout(milliseconds)]);
    return await target.fetch(url, { method: request.method, headers, body: content, redirect: "manual", signal });
  } catch (error) {
    if (request.signal.aborted) return "!disconnected\n";
    return error?.name === "TimeoutError" ? "!timeout\n" : `!network\n${error?.message ?? error}`;
  }
}

// A response that is passed back, with further headers: names and values in turn.
export function passBack(response, lines) {
  if (lines === "") return response;
  const copy = new Response(response.body, response);
  for (const [name, value] of headersOf(lines)) copy.headers.set(name, value);
  return copy;
}
