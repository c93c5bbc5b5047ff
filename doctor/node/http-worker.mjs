// A thread that has the doctor's connections. It sends requests as they are given and posts what happens to them; what
// that means, and how much of a response is read, the doctor decides (doctor/src/transport/host.rs).
//
// Of `fetch`, redirects, decoded bodies and headers of its own could not be switched off.

import { Agent as HttpAgent, request as httpRequest } from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";
import process from "node:process";
import { checkServerIdentity, createSecureContext, rootCertificates } from "node:tls";
import { workerData } from "node:worker_threads";

/** As much as the native program reads. */
const MAX_HEADER_BYTES = 64 * 1024;

/** In the order of the native program. */
const PROXY_VARIABLES = ["ALL_PROXY", "all_proxy", "HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"];

const { port, signal, timeout, authorities } = workerData;
const agents = { direct: makeAgents(null), throughProxy: makeAgents(proxyEnvironment(process.env)) };

/** The requests that are not over: number → what cancels it. */
const running = new Map();

port.on("message", ({ number, request }) => {
  if (request === undefined) running.get(number)?.();
  else start(number, request);
});

/**
 * @typedef {object} Request
 * @property {boolean} isHttps
 * @property {boolean} bypassesProxy
 * @property {string} host
 * @property {number} port
 * @property {string} method
 * @property {string} path  with the query
 * @property {[string, string][]} headers  all that are sent
 * @property {string | null} body
 * @property {number} maxBytes  the end of a body after so many is not waited for
 *
 * @param {number} number
 * @param {Request} request
 */
function start(number, request) {
  let attempt;
  let hasHead = false;
  let bytes = 0;

  const timer = setTimeout(() => fail({ code: "DOCTOR_TIMEOUT", message: "the time is over" }), timeout);
  running.set(number, finish);
  connect();

  function connect() {
    try {
      attempt = send(request);
    } catch (error) {
      return fail(error);
    }
    const mine = attempt;
    mine.on("error", (error) => {
      if (mine !== attempt || !running.has(number)) return undefined;
      // The server had closed a connection that was kept open.
      if (mine.reusedSocket && error.code === "ECONNRESET" && !hasHead) return connect();
      return fail(error);
    });
    mine.once("response", receive);
    return undefined;
  }

  function receive(response) {
    hasHead = true;
    response.on("error", fail);
    post({ number, kind: "head", status: response.statusCode, headers: response.rawHeaders.map(decoded) });
    response.on("data", (chunk) => {
      if (!running.has(number)) return;
      bytes += chunk.length;
      const copy = new Uint8Array(chunk);
      post({ number, kind: "chunk", bytes: copy }, [copy.buffer]);
      if (bytes > request.maxBytes) end();
    });
    response.on("end", () => {
      // The connection is kept: it is not in use any more.
      attempt = undefined;
      end();
    });
  }

  function end() {
    if (finish()) post({ number, kind: "end" });
  }

  function fail({ code = "", message }) {
    if (finish()) post({ number, kind: "error", code: String(code), message });
  }

  /** Ends the request, once. */
  function finish() {
    clearTimeout(timer);
    attempt?.destroy();
    return running.delete(number);
  }
}

function send({ isHttps, bypassesProxy, host, port, method, path, headers, body }) {
  const { http, https } = bypassesProxy ? agents.direct : agents.throughProxy;
  const request = (isHttps ? httpsRequest : httpRequest)({
    agent: isHttps ? https : http,
    host,
    port,
    method,
    path: encoded(path),
    headers: headers.flatMap(([name, value]) => [name, encoded(value)]),
    setDefaultHeaders: false,
    maxHeaderSize: MAX_HEADER_BYTES,
  });
  request.end(body ?? undefined);
  return request;
}

function makeAgents(proxyEnv) {
  return {
    http: new HttpAgent({ keepAlive: true, proxyEnv }),
    https: new HttpsAgent({
      keepAlive: true,
      proxyEnv,
      // Neither the certificates of this machine nor the variables that change what Node.js trusts: hosted clients have neither.
      secureContext: createSecureContext({ ca: authorities ?? rootCertificates, allowPartialTrustChain: true }),
      rejectUnauthorized: true,
      checkServerIdentity: checkCertificate,
    }),
  };
}

/** What Node.js accepts, and the native program and most hosted clients do not. */
function checkCertificate(host, certificate) {
  const refused = (code, message) => Object.assign(new Error(message), { code });
  if (certificate.ca) return refused("CERT_UNTRUSTED", "the certificate is that of an authority");
  // Names in the subject do not count.
  if (certificate.subjectaltname === undefined) return refused("ERR_TLS_CERT_ALTNAME_INVALID", "the certificate has no names");
  return checkServerIdentity(host, certificate);
}

/** The proxy, if there is one, for http and https alike. `null`: none, not even that of Node.js itself. */
function proxyEnvironment(env) {
  const named = PROXY_VARIABLES.map((name) => env[name]).find(Boolean);
  if (named === undefined) return null;
  const url = named.includes("://") ? named : `http://${named}`;
  return URL.canParse(url) && /^https?:/i.test(url) ? { HTTP_PROXY: url, HTTPS_PROXY: url, NO_PROXY: env.NO_PROXY ?? env.no_proxy } : null;
}

function post(event, transferList) {
  port.postMessage(event, transferList);
  Atomics.add(signal, 0, 1);
  Atomics.notify(signal, 0);
}

/** Text as Node.js writes it to connections: each character a byte. */
function encoded(text) {
  return Buffer.from(text, "utf8").toString("latin1");
}

function decoded(text) {
  return Buffer.from(text, "latin1").toString("utf8");
}
