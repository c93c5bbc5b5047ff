// Bodies that are small on the wire and large in memory. None of them, alone or eight at a time, may crash the isolate,
// which would fail all requests in flight and lose its caches.

import assert from "node:assert/strict";
import { connect } from "node:net";
import { after, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import {
  BODY_BYTES, ISOLATE_LIMITS, WORST, inGroups, legacy, modern, placesOf, shapeIn, shapesIn, watch,
} from "./support/heavy-bodies.mjs";
import { startHostileProvider } from "./support/hostile-provider.mjs";
import { legacyCall, legacyRequest } from "./support/messages.mjs";
import "./support/report-failures.mjs";
import { createSigner, tokensFor } from "./support/signers.mjs";
import { post, startKeyValueStore, startWorker } from "./support/worker.mjs";

const AT_ONCE = 8;

const signer = await createSigner("ES256");
const provider = await startHostileProvider({ keys: [signer.jwk] });
const notes = await startKeyValueStore();
const started = [];
after(async () => {
  await Promise.all(started.map((worker) => worker.stop()));
  await Promise.all([provider.stop(), notes.close()]);
});

async function start(options) {
  const worker = await startWorker({ ...ISOLATE_LIMITS, settings: { ISSUER: provider.issuer, PROVIDER: "logto" }, ...options });
  started.push(worker);
  const token = tokensFor({ issuer: provider.issuer, resource: worker.mcpUrl, signer });
  return { worker, tokenWith: (scope) => token({ claims: { scope } }) };
}

describe("callers that may call a tool do no harm with", async () => {
  const { worker, tokenWith } = await start({});
  const token = tokenWith("whoami:read");
  const endures = watch(worker, { token, message: legacyCall("whoami") });
  const places = placesOf("whoami");
  for (const [where, place] of Object.entries(places)) {
    test(`${where} of every shape, ${AT_ONCE} at a time`, async () => {
      for (const group of inGroups(shapesIn(place, token), AT_ONCE)) await endures(...group);
    });
  }

  for (const where of ["an argument", "an argument, modern", "an answer", "capabilities", "a batch"]) {
    test(`${where} of one shape alone`, async () => {
      for (const request of shapesIn(places[where], token)) await endures(request);
    });
  }

  test("a body that comes in small chunks, eight at a time", async () => {
    for (const name of ["one text", "one character beyond Latin-1, then ASCII"]) {
      const { message } = shapeIn(places["an argument"], name);
      const statuses = await Promise.all(Array(AT_ONCE).fill().map(() => inChunks(worker, token, message, 16)));
      await endures.afterAll(statuses.length);
      assert.ok(statuses.every((status) => status === 200), `${name}: ${statuses}`);
    }
  });

  test("a body in chunks is read completely", async () => {
    const call = JSON.stringify(legacyCall("whoami"));
    const lengths = [16_384, 32_768, BODY_BYTES].flatMap((length) => [length - 1, length, length + 1]);
    for (const length of [call.length, ...lengths]) {
      // A missing or additional byte is a syntax error.
      const status = await inChunks(worker, token, `${" ".repeat(length - call.length)}${call}`, 10_000);
      assert.equal(status, length > BODY_BYTES ? 413 : 200, `${length} bytes`);
      await endures.afterAll(1);
    }
  });
});

describe("a tool that waits", async () => {
  const { worker, tokenWith } = await start({ build: "examples/notes/build", namespaces: { NOTES: notes } });
  const token = tokenWith("notes:read notes:write");
  const callerWithoutScope = tokenWith("openid");
  const endures = watch(worker, { token, message: legacyRequest("tools/list") });
  const note = { title: "Milk", body: "Two litres" };
  const places = {
    ...placesOf("create_note", note),
    "an argument of a prompt": legacy("prompts/get", { name: "summarize_notes", arguments: { style: "@" } }),
    "arguments of a prompt": modern("prompts/get", { name: "summarize_notes", arguments: "@" }),
    "the URI of a resource, modern": modern("resources/read", { uri: "@" }),
    "what a completion is for": legacy("completion/complete", { ref: "@", argument: { name: "id", value: "" } }),
    "what is to be completed": completion({ argument: { name: "id", value: "@" } }),
    "what is known when something is to be completed": completion({ context: { arguments: "@" } }),
  };
  const held = ["arguments", "an argument, modern", "an answer", "state", "a batch", "the client's name",
    "an argument of a prompt", "what is to be completed", "what is known when something is to be completed"];

  function completion(params) {
    const ref = { type: "ref/resource", uri: "note://{id}" };
    return legacy("completion/complete", { ref, argument: { name: "id", value: "" }, ...params });
  }

  describe("limits the memory of waiting calls, with", () => {
    for (const where of held) {
      test(where, async () => {
        notes.pause = () => sleep(100);
        try {
          for (const group of inGroups(shapesIn(places[where], token), AT_ONCE)) await endures(...group);
          for (const name of WORST) await endures(...Array(AT_ONCE).fill(shapeIn(places[where], name, token)));
        } finally {
          notes.pause = undefined;
          notes.entries.clear();
        }
      });
    }

    test("other calls, which are served", async () => {
      const waiting = Promise.withResolvers();
      notes.pause = () => waiting.promise;
      const heavy = Array.from({ length: AT_ONCE }, () => post(worker, shapeIn(places["an argument"], "one text", token)));
      const light = [];
      for (let round = 0; round < 20; round += 1) {
        light.push(await post(worker, { token, message: legacyRequest("tools/list") }));
        await sleep(20);
      }
      const more = post(worker, { token, message: legacyCall("create_note", note) });
      await sleep(50);
      notes.pause = undefined;
      waiting.resolve();
      assert.ok(light.every(({ status }) => status === 200));
      assert.equal((await more).json.result.structuredContent.title, "Milk");
      const statuses = (await Promise.all(heavy)).map(({ status }) => status);
      assert.ok(statuses.includes(200) && statuses.includes(503), String(statuses));
      // The memory is free again.
      assert.equal((await post(worker, shapeIn(places["an argument"], "one text", token))).status, 200);
      await endures.afterAll(2 + 20 + AT_ONCE);
    });
  });

  describe("does not parse the arguments of a caller without its scope, who sends", () => {
    for (const where of ["arguments", "an argument, modern", "an answer", "a capability", "a batch", "arguments of a prompt",
      "what is known when something is to be completed"]) {
      test(`${where} of every shape`, async () => {
        for (const group of inGroups(shapesIn(places[where], callerWithoutScope), AT_ONCE)) {
          const statuses = (await endures(...group)).map(({ status }) => status);
          // Invalid JSON is found before.
          assert.ok(statuses.every((status) => [400, 403].includes(status)), statuses.join());
        }
        const worst = await endures(...Array(AT_ONCE).fill(shapeIn(places[where], "small objects", callerWithoutScope)));
        assert.ok(worst.every(({ status }) => status === 403));
      });
    }
  });

  test("is not called for a body without a token", async () => {
    for (const { message } of shapesIn(places["an argument"])) {
      const statuses = await Promise.all(Array(AT_ONCE).fill().map(() => inChunks(worker, undefined, message, 65_536)));
      assert.ok(statuses.every((status) => status === 401), statuses.join());
      await endures.afterAll(AT_ONCE);
    }
  });

  describe("is called with large valid arguments:", () => {
    const call = (argument) => post(worker, { token, message: legacyCall("create_note", { ...note, x: argument }) });

    for (const [what, argument] of Object.entries({
      "a file of 3 MB": Buffer.alloc(3_000_000, 1).toString("base64"),
      "a table of 50,000 numbers": Array.from({ length: 50_000 }, (_, number) => number * 1.5),
      "10,000 records": Array.from({ length: 10_000 }, (_, id) => ({ id, name: `Name ${id}`, tags: ["a", "b"], when: null })),
      "20,000 lines": Array.from({ length: 20_000 }, (_, line) => `This is line ${line} of a long text.`),
    })) {
      test(what, async () => {
        const { status, text, json } = await call(argument);
        assert.equal(status, 200);
        assert.equal(json.result?.structuredContent?.title, "Milk", text);
        await endures.afterAll(1);
      });
    }

    test("not with more values than the limit", async () => {
      const { status, json } = await call(Array(100_000).fill(0));
      assert.equal(status, 200);
      assert.deepEqual([json.error.code, json.error.message.includes("more than 100000 values")], [-32602, true]);
    });
  });
});

/** Sends a body in chunks of this many bytes, and returns the status. */
function inChunks(worker, token, message, size) {
  const body = Buffer.from(message);
  const frame = (from) => {
    const chunk = body.subarray(from, from + size);
    return [`${chunk.length.toString(16)}\r\n`, chunk, "\r\n"];
  };
  const frames = Array.from({ length: Math.ceil(body.length / size) }, (_, number) => frame(number * size));
  const lines = ["POST /mcp HTTP/1.1", "Host: a", "Content-Type: application/json", "Transfer-Encoding: chunked"];
  if (token !== undefined) lines.push(`Authorization: Bearer ${token}`);
  return new Promise((resolve, reject) => {
    let answer = "";
    const socket = connect(worker.port, "127.0.0.1");
    // A response that comes before the end of the body may be lost.
    socket.once("error", (error) => (token === undefined ? resolve(401) : reject(error)));
    socket.once("close", () => reject(new Error(`no answer but ${answer}`)));
    socket.on("data", (data) => {
      answer += data;
      if (!answer.includes("\r\n\r\n")) return;
      resolve(Number(answer.split(" ", 2)[1]));
      socket.destroy();
    });
    socket.write(`${lines.join("\r\n")}\r\n\r\n`);
    socket.write(Buffer.concat([...frames.flat(), "0\r\n\r\n"].map((part) => Buffer.from(part))));
  });
}
