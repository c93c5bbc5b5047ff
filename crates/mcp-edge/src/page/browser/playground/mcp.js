// Messages of MCP 2026-07-28. There is no handshake: each request contains version, client and capabilities.

const VERSION = "2026-07-28";

const META = {
  "io.modelcontextprotocol/protocolVersion": VERSION,
  "io.modelcontextprotocol/clientInfo": { name: "playground", title: "Playground", version: "1.0.0" },
  "io.modelcontextprotocol/clientCapabilities": {},
};

/**
 * Creates the HTTP request for a JSON-RPC request.
 * @param {string} url
 * @param {string} method  the JSON-RPC method
 * @param {object} params
 * @param {object} [options]
 * @param {string} [options.token]
 * @param {object} [options.inputSchema]  the schema of the tool to call
 */
export function mcpRequest(url, method, params, { token, inputSchema } = {}) {
  const headers = {
    accept: "application/json, text/event-stream",
    "content-type": "application/json",
    "mcp-protocol-version": VERSION,
    "mcp-method": method,
  };
  if (params.name !== undefined) headers["mcp-name"] = headerValue(params.name);
  Object.assign(headers, parameterHeaders(inputSchema, params.arguments));
  if (token) headers.authorization = `Bearer ${token}`;
  const message = { jsonrpc: "2.0", id: 1, method, params: { ...params, _meta: META } };
  return { method: "POST", url, headers, body: JSON.stringify(message) };
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

/**
 * Returns the JSON-RPC response in a body of JSON or of server-sent events.
 * @returns {object | undefined}
 */
export function mcpAnswer({ headers, text }) {
  const isStream = headers.get("content-type")?.startsWith("text/event-stream");
  const events = isStream ? text.split(/\r?\n\r?\n/).map(dataOf) : [text];
  return events.map(parse).find((message) => message?.result !== undefined || message?.error !== undefined);
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
