// Start times of a new process: until the first response, and until the first authenticated one.
//
// workerd opens its port before it loads the Worker, so the first request waits for that.

import { startKeyValueStore } from "../../tests/support/worker.mjs";
import { ask, deploy } from "./deployment.mjs";
import { loadNamed } from "./loads.mjs";

/**
 * Times in milliseconds, measured by a client.
 * @typedef {object} Start
 * @property {number} firstAnswer   from the start of the process to a response that needs no key
 * @property {number} [keysNowhere] the first authenticated request after that, with an empty store
 * @property {number} [keysInStore] the same with the provider's keys in the store, where the contender uses it
 * @property {number} [coldKeysInStore]
 *   from the start of the process to a response, if the first request is authenticated, with the keys in the store
 */

const PUBLIC = loadNamed("metadata");

// Logto's default algorithm.
const AUTHENTICATED = loadNamed("es384-repeated");

/**
 * Prepares the timing of a contender.
 * @param {import("../contenders/index.mjs").Contender} contender
 * @param {import("./round.mjs").Setting} setting
 * @returns {Promise<{sample: () => Promise<Start>, close: () => Promise<void>}>}
 */
export async function startsOf(contender, { provider, parties, pools }) {
  const token = pools[AUTHENTICATED.algorithm].good.first;

  async function withWorker(kv, use) {
    const worker = await deploy(contender, { provider, kv });
    try {
      return await use(worker);
    } finally {
      await worker.stop();
    }
  }
  const open = (worker) => ask(worker, contender, PUBLIC, { parties });
  const enter = (worker) => ask(worker, contender, AUTHENTICATED, { parties, token });
  const sinceStart = async (worker, first) => {
    await first(worker);
    return performance.now() - worker.spawnedAt;
  };
  const openThenEnter = async (worker) => {
    const firstAnswer = await sinceStart(worker, open);
    const before = performance.now();
    await enter(worker);
    return { firstAnswer, entry: performance.now() - before };
  };

  if (contender.name === "noop") {
    const sample = async () => ({ firstAnswer: await withWorker(undefined, (worker) => sinceStart(worker, open)) });
    return { sample, close: async () => {} };
  }

  const filled = await startKeyValueStore();
  await withWorker(filled, enter);
  return {
    async sample() {
      const { firstAnswer, entry: keysNowhere } = await withWorker(undefined, openThenEnter);
      const { entry: keysInStore } = await withWorker(filled, openThenEnter);
      const coldKeysInStore = await withWorker(filled, (worker) => sinceStart(worker, enter));
      return { firstAnswer, keysNowhere, keysInStore, coldKeysInStore };
    },
    close: () => filled.close(),
  };
}
