// Outages of the provider, the key-value store or both.
//
// A new process has empty caches, like a new isolate; only the store keeps its data.

import assert from "node:assert/strict";
import { createServer } from "node:http";
import { afterEach, beforeEach, describe, test } from "node:test";
import { startIdentityProvider } from "../dev/identity-provider/index.mjs";
import { createKey } from "../dev/identity-provider/keys.mjs";
import { DEFAULT_SETTINGS } from "./support/deployment.mjs";
import { legacyCall } from "./support/messages.mjs";
import "./support/report-failures.mjs";
import { forgeToken, tokenOf } from "./support/tokens.mjs";
import { freePort, post, startKeyValueStore, startWorker } from "./support/worker.mjs";

// Wanted, and not so yet.

let kv;
let key;
let token;
let provider;
let worker;
let ports;

// Worker, provider and store are stopped and started again with the same ports.
beforeEach(async () => {
  ports = { worker: await freePort(), provider: await freePort() };
  kv = await startKeyValueStore();
  key = await createKey();
  await startProvider();
  await startTheWorker();
  token = await forgeToken({ provider, resource: worker.mcpUrl, key });
});

afterEach(async () => {
  await worker?.stop();
  await provider?.close();
  await kv.close();
});

async function startProvider() {
  const resource = `http://127.0.0.1:${ports.worker}/mcp`;
  provider = await startIdentityProvider({ port: ports.provider, resource, keys: [key] });
}

async function stopProvider() {
  await provider.close();
}

async function startTheWorker(settings = {}) {
  const issuer = `http://localhost:${ports.provider}/oidc`;
  worker = await startWorker({ port: ports.worker, kv, settings: { ...DEFAULT_SETTINGS, ISSUER: issuer, ...settings } });
}

async function restartTheWorker() {
  await worker.stop();
  await startTheWorker();
}

const ask = () => post(worker, { token, message: legacyCall("whoami") });

async function assertAnswered() {
  const { status, json, text } = await ask();
  assert.equal(status, 200, text);
  assert.equal(json.result.structuredContent.sub, "unzlfabysh60");
}

async function assertUnavailable() {
  const { status, headers, json } = await ask();
  assert.equal(status, 503);
  const seconds = Number(headers["retry-after"]);
  assert.ok(Number.isInteger(seconds) && seconds >= 1 && seconds <= 60, headers["retry-after"]);
  assert.equal(headers["www-authenticate"], undefined, "a challenge would start a sign-in that cannot succeed");
  assert.deepEqual(json, {
    error: "temporarily_unavailable",
    error_description: "The token cannot be checked right now, try again later with the same token",
  });
  return seconds;
}

const keysAreStored = () => worker.waitFor(() => kv.writes.length > 0, "the keys were not written to the store");

describe("during an outage of the provider", () => {
  test("keys in memory are used", async () => {
    await assertAnswered();
    await stopProvider();
    await assertAnswered();
  });

  test("after a restart, keys from the store are used", async () => {
    await assertAnswered();
    await keysAreStored();
    await stopProvider();
    await restartTheWorker();
    await assertAnswered();
    const line = await worker.logged(({ status }) => status === 200);
    assert.equal(line.tier, "store");
  });

  test("after a restart, a new token is verified too", async () => {
    await assertAnswered();
    await keysAreStored();
    await stopProvider();
    await restartTheWorker();
    token = await forgeToken({ provider, resource: worker.mcpUrl, key });
    await assertAnswered();
  });

  test("bad tokens are refused", async () => {
    await assertAnswered();
    await keysAreStored();
    await stopProvider();
    await restartTheWorker();
    token = await forgeToken({ provider, resource: worker.mcpUrl, key: await createKey() }, { header: { kid: key.kid } });
    const { status } = await ask();
    assert.equal(status, 401);
  });

  test("with an empty store: 503, with the reason in the log", async () => {
    await stopProvider();
    await assertUnavailable();
    const line = await worker.logged(({ status }) => status === 503);
    assert.equal(line.reason, "keys_unavailable");
    assert.equal(line.outcome, "failed");
    assert.ok(line.detail || line.provider_failure, JSON.stringify(line));
  });

  test("afterwards, the same process recovers", async () => {
    await stopProvider();
    await assertUnavailable();
    await startProvider();
    // It tries again after the time in Retry-After.
    await worker.waitFor(async () => (await ask()).status === 200, "it did not recover", 40_000);
    await assertAnswered();
  });

  test("many requests at once do not cause a request to the provider each", async () => {
    await stopProvider();
    const failing = await startFailingProvider();
    const statuses = await Promise.all(Array.from({ length: 50 }, async () => (await ask()).status));
    await failing.close();
    assert.deepEqual(new Set(statuses), new Set([503]));
    // One search, at the four places of the discovery document.
    assert.equal(failing.requests(), 4);
  });

  test("many requests at once do not cause a read of the store each", async () => {
    await stopProvider();
    await Promise.all(Array.from({ length: 50 }, ask));
    assert.ok(kv.reads.length <= 5, `${kv.reads.length} reads of the store`);
  });
});

describe("during an outage of the store", () => {
  test("keys come from the provider", async () => {
    kv.mood.reads = "fail";
    kv.mood.writes = "fail";
    await assertAnswered();
    const line = await worker.logged(({ status }) => status === 200);
    assert.equal(line.tier, "provider");
  });

  test("a failed read is logged, although the provider has the keys", async () => {
    kv.mood.reads = "fail";
    await assertAnswered();
    const line = await worker.logged(({ status }) => status === 200);
    assert.match(line.store_failure, /KV GET failed/);
  });

  test("a failed write is logged with a later request", async () => {
    kv.mood.writes = "fail";
    // The write happens after the response, so a later request logs it.
    await worker.waitFor(async () => {
      await assertAnswered();
      return worker.logs().some(({ store_failure }) => /KV PUT failed/.test(store_failure));
    }, "the failure is in no line");
  });

  test("a write that never ends delays no request", async () => {
    kv.mood.writes = "hang";
    await assertAnswered();
    await assertAnswered();
  });

  test("a read that never ends delays requests only briefly", async () => {
    kv.mood.reads = "hang";
    const { status } = await Promise.race([ask(), patience()]);
    assert.equal(status, 200);
  });

  test("and of the provider: keys in memory are used", async () => {
    await assertAnswered();
    kv.mood.reads = "fail";
    kv.mood.writes = "fail";
    await stopProvider();
    await assertAnswered();
  });

  test("and of the provider, without keys in memory: 503", async () => {
    kv.mood.reads = "fail";
    await stopProvider();
    await assertUnavailable();
  });
});

describe("the record in the store", () => {
  test("is written once, under the issuer's name, for a day", async () => {
    await assertAnswered();
    await keysAreStored();
    for (let round = 0; round < 20; round += 1) await assertAnswered();
    assert.equal(kv.writes.length, 1);
    const [{ key: name, ttl }] = kv.writes;
    assert.equal(name, `provider:${provider.issuer}`);
    assert.equal(ttl, 24 * 3600);
  });

  test("is read once per process", async () => {
    for (let round = 0; round < 20; round += 1) await assertAnswered();
    assert.equal(kv.reads.length, 1);
    assert.ok(kv.reads[0].cacheTtl >= 30, "Workers KV takes nothing below 30 seconds");
  });

  test("holds public keys only", async () => {
    await assertAnswered();
    await keysAreStored();
    assert.ok(!kv.writes[0].value.includes(key.d));
    assert.doesNotMatch(kv.writes[0].value, /"d":/);
  });

  for (const [what, value] of [
    ["no JSON", "nonsense"],
    ["JSON of another shape", '{"keys":[]}'],
    ["nothing", ""],
    ["half a record", undefined],
  ]) {
    test(`is validated: ${what} is ignored`, async () => {
      await assertAnswered();
      await keysAreStored();
      const [[name, record]] = kv.entries;
      kv.entries.set(name, value ?? record.slice(0, record.length / 2));
      await restartTheWorker();
      await assertAnswered();
      const line = await worker.logged(({ status }) => status === 200);
      assert.equal(line.tier, "provider");
    });
  }

  test("of another issuer is not used", async () => {
    await assertAnswered();
    await keysAreStored();
    const [[name, record]] = kv.entries;
    kv.entries.set(name, record.replaceAll(provider.issuer, "https://other.example/oidc"));
    await stopProvider();
    await restartTheWorker();
    await assertUnavailable();
  });
});

describe("key rotation", () => {
  // Times in tokens are whole seconds: a token is certainly newer than the copy only in the next second.
  const rotate = async (algorithm) => {
    await nextSecond();
    await provider.rotateKeys(algorithm);
    token = await tokenOf({ provider, resource: worker.mcpUrl }, "alice");
  };

  test("a token of the new key is accepted at once, without a restart", async () => {
    await assertAnswered();
    await rotate();
    await assertAnswered();
  });

  test("also within the second in which the keys were fetched", async () => {
    await nextSecond();
    await assertAnswered();
    await provider.rotateKeys();
    token = await tokenOf({ provider, resource: worker.mcpUrl }, "alice");
    await assertAnswered();
  });

  test("a token of the previous key is accepted while the key is published", async () => {
    await assertAnswered();
    const before = token;
    await rotate();
    await assertAnswered();
    token = before;
    await assertAnswered();
  });

  test("a token of a removed key is refused after the keys were renewed", async () => {
    await assertAnswered();
    const before = token;
    await provider.rotateKeys();
    await rotate();
    await assertAnswered();
    token = before;
    const { status } = await ask();
    assert.equal(status, 401);
  });

  test("a change from elliptic curves to RSA is supported", async () => {
    await assertAnswered();
    await rotate("RS256");
    await assertAnswered();
  });
});

// Waits for the clock.
async function nextSecond() {
  const second = () => Math.floor(Date.now() / 1000);
  const now = second();
  while (second() === now) await new Promise((wake) => setTimeout(wake, 10));
}

// Longer than all time limits of the Worker.
async function patience() {
  await new Promise((wake) => setTimeout(wake, 10_000).unref());
  throw new Error("no answer within 10 seconds");
}

async function startFailingProvider() {
  let count = 0;
  const server = createServer((_request, response) => {
    count += 1;
    response.writeHead(500).end();
  });
  // "localhost" may resolve to either address.
  await new Promise((resolve) => server.listen(ports.provider, "::", resolve));
  const close = () =>
    new Promise((closed) => {
      server.close(closed);
      server.closeAllConnections();
    });
  return { requests: () => count, close };
}
