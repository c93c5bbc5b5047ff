// A server like mcp-edge in plain JavaScript, optimised for speed only: no framework, precomputed strings, verified tokens
// in memory, keys in memory and in KV.
//
// It validates tokens like a correct server, and implements the part of the protocol that the benchmark uses. It has no
// log, no limits, and no other tools. With STRICT=on it makes the checks of mcp-edge and writes its log, see strict.js.

import { env } from "cloudflare:workers";
import { KeysUnavailable } from "./keys.js";
import { isRefused, isStrict, isWellFormed, log, readStrictly } from "./strict.js";
import { callerOf, Refused } from "./tokens.js";

const { origin, pathname: path } = new URL(env.RESOURCE);
const metadataPath = `/.well-known/oauth-protected-resource${path}`;

const MAX_BODY_BYTES = 4 * 1024 * 1024;

const MODERN = "2026-07-28";
const LEGACY = new Set(["2025-11-25", "2025-06-18", "2025-03-26"]);

const SERVER_INFO = '{"name":"twin","version":"1.0.0"}';
const MODERN_META = `"resultType":"complete","_meta":{"io.modelcontextprotocol/serverInfo":${SERVER_INFO}}`;

const WHOAMI = {
  name: "whoami",
  title: "Who am I",
  description: "Tells who is signed in: the identity that the user agreed to share with this client.",
  inputSchema: { type: "object" },
  annotations: { readOnlyHint: true, openWorldHint: false },
};
// The build replaces FIFTY_TOOLS with a literal.
const tools = JSON.stringify(env.TOOLS === "fifty" ? FIFTY_TOOLS : [WHOAMI]);

const metadata = JSON.stringify({
  resource: env.RESOURCE,
  authorization_servers: [env.ISSUER],
  scopes_supported: env.REQUIRED_SCOPES.split(" "),
  bearer_methods_supported: ["header"],
});
const METADATA_HEADERS = {
  "content-type": "application/json",
  "cache-control": "public, max-age=300",
  "access-control-allow-origin": "*",
  ...(isStrict && { "x-content-type-options": "nosniff" }),
};
const JSON_HEADERS = {
  "content-type": "application/json",
  "cache-control": "no-store",
  ...(isStrict && { "x-content-type-options": "nosniff" }),
};

const challenge = (members) =>
  `Bearer ${members}resource_metadata="${origin}${metadataPath}", scope="${env.REQUIRED_SCOPES}"`;
const UNAUTHENTICATED = { ...JSON_HEADERS, "www-authenticate": challenge("") };
const refusal = (error) => ({
  body: JSON.stringify({ error }),
  headers: { ...JSON_HEADERS, "www-authenticate": challenge(`error="${error}", `) },
});
const REFUSALS = { invalid_token: refusal("invalid_token"), insufficient_scope: refusal("insufficient_scope") };

export default {
  fetch(request) {
    return isStrict ? respondAndLog(request) : respond(request, {});
  },
};

async function respondAndLog(request) {
  const arrived = Date.now();
  const record = { route: "elsewhere", caller: "", message: "" };
  const response = await respond(request, record);
  log(request, arrived, response.status, `"route":"${record.route}"${record.caller}${record.message}`);
  return response;
}

// `record` gets what the log shows of the request.
async function respond(request, record) {
  const { url, headers } = request;
  const target = url.slice(url.indexOf("/", 8));
  if (target === path) {
    record.route = "mcp";
    return answer(request, headers, target, record);
  }
  if (target === metadataPath && request.method === "GET") {
    record.route = "metadata";
    return new Response(metadata, { headers: METADATA_HEADERS });
  }
  return new Response("Not Found", { status: 404 });
}

async function answer(request, headers, target, record) {
  const from = headers.get("origin");
  if (from !== null && from !== origin) return new Response("Forbidden", { status: 403 });

  const authorization = headers.get("authorization");
  if (isStrict && isRefused(headers, target)) return new Response("{}", { status: 400, headers: JSON_HEADERS });
  if (authorization === null) return new Response("{}", { status: 401, headers: UNAUTHENTICATED });
  if (authorization.slice(0, 7).toLowerCase() !== "bearer ") return refused(new Refused(401, "invalid_token"));
  let caller;
  try {
    caller = callerOf(authorization.slice(7), Date.now());
    if (caller instanceof Promise) caller = await caller;
    record.caller = caller.record;
  } catch (error) {
    return refused(error);
  }

  if (request.method !== "POST") return new Response(null, { status: 405, headers: { allow: "POST" } });
  if (!headers.get("content-type")?.startsWith("application/json")) return new Response(null, { status: 415 });
  if (Number(headers.get("content-length")) > MAX_BODY_BYTES) return new Response(null, { status: 413 });
  let message;
  try {
    message = isStrict ? await readStrictly(request) : JSON.parse(await request.text());
  } catch {
    return failure(400, null, -32700, "Parse error");
  }
  if (isStrict && !isWellFormed(message ?? {})) return failure(400, null, -32600, "Invalid request");
  return dispatch(message, headers, caller, record);
}

function dispatch(message, headers, caller, record) {
  const { jsonrpc, id, method, params } = message ?? {};
  if (jsonrpc !== "2.0" || typeof method !== "string") return failure(400, null, -32600, "Invalid request");
  if (id === undefined) return new Response(null, { status: 202 });
  if (typeof id !== "string" && !Number.isInteger(id)) return failure(400, null, -32600, "Invalid request");

  const version = headers.get("mcp-protocol-version");
  if (isStrict) record.message = `,"method":${JSON.stringify(method)},"tool":${JSON.stringify(params?.name)},"revision":"${version}"`;
  const claimed = params?._meta?.["io.modelcontextprotocol/protocolVersion"];
  if (claimed === undefined && version !== MODERN) {
    if (version !== null && !LEGACY.has(version)) return failure(400, id, -32000, "Unsupported protocol version");
    return legacy(id, method, params, caller);
  }
  if (claimed !== version) return failure(400, id, -32020, "MCP-Protocol-Version differs from the body");
  if (claimed !== MODERN) return failure(400, id, -32022, "Unsupported protocol version");
  if (typeof params._meta["io.modelcontextprotocol/clientCapabilities"] !== "object") {
    return failure(400, id, -32602, "clientCapabilities is missing");
  }
  if (headers.get("mcp-method") !== method) return failure(400, id, -32020, "Mcp-Method differs from the body");
  if (method === "tools/call" && headers.get("mcp-name") !== params.name) {
    return failure(400, id, -32020, "Mcp-Name differs from the body");
  }
  return modern(id, method, params, caller);
}

function modern(id, method, params, caller) {
  switch (method) {
    case "tools/call":
      if (params.name !== "whoami") return failure(200, id, -32602, "Unknown tool");
      return success(id, `${caller.whoami},${MODERN_META}`);
    case "tools/list":
      return success(id, `"tools":${tools},"ttlMs":300000,"cacheScope":"private",${MODERN_META}`);
    case "server/discover":
      return success(
        id,
        `"supportedVersions":["${MODERN}"],"capabilities":{"tools":{}},` +
          `"ttlMs":300000,"cacheScope":"public",${MODERN_META}`,
      );
    default:
      return failure(404, id, -32601, "Method not found");
  }
}

function legacy(id, method, params, caller) {
  switch (method) {
    case "tools/call":
      if (params?.name !== "whoami") return failure(200, id, -32602, "Unknown tool");
      return success(id, caller.whoami);
    case "tools/list":
      return success(id, `"tools":${tools}`);
    case "initialize": {
      const version = LEGACY.has(params?.protocolVersion) ? params.protocolVersion : "2025-11-25";
      return success(id, `"protocolVersion":"${version}","capabilities":{"tools":{}},"serverInfo":${SERVER_INFO}`);
    }
    case "ping":
      return success(id, "");
    default:
      return failure(200, id, -32601, "Method not found");
  }
}

function success(id, members) {
  return new Response(`{"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":{${members}}}`, { headers: JSON_HEADERS });
}

function failure(status, id, code, message) {
  const body = JSON.stringify({ jsonrpc: "2.0", id, error: { code, message } });
  return new Response(body, { status, headers: JSON_HEADERS });
}

function refused(error) {
  if (error instanceof Refused) {
    const { body, headers } = REFUSALS[error.message];
    return new Response(body, { status: error.status, headers });
  }
  const status = error instanceof KeysUnavailable ? 503 : 500;
  return new Response(null, { status, headers: { "retry-after": "5" } });
}
