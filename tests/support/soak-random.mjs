// Numbers that look random and are the same for the same seed.

/** Returns a generator for one request of a run. @param {number} seed @param {number} number */
export function randomFor(seed, number) {
  let state = (Math.imul(seed ^ 0x9e3779b9, 2_654_435_761) ^ Math.imul(number + 1, 0x85ebca6b)) >>> 0;
  const next = () => {
    // Mulberry32.
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
  const below = (limit) => Math.floor(next() * limit);
  return { next, below, pick: (list) => list[below(list.length)] };
}
