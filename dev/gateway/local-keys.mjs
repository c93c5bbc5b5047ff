// The key and the secret of the gateway of `make dev`, kept between runs: an upstream that has cached the public key
// accepts the next run, too.

import { mkdir, readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { createSigningKey, createStateSecret, signAssertion } from "./signing-key.mjs";
import { writePrivate } from "./write-private.mjs";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** Where they are kept, below the folder of wrangler.toml. */
export const localKeysFile = (root = ROOT) => join(root, ".wrangler/gateway/keys.json");

/**
 * @typedef {{signingKey: object, stateSecret: string, resource?: string}} LocalKeys  `resource`: of the last run
 *
 * @returns {Promise<LocalKeys | undefined>}
 * @throws {Error} if the file has something else
 */
export async function readLocalKeys(file = localKeysFile()) {
  const text = await readFile(file, "utf8").catch((error) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
  if (text === undefined) return undefined;
  try {
    const keys = JSON.parse(text);
    if (typeof keys.signingKey?.d === "string" && typeof keys.stateSecret === "string") return keys;
  } catch {
    // An incomplete file is reported like an invalid one.
  }
  throw new Error(`${file} has no signing key; delete it to create a new one`);
}

/** Reads the keys, or creates them; remembers the endpoint. @returns {Promise<LocalKeys>} */
export async function loadOrCreateLocalKeys(resource, file = localKeysFile()) {
  const stored = await readLocalKeys(file);
  const keys = { ...(stored ?? { signingKey: await createSigningKey(), stateSecret: createStateSecret() }), resource };
  await mkdir(dirname(file), { recursive: true });
  await writePrivate(file, `${JSON.stringify(keys, null, 2)}\n`);
  return keys;
}

/** The value of `authorization` with which this program asks an upstream. */
export async function assertionFor({ signingKey, resource }, audience) {
  return `Bearer ${await signAssertion(signingKey, { resource, audience, subject: "make-dev" })}`;
}
