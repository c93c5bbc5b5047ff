// The platform seams at work, on workerd: a Worker that uses each of them as a Worker would.

import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import "../support/report-failures.mjs";
import { send, startWorker } from "../support/worker.mjs";

const SECRET = "kept by the vault";
const vault = (props) => ({ entrypoint: "Vault", props });
const start = (options) =>
  startWorker({
    build: "tests/seams/build",
    settings: { VAULT_SECRET: SECRET },
    objects: { LEDGER: "Ledger" },
    services: {
      VAULT: vault({ role: "reader", tenant: "one" }),
      VAULT_OF_A_STRANGER: vault({ role: "stranger", tenant: "one" }),
      VAULT_WITHOUT_PROPS: vault(undefined),
      DEFAULT_ENTRYPOINT: { props: { role: "reader", tenant: "one" } },
    },
    ...options,
  });
const worker = await start();
after(() => worker.stop());
const restarts = (of = worker) => of.raw().split("starting WebAssembly anew").length - 1;

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

  test("reads what it has written, whatever its type", async () => {
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

test("an object's storage outlives the process", async () => {
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

describe("a named entrypoint", () => {
  const call = (path, message = {}) => send(worker, { method: "POST", path, body: JSON.stringify(message) });
  const errorOf = async (path, message) => (await call(path, message)).json.error;

  test("answers a binding that names it, and knows the binding's props", async () => {
    assert.deepEqual((await call("/vault")).json, { tenant: "one", secret: SECRET });
  });

  for (const path of ["/vault-of-a-stranger", "/vault-without-props"]) {
    test(`refuses ${path.slice(1).replaceAll("-", " ")}, before it reads a message`, async () => {
      for (const message of [{}, { props: { role: "reader", tenant: "one" } }, { crash: true }]) {
        assert.equal(await errorOf(path, message), "Forbidden");
      }
    });
  }

  test("is not reached through the default one, whatever the host, the path and the headers", async () => {
    const hosts = ["internal.invalid", "Vault", "vault.internal", "Vault.seams", "seams", "127.0.0.1"];
    const paths = ["/", "/Vault", "/Vault/", "//Vault", "/#Vault", "/?entrypoint=Vault", "/seams/Vault",
      "http://internal.invalid/", "http://vault.internal/Vault"];
    const props = JSON.stringify({ role: "reader", tenant: "one" });
    for (const host of hosts) {
      for (const path of paths) {
        const headers = { host, "content-type": "application/json", props, "cf-props": props, "cf-entrypoint": "Vault",
          "cf-worker": "seams", "x-forwarded-host": "vault.internal" };
        const { status, text } = await send(worker, { method: "POST", path, headers, body: "{}" });
        assert.deepEqual([status, text], [404, ""], `${host} ${path}`);
      }
    }
  });

  test("is not reached through a binding of the default one with the same props", async () => {
    assert.equal(await errorOf("/default-entrypoint"), "Rejected(404)");
  });

  test("fails in ways that the caller can tell apart", async () => {
    assert.equal(await errorOf("/unbound"), 'Unbound("UNBOUND")');
    assert.equal(await errorOf("/vault", { padding: "a".repeat(2_000) }), "Rejected(413)");
    assert.equal(await errorOf("/vault", { length: 100_000 }), "TooLarge(65536)");
    assert.equal((await call("/vault", { length: 65_000 })).status, 200);
    assert.equal(await errorOf("/vault", { wait: 5_000 }), "Timeout(500ms)");
    assert.equal(await errorOf("/vault", { fail: true }), "Failed(500)", "why is for the operator");
    await worker.waitFor(() => worker.raw().includes("as this message is meant to"), "the failure was not logged");
  });

  test("answers after a crash in it, and one that waits fails at once", async () => {
    const waiting = call("/vault", { wait: 400 });
    await sleep(50);
    assert.equal((await call("/vault", { crash: true })).status, 500);
    assert.equal((await waiting).status, 500);
    assert.equal((await call("/vault")).status, 200);
  });

  test("that lacks a setting refuses every call, and says so in the log", async () => {
    const incomplete = await start({ settings: {} });
    try {
      const { json } = await send(incomplete, { method: "POST", path: "/vault", body: "{}" });
      assert.equal(json.error, "Failed(500)");
      await incomplete.waitFor(() => incomplete.raw().includes("VAULT_SECRET must be set"), "it was not logged");
    } finally {
      await incomplete.stop();
    }
  });
});
