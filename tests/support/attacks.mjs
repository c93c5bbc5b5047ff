// A Worker, a provider that also publishes keys it should not, and ways to state a test per attack.

import assert from "node:assert/strict";
import { generateKeyPairSync, randomBytes } from "node:crypto";
import { createServer } from "node:http";
import { after, describe, test } from "node:test";
import { startHostileProvider } from "./hostile-provider.mjs";
import { assertAccepted, assertRefused } from "./refusals.mjs";
import { ALGORITHMS, CANARY, createSigner, encode, signerOf, tokensFor } from "./signers.mjs";
import { startWorker } from "./worker.mjs";

const started = Date.now();
export const signers = Object.fromEntries(
  await Promise.all(ALGORITHMS.map(async (algorithm) => [algorithm, await createSigner(algorithm)])),
);
export const [attacker, attackerRsa] = await Promise.all([createSigner("ES256"), createSigner("RS256")]);
export const odd = await oddKeys();
export const provider = await startHostileProvider({
  keys: [...Object.values(signers).map(({ jwk }) => jwk), ...Object.values(odd).map(({ jwk }) => jwk)],
});
export const trap = await startTrap();
const settings = { ISSUER: provider.issuer, REQUIRED_SCOPES: "whoami:read" };
export const worker = await startWorker({ settings });
after(async () => {
  await worker.stop();
  await Promise.all([provider.stop(), trap.close()]);
});

export const { issuer } = provider;
export const resource = worker.mcpUrl;
export const usual = signers.ES256;
export const token = tokensFor({ issuer, resource, signer: usual });

/** Adds a test for each `[what, token or request, reason]`: the request is refused. */
export function refuses(cases) {
  for (const [what, request, reason] of cases) {
    test(what, () => assertRefused(worker, typeof request === "string" ? { token: request } : request, reason));
  }
}

/** Adds a test for each `[what, token or request]`: the request is accepted. */
export function accepts(cases) {
  for (const [what, request] of cases) {
    test(what, () => assertAccepted(worker, typeof request === "string" ? { token: request } : request));
  }
}

/** Tests that honest clients are served after the attacks of the file, and that nothing has leaked. */
export function staysUnharmed() {
  describe("after the attacks", () => {
    test("valid tokens of every algorithm are accepted", async () => {
      for (const signer of Object.values(signers)) await assertAccepted(worker, { token: token({ signer }) });
    });

    test("the provider got a few requests for keys, and no others", (context) => {
      const jwks = provider.count("jwks");
      context.diagnostic(`${worker.logs().length} requests, ${jwks} fetches of the keys`);
      const minutes = Math.ceil((Date.now() - started) / 60_000);
      assert.ok(jwks <= 1 + 4 * minutes, `${jwks} fetches in ${minutes} minutes`);
      assert.equal(provider.count(), jwks + 1, "only one discovery document besides");
    });

    test("each line of the log is a JSON object, without claims and panics", () => {
      assert.ok(!worker.raw().includes(CANARY));
      assert.doesNotMatch(worker.raw(), /panicked|unreachable|Critical|Error:/);
      assert.equal(worker.raw().split("\n").length, worker.logs().length);
    });

    test("the isolate has not restarted: the store was not read again", () =>
      assert.ok(worker.kv.reads.length <= 1 + provider.count("jwks"), `${worker.kv.reads.length} reads`));
  });
}

async function oddKeys() {
  const make = (algorithm, kid, jwk) => createSigner(algorithm, { kid, jwk });
  const small = generateKeyPairSync("rsa", { modulusLength: 1024 }).privateKey.export({ format: "jwk" });
  const withPrivate = await make("ES256", "private");
  const offCurve = await make("ES256", "off-curve");
  const point = Buffer.from(offCurve.jwk.y, "base64url");
  point[31] ^= 1;
  const mine = await make("ES256", "wrong-curve", { alg: undefined, crv: "P-384" });
  const secret = randomBytes(32);
  return {
    "without-alg": await make("RS256", "without-alg", { alg: undefined }),
    encryption: await make("ES256", "encryption", { use: "enc" }),
    private: signerOf("ES256", withPrivate.privateJwk, "private", { d: withPrivate.privateJwk.d }),
    small: signerOf("RS256", small, "small"),
    "exponent-1": await make("RS256", "exponent-1", { e: "AQ" }),
    "sign-only": await make("ES256", "sign-only", { use: undefined, key_ops: ["sign"] }),
    "verify-only": await make("ES256", "verify-only", { use: undefined, key_ops: ["verify"] }),
    mislabelled: await make("ES256", "mislabelled", { alg: "ES384" }),
    "wrong-curve": mine,
    "off-curve": signerOf("ES256", offCurve.privateJwk, "off-curve", { y: point.toString("base64url") }),
    "twice-1": await make("ES384", "twice"),
    "twice-2": await make("ES384", "twice"),
    "shared-1": await make("RS256", "shared"),
    "shared-2": await make("ES512", "shared"),
    "paired-1": await make("ES256", "paired"),
    "paired-2": await make("ES256", "paired", { use: "enc" }),
    symmetric: { secret, jwk: { kty: "oct", kid: "symmetric", alg: "HS256", use: "sig", k: secret.toString("base64url") } },
    bitcoin: { jwk: { kty: "EC", crv: "secp256k1", kid: "bitcoin", alg: "ES256K", x: encode(randomBytes(32)), y: encode(randomBytes(32)) } },
    unknown: { jwk: { kty: "AKP", kid: "unknown", alg: "ML-DSA-65", pub: encode(randomBytes(64)) } },
  };
}

// Would serve the attacker's key, and counts connections.
async function startTrap() {
  let contacts = 0;
  const server = createServer((_request, response) => {
    contacts += 1;
    response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify({ keys: [attacker.jwk] }));
  });
  server.on("connection", () => (contacts += 1));
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const close = () => new Promise((resolve) => server.close(resolve));
  return { origin: `http://127.0.0.1:${server.address().port}`, contacts: () => contacts, close };
}
