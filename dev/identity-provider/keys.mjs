// Signing keys: created, stored and rotated like those of Logto.
//
// Logto signs with ES384 (P-384) unless the operator rotates to RSA (RS256, 4096 bits). The first key
// of the list signs. A key's `kid` is its RFC 7638 thumbprint; RSA keys are published without `alg`.

import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { calculateJwkThumbprint, exportJWK, generateKeyPair } from "jose";

const RSA_MODULUS_BITS = 4096;

/** @typedef {"ES384" | "RS256"} SigningAlgorithm */

/** Creates a private signing key as a JWK. */
export async function createKey(/** @type {SigningAlgorithm} */ algorithm = "ES384") {
  const { privateKey } = await generateKeyPair(algorithm, {
    extractable: true,
    modulusLength: RSA_MODULUS_BITS,
  });
  const jwk = await exportJWK(privateKey);
  return { ...jwk, use: "sig", kid: await calculateJwkThumbprint(jwk, "sha256") };
}

/** Returns the signing algorithm of a list of keys. */
export function signingAlgorithm([current]) {
  return current.kty === "RSA" ? "RS256" : "ES384";
}

/** Adds a key that signs at once. Of the earlier keys only the last stays published, as at Logto. */
export async function rotate([current], algorithm) {
  return [await createKey(algorithm), current];
}

/**
 * Reads the keys from `file`, or creates and stores new ones. After a restart the provider must use the same keys,
 * so that tokens that were already issued stay valid.
 */
export async function loadOrCreateKeys(file) {
  const stored = await readKeys(file);
  if (stored) return stored;
  const keys = [await createKey()];
  await saveKeys(file, keys);
  return keys;
}

/** Writes the keys to `file`, which only its owner can read. */
export async function saveKeys(file, keys) {
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, `${JSON.stringify({ keys }, null, 2)}\n`, { mode: 0o600 });
}

async function readKeys(file) {
  const text = await readFile(file, "utf8").catch((error) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
  if (text === undefined) return undefined;
  try {
    const { keys } = JSON.parse(text);
    if (Array.isArray(keys) && keys.length > 0) return keys;
  } catch {
    // An incomplete file is reported like an invalid one, below.
  }
  throw new Error(`${file} contains no signing keys; delete it to create new ones`);
}
