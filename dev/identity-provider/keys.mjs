// Signing keys: made, kept and rotated as at Logto.
//
// Logto signs with ES384 (P-384) unless the operator rotates to RSA (RS256, 4096 bits). The first key
// of the list signs. A key's `kid` is its RFC 7638 thumbprint; RSA keys are published without `alg`.

import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { calculateJwkThumbprint, exportJWK, generateKeyPair } from "jose";

const RSA_MODULUS_BITS = 4096;

/** @typedef {"ES384" | "RS256"} SigningAlgorithm */

/** Makes a private signing key as a JWK. */
export async function createKey(/** @type {SigningAlgorithm} */ algorithm = "ES384") {
  const { privateKey } = await generateKeyPair(algorithm, {
    extractable: true,
    modulusLength: RSA_MODULUS_BITS,
  });
  const jwk = await exportJWK(privateKey);
  return { ...jwk, use: "sig", kid: await calculateJwkThumbprint(jwk, "sha256") };
}

/** The algorithm a list of keys signs with. */
export function signingAlgorithm([current]) {
  return current.kty === "RSA" ? "RS256" : "ES384";
}

/** A new key signs at once; of the earlier ones only the last stays published, as at Logto. */
export async function rotate([current], algorithm) {
  return [await createKey(algorithm), current];
}

/**
 * The keys kept in `file`, or new ones, which are then kept there. A restarted provider must sign
 * with the keys that the Worker has cached, or every token already issued becomes unverifiable.
 */
export async function loadOrCreateKeys(file) {
  const stored = await readKeys(file);
  if (stored) return stored;
  const keys = [await createKey()];
  await saveKeys(file, keys);
  return keys;
}

/** Writes the keys to `file`, readable by its owner alone. */
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
    // Falls through to the one message below: half a file is as useless as a wrong one.
  }
  throw new Error(`${file} holds no signing keys; delete it to have new ones made`);
}
