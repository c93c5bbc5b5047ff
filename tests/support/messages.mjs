// Valid JSON-RPC messages of both eras.

export const MODERN = "2026-07-28";
export const NEWEST_LEGACY = "2025-11-25";

const VERSION = "io.modelcontextprotocol/protocolVersion";
const CAPABILITIES = "io.modelcontextprotocol/clientCapabilities";

let lastId = 0;

/** A request of the era with a handshake. */
export function legacyRequest(method, params) {
  lastId += 1;
  return { jsonrpc: "2.0", id: lastId, method, ...(params && { params }) };
}

export function legacyCall(name, args = {}) {
  return legacyRequest("tools/call", { name, arguments: args });
}

export function initialize(protocolVersion = NEWEST_LEGACY) {
  return legacyRequest("initialize", {
    protocolVersion,
    capabilities: {},
    clientInfo: { name: "end-to-end-test", version: "1.0.0" },
  });
}

/**
 * A modern request: the message with its envelope, and the headers that repeat it.
 * @returns {{message: object, headers: Record<string, string>}}
 */
export function modernRequest(method, params = {}, { version = MODERN } = {}) {
  lastId += 1;
  const message = { jsonrpc: "2.0", id: lastId, method, params: { ...params, _meta: envelope(version) } };
  const headers = { "mcp-protocol-version": version, "mcp-method": method };
  const name = params.name ?? params.uri;
  if (name !== undefined) headers["mcp-name"] = name;
  return { message, headers };
}

export function modernCall(name, args = {}) {
  return modernRequest("tools/call", { name, arguments: args });
}

/** The envelope of a modern request. */
export function envelope(version = MODERN) {
  return { [VERSION]: version, [CAPABILITIES]: {} };
}

/** Names of the envelope's members. */
export const ENVELOPE = { version: VERSION, capabilities: CAPABILITIES };
