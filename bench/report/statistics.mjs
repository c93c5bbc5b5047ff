// Medians, spreads and ratios of measured rounds.

/**
 * @typedef {object} Spread
 * @property {number} median
 * @property {number} min
 * @property {number} max
 */

/**
 * @param {(number | undefined)[]} values
 * @returns {Spread | undefined}  undefined if a value is missing
 */
export function spreadOf(values) {
  if (values.length === 0 || values.some((value) => value === undefined)) return undefined;
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  const median = Number.isInteger(middle) ? (sorted[middle - 1] + sorted[middle]) / 2 : sorted[Math.floor(middle)];
  return { median, min: sorted[0], max: sorted.at(-1) };
}

/**
 * Returns the ratio of two medians, and the lowest and the highest ratio of two rounds with the same number, which ran one
 * after the other.
 * @param {(number | undefined)[]} ours
 * @param {(number | undefined)[]} theirs
 * @returns {Spread | undefined}
 */
export function ratioOf(ours, theirs) {
  const [a, b] = [spreadOf(ours), spreadOf(theirs)];
  if (a === undefined || b === undefined) return undefined;
  const pairs = spreadOf(ours.slice(0, theirs.length).map((value, number) => value / theirs[number]));
  return { median: a.median / b.median, min: pairs.min, max: pairs.max };
}

/**
 * Returns a measure of a contender under a load by round; undefined if it was not measured.
 * @param {import("../harness/run.mjs").Results} results
 */
export function series({ rounds }, load, contender, measure) {
  return (rounds[load]?.[contender] ?? []).map((round) => round[measure]);
}
