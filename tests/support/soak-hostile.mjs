// Hostile requests of a soak test, each with the statuses that it may get. "closed" is a connection without a response.

import { legacyCall, legacyRequest, modernCall } from "./messages.mjs";
import { postBytes, sendBytes } from "./raw.mjs";
import { post, send } from "./requests.mjs";
import { abortDownload, abortUpload, leaveOpen } from "./soak-sockets.mjs";
import { importOf, userOf, wrongUser } from "./soak-valid.mjs";
import { encode, hmac, seconds } from "./signers.mjs";

const MEBIBYTE = 1024 * 1024;
const HUGE = Buffer.alloc(4 * MEBIBYTE + 1, " ");
const LARGE = JSON.stringify(legacyCall("whoami", { x: "x".repeat(MEBIBYTE) }));
const DEEP = "[".repeat(10_000) + "]".repeat(10_000);
const JSON_HEADERS = { "content-type": "application/json", accept: "application/json, text/event-stream" };

/** A refusal is never the answer of a tool. */
function refused(statuses, { status, json, text }) {
  const isRight = statuses.includes(status) && json?.result === undefined;
  return { status, wrong: isRight ? undefined : `${statuses.join(" or ")} was expected: ${text.slice(0, 300)}` };
}

const credentials = {
  "a signature of another key": (token, { attacker }) => token({ signer: attacker }),
  "an expired token": (token) => token({ claims: { exp: seconds() - 3600, iat: seconds() - 7200 } }),
  "another audience": (token) => token({ claims: { aud: "https://other.example" } }),
  "another issuer": (token) => token({ claims: { iss: "https://other.example" } }),
  "another type": (token) => token({ header: { typ: "JWT" } }),
  "a critical extension": (token) => token({ header: { crit: ["exp"] } }),
  "HMAC": (token) => token({ header: { alg: "HS256" }, signature: (_, input) => hmac("secret", input) }),
  "no algorithm": () => `${encode({ alg: "none", typ: "at+jwt" })}.${encode({ sub: "user-1" })}.`,
  "no signature": (token) => token({ signature: (bytes) => Buffer.alloc(bytes.length) }),
  "a claim twice": (token) => token({ claims: '{"sub":"user-1","sub":"user-2"}' }),
  "an opaque token": () => "opaque",
  "a token that is too long": () => "x".repeat(20_000),
  "no token": () => undefined,
};

/** @type {Record<string, {weight: number, run: (turn: import("./soak-valid.mjs").Turn) => Promise<import("./soak-valid.mjs").Result>}>} */
export const HOSTILE = {
  "a bad token": {
    weight: 60,
    async run({ random, world }) {
      const { worker, token } = world.whoami;
      const bad = credentials[random.pick(Object.keys(credentials))](token, world.signers);
      const answer = await post(worker, { token: bad, message: legacyCall("whoami") });
      return refused(world.isOutage ? [401, 503] : [401], answer);
    },
  },
  "an unknown key": {
    weight: 20,
    async run({ number, world }) {
      const { worker, token } = world.whoami;
      const bad = token({ signer: world.signers.attacker, header: { kid: `invented-${number}` } });
      const answer = await post(worker, { token: bad, message: legacyCall("whoami") });
      return refused(world.isOutage ? [401, 503] : [401], answer);
    },
  },
  "a scope that is missing": {
    weight: 10,
    async run({ world }) {
      const { worker, token } = world.whoami;
      return refused([403], await post(worker, { token: token({ claims: { scope: "other" } }), message: legacyCall("whoami") }));
    },
  },
  "two tokens": {
    weight: 10,
    async run(turn) {
      const [one, other] = [userOf(turn, turn.world.whoami), userOf(turn, turn.world.whoami)];
      return refused([400], await post(turn.world.whoami.worker, { token: `${one.token},${other.token}`, message: legacyCall("whoami") }));
    },
  },
  "malformed JSON": {
    weight: 30,
    async run(turn) {
      const { token } = userOf(turn, turn.world.whoami);
      const text = JSON.stringify(legacyCall("whoami"));
      const message = text.slice(0, 1 + turn.random.below(text.length - 1));
      return refused([400], await post(turn.world.whoami.worker, { token, message }));
    },
  },
  "deep nesting": {
    weight: 10,
    async run(turn) {
      const { token } = userOf(turn, turn.world.whoami);
      return refused([400], await post(turn.world.whoami.worker, { token, message: DEEP }));
    },
  },
  "a huge body": {
    weight: 1,
    async run(turn) {
      const { token } = userOf(turn, turn.world.whoami);
      const lines = ["Content-Type: application/json", `Authorization: Bearer ${token}`];
      const status = (await postBytes(turn.world.whoami.worker, lines, HUGE)) ?? "closed";
      return { status, wrong: [413, "closed"].includes(status) ? undefined : "413 was expected" };
    },
  },
  "a large argument that no tool has": {
    weight: 2,
    async run(turn) {
      const { sub, token } = userOf(turn, turn.world.whoami);
      const answer = await post(turn.world.whoami.worker, { token, message: LARGE });
      const isFull = answer.status === 503 && answer.headers["retry-after"] !== undefined;
      const isRefused = answer.status === 200 && (answer.json?.result?.isError === true || answer.json?.error !== undefined);
      const wrong = isFull || isRefused ? undefined : wrongUser(answer.json?.result, sub);
      return { status: answer.status, wrong };
    },
  },
  "a method that is not allowed": {
    weight: 15,
    async run(turn) {
      const { token } = userOf(turn, turn.world.whoami);
      const method = turn.random.pick(["GET", "PUT", "DELETE", "PATCH"]);
      const headers = { ...JSON_HEADERS, authorization: `Bearer ${token}` };
      return refused([405], await send(turn.world.whoami.worker, { method, headers }));
    },
  },
  "another path": {
    weight: 10,
    async run({ random, world }) {
      const path = random.pick(["/mcp/", "/mcp/x", "/admin", "/.env", "/.well-known/unknown"]);
      return refused([404], await send(world.whoami.worker, { path }));
    },
  },
  "another content type": {
    weight: 10,
    async run(turn) {
      const { token } = userOf(turn, turn.world.whoami);
      const headers = { "content-type": "text/plain" };
      return refused([415], await post(turn.world.whoami.worker, { token, message: legacyCall("whoami"), headers }));
    },
  },
  "an unknown tool or method": {
    weight: 15,
    async run(turn) {
      const { token } = userOf(turn, turn.world.whoami);
      const message = turn.random.below(2) ? legacyCall("delete_everything") : legacyRequest("tools/forget");
      const { status, json, text } = await post(turn.world.whoami.worker, { token, message });
      const isRight = [200, 400, 404].includes(status) && json?.error?.code < 0 && json.id === message.id;
      return { status, wrong: isRight ? undefined : text.slice(0, 300) };
    },
  },
  "headers that contradict the body": {
    weight: 10,
    async run(turn) {
      const { token } = userOf(turn, turn.world.whoami);
      const { message, headers } = modernCall("whoami");
      return refused([400], await post(turn.world.whoami.worker, { token, message, headers: { ...headers, "mcp-name": "other" } }));
    },
  },
  "bytes that are no HTTP": {
    weight: 10,
    async run({ random, world }) {
      const bytes = Array.from({ length: 20 + random.below(200) }, () => String.fromCharCode(random.below(256))).join("");
      const status = (await sendBytes(world.whoami.worker, [bytes, "\r\n\r\n"], { andNoMore: true })) ?? "closed";
      return { status, wrong: status === "closed" || (status >= 400 && status <= 501 && status !== 500) ? undefined : "a success" };
    },
  },
  "an aborted upload": {
    weight: 20,
    async run(turn) {
      const server = turn.random.below(2) ? turn.world.whoami : turn.world.notes;
      const { token } = userOf(turn, server);
      const message = turn.random.below(4) ? legacyCall("whoami") : LARGE;
      await abortUpload(server.worker, { token, message }, turn.random.next() * 0.99);
      return { status: "aborted" };
    },
  },
  "an aborted download": {
    weight: 20,
    async run(turn) {
      const { sub, token } = userOf(turn, turn.world.notes);
      const notes = Array.from({ length: 20 }, (_, at) => ({ title: `${sub}: ${turn.number}-${at}`, body: "x".repeat(1000) }));
      await abortDownload(turn.world.notes.worker, { token, ...importOf(notes, turn.number, turn.random.below(2)) });
      return { status: "aborted" };
    },
  },
  "a half-open connection": {
    weight: 5,
    async run(turn) {
      const { token } = userOf(turn, turn.world.whoami);
      await leaveOpen(turn.world.whoami.worker, { token, message: legacyCall("whoami") }, 50 + turn.random.below(500));
      return { status: "aborted" };
    },
  },
};
