// Requests to a registrar, see `registrar.mjs`.

/** A public client. */
export const AGENT = {
  client_name: "Agent",
  redirect_uris: ["http://127.0.0.1:9999/callback"],
  token_endpoint_auth_method: "none",
  grant_types: ["authorization_code", "refresh_token"],
  response_types: ["code"],
};
/** A confidential one. */
export const SERVER_AGENT = { client_name: "Server agent", redirect_uris: ["https://agent.example.com/cb"] };

/** Calls the registrar. */
export async function call(tenant, method, path, { body, token, headers = {} } = {}) {
  const response = await fetch(`${tenant.origin}${path}`, {
    method,
    headers: {
      ...(body !== undefined && { "content-type": "application/json" }),
      ...(token && { authorization: `Bearer ${token}` }),
      ...headers,
    },
    body: body === undefined || typeof body === "string" ? body : JSON.stringify(body),
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, text, json: text.startsWith("{") ? JSON.parse(text) : undefined };
}

/** Registers {@link AGENT} with changes. */
export const register = (tenant, changes = {}, options = {}) =>
  call(tenant, "POST", "/register", { body: { ...AGENT, ...changes }, ...options });

/** The path of a client's registration. */
export const pathOf = ({ registration_client_uri }) => new URL(registration_client_uri).pathname;

/** Every key of the store that belongs to a client. */
export const recorded = ({ store }) => [...store.entries.keys()].filter((key) => /^(client|owner)\//.test(key));
