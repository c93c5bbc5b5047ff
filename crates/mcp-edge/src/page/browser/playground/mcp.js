// Messages of MCP. Since revision 2026-07-28 each request names revision, client and capabilities; before, a handshake did.

const VERSION = "2026-07-28";

// The revisions with a handshake, newest first.
const WITH_HANDSHAKE = ["2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"];

const CLIENT = { name: "playground", version: "1.0.0" };

const PREFIX = "io.modelcontextprotocol/";

const META = {
  [`${PREFIX}protocolVersion`]: VERSION,
  [`${PREFIX}clientInfo`]: CLIENT,
  [`${PREFIX}clientCapabilities`]: {},
};

// No id may be used twice in a session.
let lastId = 0;

/** Returns the newest of these revisions that has a handshake and that this page knows. */
export const newestWithHandshake = (revisions) => WITH_HANDSHAKE.find((revision) => [revisions].flat().includes(revision));

/** Returns the parameters of `initialize`. */
export const handshake = (protocolVersion) => ({ protocolVersion, capabilities: {}, clientInfo: CLIENT });

/**
 * @typedef {object} Session  what `initialize` has agreed on
 * @property {string} [revision]  none in `initialize` itself
 * @property {string} [id]        servers without sessions give none
 */

/**
 * Creates the HTTP request for a JSON-RPC request or notification.
 * @param {string} url
 * @param {string} method  the JSON-RPC method
 * @param {object} [params]
 * @param {object} [options]
 * @param {string} [options.token]
 * @param {object} [options.inputSchema]  the schema of the tool to call
 * @param {Session} [options.session]  of a server that requires a handshake
 */
export function mcpRequest(url, method, params, { token, inputSchema, session } = {}) {
  const headers = { accept: "application/json, text/event-stream", "content-type": "application/json" };
  if (session) {
    if (session.revision) headers["mcp-protocol-version"] = session.revision;
    if (session.id) headers["mcp-session-id"] = session.id;
  } else {
    headers["mcp-protocol-version"] = VERSION;
    headers["mcp-method"] = method;
    if (params.name !== undefined) headers["mcp-name"] = headerValue(params.name);
    Object.assign(headers, parameterHeaders(inputSchema, params.arguments));
    params = { ...params, _meta: META };
  }
  if (token) headers.authorization = `Bearer ${token}`;
  const id = method.startsWith("notifications/") ? undefined : (lastId += 1);
  return { method: "POST", url, headers, body: JSON.stringify({ jsonrpc: "2.0", id, method, params }), id };
}

/** Returns headers for the arguments whose schema has `x-mcp-header`. */
function parameterHeaders(schema, given, headers = {}) {
  for (const [name, property] of Object.entries(schema?.properties ?? {})) {
    const value = given?.[name];
    if (value === undefined || value === null) continue;
    if (property["x-mcp-header"]) headers[`mcp-param-${property["x-mcp-header"]}`] = headerValue(String(value));
    if (property.properties) parameterHeaders(property, value, headers);
  }
  return headers;
}

// A value that is not visible ASCII, or looks like an encoded one, is sent as base64 of its UTF-8.
function headerValue(text) {
  const isPlain = /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/.test(text) && !text.startsWith("=?base64?");
  if (isPlain) return text;
  return `=?base64?${btoa(String.fromCharCode(...new TextEncoder().encode(text)))}?=`;
}

export const isEventStream = (headers) => headers.get("content-type")?.startsWith("text/event-stream");

/**
 * Returns the JSON-RPC response in a body of JSON or of server-sent events. In a stream there are notifications and
 * requests of the server before it.
 * @param {{headers: Headers, text: string}} answer
 * @param {number} [id]  that of the request; errors may have none
 * @returns {object | undefined}
 */
export function mcpAnswer({ headers, text }, id) {
  const events = isEventStream(headers) ? text.split(/\r?\n\r?\n/).map(dataOf) : [text];
  return events
    .map(parse)
    .find((message) => (message?.result !== undefined || message?.error !== undefined) && (message.id ?? id) === id);
}

const dataOf = (event) =>
  event
    .split(/\r?\n/)
    .filter((line) => line.startsWith("data:"))
    .map((line) => line.slice(5))
    .join("\n");

export function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
