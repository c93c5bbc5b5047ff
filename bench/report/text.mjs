// Tables as text: aligned on a terminal, or in Markdown.

/** @param {import("./tables.mjs").Table} table */
export function toTerminal({ title, note, columns, rows }) {
  const lines = [columns, ...rows];
  const widths = columns.map((_, column) => Math.max(...lines.map((line) => line[column].length)));
  const aligned = lines.map((line) =>
    line.map((cell, column) => (column === 0 ? cell.padEnd(widths[0]) : cell.padStart(widths[column]))).join("  "),
  );
  return [`\n${title}`, ...(note ? [note] : []), "", ...aligned].join("\n");
}

/** @param {import("./tables.mjs").Table} table */
export function toMarkdown({ title, note, columns, rows }) {
  const line = (cells) => `| ${cells.join(" | ")} |`;
  const ruler = line(columns.map((_, column) => (column === 0 ? "---" : "---:")));
  return [`## ${title}`, "", ...(note ? [note, ""] : []), line(columns), ruler, ...rows.map(line)].join("\n");
}
