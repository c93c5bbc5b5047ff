// Calls to a named entrypoint: who is answered, and how a call can fail.

import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { send } from "../support/worker.mjs";
import { SECRET, start } from "./start.mjs";

const worker = await start();
after(() => worker.stop());

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

  test("is not reached through the default one, regardless of the host, the path and the headers", async () => {
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
