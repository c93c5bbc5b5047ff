// The loads: requests and expected responses.

import assert from "node:assert/strict";
import { legacyCall, modernCall, modernRequest } from "../../tests/support/messages.mjs";
import { fiftyTools } from "../contenders/fifty-tools.js";
import { gateways } from "../contenders/index.mjs";
import { BOTH } from "./tokens.mjs";
import { TOOL } from "./upstream.mjs";

/**
 * @typedef {object} Request
 * @property {string} method
 * @property {string} path
 * @property {Record<string, string>} headers
 * @property {string} body
 *
 * @typedef {object} Load
 * @property {string} name
 * @property {string} title        shown in the results
 * @property {Request} request
 * @property {import("./tokens.mjs").Algorithm | "both"} [algorithm]  of the tokens
 * @property {"one" | "turn" | "new" | "forged" | "none"} tokens
 *   always the same; `TURN` of each algorithm in turn; each once; each once and with a wrong signature; none
 * @property {number} status       of every response
 * @property {(answer: import("../../tests/support/requests.mjs").Answer, expected: Expected) => void} check
 * @property {import("../contenders/index.mjs").Tools} [tools]
 * @property {string[]} contenders
 * @property {import("./credentials.mjs").Kind} [credential]  what is sent in place of an access token
 * @property {string} [besides]  of a load with an upstream: the load of `whoami` in the same era, to compare with
 *
 * @typedef {object} Expected
 * @property {{issuer: string, resource: string}} parties
 * @property {object} [claims]  of the token that was sent
 * @property {import("./credentials.mjs").Kind} [credential]  that was sent in place of one
 */

/** The number of tokens of one algorithm in turn: users of a busy server, more than the size of some caches. */
export const TURN = 2_000;

const SERVERS = ["twin", "sdk", "agents", "mcp-edge"];
const SERVERS_AND_QUIET = [...SERVERS, "mcp-edge-quiet"];
const ALL = ["noop", "twin-strict", ...SERVERS_AND_QUIET];

const post = ({ message, headers }) => ({
  method: "POST",
  path: "/mcp",
  headers: { "content-type": "application/json", accept: "application/json, text/event-stream", ...headers },
  body: JSON.stringify(message),
});

const modernWhoami = post(modernCall("whoami"));
const legacyWhoami = post({ message: legacyCall("whoami"), headers: { "mcp-protocol-version": "2025-11-25" } });
const modernList = post(modernRequest("tools/list"));
const modernEcho = post(modernCall(TOOL, { text: "hello" }));
const legacyEcho = post({ message: legacyCall(TOOL, { text: "hello" }), headers: { "mcp-protocol-version": "2025-11-25" } });
const metadata = { method: "GET", path: "/.well-known/oauth-protected-resource/mcp", headers: {}, body: "" };

const whoami = { request: modernWhoami, status: 200, check: checkWhoami };
const passedOn = {
  algorithm: "RS256",
  tokens: "one",
  status: 200,
  check: checkEcho,
  contenders: gateways.map(({ name }) => name),
};

const exchanged = { request: modernWhoami, status: 200, check: checkExchanged, contenders: ["mcp-edge", "mcp-edge-quiet"] };

/** @type {Load[]} */
export const loads = [
  ...["RS256", "ES384"].flatMap((algorithm) => {
    const name = algorithm.toLowerCase();
    const load = { ...whoami, algorithm, contenders: SERVERS };
    return [
      { ...load, name: `${name}-repeated`, title: `${algorithm}, one token`, tokens: "one", contenders: ALL },
      { ...load, name: `${name}-turn`, title: `${algorithm}, 2,000 tokens`, tokens: "turn" },
      { ...load, name: `${name}-new`, title: `${algorithm}, all tokens new`, tokens: "new" },
    ];
  }),
  {
    ...whoami,
    name: "both-turn",
    title: "RS256 and ES384, 4,000 tokens",
    algorithm: BOTH,
    tokens: "turn",
    contenders: SERVERS_AND_QUIET,
  },
  {
    ...whoami,
    name: "legacy-era",
    title: "RS256, one token, 2025-11-25",
    request: legacyWhoami,
    algorithm: "RS256",
    tokens: "one",
    contenders: SERVERS,
  },
  {
    name: "no-token",
    title: "401, no token",
    request: modernWhoami,
    algorithm: "RS256",
    tokens: "none",
    status: 401,
    check: checkChallenge,
    contenders: ALL,
  },
  {
    name: "bad-signature",
    title: "401, bad signature",
    request: modernWhoami,
    algorithm: "RS256",
    tokens: "forged",
    status: 401,
    check: checkChallenge,
    contenders: SERVERS,
  },
  {
    name: "metadata",
    title: "resource metadata",
    request: metadata,
    algorithm: "RS256",
    tokens: "none",
    status: 200,
    check: checkMetadata,
    contenders: ["noop", ...SERVERS],
  },
  {
    name: "fifty-tools",
    title: "tools/list, 50 tools",
    request: modernList,
    algorithm: "RS256",
    tokens: "one",
    status: 200,
    check: checkList,
    tools: "fifty",
    contenders: SERVERS,
  },
  ...[
    { credential: "access_key", name: "access-key", title: "access key" },
    { credential: "personal_access_token", name: "personal-token", title: "personal access token" },
  ].flatMap(({ name, title, ...load }) => [
    { ...exchanged, ...load, name: `${name}-repeated`, title: `one ${title}`, tokens: "one" },
    { ...exchanged, ...load, name: `${name}-new`, title: `${title}, first use`, tokens: "new" },
  ]),
  { ...passedOn, name: "gateway", title: "call through a gateway", request: modernEcho, besides: "rs256-repeated" },
  { ...passedOn, name: "gateway-legacy", title: "call through a gateway, 2025-11-25", request: legacyEcho, besides: "legacy-era" },
];

/** Whether the contenders of a load are gateways in front of an upstream. @param {Load} load */
export const hasUpstream = ({ besides }) => besides !== undefined;

/** Whether the load is one with access keys or personal access tokens. @param {Load} load */
export const isExchanged = ({ credential }) => credential !== undefined;

/** Returns the load with this name. */
export function loadNamed(name) {
  const found = loads.find((load) => load.name === name);
  if (found === undefined) throw new Error(`there is no load "${name}": ${loads.map((each) => each.name)}`);
  return found;
}

/**
 * Returns a request in two parts, before and after the token.
 * @param {Request} request
 * @param {{port: number}} worker
 * @param {boolean} hasToken
 */
export function onTheWire({ method, path, headers, body }, { port }, hasToken) {
  const fields = { host: `127.0.0.1:${port}`, ...headers, ...(body !== "" && { "content-length": body.length }) };
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`);
  const before = `${method} ${path} HTTP/1.1\r\n${lines.join("")}`;
  return hasToken
    ? { before: `${before}authorization: Bearer `, after: `\r\n\r\n${body}` }
    : { before, after: `\r\n${body}` };
}

function checkWhoami(answer, { parties, claims }) {
  const { result } = messageOf(answer);
  assert.deepEqual(result.structuredContent, {
    sub: claims.sub,
    issuer: parties.issuer,
    client_id: claims.client_id,
    client_party: "third",
    kind: "user",
    credential: "access_token",
    scopes: claims.scope.split(" "),
    expires_at: claims.exp,
  });
  assert.deepEqual(JSON.parse(result.content[0].text), result.structuredContent);
}

function checkExchanged(answer, { parties, credential }) {
  const { structuredContent } = messageOf(answer).result;
  const { issuer, client_party, kind, scopes } = structuredContent;
  const is = { issuer, client_party, kind, credential: structuredContent.credential, scopes };
  assert.deepEqual(is, { issuer: parties.issuer, client_party: "third", kind: "user", credential, scopes: ["whoami:read"] });
}

function checkEcho(answer) {
  assert.deepEqual(messageOf(answer).result.content, [{ type: "text", text: "echoed" }]);
}

function checkChallenge({ headers }, { parties }) {
  const { origin, pathname } = new URL(parties.resource);
  const challenge = headers["www-authenticate"];
  const document = `${origin}/.well-known/oauth-protected-resource${pathname}`;
  assert.match(challenge, /^Bearer /);
  assert.ok(challenge.includes(`resource_metadata="${document}"`), challenge);
}

function checkMetadata({ json }, { parties }) {
  assert.equal(json.resource, parties.resource);
  assert.deepEqual(json.authorization_servers, [parties.issuer]);
}

function checkList(answer) {
  const listed = messageOf(answer).result.tools;
  assert.equal(listed.length, fiftyTools.length);
  for (const { name, description, inputSchema } of fiftyTools) {
    const tool = listed.find((each) => each.name === name);
    assert.equal(tool?.description, description, name);
    assert.deepEqual(Object.keys(tool.inputSchema.properties).sort(), Object.keys(inputSchema.shape).sort(), name);
  }
}

// For revisions with a handshake the SDK responds with a stream of one event.
function messageOf({ json, text }) {
  return json ?? JSON.parse(/^data: (.*)$/m.exec(text)[1]);
}
