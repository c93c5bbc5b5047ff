// Calls between Workers, and to Durable Objects: JSON over `fetch`.

import { body } from "./bridge.js";

// Nothing is decided by a URL; it only has to be one.
const URL_OF_NOBODY = "https://internal.invalid/";

function targetOf(env, binding, object) {
  const bound = env[binding];
  return bound === undefined || object === undefined ? bound : bound.get(bound.idFromName(object));
}

// A line with the status, and the answer; or `!kind` and an explanation.
export async function callService(env, binding, object, message, milliseconds, limit) {
  try {
    const target = targetOf(env, binding, object);
    if (target === undefined) return "!unbound\n";
    const response = await target.fetch(URL_OF_NOBODY, {
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
    const answer = await body(response, limit);
    return answer === null ? "!large\n" : `200\n${answer}`;
  } catch (error) {
    if (error?.name === "TimeoutError") return "!timeout\n";
    return error?.overloaded ? "!overloaded\n" : `!network\n${error?.message ?? error}`;
  }
}
