// A vault for tests of the endpoint alone: tests say which accounts are connected, and see what was asked.

import { freePort, startWorker } from "./worker.mjs";

/**
 * Starts it.
 *
 * @typedef {object} FakeAccount
 * @property {string} [token]          what the vault gives out; none: no account is connected
 * @property {string} [next]           what it gives out once that is refused; none: the account has ended
 * @property {number} [connectedAfter] how often it says before that there is none
 */
export async function startFakeVault() {
  const [port, callsPort] = [await freePort(), await freePort()];
  const worker = await startWorker({
    build: "tests/support/fake-vault",
    port,
    settings: {},
    entrypoints: [{ port: callsPort, entrypoint: "Internal", props: { role: "endpoint" } }],
  });
  return {
    /** The port for the binding VAULT_CALLS. */
    callsPort,
    /**
     * Says what it answers from now on, and forgets what was asked.
     * @param {{accounts?: Record<string, FakeAccount>, url?: string, origin?: string, refusal?: unknown[]}} state
     *   accounts by subject; the base URL that tokens are for; where links lead; an answer for everybody
     */
    async set(state) {
      await fetch(worker.origin, { method: "PUT", body: JSON.stringify({ accounts: {}, ...state }) });
    },
    /** What was asked. */
    calls: async () => (await fetch(worker.origin)).json(),
    stop: () => worker.stop(),
  };
}
