// Calls between Workers, and to Durable Objects: JSON over `fetch`.

import { text } from "./bridge.js";

// The URL is ignored; `fetch` requires one.
const INTERNAL_URL = "https://internal.invalid/";

function targetOf(env, binding, object, jurisdiction) {
  const bound = env[binding];
  if (bound === undefined || object === undefined) return bound;
  const namespace = jurisdiction === undefined ? bound : bound.jurisdiction(jurisdiction);
  return namespace.get(namespace.idFromName(object));
}

// A line with the status, and the answer; or `!kind` and an explanation.
export async function callService(env, binding, object, jurisdiction, message, milliseconds, limit) {
  try {
    const target = targetOf(env, binding, object, jurisdiction);
    if (target === undefined) return "!unbound\n";
    const response = await target.fetch(INTERNAL_URL, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: message,
      redirect: "manual",
      signal: AbortSignal.timeout(milliseconds),
    });
    if (response.status !== 200) {
      response.body?.cancel().catch(() => {});
      return `${response.status}\n`;
    }
    const answer = await text(response, limit);
    return answer === null ? "!large\n" : `200\n${answer}`;
  } catch (error) {
    if (error?.name === "TimeoutError") return "!timeout\n";
    return error?.overloaded ? "!overloaded\n" : `!network\n${error?.message ?? error}`;
  }
}
