// Secret keys: what WebCrypto signs, authenticates and derives is what others verify and compute.

import assert from "node:assert/strict";
import { createHmac, createPublicKey, generateKeyPairSync, hkdfSync, verify } from "node:crypto";
import { after, describe, test } from "node:test";
import { send } from "../support/worker.mjs";
import { restartsOf, start } from "./start.mjs";

const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
const jwk = privateKey.export({ format: "jwk" });
const MAC_KEY = "a secret that two share";
const DERIVATION_KEY = "a secret of which keys are made";

const settings = { SIGNING_KEY: JSON.stringify(jwk), MAC_KEY, DERIVATION_KEY };
const worker = await start({ settings });
after(() => worker.stop());

const use = async (message, of = worker) =>
  (await send(of, { method: "POST", path: "/keys", body: JSON.stringify(message) })).json;
const codeOf = (message) => createHmac("sha256", MAC_KEY).update(message).digest("hex");

for (const message of ["", "message", "ß\u{1f600}".repeat(1_000)]) {
  describe(`a message of ${Buffer.byteLength(message)} bytes`, () => {
    test("is signed with ES256", async () => {
      const signature = Buffer.from((await use({ message })).signature, "hex");
      assert.equal(signature.length, 64);
      const key = { key: createPublicKey(privateKey), dsaEncoding: "ieee-p1363" };
      assert.ok(verify("sha256", Buffer.from(message), key, signature));
      assert.ok(!verify("sha256", Buffer.from(`${message}.`), key, signature));
    });

    test("is authenticated with HMAC", async () => {
      const code = codeOf(message);
      assert.equal((await use({ message })).code, code);
      assert.equal((await use({ message, code })).verified, true);
      const wrong = [code.slice(2), `${code}00`, "", codeOf(`${message}.`), code.replace(/.$/, (digit) => (digit === "0" ? "1" : "0"))];
      for (const other of wrong) assert.equal((await use({ message, code: other })).verified, false, other);
    });
  });
}

test("keys are derived with HKDF, one for each purpose", async () => {
  const derived = new Set();
  for (const [salt, info] of [["", ""], ["salt", ""], ["", "info"], ["salt", "info"], ["salt", "other"]]) {
    const expected = Buffer.from(hkdfSync("sha256", DERIVATION_KEY, salt, info, 32)).toString("hex");
    const { derived: key } = await use({ salt, info });
    assert.equal(key, expected);
    derived.add(key);
  }
  assert.equal(derived.size, 5);
});

describe("what is no key", () => {
  const publicJwk = JSON.stringify({ ...jwk, d: undefined });
  const ofOtherCurve = JSON.stringify(generateKeyPairSync("ec", { namedCurve: "P-384" }).privateKey.export({ format: "jwk" }));
  const { x, y } = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey.export({ format: "jwk" });
  const ofTwo = JSON.stringify({ ...jwk, x, y });
  for (const [what, key] of [["no JSON", "hunter2"], ["the halves of two keys", ofTwo], ["no key", "{}"], ["a public key", publicJwk], ["of another curve", ofOtherCurve]]) {
    test(`is refused, and not shown: ${what}`, async () => {
      const other = await start({ settings: { ...settings, SIGNING_KEY: key, MAC_KEY: "" } });
      try {
        for (let round = 0; round < 2; round += 1) {
          const { signature, code, verified, derived } = await use({ message: "message" }, other);
          assert.match(signature, /^the key cannot be imported: \w+$/);
          assert.match(code, /^the key cannot be imported: \w+$/);
          assert.match(verified, /^the key cannot be imported: \w+$/);
          assert.equal(derived.length, 64);
        }
        assert.ok(!other.raw().includes("hunter2"));
        assert.equal(restartsOf(other), 0);
      } finally {
        await other.stop();
      }
    });
  }
});
