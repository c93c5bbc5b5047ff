// How Logto's Management API says no.

/** An error answer: `{code, message}`, and what else belongs to it. */
export function problem(status, code, message, more = {}) {
  return { status, body: { code, ...more, message } };
}
