// What the soak test calls wrong: no answer, the answer to another request, a restart, a measurement that is missing.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:http";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { MODERN } from "./support/messages.mjs";
import { growthIn, missingAnswers, resultOf, seedOf, wholeNumber } from "./support/soak.mjs";
import { isFull, VALID } from "./support/soak-valid.mjs";
import { createMonitor } from "./support/soak-world.mjs";

describe("one request", () => {
  test("without an answer is wrong, and does not hold the run up", async () => {
    assert.deepEqual(await resultOf(new Promise(() => {}), 20), { status: "none", wrong: "no answer within 0.02 s" });
  });

  test("that fails is wrong", async () => {
    const failed = Promise.reject(new Error("reset"));
    assert.deepEqual(await resultOf(failed, 1_000), { status: "error", wrong: "reset" });
  });

  const withId = ["tools/list", "initialize", "server/discover", "create a note", "list notes", "whoami, legacy", "whoami, modern", "whoami, sent slowly"];
  for (const name of withId) {
    test(`${name}: the answer to another one is wrong`, async () => {
      assert.equal((await answered(name, (id) => id)).wrong, undefined);
      assert.match((await answered(name, () => "other")).wrong, /the answer to "other"/);
    });
  }

  test("an import is refused by a full notebook only", () => {
    const refusal = (text) => ({ isError: true, content: [{ type: "text", text }] });
    assert.ok(isFull(refusal("there is room for 100 notes in all; delete some first")));
    assert.ok(!isFull(refusal("`notes[0].title` must not be empty")));
  });
});

describe("a run", () => {
  test("in which every list was empty is wrong", () => {
    assert.deepEqual(missingAnswers({ "list notes": { "200, empty": 60 } }), ["list notes: none of 60 answers was 200, with notes"]);
    assert.deepEqual(missingAnswers({ "list notes": { "200, empty": 60, "200, with notes": 1 } }), []);
    assert.deepEqual(missingAnswers({ "list notes": { "200, empty": 5 } }), []);
  });

  test("whose memory grew or was not measured is wrong", () => {
    const memory = (first, last) => ({ notes: { wasm: { first, last, most: last, tenths: [first, last] } } });
    assert.deepEqual(growthIn(memory(1, 1)), []);
    assert.equal(growthIn(memory(1, 1e9)).length, 1);
    assert.equal(growthIn(memory(Number.NaN, Number.NaN)).length, 1);
  });

  test("takes whole numbers only", () => {
    assert.equal(seedOf("7"), 7);
    assert.equal(wholeNumber("REQUESTS", "", () => 5), 5);
    for (const text of ["200,000", "abc", "1.5", "-1", "1e3", " 1"]) {
      assert.throws(() => seedOf(text), /SEED must be a whole number/);
    }
    const env = { ...process.env, REQUESTS: "200,000" };
    const { status, stderr } = spawnSync(process.execPath, [fileURLToPath(new URL("./soak.mjs", import.meta.url))], { env, encoding: "utf8" });
    assert.equal(status, 2);
    assert.match(stderr, /REQUESTS must be a whole number/);
  });

  test("stops what has started if the rest does not start", () => {
    const world = JSON.stringify(new URL("./support/soak-world.mjs", import.meta.url).href);
    const script = `
      const { startWorld } = await import(${world});
      await startWorld({ builds: { whoami: "build", notes: "there-is-no-such-build" } }).catch(({ code }) => console.log(code));`;
    // A process ends by itself only if nothing is open.
    const { stdout, signal } = spawnSync(process.execPath, ["--input-type=module", "-e", script], { encoding: "utf8", timeout: 20_000 });
    assert.deepEqual({ stdout, signal }, { stdout: "ENOENT\n", signal: null });
  });
});

describe("a new isolate", () => {
  async function crashesOf(...samples) {
    let lines = [];
    const worker = { pid: process.pid, raw: () => "", logs: () => lines, clearLogs: () => {}, memory: async () => ({ resident: 1 }) };
    const monitor = createMonitor(worker);
    for (const numbers of samples) {
      lines = numbers.map((number) => ({ request_id: `local-${number}`, status: 200 }));
      await monitor.sample();
    }
    return monitor.crashes;
  }

  test("is noticed by its numbers, however few lines there are", async () => {
    assert.deepEqual(await crashesOf([1, 2, 3], [1, 2]), ["there were two requests 1: the numbers began anew"]);
    assert.equal((await crashesOf([1, 2, 3, 1])).length, 1);
  });

  test("is not suspected where requests end in another order", async () => {
    assert.deepEqual(await crashesOf([1, 3, 900], [2, 901], [4]), []);
  });
});

/** The result of a kind of request to a server whose answers have an id of this function, and are right otherwise. */
async function answered(name, idOf) {
  const server = createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request) body += chunk;
    const { id, params } = JSON.parse(body);
    const structuredContent = { sub: "user-0", notes: [], ...params?.arguments };
    const result = {
      structuredContent,
      tools: [{ name: "whoami" }],
      protocolVersion: "2025-11-25",
      serverInfo: { name: "x", version: "1" },
      supportedVersions: [MODERN],
    };
    const text = JSON.stringify({ jsonrpc: "2.0", id: idOf(id), result });
    response.writeHead(200, { "content-type": "application/json", "content-length": Buffer.byteLength(text) });
    response.end(text);
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const { port } = server.address();
  const one = { worker: { port, origin: `http://127.0.0.1:${port}` }, users: [{ sub: "user-0", token: "token" }] };
  const random = { below: (limit) => limit - 1, pick: (list) => list[0] };
  try {
    return await VALID[name].run({ number: 1, random, world: { whoami: one, notes: one } });
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}
