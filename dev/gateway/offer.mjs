// What an upstream offers: its tools, prompts, resources and templates, in the era that the official client chooses.
//
// What is compared and hashed is read from the bodies themselves (recorder.mjs): the client leaves out tools that it cannot
// call, and writes numbers in another way.

import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { plain, Problem } from "../logto/problem.mjs";
import { memberOf, parseRaw } from "./canonical.mjs";
import { createRecorder } from "./recorder.mjs";
import { safe } from "./text.mjs";

const TIMEOUT_MS = 20_000;
const MAX_PAGES = 200;
const METHOD_NOT_FOUND = -32601;
const CLIENT = { name: "mcp-edge gateway-scopes", version: "1.0.0" };

// Some servers have tools for clients only that can do what these tools ask of them.
const CAPABILITIES = { sampling: {}, elicitation: {}, roots: {} };

/** The lists: kind → method, member of the result, capability, member that names an entry. */
export const KINDS = {
  tools: { method: "tools/list", member: "tools", capability: "tools", key: "name" },
  prompts: { method: "prompts/list", member: "prompts", capability: "prompts", key: "name" },
  resources: { method: "resources/list", member: "resources", capability: "resources", key: "uri" },
  templates: { method: "resources/templates/list", member: "resourceTemplates", capability: "resources", key: "uriTemplate" },
};

/**
 * @typedef {{key: string, value: any, raw: any}} Entry  `raw` is for `canonical.mjs`
 *
 * @typedef {object} Offer
 * @property {string} server  name and version, as the upstream gives them: untrusted
 * @property {string} name    its name alone
 * @property {{modern?: string, legacy?: string}} revisions  that were negotiated, by era
 * @property {Entry[]} tools
 * @property {Entry[]} prompts
 * @property {Entry[]} resources
 * @property {Entry[]} templates
 * @property {string[]} notes  what is wrong with it, for the operator
 *
 * @param {string} url
 * @param {{fetch?: typeof fetch, headers?: Record<string, string>, timeoutMs?: number}} [options]
 * @returns {Promise<Offer>}
 * @throws {Problem} if it is not an MCP server that this program may use
 * @throws {Absent} if nothing answers there
 * @throws {Refused} if it answers with 401 or 403
 */
export async function readOffer(url, { fetch, headers, timeoutMs = TIMEOUT_MS } = {}) {
  const recorder = createRecorder({ fetch, headers });
  const options = { timeout: timeoutMs };
  const client = await connect(url, "auto", recorder, options);
  try {
    const notes = [];
    const lists = {};
    const capabilities = client.getServerCapabilities() ?? {};
    for (const [kind, { capability }] of Object.entries(KINDS)) {
      lists[kind] = capabilities[capability] === undefined ? [] : await readList(client, KINDS[kind], recorder, notes, options);
    }
    const { name = "", version = "" } = client.getServerVersion() ?? {};
    const revision = client.getNegotiatedProtocolVersion();
    const isModern = client.getProtocolEra() === "modern";
    const legacy = isModern ? await legacyRevision(url, recorder, options) : revision;
    return { server: `${name} ${version}`.trim(), name: String(name), revisions: { modern: isModern ? revision : undefined, legacy }, ...lists, notes };
  } finally {
    await end(client);
  }
}

/** Nothing listens at the URL. */
export class Absent extends Problem {}

/** The upstream wants other credentials. */
export class Refused extends Problem {}

async function connect(url, mode, recorder, options) {
  const transport = new StreamableHTTPClientTransport(new URL(url), { fetch: recorder.fetch });
  const client = new Client(CLIENT, { capabilities: CAPABILITIES, versionNegotiation: { mode } });
  try {
    await client.connect(transport, options);
    return client;
  } catch (error) {
    await client.close().catch(() => {});
    throw problemOf(error, url, recorder.last(), options);
  }
}

// The gateway's clients of the handshake era need it.
async function legacyRevision(url, recorder, options) {
  try {
    const client = await connect(url, "legacy", recorder, options);
    const revision = client.getNegotiatedProtocolVersion();
    await end(client);
    return revision;
  } catch {
    return undefined;
  }
}

async function end(client) {
  await client.transport?.terminateSession?.().catch(() => {});
  await client.close().catch(() => {});
}

async function readList(client, { method, member, key }, recorder, notes, options) {
  const entries = [];
  let cursor;
  for (let page = 1; ; page += 1) {
    if (page > MAX_PAGES) throw new Problem(`the pages of ${method} do not end`, { why: `After ${MAX_PAGES} pages there is still a next one.`, fix: "Correct the upstream's cursors." });
    const failure = await client.request({ method, params: cursor === undefined ? {} : { cursor } }, options).then(() => undefined, (error) => error);
    const text = recorder.takeList();
    if (text === undefined) throw problemOf(failure ?? new Error("no response"), method, recorder.last(), options);
    const { value, raw } = parseBoth(text, method);
    if (value.error !== undefined) {
      if (value.error?.code === METHOD_NOT_FOUND) return entries;
      throw new Problem(`the upstream answers ${method} with an error: ${plain(value.error?.message)}`);
    }
    const list = value.result?.[member];
    if (!Array.isArray(list)) throw new Problem(`the upstream's response to ${method} has no list "${member}"`);
    const rawList = memberOf(memberOf(raw, "result"), member);
    if (failure !== undefined) notes.push(`The official TypeScript client refuses the upstream's ${method}: ${plain(failure.message)}`);
    for (const [index, entry] of list.entries()) {
      if (typeof entry?.[key] === "string") entries.push({ key: entry[key], value: entry, raw: rawList.elements[index] });
      else notes.push(`An entry of ${method} has no "${key}": the gateway drops it.`);
    }
    const next = value.result.nextCursor;
    if (typeof next !== "string" || next === cursor) return entries;
    cursor = next;
  }
}

function parseBoth(text, method) {
  try {
    return { value: JSON.parse(text), raw: parseRaw(text) };
  } catch {
    throw new Problem(`the upstream's response to ${method} cannot be read`, { why: "It is nested too deeply." });
  }
}

function problemOf(error, subject, { status, type }, { timeout }) {
  const causes = [...causesOf(error)];
  const known = causes.find((cause) => cause instanceof Problem);
  if (known !== undefined) return known;
  const codes = causes.map(({ code }) => code);
  if (["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN", "EHOSTUNREACH"].some((code) => codes.includes(code))) {
    return new Absent(`nothing answers at ${subject}`, { fix: "Start the upstream, or check the URL." });
  }
  if (status === 401 || status === 403) {
    return new Refused(`the upstream refuses this request with ${status}`, {
      why: "It wants to know who is calling.",
      fix: "HEADER='authorization: Bearer …' in the environment is sent with each request; for an upstream that verifies the assertions of \"make dev\", ARGS=--assertion signs one.",
    });
  }
  if (/text\/html/i.test(type ?? "")) return new Problem(`${subject} is a web page, not an MCP endpoint`, { fix: "Check the path: many servers have it at /mcp." });
  if (status === 404 || status === 405) return new Problem(`there is no MCP endpoint at ${subject} (${status})`, { fix: "Check the path: many servers have it at /mcp. Servers with HTTP+SSE alone (/sse) are not supported." });
  if (codes.includes("REQUEST_TIMEOUT") || /timed? ?out/i.test(error.message)) return new Problem(`the upstream did not answer within ${timeout / 1000} seconds`);
  return new Problem(`${subject} does not answer as an MCP server: ${safe(causes.at(-1).message).slice(0, 300)}`, { fix: "Check the URL, and the upstream's log." });
}

// The client wraps errors; Node tries each address of a host.
function* causesOf(error) {
  for (let cause = error; cause instanceof Error; cause = cause.cause ?? cause.data?.cause) {
    yield cause;
    yield* cause.errors ?? [];
  }
}
