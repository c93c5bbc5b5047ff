// The provider's keys: imported keys in memory, the set in KV, or the provider.

import { env } from "cloudflare:workers";

/** For how long a copy is used without a renewal. */
const FRESH_MS = 10 * 60 * 1000;

/** The minimum time between two attempts to fetch the keys. */
const COOL_DOWN_MS = 30 * 1000;

const FETCH_TIMEOUT_MS = 5_000;
const KV_CACHE_SECONDS = 60;
const KV_KEEP_SECONDS = 24 * 60 * 60;
const RECORD = "twin:jwks";

export const ALGORITHMS = {
  RS256: {
    kty: "RSA",
    key: { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" },
    signature: { name: "RSASSA-PKCS1-v1_5" },
  },
  ES256: {
    kty: "EC",
    crv: "P-256",
    key: { name: "ECDSA", namedCurve: "P-256" },
    signature: { name: "ECDSA", hash: "SHA-256" },
  },
  ES384: {
    kty: "EC",
    crv: "P-384",
    key: { name: "ECDSA", namedCurve: "P-384" },
    signature: { name: "ECDSA", hash: "SHA-384" },
  },
};

let imported = new Map();
let fetchedAt = 0;
let lastAttempt = 0;

/** There are no keys, and they cannot be fetched. */
export class KeysUnavailable extends Error {}

/**
 * Returns the key that a token names.
 * @returns {Promise<CryptoKey | undefined>}
 */
export async function keyFor(kid, alg, now) {
  if (now - fetchedAt < FRESH_MS) {
    const known = imported.get(`${alg} ${kid}`);
    if (known !== undefined) return known;
  } else {
    await readStore(now);
    if (now - fetchedAt < FRESH_MS && imported.has(`${alg} ${kid}`)) return imported.get(`${alg} ${kid}`);
  }
  // Without keys each request fetches them: promises cannot be shared between requests.
  if (fetchedAt === 0 || now - lastAttempt >= COOL_DOWN_MS) await fetchKeys(now);
  if (fetchedAt === 0) throw new KeysUnavailable();
  return imported.get(`${alg} ${kid}`);
}

async function readStore(now) {
  const record = await env.JWKS.get(RECORD, { type: "json", cacheTtl: KV_CACHE_SECONDS }).catch(() => null);
  if (record !== null && record.fetched_at > fetchedAt && now - record.fetched_at < FRESH_MS) {
    await use(record.keys, record.fetched_at);
  }
}

async function fetchKeys(now) {
  lastAttempt = now;
  let keys;
  try {
    const signal = AbortSignal.timeout(FETCH_TIMEOUT_MS);
    const response = await fetch(env.JWKS_URL, { redirect: "manual", signal });
    if (response.status !== 200) return;
    ({ keys } = await response.json());
  } catch {
    return;
  }
  await use(keys, now);
  const record = JSON.stringify({ keys, fetched_at: now });
  await env.JWKS.put(RECORD, record, { expirationTtl: KV_KEEP_SECONDS }).catch(() => {});
}

async function use(keys, time) {
  const usable = new Map();
  for (const jwk of keys) {
    const { kid, kty, crv, alg, use: purpose } = jwk;
    if (purpose !== undefined && purpose !== "sig") continue;
    for (const [name, algorithm] of Object.entries(ALGORITHMS)) {
      if (algorithm.kty !== kty || algorithm.crv !== crv || (alg !== undefined && alg !== name)) continue;
      const key = await crypto.subtle.importKey("jwk", jwk, algorithm.key, false, ["verify"]).catch(() => undefined);
      if (key !== undefined) usable.set(`${name} ${kid}`, key);
    }
  }
  imported = usable;
  fetchedAt = time;
}
