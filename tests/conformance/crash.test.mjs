// A panic in a tool costs the requests in flight, and nothing after them: WebAssembly starts anew with the next request.

import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { startHostileProvider } from "../support/hostile-provider.mjs";
import { legacyCall } from "../support/messages.mjs";
import { createSigner, tokensFor } from "../support/signers.mjs";
import { post, startWorker } from "../support/worker.mjs";

const signer = await createSigner("ES256");
const provider = await startHostileProvider({ keys: [signer.jwk] });
const worker = await startWorker({ build: "tests/conformance/build", settings: { ISSUER: provider.issuer } });
after(async () => {
  await worker.stop();
  await provider.stop();
});
const token = tokensFor({ issuer: provider.issuer, resource: worker.mcpUrl, signer })({});
const call = (name) => post(worker, { token, message: legacyCall(name) });
const restarts = () => worker.raw().split("starting WebAssembly anew").length - 1;

for (const tool of ["test_crash_at_once", "test_crash_later"]) {
  describe(tool, () => {
    test("is answered with 500, and the next request as if nothing had happened", async () => {
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

test("keys come from the store after a crash, not from the provider again", async () => {
  const before = provider.requests.length;
  await call("test_crash_at_once");
  assert.equal((await call("test_simple_text")).status, 200);
  assert.equal(provider.requests.length, before);
});
