// Key sets that are long, and key sets with private keys.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { attacker, deploy, first, second, third } from "./support/key-deployment.mjs";
import { assertAccepted, assertRefused } from "./support/refusals.mjs";
import "./support/report-failures.mjs";
import { createSigner, seconds, signerOf } from "./support/signers.mjs";

const rsa = await createSigner("RS256", { kid: "tenant-120", modulusLength: 4096 });

/** So many keys, of which this one is the last. */
const tenants = (count, last, members) => [
  ...Array.from({ length: count - 1 }, (_, number) => ({ ...rsa.jwk, kid: `tenant-${number}`, ...members })),
  last,
];

describe("a set with a key for each of 121 tenants", () => {
  test("is used, also out of the store", async () => {
    const keys = tenants(121, rsa.jwk, { x5c: ["A".repeat(1_500)] });
    assert.ok(JSON.stringify({ keys }).length > 250_000);
    const { worker, kv, provider, newToken } = await deploy({ keys });
    await assertAccepted(worker, { token: newToken(rsa) });
    await worker.waitFor(() => kv.writes.length > 0, "nothing was stored");
    const stored = JSON.parse(kv.entries.get(provider.recordName));
    assert.equal(stored.jwks.keys.length, 121);

    const other = await deploy({ record: {} });
    other.kv.entries.set(other.provider.recordName, JSON.stringify(other.provider.record({ keys })));
    await assertAccepted(other.worker, { token: other.newToken(rsa) });
    assert.equal(other.provider.count(), 0);
    assert.ok(!worker.raw().includes("warning"), "nothing is wrong with it");
  });

  test("an unknown key is refused", async () => {
    const { worker, kv, newToken } = await deploy({ keys: tenants(121, rsa.jwk) });
    await assertRefused(worker, { token: newToken({ ...attacker, kid: "tenant-121" }, { iat: seconds() - 400 }) }, "unknown_key");
    await worker.waitFor(() => kv.writes.length > 0, "nothing was stored");
  });
});

test("of more than 256 keys the first 256 are used, and the log says so", async () => {
  const keys = [...tenants(256, first.jwk), second.jwk, third.jwk];
  const { worker, newToken } = await deploy({ keys });
  await assertAccepted(worker, { token: newToken(first) });
  await assertRefused(worker, { token: newToken(second, { iat: seconds() - 400 }) }, "unknown_key");
  const warnings = worker.logs().filter(({ warning }) => warning !== undefined);
  assert.equal(warnings.length, 1);
  assert.match(warnings[0].warning, /more keys than are read.* 2$/);
});

describe("a private key in the set", () => {
  const leaked = signerOf("ES256", second.privateJwk, "leaked");
  const privateJwk = { ...second.privateJwk, kid: "leaked", alg: "ES256", use: "sig" };

  test("is not used, and the log says once which it is", async () => {
    const { worker, provider, kv, newToken } = await deploy({ keys: [first.jwk, privateJwk] });
    for (let round = 0; round < 20; round += 1) await assertAccepted(worker, { token: newToken() });
    const warnings = worker.logs().filter(({ warning }) => warning !== undefined);
    assert.equal(warnings.length, 1);
    assert.equal(warnings[0].issuer, provider.issuer);
    assert.match(warnings[0].warning, /published a private key.*kid leaked$/);
    const { line } = await assertRefused(worker, { token: newToken(leaked) }, "unknown_key");
    assert.match(line.detail, /published this private key/);
    await worker.waitFor(() => kv.writes.length > 0, "nothing was stored");
    for (const text of [worker.raw(), ...kv.entries.values()]) assert.ok(!text.includes(privateJwk.d));
  });

  test("alone is an outage, and the log says why", async () => {
    const { worker, newToken } = await deploy({ keys: [privateJwk] });
    const { line } = await assertRefused(worker, { token: newToken(leaked) }, "keys_unavailable");
    assert.match(line.detail, /published a private key.*kid leaked/);
    assert.ok(!worker.raw().includes(privateJwk.d));
  });

  for (const member of ["d", "p", "q", "dp", "dq", "qi", "oth", "k"]) {
    test(`is one with the member ${member}`, async () => {
      const { worker, newToken } = await deploy({ keys: [first.jwk, { ...leaked.jwk, [member]: member === "oth" ? [{}] : "x" }] });
      await assertRefused(worker, { token: newToken(leaked, { iat: seconds() - 400 }) }, "unknown_key");
    });
  }

  test("is none with members that are null", async () => {
    const { worker, newToken } = await deploy({ keys: [{ ...leaked.jwk, d: null, k: null, oth: null }] });
    await assertAccepted(worker, { token: newToken(leaked) });
    assert.ok(!worker.raw().includes("private"));
  });
});
