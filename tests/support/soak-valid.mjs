// Valid requests of a soak test. Each returns its status, and what is wrong with the answer, if anything is.

import { envelope, initialize, legacyCall, legacyRequest, MODERN, modernCall, modernRequest } from "./messages.mjs";
import { post, send } from "./requests.mjs";
import { sendSlowly } from "./soak-sockets.mjs";

/**
 * @typedef {object} Turn  one request
 * @property {number} number
 * @property {ReturnType<import("./soak-random.mjs").randomFor>} random
 * @property {Awaited<ReturnType<import("./soak-world.mjs").startWorld>>} world
 *
 * @typedef {{status: number | string, wrong?: string}} Result
 */

const LEGACY = { "mcp-protocol-version": "2025-11-25" };

/** A user of this Worker with a token: mostly one of many, now and then a new one. */
export function userOf({ random, number, world }, server) {
  if (random.below(8) > 0) return random.pick(server.users);
  const sub = `once-${number}`;
  const scope = "whoami:read notes:read notes:write";
  return { sub, token: server.token({ signer: world.signer, claims: { sub, scope } }) };
}

const short = (value) => JSON.stringify(value)?.slice(0, 300);

/** What is wrong with the answer to `whoami` of this user. */
export function wrongUser(result, sub) {
  const found = result?.structuredContent?.sub;
  if (found !== sub) return `the user ${short(found)} and not ${sub}: ${short(result)}`;
  const others = JSON.stringify(result).match(/\b(user|once)-\d+\b/g) ?? [];
  return others.every((other) => other === sub) ? undefined : `names of others beside ${sub}: ${short(result)}`;
}

function judged({ status, json, text }, wanted, wrongOf) {
  if (status !== wanted) return { status, wrong: `${wanted} was expected: ${text.slice(0, 300)}` };
  return { status, wrong: wrongOf(json, text) };
}

/**
 * `wanted` is the status of the answers that say most; a run of many requests without any is wrong.
 * @type {Record<string, {weight: number, wanted?: string, run: (turn: Turn) => Promise<Result>}>}
 */
export const VALID = {
  "whoami, legacy": {
    weight: 300,
    async run(turn) {
      const { worker } = turn.world.whoami;
      const { sub, token } = userOf(turn, turn.world.whoami);
      const message = { ...legacyCall("whoami"), id: `id-${turn.number}` };
      const answer = await post(worker, { token, message, headers: LEGACY });
      return judged(answer, 200, (json) => wrongId(json, message.id) ?? wrongUser(json.result, sub));
    },
  },
  "whoami, modern": {
    weight: 200,
    async run(turn) {
      const { worker } = turn.world.whoami;
      const { sub, token } = userOf(turn, turn.world.whoami);
      const { message, headers } = modernCall("whoami");
      const answer = await post(worker, { token, message: { ...message, id: turn.number }, headers });
      return judged(answer, 200, (json) => wrongId(json, turn.number) ?? wrongUser(json.result, sub));
    },
  },
  "whoami in a batch": {
    weight: 20,
    async run(turn) {
      const { sub, token } = userOf(turn, turn.world.whoami);
      const message = ["a", "b", "c"].map((name) => ({ ...legacyCall("whoami"), id: `${name}-${turn.number}` }));
      const headers = { "mcp-protocol-version": "2025-03-26" };
      const answer = await post(turn.world.whoami.worker, { token, message, headers });
      return judged(answer, 200, (json) => {
        if (!Array.isArray(json) || json.length !== message.length) return short(json);
        const wrong = message.map(({ id }) => wrongUser(json.find((one) => one.id === id)?.result, sub));
        return wrong.find((text) => text !== undefined);
      });
    },
  },
  "whoami, sent slowly": {
    weight: 6,
    async run(turn) {
      const { sub, token } = userOf(turn, turn.world.whoami);
      const request = { token, message: legacyCall("whoami"), headers: LEGACY };
      const { status, text } = await sendSlowly(turn.world.whoami.worker, request, 2 + turn.random.below(6), 20);
      return judged({ status, text }, 200, () => {
        const json = JSON.parse(text);
        return wrongId(json, request.message.id) ?? wrongUser(json.result, sub);
      });
    },
  },
  "tools/list": {
    weight: 60,
    async run(turn) {
      const { token } = userOf(turn, turn.world.whoami);
      const request = turn.random.below(2) ? modernRequest("tools/list") : { message: legacyRequest("tools/list"), headers: LEGACY };
      const answer = await post(turn.world.whoami.worker, { token, ...request });
      return judged(answer, 200, (json) =>
        wrongId(json, request.message.id) ??
        (json.result?.tools?.map(({ name }) => name).join() === "whoami" ? undefined : short(json)));
    },
  },
  "initialize": {
    weight: 30,
    async run(turn) {
      const { token } = userOf(turn, turn.world.whoami);
      const message = initialize();
      const answer = await post(turn.world.whoami.worker, { token, message });
      return judged(answer, 200, (json) =>
        wrongId(json, message.id) ??
        (json.result?.protocolVersion === "2025-11-25" && json.result.serverInfo ? undefined : short(json)));
    },
  },
  "server/discover": {
    weight: 20,
    async run(turn) {
      const { token } = userOf(turn, turn.world.whoami);
      const request = modernRequest("server/discover");
      const answer = await post(turn.world.whoami.worker, { token, ...request });
      return judged(answer, 200, (json) =>
        wrongId(json, request.message.id) ?? (json.result?.supportedVersions?.includes(MODERN) ? undefined : short(json)));
    },
  },
  "notification": {
    weight: 20,
    async run(turn) {
      const { token } = userOf(turn, turn.world.whoami);
      const message = { jsonrpc: "2.0", method: "notifications/initialized" };
      const answer = await post(turn.world.whoami.worker, { token, message, headers: LEGACY });
      return judged(answer, 202, (_, text) => (text === "" ? undefined : text.slice(0, 300)));
    },
  },
  "metadata": {
    weight: 30,
    async run({ world: { whoami: { worker } } }) {
      const answer = await send(worker, { path: "/.well-known/oauth-protected-resource/mcp" });
      return judged(answer, 200, (json) => (json?.resource === worker.mcpUrl ? undefined : short(json)));
    },
  },
  "create a note": {
    weight: 30,
    wanted: "200, created",
    async run(turn) {
      const { sub, token } = userOf(turn, turn.world.notes);
      const note = { title: `${sub}: ${turn.number}`, body: `Of ${sub}, as ${turn.number}. ${"é🔑".repeat(turn.random.below(200))}`.trim() };
      const message = legacyCall("create_note", note);
      const answer = await post(turn.world.notes.worker, { token, message, headers: LEGACY });
      const result = judged(answer, 200, (json) => {
        const { title, body } = json.result?.structuredContent ?? {};
        const isRight = (title === note.title && body === note.body) || isFull(json.result);
        return wrongId(json, message.id) ?? (isRight ? undefined : short(json));
      });
      return withDetail(result, isFull(answer.json?.result) ? "full" : "created");
    },
  },
  "list notes": {
    weight: 30,
    wanted: "200, with notes",
    async run(turn) {
      const { sub, token } = userOf(turn, turn.world.notes);
      const request = modernCall("list_notes");
      const answer = await post(turn.world.notes.worker, { token, ...request });
      const list = answer.json?.result?.structuredContent?.notes;
      const result = judged(answer, 200, (json) => {
        if (!Array.isArray(list)) return short(json);
        const foreign = list.find(({ title }) => !title.startsWith(`${sub}: `));
        return wrongId(json, request.message.id) ?? (foreign === undefined ? undefined : `${sub} sees ${short(foreign)}`);
      });
      return withDetail(result, list?.length > 0 ? "with notes" : "empty");
    },
  },
  "import notes as a stream": {
    weight: 30,
    wanted: "200, imported",
    async run(turn) {
      const { sub, token } = userOf(turn, turn.world.notes);
      const notes = Array.from({ length: 1 + turn.random.below(4) }, (_, at) => ({ title: `${sub}: ${turn.number}-${at}`, body: "Imported\r\ndata: x\n\n" }));
      const request = importOf(notes, `progress-${turn.number}`, turn.random.below(2));
      const { id } = request.message;
      const answer = await post(turn.world.notes.worker, { token, ...request });
      const result = judged(answer, 200, (json, text) => {
        // A full notebook is refused before a stream begins.
        if (json !== undefined) return wrongId(json, id) ?? (isFull(json.result) ? undefined : text.slice(0, 300));
        const events = text.split("\n\n").slice(0, -1).map((event) => JSON.parse(event.replace(/^event: message\ndata: /, "")));
        const last = events.pop();
        const seen = events.map(({ params }) => [params.progressToken, params.message]);
        const wanted = notes.map(({ title }) => [`progress-${turn.number}`, title]);
        if (last?.result?.structuredContent?.ids?.length !== notes.length) return `the result is ${short(last)}`;
        return wrongId(last, id) ?? (JSON.stringify(seen) === JSON.stringify(wanted) ? undefined : `${short(wanted)}, and not ${short(seen)}`);
      });
      return withDetail(result, answer.json === undefined ? "imported" : "full");
    },
  },
};

/** A call that answers with a stream. */
export function importOf(notes, progressToken, isModern) {
  if (!isModern) {
    const params = { name: "import_notes", arguments: { notes }, _meta: { progressToken } };
    return { message: legacyRequest("tools/call", params), headers: LEGACY };
  }
  const { message, headers } = modernCall("import_notes", { notes });
  return { message: { ...message, params: { ...message.params, _meta: { ...envelope(), progressToken } } }, headers };
}

/** Whether a notebook is full: the limit of the example `notes`, and no other refusal. */
export function isFull(result) {
  return result?.isError === true && /there is room for \d+ notes/.test(result.content?.[0]?.text ?? "");
}

/** A right answer is counted with what it was. */
function withDetail({ status, wrong }, detail) {
  return wrong === undefined ? { status: `${status}, ${detail}` } : { status, wrong };
}

function wrongId(json, id) {
  return json?.id === id ? undefined : `the answer to ${short(json?.id)} and not ${short(id)}`;
}
