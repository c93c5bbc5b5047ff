// A panic in a tool fails the requests in flight. WebAssembly restarts with the next request.

import assert from "node:assert/strict";
import { request as httpRequest } from "node:http";
import { after, describe, test } from "node:test";
import { startHostileProvider } from "../support/hostile-provider.mjs";
import { legacyCall } from "../support/messages.mjs";
import { createSigner, tokensFor } from "../support/signers.mjs";
import { post, startWorker } from "../support/worker.mjs";

const signer = await createSigner("ES256");
const provider = await startHostileProvider({ keys: [signer.jwk] });
const start = () => startWorker({ build: "tests/conformance/build", settings: { ISSUER: provider.issuer } });
const worker = await start();
after(async () => {
  await worker.stop();
  await provider.stop();
});
const token = tokensFor({ issuer: provider.issuer, resource: worker.mcpUrl, signer })({});
const call = (name) => post(worker, { token, message: legacyCall(name) });
const restarts = () => worker.raw().split("starting WebAssembly anew").length - 1;

for (const tool of ["test_crash_at_once", "test_crash_later"]) {
  describe(tool, () => {
    test("is answered with 500, and the next request is served", async () => {
      assert.equal((await call("test_simple_text")).status, 200);
      const before = restarts();
      for (let round = 1; round <= 3; round += 1) {
        const crashed = await call(tool);
        assert.equal(crashed.status, 500);
        assert.doesNotMatch(crashed.text, /panic|meant to/, "what happened is for the operator");
        const next = await call("test_simple_text");
        assert.equal(next.status, 200, next.text);
        await worker.waitFor(() => restarts() === before + round, `${restarts() - before} restarts, not ${round}`);
      }
      assert.match(worker.raw(), /as this tool is meant to/);
    });
  });
}

test("keys come from the store after a crash, not from the provider", async () => {
  const before = provider.requests.length;
  await call("test_crash_at_once");
  assert.equal((await call("test_simple_text")).status, 200);
  assert.equal(provider.requests.length, before);
});

test("a request that was waiting for its body is not confused with later ones", async () => {
  const fresh = await start();
  try {
    const tokenOf = tokensFor({ issuer: provider.issuer, resource: fresh.mcpUrl, signer });
    const ask = async (tool) => (await post(fresh, { token: tokenOf({}), message: legacyCall(tool) })).status;
    // Fetches the keys, so that later requests do not wait for them.
    assert.equal(await ask("test_simple_text"), 200);
    const before = slowPost(fresh, tokenOf({ claims: { sub: "before" } }), 1);
    await before.isWaiting();
    assert.equal(await ask("test_crash_at_once"), 500);
    assert.equal(await ask("test_simple_text"), 200);
    const afterwards = slowPost(fresh, tokenOf({ claims: { sub: "afterwards" } }), 2);
    await afterwards.isWaiting();

    assert.equal((await before.finish()).status, 500);
    const { status, json } = await afterwards.finish();
    assert.deepEqual([status, json.id], [200, 2]);
  } finally {
    await fresh.stop();
  }
});

/** Sends a request with its body in two parts. `isWaiting` is fulfilled when the Worker has started it. */
function slowPost(to, bearer, id) {
  const body = JSON.stringify({ ...legacyCall("test_simple_text"), id });
  const request = httpRequest(to.mcpUrl, {
    method: "POST",
    agent: false,
    headers: {
      authorization: `Bearer ${bearer}`,
      accept: "application/json, text/event-stream",
      "content-type": "application/json",
      "content-length": Buffer.byteLength(body),
    },
  });
  const answer = new Promise((resolve, reject) => {
    request.once("error", reject);
    request.once("response", async (response) => {
      const text = (await response.toArray()).join("");
      resolve({ status: response.statusCode, json: response.statusCode === 200 ? JSON.parse(text) : undefined });
    });
  });
  // Handled here in case the test fails before awaiting it.
  answer.catch(() => {});
  const sent = new Promise((resolve) => request.write(body.slice(0, 10), resolve));
  return {
    // A later request has been answered.
    isWaiting: async () => {
      await sent;
      assert.equal((await post(to, { message: legacyCall("test_simple_text") })).status, 401);
    },
    finish: () => {
      request.end(body.slice(10));
      return answer;
    },
  };
}
