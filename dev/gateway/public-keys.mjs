// The public keys of a gateway: those in UPSTREAM_PUBLIC_KEYS, and those that it publishes.

import { calculateJwkThumbprint } from "jose";
import { plain, Problem } from "../logto/problem.mjs";
import { readVariables } from "../logto/wrangler-file.mjs";
import { isPrivate } from "../loopback.mjs";

export const SETTING = "UPSTREAM_PUBLIC_KEYS";
const TIMEOUT_MS = 10_000;
const MAX_BYTES = 64 * 1024;

/**
 * The keys in UPSTREAM_PUBLIC_KEYS; one without `kid` has the name that the gateway gives it.
 * @param {string} text  of wrangler.toml
 * @param {string} file  its name, for the operator
 * @returns {Promise<object[]>}
 * @throws {Problem} if it has another form, or a private key
 */
export async function keysInSettings(text, file) {
  const value = readVariables(text, file)[SETTING];
  if (value === undefined || value === "") return [];
  const fix = `Write ${SETTING} as a string with a JSON array of public keys, or remove it.`;
  if (typeof value !== "string") throw new Problem(`${SETTING} in ${file} is not a string`, { why: "This program edits strings only.", fix });
  let keys;
  try {
    keys = JSON.parse(value);
  } catch {
    throw new Problem(`${SETTING} in ${file} is not JSON`, { fix });
  }
  if (!Array.isArray(keys) || !keys.every((key) => typeof key === "object" && key !== null)) throw new Problem(`${SETTING} in ${file} is not an array of keys`, { fix });
  if (keys.some((key) => "d" in key)) {
    throw new Problem(`${SETTING} in ${file} has a private key ("d")`, { why: "Who can read the file can sign as the gateway.", fix: 'Remove "d" from it, and replace the key: make gateway-keys ARGS=--rotate.' });
  }
  try {
    return await Promise.all(keys.map(async (key) => (typeof key.kid === "string" ? key : { ...key, kid: await calculateJwkThumbprint(key, "sha256") })));
  } catch {
    throw new Problem(`${SETTING} in ${file} has something that is no key`, { fix });
  }
}

/**
 * The keys that a deployed gateway publishes: first the one that signs.
 * @param {string | undefined} resource  URL of its MCP endpoint
 * @param {typeof fetch} fetch
 * @returns {Promise<object[]>}
 */
export async function publishedKeys(resource, fetch) {
  const fix = "Set RESOURCE, deploy the gateway (make deploy), and run this command again.";
  const url = URL.parse("/.well-known/jwks.json", resource || undefined);
  if (url === null) throw new Problem("RESOURCE is missing", { why: "The keys are published at its origin.", fix });
  if (!isPrivate(url)) throw new Problem(`RESOURCE=${plain(resource)} is not https`, { fix });
  let keys;
  try {
    const response = await fetch(url, { redirect: "manual", signal: AbortSignal.timeout(TIMEOUT_MS) });
    if (response.status !== 200) throw new Error(`it responds with ${response.status}`);
    const text = await response.text();
    if (text.length > MAX_BYTES) throw new Error("it is too long");
    keys = JSON.parse(text).keys;
    if (!Array.isArray(keys) || keys.length === 0 || !keys.every((key) => /^[\x21-\x7e]{1,200}$/.test(key?.kid))) throw new Error("it is not a set of keys");
  } catch (error) {
    throw new Problem(`the published keys cannot be read: ${url}`, { why: `${plain(error.cause?.message || error.message)}.`, fix });
  }
  return keys;
}
