// The results of the conformance suite as a table.

/**
 * @param {string} title
 * @param {Map<string, import("./suite.mjs").Scenario>} scenarios
 * @param {(name: string) => boolean} isScored
 */
export function printTable(title, scenarios, isScored) {
  const row = ([name, { passed, complaints, skipped }]) => {
    const count = (wanted) => complaints.filter(({ status }) => status === wanted).length;
    return [name, passed, count("FAILURE"), count("WARNING"), skipped.length];
  };
  const parts = { scored: [], "not scored": [] };
  for (const entry of scenarios) parts[isScored(entry[0]) ? "scored" : "not scored"].push(row(entry));

  const lines = [["scenario", "passed", "failed", "warnings", "skipped"]];
  for (const [part, rows] of Object.entries(parts)) {
    const total = [1, 2, 3, 4].map((column) => rows.reduce((sum, row) => sum + row[column], 0));
    lines.push([], ...rows, [`${rows.length} ${part}`, ...total]);
  }
  const width = Math.max(...lines.map(([name = ""]) => name.length));
  const print = ([name = "", ...numbers]) =>
    (name.padEnd(width) + numbers.map((number) => String(number).padStart(10)).join("")).trimEnd();
  console.log(`\n${title}\n\n${lines.map(print).join("\n")}\n`);
}
