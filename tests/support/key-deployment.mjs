// A Worker with a provider and a store of its own, for tests of the provider's keys. A store record with an old timestamp
// takes the place of waiting.

import { afterEach } from "node:test";
import { startHostileProvider } from "./hostile-provider.mjs";
import { legacyCall } from "./messages.mjs";
import { createSigner, seconds, tokensFor } from "./signers.mjs";
import { post, startKeyValueStore, startWorker } from "./worker.mjs";

export const FRESH_SECONDS = 600;
export const MAX_LEAD_SECONDS = 480;
export const CEILING_SECONDS = 24 * 3600;

export const [first, second, third, attacker] = await Promise.all(
  ["first", "second", "third", "attacker"].map((kid) => createSigner("ES256", { kid })),
);

const cleanups = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** Runs a function after the current test. */
export const cleanUp = (job) => void cleanups.push(job);

/**
 * A Worker and its provider, for one test.
 * @param {{keys?: object[], record?: object | string, settings?: object, cleanUp?: (job: () => Promise<void>) => void}} [options]
 *   `record`: the first content of the store, as changes to the provider's record or as text
 */
export async function deploy({ keys = [first.jwk], record, settings = {}, cleanUp: register = cleanUp } = {}) {
  const provider = await startHostileProvider({ keys });
  register(() => provider.stop());
  const kv = await startKeyValueStore();
  register(() => kv.close());
  if (record !== undefined) {
    const text = typeof record === "string" ? record : JSON.stringify({ ...provider.record(), ...record });
    kv.entries.set(provider.recordName, text);
  }
  const worker = await startWorker({ kv, settings: { ISSUER: provider.issuer, REQUIRED_SCOPES: "whoami:read", ...settings } });
  register(() => worker.stop());
  const token = tokensFor({ issuer: provider.issuer, resource: worker.mcpUrl, signer: first });
  /** Creates a valid token that was issued just now. */
  const newToken = (signer = first, claims = {}) => token({ signer, claims: { iat: seconds(), ...claims } });
  return { provider, kv, worker, token, newToken };
}

/** The times in a record of keys that were fetched this many seconds ago. */
export const fetchedAgo = (age) => ({ provider_fetched_at: seconds() - age, jwks_fetched_at: seconds() - age });

export const call = (worker, token) => post(worker, { token, message: legacyCall("whoami") });

/** Counts responses by status. */
export function tally(answers) {
  const counts = {};
  for (const { status } of answers) counts[status] = (counts[status] ?? 0) + 1;
  return counts;
}

/** Runs `work` this many times, with a limit on how many at once, and returns all results. */
export async function repeat(times, atOnce, work) {
  const results = [];
  let next = 0;
  const loop = async () => {
    while (next < times) {
      const number = next;
      next += 1;
      results[number] = await work(number);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, loop));
  return results;
}

/** A key set in which no key can be used. */
export const onlyUnusable = JSON.stringify({
  keys: [
    { ...first.jwk, use: "enc" },
    { kty: "oct", k: "AAAA", kid: "first", alg: "HS256" },
    { ...first.privateJwk, kid: "first" },
    { ...first.jwk, key_ops: ["sign"] },
    { ...first.jwk, crv: "P-384" },
    null,
    "key",
  ],
});
