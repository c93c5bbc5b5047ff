// Access keys: a user makes one on the page, an agent calls tools with it, and it ends.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { crc32 } from "node:zlib";
import { ADMIN_SECRET, vaultDeployments } from "./support/vault-deployment.mjs";
import { User, idOf } from "./support/account.mjs";
import { legacyCall, legacyRequest } from "./support/messages.mjs";
import "./support/report-failures.mjs";
import { post, send } from "./support/worker.mjs";

// So long the provider's tokens are good, and with them what the vault and the endpoint keep of them.
const TOKEN_SECONDS = 5;

const start = vaultDeployments();
const deployment = await start({ provider: { accessTokenSeconds: TOKEN_SECONDS } });
const { worker, accounts, provider } = deployment;

const alice = new User(deployment, "alice");
await alice.signIn();

const bearer = (key) => ({ authorization: `Bearer ${key}` });
const whoami = (token, headers = {}) => post(worker, { token, message: legacyCall("whoami"), headers });

/** A key of these parts, with its checksum. */
function written(prefix, id, secret) {
  const digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
  const text = `${prefix}_${id}_${secret}`;
  let [checksum, left] = ["", crc32(text)];
  for (let place = 0; place < 6; place += 1, left = Math.floor(left / 62)) checksum = digits[left % 62] + checksum;
  return text + checksum;
}

/** Status and reason of a refusal. */
async function refusal(key, headers) {
  worker.clearLogs();
  const { status } = await whoami(key, headers);
  const { reason } = await worker.logged((line) => line.route === "mcp");
  return [status, reason];
}

describe("a key", () => {
  test("is made on the page, and calls a tool as its user", async () => {
    const key = await alice.make({ name: "Nightly build" });
    assert.match(key, /^mcpk_[0-9A-Za-z]{16}_[0-9A-Za-z]{49}$/);
    const { status, json } = await whoami(key);
    assert.equal(status, 200, JSON.stringify(json));
    assert.equal(json.result.structuredContent.username, "alice");
    assert.ok(JSON.stringify(json.result.structuredContent).includes(idOf(key)), "whoami says which key was used");
    assert.ok((await alice.keys()).body.includes("Nightly build"));
  });

  test("that is mistyped, unknown or has another secret is refused", async () => {
    const key = await alice.make();
    const last = key.at(-1) === "0" ? "1" : "0";
    assert.deepEqual(await refusal(key.slice(0, -1) + last), [401, "key_malformed"]);
    assert.deepEqual(await refusal(key.slice(0, -1)), [401, "key_malformed"]);
    // What is asked of the vault, and answered the same.
    const [prefix, id, secret] = key.split("_");
    const otherThan = (text) => (text.startsWith("0") ? "1" : "0") + text.slice(1);
    assert.equal(written(prefix, id, secret.slice(0, -6)), key);
    assert.deepEqual(await refusal(written(prefix, otherThan(id), secret.slice(0, -6))), [401, "key_unknown"]);
    assert.deepEqual(await refusal(written(prefix, id, otherThan(secret.slice(0, -6)))), [401, "key_unknown"]);
    assert.equal((await whoami(key)).status, 200);
  });

  test("is refused in a query and in a cookie", async () => {
    const key = await alice.make();
    worker.clearLogs();
    const inQuery = await send(worker, { method: "POST", path: `/mcp?key=${key}`, headers: { "content-type": "application/json" }, body: "{}" });
    assert.equal(inQuery.status, 400);
    assert.deepEqual(await refusal(key, { cookie: `key=${key}` }), [400, "key_in_cookie"]);
    assert.deepEqual(await refusal(key, { "x-api-key": "other" }), [400, "multiple_credentials"]);
  });

  test("is held to its tools", async () => {
    const key = await alice.make({ tools: ["another_tool"] });
    assert.deepEqual(await refusal(key), [403, "key_for_other_tools"]);
    const { json } = await post(worker, { token: key, message: legacyRequest("tools/list") });
    assert.deepEqual(json.result.tools, []);
  });

  test("is replaced by a new one, and ends with that", async () => {
    const old = await alice.make({ name: "to be replaced" });
    const key = await alice.rotate(old);
    assert.notEqual(idOf(key), idOf(old));
    assert.equal((await whoami(key)).status, 200);
    assert.deepEqual(await refusal(old), [401, "key_revoked"]);
  });

  test("is refused after it was revoked, at once where it was not used in the last minute", async () => {
    const key = await alice.make();
    assert.equal((await alice.revoke(key)).status, 200);
    assert.deepEqual(await refusal(key), [401, "key_revoked"]);
  });

  test("is revoked by its holder (RFC 7009), and an unknown one is answered the same", async () => {
    const key = await alice.make();
    const revoke = (token) =>
      send(worker, {
        method: "POST",
        path: "/account/keys/revoke",
        headers: { "content-type": "application/x-www-form-urlencoded" },
        body: new URLSearchParams({ token }).toString(),
      });
    assert.equal((await revoke(key)).status, 200);
    assert.equal((await revoke(key)).status, 200);
    assert.equal((await revoke("mcpk_unknown")).status, 200);
    assert.deepEqual(await refusal(key), [401, "key_revoked"]);
  });

  test("makes and lists no keys", async () => {
    const key = await alice.make();
    const { status, text } = await send(worker, { path: "/account/keys", headers: bearer(key) });
    assert.equal(status, 200);
    assert.ok(!text.includes("Nightly build"), "the page of somebody who is not signed in");
  });

  test("of a user is unknown to others", async () => {
    const key = await alice.make({ name: "alice's alone" });
    const bob = new User(deployment, "bob");
    await bob.signIn();
    assert.ok(!(await bob.keys()).body.includes("alice's alone"));
    assert.equal((await bob.request(`/account/keys/${idOf(key)}`)).status, 404);
    assert.equal((await bob.revoke(key)).status, 404);
    assert.equal((await whoami(key)).status, 200);
  });

  test("ends with its user's suspension, at the next refresh", async () => {
    const key = await alice.make();
    assert.equal((await whoami(key)).status, 200);
    const { sub } = accounts.find(({ username }) => username === "alice");
    provider.suspended.add(sub);
    try {
      assert.equal((await whoami(key)).status, 200, "within the bound");
      await sleep((TOKEN_SECONDS + 1) * 1000);
      assert.deepEqual(await refusal(key), [401, "key_ended"]);
    } finally {
      provider.suspended.delete(sub);
    }
    assert.deepEqual(await refusal(key), [401, "key_ended"], "for good");
  });
});

describe("secrets", () => {
  test("are in no log of the endpoint and of the vault", async () => {
    const key = await alice.make();
    await whoami(key);
    const secret = key.split("_")[2];
    for (const running of [worker, deployment.vault]) {
      assert.ok(!running.raw().includes(secret) && !running.raw().includes(ADMIN_SECRET));
    }
  });
});
