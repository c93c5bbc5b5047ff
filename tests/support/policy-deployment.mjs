// One provider for all tests of a file, and a Worker with its own settings for each test.

import { after, afterEach } from "node:test";
import { startHostileProvider } from "./hostile-provider.mjs";
import { createSigner, tokensFor } from "./signers.mjs";
import { startWorker } from "./worker.mjs";

export const signer = await createSigner("ES256", { kid: "key" });
export const provider = await startHostileProvider({ keys: [signer.jwk] });
after(() => provider.stop());

const cleanups = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** A Worker with these settings, for one test. */
export async function deploy(settings) {
  const worker = await startWorker({ settings: { ISSUER: provider.issuer, ...settings } });
  cleanups.push(() => worker.stop());
  return { worker, token: tokensFor({ issuer: provider.issuer, resource: worker.mcpUrl, signer }) };
}
