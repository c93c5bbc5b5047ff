// The engine's storage adapter, in memory.
//
// The engine brings one too, but warns on start that it is in use. Everything but the signing keys is
// forgotten on restart, and that is meant: sessions, grants and dynamically registered clients.

const SWEEP_EVERY_WRITES = 500;

/** One store for all models; `adapter(model)` is what the engine asks for. */
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

    // A scan is fast enough for the few entries of a development session, and needs no indexes.
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

  return { adapter };
}
