// Text: of settings, as the Worker splits it, and of an upstream on the terminal: one line, no control characters, cut to a
// width in columns.

import { oneLine } from "../logto/problem.mjs";

// Characters that take two columns. Terminals differ in few others.
const WIDE = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Emoji_Presentation}\u3000-\u303f\uff00-\uff60]/u;
const MARK = /^\p{M}$/u;

// What a terminal may execute, hide or reverse. `oneLine` takes white space; the rest has no business in a name.
const UNSAFE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Co}]/gu;

/** The entries of a setting. The Worker splits at white space of ASCII; `\s` would also split at others. */
export const wordsOf = (text) => text.split(/[ \t\n\f\r]+/).filter(Boolean);

/** Whether a text begins or ends with white space of Unicode, as the Worker has it: `trim` has another list. */
export const hasSpaceAtEnds = (text) => /^\p{White_Space}|\p{White_Space}$/u.test(text);

/** Text of others as one line that a terminal shows as it is. */
export const safe = (text) => oneLine(String(text ?? "").toWellFormed()).replaceAll(UNSAFE, "");

/** How many columns a safe text takes. */
export function widthOf(text) {
  return [...text].reduce((sum, character) => sum + (MARK.test(character) ? 0 : WIDE.test(character) ? 2 : 1), 0);
}

/** A safe text in at most so many columns, with an ellipsis if it was cut. */
export function cut(text, columns) {
  if (widthOf(text) <= columns) return text;
  let [kept, width] = ["", 0];
  for (const character of text) {
    width += widthOf(character);
    if (width > columns - 1) break;
    kept += character;
  }
  return `${kept}…`;
}

const pad = (text, columns) => text + " ".repeat(Math.max(0, columns - widthOf(text)));

/**
 * The lines of a table that fits a terminal of 100 columns.
 * @param {string[]} head
 * @param {string[][]} rows  of untrusted text
 * @param {number[]} limits  the most columns of each but the last, which takes the rest
 */
export function tableLines(head, rows, limits, { total = 100, indent = 2, gap = 2 } = {}) {
  const cells = [head, ...rows].map((row) => row.map(safe));
  const widths = limits.map((limit, column) => Math.min(limit, Math.max(...cells.map((row) => widthOf(row[column])))));
  const rest = total - indent - widths.reduce((sum, width) => sum + width + gap, 0);
  return cells.map((row) => {
    const line = row.map((cell, column) => (column < widths.length ? pad(cut(cell, widths[column]), widths[column]) : cut(cell, rest)));
    return " ".repeat(indent) + line.join(" ".repeat(gap)).trimEnd();
  });
}

/** Joins words into lines of at most 100 columns. */
export function wrap(words, { total = 100, indent = 4, separator = " " } = {}) {
  const lines = [];
  for (const word of words) {
    const last = lines.at(-1);
    if (last !== undefined && widthOf(last) + widthOf(separator) + widthOf(word) <= total) lines[lines.length - 1] = `${last}${separator}${word}`;
    else lines.push(" ".repeat(indent) + word);
  }
  return lines;
}
