// Requests of MCP as steps of the trace. Where the server knows only revisions with a handshake, the client shakes hands
// and keeps the session.

import { handshake, mcpAnswer, mcpRequest, newestWithHandshake } from "./mcp.js";
import * as problems from "./problems.js";

const UNSUPPORTED_VERSION = -32022;

// Servers that follow the examples of the TypeScript SDK answer so, with 400, to a session that they have lost.
const NO_SESSION = -32000;

/**
 * @param {string} url
 * @param {object} flow
 * @param {ReturnType<import("./trace.js").createTrace>} flow.trace
 * @param {(step: object, message: object) => Promise<import("./exchange.js").Answer>} flow.exchange
 *   sends a request as part of a step
 * @param {(answer: import("./exchange.js").Answer, error?: object) => problems.Problem | undefined} flow.judge
 *   returns the problem of an answer, and of the JSON-RPC error in it
 */
export function createClient(url, { trace, exchange, judge }) {
  /** @type {import("./mcp.js").Session | undefined} */
  let session;

  /**
   * Returns the result of a request. `about` is title and explanation of the step.
   * @throws {problems.Problem}
   */
  async function request(about, method, params, options) {
    for (let isFirst = true; ; isFirst = false) {
      const step = trace.begin(...about);
      const reply = await post(step, method, params, { ...options, session });
      const revisions = isFirst && revisionsFor(reply);
      if (!revisions) return resultIn(step, reply);
      const revision = newestWithHandshake(revisions);
      if (!revision) throw step.failed(problems.noCommonRevision(revisions));
      step.done();
      await shakeHands(revision, options);
    }
  }

  /** Returns the revisions to choose from if the server wants a handshake, or a new one. */
  function revisionsFor({ answer: { status }, error }) {
    if (error?.code === UNSUPPORTED_VERSION) return error.data?.supported ?? [];
    const isLost = session?.id && (status === 404 || (status === 400 && error?.code === NO_SESSION));
    return isLost && [session.revision];
  }

  async function shakeHands(revision, { token }) {
    const why = session ? "The server has ended the session." : "The server knows only revisions with a handshake.";
    // If this fails, the next request begins at the beginning.
    session = undefined;
    const step = trace.begin("Agree on a revision of MCP", why);
    const reply = await post(step, "initialize", handshake(revision), { token, session: {} });
    const { protocolVersion } = resultIn(step, reply);
    if (!newestWithHandshake(protocolVersion)) throw step.failed(problems.noCommonRevision(protocolVersion));
    const agreed = { revision: protocolVersion, id: reply.answer.headers.get("mcp-session-id") };
    const last = trace.begin("Confirm the agreement", "From now on requests name the revision, and the session, if any.");
    const { answer, error } = await post(last, "notifications/initialized", undefined, { token, session: agreed });
    const problem = judge(answer, error);
    if (problem) throw last.failed(problem);
    last.done();
    session = agreed;
  }

  async function post(step, method, params, options) {
    const message = mcpRequest(url, method, params, options);
    const answer = await exchange(step, message);
    return { answer, ...mcpAnswer(answer, message.id) };
  }

  function resultIn(step, { answer, result, error }) {
    const problem = judge(answer, error) ?? (result === undefined ? problems.noResult(answer.status) : undefined);
    if (problem) throw step.failed(problem);
    step.done();
    return result;
  }

  return request;
}
