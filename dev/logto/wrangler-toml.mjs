// The settings in wrangler.toml: reads `[vars]`, and sets single values. All other bytes stay as they are.

import { Problem } from "./problem.mjs";

const HEADER = /^\s*\[\[?\s*[\w-]+(\s*\.\s*[\w-]+)*\s*\]\]?\s*(#.*)?$/;
const VARS = /^\s*\[\s*vars\s*\]\s*(#.*)?$/;
const STRING = String.raw`"(?:[^"\\]|\\.)*"|'[^']*'`;

/**
 * The values of `[vars]` that are plain strings.
 * @param {string} text  of wrangler.toml
 * @returns {Record<string, string>}
 */
export function readSettings(text) {
  const { lines, start, end } = section(text);
  const settings = {};
  for (const line of lines.slice(start, end)) {
    const [, name, value] = new RegExp(`^\\s*"?(\\w+)"?\\s*=\\s*(${STRING})\\s*(?:#.*)?$`).exec(line.trimEnd()) ?? [];
    if (name !== undefined) settings[name] = decode(value);
  }
  return settings;
}

/**
 * Sets values of `[vars]`: in their line, in place of their commented default, or at the end of the table.
 * @param {string} text
 * @param {Record<string, string>} values
 * @returns {string}
 * @throws {Problem} if a value is there in another form than a string in one line
 */
export function setSettings(text, values) {
  return Object.entries(values).reduce((changed, [name, value]) => setSetting(changed, name, value), text);
}

function setSetting(text, name, value) {
  const { lines, start, end } = section(text);
  const set = new RegExp(`^(\\s*"?${name}"?\\s*=\\s*)(${STRING})(\\s*(?:#.*)?\\r?\\n?)$`);
  const at = lines.findIndex((line, index) => index >= start && index < end && new RegExp(`^\\s*"?${name}"?\\s*=`).test(line));
  if (at !== -1) {
    const [, before, old, after] = set.exec(lines[at]) ?? [];
    if (old === undefined) {
      throw new Problem(`${name} in wrangler.toml is not a string in one line`, { fix: `Set ${name} = ${encode(value)} by hand.`, isFatal: false });
    }
    if (decode(old) === value) return text;
    lines[at] = `${before}${encode(value)}${after}`;
    return lines.join("");
  }
  const ending = /\r\n/.test(text) ? "\r\n" : "\n";
  const assignment = `${name} = ${encode(value)}${ending}`;
  const comment = new RegExp(`^#\\s?${name}\\s*=\\s*(?:${STRING})\\s*$`);
  const commented = lines.findIndex((line, index) => index >= start && index < end && comment.test(line.trimEnd()));
  if (commented !== -1) {
    lines[commented] = assignment;
    return lines.join("");
  }
  if (start === -1) return `${text}${text === "" || text.endsWith("\n") ? "" : ending}${ending}[vars]${ending}${assignment}`;
  // After the last assignment of the table, so that comments on the next table stay with it.
  let last = end;
  while (last > start && /^\s*(#.*)?$/.test(lines[last - 1].trimEnd())) last -= 1;
  if (last > 0 && !lines[last - 1].endsWith("\n")) lines[last - 1] += ending;
  lines.splice(last, 0, assignment);
  return lines.join("");
}

// The lines of the table [vars]: from `start` to before `end`; -1 if there is none.
function section(text) {
  if (/"""|'''/.test(text)) {
    throw new Problem("wrangler.toml has strings of several lines", { why: "This program cannot edit them safely.", fix: "Write them in one line." });
  }
  const lines = text.split(/(?<=\n)/);
  const header = lines.findIndex((line) => VARS.test(line.trimEnd()));
  if (header === -1) {
    if (/^\s*vars\s*=/m.test(text)) {
      throw new Problem("wrangler.toml has `vars = { … }`", { why: "This program edits the table [vars] only.", fix: "Write it as a table: [vars], and one line for each setting." });
    }
    return { lines, start: -1, end: -1 };
  }
  const next = lines.findIndex((line, index) => index > header && HEADER.test(line.trimEnd()));
  return { lines, start: header + 1, end: next === -1 ? lines.length : next };
}

// JSON's escapes are those of TOML's basic strings.
const encode = (value) => JSON.stringify(value);

function decode(literal) {
  if (literal.startsWith("'")) return literal.slice(1, -1);
  try {
    return JSON.parse(literal);
  } catch {
    return literal.slice(1, -1);
  }
}
