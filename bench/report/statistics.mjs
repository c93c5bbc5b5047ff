// Medians, spreads and ratios of measured rounds.

/**
 * @typedef {object} Spread
 * @property {number} median
 * @property {number} min
 * @property {number} max
 */

/**
 * @param {(number | undefined)[]} values
 * @returns {Spread | undefined}  nothing if any is missing
 */
export function spreadOf(values) {
  if (values.length === 0 || values.some((value) => value === undefined)) return undefined;
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  const median = Number.isInteger(middle) ? (sorted[middle - 1] + sorted[middle]) / 2 : sorted[Math.floor(middle)];
  return { median, min: sorted[0], max: sorted.at(-1) };
}

/**
 * The ratio of two medians, and of the lowest and the highest of the rounds that belong together: those with the same
 * number were played one after the other, on the same machine in the same mood.
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
 * One measure of one contender under one load, round by round; nothing if it was not measured.
 * @param {import("../harness/run.mjs").Results} results
 */
export function series({ rounds }, load, contender, measure) {
  return (rounds[load]?.[contender] ?? []).map((round) => round[measure]);
}
