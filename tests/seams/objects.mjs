// Durable Objects: SQL storage, alarms, and a crash of WebAssembly with an object open.

import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { send } from "../support/worker.mjs";
import { restartsOf, start } from "./start.mjs";

const worker = await start();
after(() => worker.stop());
const restarts = () => restartsOf(worker);

/** A message to the Durable Object of this name. */
const ledger = (name, message, of = worker) =>
  send(of, { method: "POST", path: `/ledger/${encodeURI(name)}`, body: JSON.stringify(message) });
const entriesOf = async (name) => {
  const { status, json, text } = await ledger(name, {});
  assert.equal(status, 200, text);
  return json.entries.map(([entry]) => entry);
};

describe("a Durable Object", () => {
  test("keeps what is written, apart from every other object", async () => {
    assert.deepEqual((await ledger("one", { append: ["a", "ß"] })).json, { appended: 2 });
    assert.deepEqual((await ledger("one", {})).json, { entries: [["a", 1], ["ß", 2]], alarm: null });
    assert.deepEqual(await entriesOf("another"), []);
  });

  test("of one class knows nothing of another class", async () => {
    const journal = (message) => send(worker, { method: "POST", path: "/journal/one", body: JSON.stringify(message) });
    await ledger("one", { append: ["in the ledger"] });
    assert.deepEqual((await journal({})).json.entries, []);
    await journal({ append: ["in the journal"] });
    assert.deepEqual((await journal({})).json.entries.map(([entry]) => entry), ["in the journal"]);
    // This class handles no alarm.
    assert.equal((await journal({ set_alarm: Date.now() + 1_000 })).json.error, "Failed(500)");
    assert.equal((await journal({})).status, 200);
  });

  test("has no part of a transaction that fails", async () => {
    await ledger("whole", { append: ["first"] });
    const { json } = await ledger("whole", { append: ["second", "third", "first"] });
    assert.equal(json.error, "constraint", json.message);
    assert.deepEqual(await entriesOf("whole"), ["first"]);
    const { json: empty } = await ledger("whole", { append: ["second", ""] });
    assert.equal(empty.error, "constraint", empty.message);
    assert.deepEqual(await entriesOf("whole"), ["first"]);
  });

  test("tells by their types what a statement was refused for", async () => {
    const { json } = await ledger("errors", { probe: true });
    assert.deepEqual(json, {
      unique: "constraint", check: "constraint", null: "constraint", syntax: "statement", "no such table": "statement",
      "too few values": "statement", "too many values": "statement", "a transaction of its own": "statement",
      "an integer beyond 53 bits": "integer", "a blob of 3 GB": "too large", "a column of another type": "column",
    });
    assert.equal(restarts(), 0, "no exception of the storage has reached WebAssembly");
  });

  test("reads what it has written, of any type", async () => {
    assert.deepEqual((await ledger("types", { types: true })).json, { differences: [] });
  });

  test("sets, reads and deletes its alarm", async () => {
    const at = Date.now() + 600_000;
    assert.equal((await ledger("alarm", { set_alarm: at })).json.alarm, at);
    assert.equal((await ledger("alarm", {})).json.alarm, at);
    assert.equal((await ledger("alarm", { set_alarm: at + 1 })).json.alarm, at + 1);
    assert.equal((await ledger("alarm", { delete_alarm: true })).json.alarm, null);
    await ledger("alarm", { set_alarm: Date.now() + 50 });
    await worker.waitFor(async () => (await entriesOf("alarm")).length === 1, "the alarm did not go off");
    assert.deepEqual(await entriesOf("alarm"), ["alarm after 0"]);
    assert.equal((await ledger("alarm", {})).json.alarm, null);
  });
});

describe("after a crash of WebAssembly", () => {
  for (const [what, crash] of [
    ["in a request to the Worker", () => send(worker, { path: "/crash" })],
    ["in a request to another object", () => ledger("crashing", { crash: true })],
    ["in a request to the object", (name) => ledger(name, { crash: true })],
    ["in a request to the object that has waited", (name) => ledger(name, { wait: 1, crash: true })],
  ]) {
    test(`${what}, an object answers its next event with its storage intact`, async () => {
      const name = `survivor-${what.replaceAll(" ", "-")}`;
      await ledger(name, { append: ["a", "b"] });
      for (let round = 1; round <= 3; round += 1) {
        const before = restarts();
        const crashed = await crash(name);
        assert.equal(crashed.status, 500);
        assert.doesNotMatch(crashed.text, /panic|meant to/, "what happened is for the operator");
        const entries = ["a", "b", "c", "d"].slice(0, 1 + round);
        assert.deepEqual(await entriesOf(name), entries);
        await worker.waitFor(() => restarts() === before + 1, `${restarts() - before} restarts, not one`);
        await ledger(name, { append: [["c", "d", "e"][round - 1]] });
      }
    });
  }

  test("a request that an object was answering fails at once, and the next is answered", async () => {
    await ledger("waiting", { append: ["a"] });
    const began = performance.now();
    const waiting = Array.from({ length: 3 }, () => ledger("waiting", { wait: 20_000 }));
    await sleep(200);
    assert.equal((await send(worker, { path: "/crash" })).status, 500);
    assert.deepEqual((await Promise.all(waiting)).map(({ status }) => status), [500, 500, 500]);
    assert.ok(performance.now() - began < 5_000, "they have waited for the runtime to lose patience");
    assert.deepEqual(await entriesOf("waiting"), ["a"]);
  });

  test("an alarm that has crashed is repeated", async () => {
    const names = Array.from({ length: 13 }, (_, number) => `${number}`);
    await ledger("crashing alarm", { append: names });
    await ledger("crashing alarm", { set_alarm: Date.now() + 10 });
    await worker.waitFor(() => worker.raw().includes("as this alarm is meant to"), "the alarm did not go off");
    await ledger("crashing alarm", { append: ["13"] });
    const last = async () => (await entriesOf("crashing alarm")).at(-1);
    await worker.waitFor(async () => (await last()) === "alarm after 14", "it was not repeated", 20_000);
  });
});

test("an object's storage is there after the process has ended", async () => {
  const objectsFolder = await mkdtemp(join(tmpdir(), "mcp-edge-objects-"));
  try {
    for (const entries of [["a"], ["a", "b"]]) {
      const process = await start({ objectsFolder });
      try {
        await ledger("kept", { append: [entries.at(-1)] }, process);
        const { json } = await ledger("kept", {}, process);
        assert.deepEqual(json.entries.map(([entry]) => entry), entries);
      } finally {
        await process.stop();
      }
    }
  } finally {
    await rm(objectsFolder, { recursive: true, force: true });
  }
});
