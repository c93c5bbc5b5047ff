// The engine's storage adapter, in memory.
//
// The engine's own adapter prints a warning. Sessions, grants and dynamically registered clients are lost at a
// restart, which is intended; the signing keys are kept elsewhere.

const SWEEP_EVERY_WRITES = 500;

/** Creates a store for all models. `adapter(model)` is the interface for the engine. */
export function createMemoryStorage(now = Date.now) {
  /** @type {Map<string, {model: string, payload: object, expiresAt: number}>} */
  const entries = new Map();
  let writes = 0;

  const isAlive = (entry) => entry !== undefined && entry.expiresAt > now();

  function sweep() {
    for (const [key, entry] of entries) if (!isAlive(entry)) entries.delete(key);
  }

  function adapter(model) {
    const keyOf = (id) => `${model}:${id}`;

    // A development session has few entries, so a scan is fast enough.
    function findBy(member, value) {
      for (const entry of entries.values()) {
        if (entry.model === model && entry.payload[member] === value && isAlive(entry)) return entry.payload;
      }
      return undefined;
    }

    return {
      async upsert(id, payload, expiresInSeconds = Infinity) {
        entries.set(keyOf(id), { model, payload, expiresAt: now() + expiresInSeconds * 1000 });
        writes += 1;
        if (writes % SWEEP_EVERY_WRITES === 0) sweep();
      },
      async find(id) {
        const entry = entries.get(keyOf(id));
        return isAlive(entry) ? entry.payload : undefined;
      },
      async findByUid(uid) {
        return findBy("uid", uid);
      },
      async findByUserCode(userCode) {
        return findBy("userCode", userCode);
      },
      async consume(id) {
        const entry = entries.get(keyOf(id));
        if (entry) entry.payload.consumed = Math.floor(now() / 1000);
      },
      async destroy(id) {
        entries.delete(keyOf(id));
      },
      async revokeByGrantId(grantId) {
        for (const [key, entry] of entries) {
          if (entry.model === model && entry.payload.grantId === grantId) entries.delete(key);
        }
      },
    };
  }

  /** Removes all entries of some models. */
  function clear(...models) {
    for (const [key, { model }] of entries) if (models.includes(model)) entries.delete(key);
  }

  return { adapter, clear };
}
