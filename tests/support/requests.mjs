// HTTP requests with exactly the headers of a test, and any method.
//
// `fetch` adds headers, refuses methods and joins repeated headers.

import { request as httpRequest } from "node:http";

// Far longer than any response takes: without an end to it, a Worker that never responds would end no test.
const PATIENCE_MS = 120_000;

/**
 * @typedef {object} Answer
 * @property {number} status
 * @property {import("node:http").IncomingHttpHeaders} headers  names in lower case
 * @property {string} text
 * @property {any} json  the body, if it is JSON
 */

/**
 * Sends a request to a Worker.
 * @param {{origin: string}} worker
 * @param {object} request
 * @param {string} [request.method]
 * @param {string} [request.path]     with query, sent as it is
 * @param {import("node:http").OutgoingHttpHeaders} [request.headers]  a list of values repeats the header
 * @param {string | Buffer | Buffer[]} [request.body]  a list is sent as that many chunks
 * @returns {Promise<Answer>}
 */
export function send({ origin }, { method = "GET", path = "/mcp", headers = {}, body } = {}) {
  const { hostname, port } = new URL(origin);
  return new Promise((resolve, reject) => {
    const request = httpRequest({ hostname, port, method, path, headers, timeout: PATIENCE_MS }, async (response) => {
      try {
        resolve(await read(response));
      } catch (error) {
        reject(error);
      }
    });
    request.once("error", reject);
    endIfSilent(request);
    if (!Array.isArray(body)) return request.end(body);
    for (const chunk of body) request.write(chunk);
    request.end();
  });
}

/**
 * Sends the headers of a request and a part of its body, and never completes it. The response to an incomplete
 * request arrives reliably only if no more data is sent.
 * @param {{origin: string}} worker
 * @param {{headers: import("node:http").OutgoingHttpHeaders, body?: string}} request
 * @returns {Promise<Answer>}
 */
export function sendPart({ origin }, { headers, body = "" }) {
  const { hostname, port } = new URL(origin);
  return new Promise((resolve, reject) => {
    const request = httpRequest({ hostname, port, method: "POST", path: "/mcp", headers, agent: false, timeout: PATIENCE_MS });
    request.once("error", reject);
    endIfSilent(request);
    request.once("response", async (response) => {
      try {
        resolve(await read(response));
      } catch (error) {
        reject(error);
      } finally {
        request.destroy();
      }
    });
    request.flushHeaders();
    if (body !== "") request.write(body);
  });
}

/**
 * Posts a JSON-RPC message to the MCP endpoint.
 * @param {{origin: string}} worker
 * @param {object} request
 * @param {string} [request.token]
 * @param {unknown} [request.message]  a string is sent unchanged, other values as JSON
 * @param {import("node:http").OutgoingHttpHeaders} [request.headers]
 * @param {string} [request.path]
 * @returns {Promise<Answer>}
 */
export function post(worker, { token, message, headers = {}, path = "/mcp" }) {
  const body = typeof message === "string" || Buffer.isBuffer(message) ? message : JSON.stringify(message);
  const all = {
    "content-type": "application/json",
    accept: "application/json, text/event-stream",
    ...(token !== undefined && { authorization: `Bearer ${token}` }),
    ...headers,
  };
  const named = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
  return send(worker, { method: "POST", path, headers: named, body });
}

function endIfSilent(request) {
  request.once("timeout", () => request.destroy(new Error(`no response within ${PATIENCE_MS / 1000} s`)));
}

async function read(response) {
  const chunks = [];
  for await (const chunk of response) chunks.push(chunk);
  const text = Buffer.concat(chunks).toString("utf8");
  const { statusCode: status, headers } = response;
  const isJson = headers["content-type"]?.startsWith("application/json") && text !== "";
  return { status, headers, text, json: isJson ? JSON.parse(text) : undefined };
}
