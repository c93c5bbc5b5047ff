// A Worker and a provider that issues opaque tokens.

import { randomBytes } from "node:crypto";
import { afterEach } from "node:test";
import { startHostileProvider } from "./hostile-provider.mjs";
import { CANARY, createSigner, encode, seconds, tokensFor } from "./signers.mjs";
import { startWorker } from "./worker.mjs";

export const SECRET = "s3cret:with ämlaut&=+%/";
export const ACCEPTING_ALL = { OPAQUE_TOKEN_CLIENTS: "*", INTROSPECTION_CLIENT_ID: "mcp edge:1", INTROSPECTION_CLIENT_SECRET: SECRET };
export const NO_SCOPES = { scope: "" };

const signer = await createSigner("ES256");

const cleanups = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** Runs a function after the current test. */
export const cleanUp = (job) => void cleanups.push(job);

/** Starts a provider, and a Worker that checks opaque tokens with it. */
export async function deploy(settings = ACCEPTING_ALL, register = cleanUp) {
  const provider = await startHostileProvider({ keys: [signer.jwk] });
  register(() => provider.stop());
  const worker = await startWorker({ settings: { ISSUER: provider.issuer, ...settings } });
  register(() => worker.stop());
  return { provider, worker, opaque: opaqueFor(provider), jwt: tokensFor({ issuer: provider.issuer, resource: worker.mcpUrl, signer }) };
}

/** Creates opaque tokens like those of Logto: 43 characters, and a response without an audience. */
export function opaqueFor(provider) {
  return (changes = {}, profile) => {
    // See the test "is sent for a random token whose first byte is a brace".
    const token = randomToken((byte) => byte !== 0x7b);
    remember(provider, token, changes, profile);
    return token;
  };
}

export function randomToken(isFirstByte) {
  for (;;) {
    const bytes = randomBytes(32);
    if (isFirstByte(bytes[0])) return encode(bytes);
  }
}

export function remember(provider, token, changes = {}, profile = undefined) {
  const now = seconds();
  provider.tokens.set(token, {
    active: true, sub: "user-1", client_id: "agent", exp: now + 3600, iat: now - 1, iss: provider.issuer,
    scope: "openid", token_type: "Bearer", note: CANARY, ...changes,
  });
  if (profile) provider.profiles.set(token, profile);
}

export const asked = (provider) => provider.count("introspection");
