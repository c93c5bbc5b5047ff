// An identity provider that can be made to misbehave: it publishes any keys, returns any response at any endpoint, stops
// responding, goes down and comes back, and counts its requests.
//
// It does not sign users in and issues no tokens: tests sign tokens themselves (`signers.mjs`), with its published keys.

import { createServer } from "node:http";
import { freePort } from "./worker.mjs";

/**
 * @typedef {"discovery" | "metadata" | "metadata-appended" | "discovery-inserted" | "jwks" | "introspection" | "userinfo" | "elsewhere"} Endpoint
 *   `metadata`, `metadata-appended` and `discovery-inserted` are the other places of the discovery document, in the
 *   order in which they are asked. They are 404 by default.
 *
 * @typedef {(response: import("node:http").ServerResponse, honest: Honest, request: import("node:http").IncomingMessage) => void} Fault
 *   sends a response; `honest` is the correct one
 *
 * @typedef {object} Honest
 * @property {number} status
 * @property {string} body
 * @property {string} type
 */

/**
 * Starts it.
 * @param {object} [options]
 * @param {object[]} [options.keys]  the published keys; may be replaced later
 * @param {string} [options.path]    the path of the issuer
 */
export async function startHostileProvider({ keys = [], path = "/oidc" } = {}) {
  const provider = new HostileProvider(await freePort(), path, keys);
  await provider.start();
  return provider;
}

class HostileProvider {
  #server;
  #faults = new Map();
  #path;

  constructor(port, path, keys) {
    this.port = port;
    this.origin = `http://127.0.0.1:${port}`;
    this.issuer = `${this.origin}${path}`;
    this.#path = path;
    /** The published keys, as JWKs. */
    this.keys = keys;
    /** Members of the discovery document that differ; `undefined` removes one. */
    this.discovery = {};
    /** Introspection responses by token: members, or the whole response as `{status, body}`. */
    this.tokens = new Map();
    /** Userinfo responses by token, likewise. */
    this.profiles = new Map();
    /** Every request since the last `forget`. */
    this.requests = [];
  }

  /** Counts the requests, to one endpoint or to all. */
  count(/** @type {Endpoint | undefined} */ endpoint) {
    return this.requests.filter((request) => endpoint === undefined || request.endpoint === endpoint).length;
  }

  /** Deletes the recorded requests. */
  forget() {
    this.requests = [];
  }

  /** Uses this fault at this endpoint from now on. */
  misbehave(/** @type {Endpoint} */ endpoint, /** @type {Fault} */ fault) {
    this.#faults.set(endpoint, fault);
  }

  /** Responds correctly at all endpoints from now on. */
  behave() {
    this.#faults.clear();
  }

  /** Goes down: connections are refused. */
  async stop() {
    const server = this.#server;
    this.#server = undefined;
    if (server === undefined) return;
    await new Promise((resolve) => {
      server.close(resolve);
      server.closeAllConnections();
    });
  }

  /** Comes back at the same address. */
  async start() {
    const server = createServer((request, response) => this.#answer(request, response));
    await new Promise((resolve, reject) => {
      server.once("error", reject);
      server.listen(this.port, "127.0.0.1", resolve);
    });
    this.#server = server;
  }

  /** Returns the record of the Worker's store, as if fetched this many seconds ago. */
  record({ age = 0, discoveryAge = age, keys = this.keys } = {}) {
    const now = Math.floor(Date.now() / 1000);
    return {
      provider: this.#discovery(),
      provider_fetched_at: now - discoveryAge,
      jwks: { keys },
      jwks_fetched_at: now - age,
    };
  }

  /** Returns the discovery document. */
  document(changes = {}) {
    return { ...this.#discovery(), ...changes };
  }

  /** The name of that record. */
  get recordName() {
    return `provider:${this.issuer}`;
  }

  async #answer(request, response) {
    const { pathname } = new URL(request.url, this.origin);
    const body = await bodyOf(request).catch(() => undefined);
    // Its Worker has ended while it asked: nobody waits for an answer.
    if (body === undefined) return;
    const endpoint = this.#endpointOf(pathname);
    this.requests.push({ endpoint, method: request.method, path: request.url, headers: request.headers, body });
    const honest = this.#honest(endpoint, request, body);
    const fault = this.#faults.get(endpoint);
    if (fault !== undefined) fault(response, honest, request);
    else response.writeHead(honest.status, { "content-type": honest.type }).end(honest.body);
  }

  #endpointOf(pathname) {
    const endpoints = {
      // The later one counts: without a path in the issuer, appended is the same as inserted.
      [`/.well-known/openid-configuration${this.#path}`]: "discovery-inserted",
      [`${this.#path}/.well-known/openid-configuration`]: "discovery",
      [`${this.#path}/.well-known/oauth-authorization-server`]: "metadata-appended",
      [`/.well-known/oauth-authorization-server${this.#path}`]: "metadata",
      [`${this.#path}/jwks`]: "jwks",
      [`${this.#path}/token/introspection`]: "introspection",
      [`${this.#path}/me`]: "userinfo",
    };
    return endpoints[pathname] ?? "elsewhere";
  }

  #honest(endpoint, { headers }, body) {
    switch (endpoint) {
      case "discovery":
        return json(200, this.#discovery());
      case "jwks":
        return json(200, { keys: this.keys }, "application/jwk-set+json");
      case "introspection":
        return said(this.tokens.get(new URLSearchParams(body).get("token")), { active: false });
      case "userinfo":
        return said(this.profiles.get(headers.authorization?.replace("Bearer ", "")), {
          status: 401,
          body: { error: "invalid_token" },
        });
      default:
        return json(404, { error: "not_found" });
    }
  }

  #discovery() {
    return {
      issuer: this.issuer,
      authorization_endpoint: `${this.issuer}/auth`,
      token_endpoint: `${this.issuer}/token`,
      jwks_uri: `${this.issuer}/jwks`,
      introspection_endpoint: `${this.issuer}/token/introspection`,
      userinfo_endpoint: `${this.issuer}/me`,
      ...this.discovery,
    };
  }
}

function json(status, body, type = "application/json") {
  return { status, body: typeof body === "string" ? body : JSON.stringify(body), type };
}

function said(answer, otherwise) {
  const { status, body, ...members } = answer ?? otherwise;
  return status === undefined ? json(200, members) : json(status, body);
}

async function bodyOf(request) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks).toString("utf8");
}

/** Faults of endpoints. */
export const faults = {
  /** Another status, with the correct body. */
  status: (status, headers = {}) => (response, { body }) => response.writeHead(status, headers).end(body),

  /** An OAuth error in the form of Logto. */
  error: (status, error, error_description = "") => (response) =>
    response
      .writeHead(status, { "content-type": "application/json" })
      .end(JSON.stringify({ code: `oidc.${error}`, message: "An OIDC error occurred.", error, error_description })),

  /** A web page with any status, like that of a firewall. */
  page: (status) => (response) =>
    response.writeHead(status, { "content-type": "text/html" }).end("<!doctype html><title>Sorry, you have been blocked</title>"),

  /** Status 401 and this challenge, without a body. */
  challenge: (challenge) => (response) => response.writeHead(401, { "www-authenticate": challenge }).end(),

  /** Status 200 and this. */
  says: (body) => (response) => response.writeHead(200, { "content-type": "application/json" }).end(body),

  /** The correct document with other members. */
  saysWith: (changes) => (response, { body }) =>
    response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify({ ...JSON.parse(body), ...changes })),

  /** Cloudflare's error 1042: a Worker may not fetch from another one of its zone. */
  sameZone: () => (response) => response.writeHead(404, { "content-type": "text/plain" }).end("error code: 1042"),

  /** The correct document, padded with white space to this many bytes. */
  padded: (bytes) => (response, { body }) =>
    response.writeHead(200, { "content-type": "application/json" }).end(body.padEnd(bytes)),

  /** The same without a Content-Length. */
  paddedInChunks: (bytes) => async (response, { body }) => {
    response.writeHead(200, { "content-type": "application/json" });
    response.write(body);
    const chunk = " ".repeat(64 * 1024);
    for (let sent = body.length; sent < bytes && !response.destroyed; sent += chunk.length) {
      if (!response.write(chunk)) await new Promise((resume) => response.once("drain", resume).once("close", resume));
    }
    response.end();
  },

  /** The correct body, a byte per chunk. */
  dripping: () => (response, { status, body, type }) => {
    response.writeHead(status, { "content-type": type });
    for (const byte of Buffer.from(body)) response.write(Buffer.of(byte));
    response.end();
  },

  /** A redirect. */
  redirect: (location, status = 302) => (response) => response.writeHead(status, { location }).end(),

  /** Accepts the request and never responds. */
  silent: () => () => {},

  /** Sends half of the correct body and stops. */
  halting: () => (response, { body, type }) => {
    response.writeHead(200, { "content-type": type, "content-length": Buffer.byteLength(body) });
    response.write(body.slice(0, body.length / 2));
  },

  /** Sends half of the correct body and closes the connection. */
  breaking: () => (response, { body, type }) => {
    response.writeHead(200, { "content-type": type, "content-length": Buffer.byteLength(body) });
    response.write(body.slice(0, body.length / 2), () => response.destroy());
  },

  /** Closes the connection at once. */
  hangingUp: () => (response) => response.destroy(),

  /** Responds correctly when `release` is called. */
  held() {
    const waiting = [];
    let isOpen = false;
    const fault = (response, { status, body, type }) => {
      const answer = () => response.writeHead(status, { "content-type": type }).end(body);
      if (isOpen) answer();
      else waiting.push(answer);
    };
    fault.release = () => {
      isOpen = true;
      waiting.splice(0).forEach((answer) => answer());
    };
    return fault;
  },
};
