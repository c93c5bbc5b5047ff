// Error responses of Logto's Management API.

/** An error response: `{code, message}` and further members. */
export function problem(status, code, message, more = {}) {
  return { status, body: { code, ...more, message } };
}
