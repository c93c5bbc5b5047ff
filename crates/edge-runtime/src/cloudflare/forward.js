// Requests that are passed on, and responses that are passed back. Their bodies stay here.

import { headersOf, text } from "./bridge.js";

// The response, or `!kind` and an explanation. The body is `content`, or that of the request if `isClientBody`.
export async function forward(env, binding, request, method, url, lines, isClientBody, content, milliseconds) {
  // A signal that only limits the time until the head has arrived; `AbortSignal.timeout` would cut off the body, too.
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(), milliseconds);
  try {
    const target = binding === undefined ? globalThis : env[binding];
    if (target === undefined) return "!unbound\n";
    if (isClientBody && request.bodyUsed) return "!used\n";
    const response = await target.fetch(url, {
      method,
      headers: headersOf(lines),
      body: isClientBody ? request.body : content,
      duplex: "half",
      redirect: "manual",
      signal: AbortSignal.any([request.signal, late.signal]),
    });
    const { status } = response;
    const isRedirect = status >= 300 && status < 400 && status !== 304;
    // Of others no response can be made.
    if (!isRedirect && status >= 200 && status < 600) return response;
    cancel(response);
    return isRedirect ? `!redirect\n${status}` : `!network\nthe status is ${status}`;
  } catch (error) {
    if (request.signal.aborted) return "!disconnected\n";
    return late.signal.aborted ? "!timeout\n" : `!network\n${error?.message ?? error}`;
  } finally {
    clearTimeout(timer);
  }
}

// The status, then a line for each header: `=` and its value, or nothing.
export function headOf(response, names) {
  const values = names.split("\n").map((name) => (name === "" ? null : response.headers.get(name)));
  return [response.status, ...values.map((value) => (value === null ? "" : `=${value}`))].join("\n");
}

// The promise of the body as text, or of `null` if it has more than `limit` bytes. It is another server's: what is not
// UTF-8 in it does not make the rest unreadable.
export function textOf(response, limit) {
  return text(response, limit);
}

// The body as a stream, or `null` if there is none.
export function streamOf(response) {
  return response.body;
}

export function cancel(response) {
  if (!response.bodyUsed) response.body?.cancel().catch(() => {});
}
