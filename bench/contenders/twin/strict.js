// What mcp-edge does beyond the other contenders, for the contender that does the same: it refuses what two parsers could
// read differently, and writes a line of log for each request.

import { env } from "cloudflare:workers";

/** Whether this is that contender. */
export const isStrict = env.STRICT === "on";

const MAX_ID_CHARACTERS = 1_024;

const decoder = new TextDecoder("utf-8", { fatal: true });

/**
 * Reads the message in a body.
 * @throws if it is not UTF-8, not JSON, or names a member twice
 */
export async function readStrictly(request) {
  const text = decoder.decode(await request.bytes());
  const message = JSON.parse(text);
  if (repeatsMember(text)) throw new Error("a member occurs twice");
  return message;
}

/** Whether headers or query have what mcp-edge refuses before it reads the body. */
export function isRefused(headers, target) {
  const query = target.indexOf("?");
  if (query >= 0 && /(?:^|&)access_token(?:=|&|$)/i.test(target.slice(query + 1))) return true;
  const encoding = headers.get("content-encoding");
  return encoding !== null && encoding !== "identity";
}

/** Whether the parts of a request that come back, or decide what is sent, have the form that mcp-edge asks for. */
export function isWellFormed({ id, params }) {
  if (typeof id === "string" && id.length > MAX_ID_CHARACTERS) return false;
  const token = params?._meta?.progressToken;
  if (token !== undefined && typeof token !== "string" && !Number.isInteger(token)) return false;
  const level = params?._meta?.["io.modelcontextprotocol/logLevel"];
  return level === undefined || LEVELS.has(level);
}

const LEVELS = new Set(["debug", "info", "notice", "warning", "error", "critical", "alert", "emergency"]);

/** Whether the message, its `params` or their `_meta` have a member twice: JSON.parse takes the last one. */
function repeatsMember(json) {
  const path = [];
  const seen = [];
  let depth = 0;
  for (let at = 0; at < json.length; at += 1) {
    switch (json.charCodeAt(at)) {
      case 0x7b: // {
      case 0x5b: // [
        depth += 1;
        path[depth] = undefined;
        if (isRead(path, depth)) seen[depth] = [];
        break;
      case 0x7d: // }
      case 0x5d: // ]
        depth -= 1;
        break;
      case 0x22: {
        // "
        const end = endOfString(json, at);
        if (isRead(path, depth) && isFollowedByColon(json, end)) {
          const text = json.slice(at + 1, end);
          const name = text.includes("\\") ? JSON.parse(`"${text}"`) : text;
          if (seen[depth].includes(name)) return true;
          seen[depth].push(name);
          path[depth] = name;
        }
        at = end;
        break;
      }
    }
  }
  return false;
}

const isRead = (path, depth) =>
  depth === 1 || (depth === 2 && path[1] === "params") || (depth === 3 && path[1] === "params" && path[2] === "_meta");

/** Returns the place of the quotation mark that ends the string which begins at `start`. */
function endOfString(json, start) {
  let end = json.indexOf('"', start + 1);
  while (json.charCodeAt(end - 1) === 0x5c && isEscaped(json, end)) end = json.indexOf('"', end + 1);
  return end;
}

function isEscaped(json, at) {
  let slashes = 0;
  while (json.charCodeAt(at - 1 - slashes) === 0x5c) slashes += 1;
  return slashes % 2 === 1;
}

function isFollowedByColon(json, end) {
  let at = end + 1;
  while (json.charCodeAt(at) <= 0x20) at += 1;
  return json.charCodeAt(at) === 0x3a;
}

let requests = 0;

/**
 * Writes the line of a request, with the members of mcp-edge's.
 * @param {Request} request
 * @param {number} arrived  milliseconds since 1970
 * @param {number} status
 * @param {string} members  what is known of route, caller and message, as JSON
 */
export function log(request, arrived, status, members) {
  const { headers } = request;
  const id = headers.get("cf-ray") ?? `local-${(requests += 1)}`;
  const trace = /^00-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}$/.exec(headers.get("traceparent") ?? "")?.[1];
  const outcome = status < 400 ? "ok" : status < 500 ? "denied" : "failed";
  console.log(
    `{"request_id":${JSON.stringify(id)}${trace === undefined ? "" : `,"trace_id":"${trace}"`},` +
      `"http_method":"${request.method}","status":${status},"outcome":"${outcome}",${members},"ms":${Date.now() - arrived}}`,
  );
}
