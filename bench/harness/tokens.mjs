// The provider's keys, and all tokens of a run. They are signed before the first round, on all cores, and stored in files
// for the load generator.

import { randomBytes } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { createSigner, tokensFor } from "../../tests/support/signers.mjs";

/** @typedef {"RS256" | "ES384"} Algorithm */

/** @type {Algorithm[]} */
export const ALGORITHMS = ["RS256", "ES384"];

/** In place of an algorithm: tokens of all of them, alternately. */
export const BOTH = "both";

/** Longer than a run on a slow machine. */
const LIFE_SECONDS = 24 * 60 * 60;

/** The claims of a token that Logto issues for an API resource. */
export function claimsOf(number) {
  const now = Math.floor(Date.now() / 1000);
  return { sub: `user-${number}`, client_id: "agent", exp: now + LIFE_SECONDS, note: undefined };
}

/** Keys of the provider, one for each algorithm. */
export async function createKeys() {
  const signers = await Promise.all(ALGORITHMS.map((algorithm) => createSigner(algorithm)));
  return Object.fromEntries(signers.map((signer) => [signer.algorithm, signer]));
}

/**
 * A file of tokens, one per line, each of another user.
 * @typedef {object} Pool
 * @property {string} file
 * @property {number} size
 * @property {string} first  its first token
 */

/**
 * Signs tokens on all cores.
 * @param {object} options
 * @param {import("../../tests/support/signers.mjs").Signer} options.signer
 * @param {{issuer: string, resource: string}} options.parties
 * @param {number} options.size
 * @param {string} options.folder
 * @returns {Promise<Pool>}
 */
export async function mint({ signer, parties, size, folder }) {
  const { algorithm, kid, privateJwk } = signer;
  const share = Math.ceil(size / availableParallelism());
  const shares = [];
  for (let from = 0; from < size; from += share) shares.push({ from, to: Math.min(from + share, size) });
  const order = { algorithm, kid, privateJwk, parties };
  const parts = await Promise.all(shares.map((range) => mintElsewhere({ ...order, ...range })));
  return writePool(folder, `${algorithm}-good`, parts.flat());
}

function mintElsewhere(order) {
  return new Promise((resolve, reject) => {
    const thread = new Worker(new URL("./mint.mjs", import.meta.url), { workerData: order });
    thread.once("message", resolve);
    thread.once("error", reject);
  });
}

/**
 * Mixes tokens of several algorithms, in turn.
 * @param {object} options
 * @param {Pool[]} options.pools
 * @param {number} options.size  of each pool that is used
 * @param {string} options.folder
 * @returns {Promise<Pool>}
 */
export async function interleave({ pools, size, folder }) {
  const lists = await Promise.all(pools.map(async ({ file }) => (await readFile(file, "utf8")).split("\n")));
  const count = Math.min(size, ...pools.map((pool) => pool.size));
  return writePool(folder, `${BOTH}-good`, Array.from({ length: count }, (_, at) => lists.map((list) => list[at])).flat());
}

/**
 * Creates forged tokens, each with a random signature of the correct length.
 * @param {Parameters<typeof mint>[0]} options
 * @returns {Promise<Pool>}
 */
export async function forge({ signer, parties, size, folder }) {
  const token = tokensFor({ ...parties, signer: { ...signer, sign: (input) => randomSignature(signer, input) } });
  const tokens = Array.from({ length: size }, (_, number) => token({ claims: claimsOf(number) }));
  return writePool(folder, `${signer.algorithm}-forged`, tokens);
}

function randomSignature({ algorithm }) {
  const signature = randomBytes(algorithm === "RS256" ? 256 : 96);
  // Below the modulus and the order of the curve: larger numbers would be refused without a verification.
  signature[0] = 0;
  if (algorithm === "ES384") signature[48] = 0;
  return signature;
}

async function writePool(folder, name, tokens) {
  const file = join(folder, name);
  await writeFile(file, tokens.join("\n"));
  return { file, size: tokens.length, first: tokens[0] };
}
