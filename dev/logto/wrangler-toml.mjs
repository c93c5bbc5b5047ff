// The settings in wrangler.toml: reads the table `vars`, and sets single values. All other bytes stay as they are.
//
// The parser says where each value stands. After each edit the whole file is parsed again: nothing but the one setting may
// have changed.

import { isDeepStrictEqual } from "node:util";
import { getStaticTOMLValue, parseTOML } from "toml-eslint-parser";
import { plain, Problem } from "./problem.mjs";

const TABLE = "vars";
const DEFAULT_FILE = "wrangler.toml";
const BYTE_ORDER_MARK = "\ufeff";
const STRING = String.raw`"(?:[^"\\]|\\.)*"|'[^']*'`;

/**
 * The text of a file, with its byte order mark.
 * @param {Uint8Array} bytes
 * @param {string} file  its name, for the operator
 * @returns {string}
 * @throws {Problem} if it is not UTF-8: written again, it would be another
 */
export function decodeToml(bytes, file) {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new Problem(`${file} is not valid TOML (not UTF-8)`, { why: "TOML is UTF-8.", fix: "Save it as UTF-8, and run the same command again." });
  }
}

/**
 * The settings that are strings, in whichever way the table is written.
 * @param {string} text  of wrangler.toml
 * @param {string} [file]  its name, for the operator
 * @returns {Record<string, string>}
 * @throws {Problem} if it is not TOML
 */
export function readSettings(text, file) {
  const table = valuesOf(parse(text, file))[TABLE];
  return Object.fromEntries(Object.entries(table ?? {}).filter(([, value]) => typeof value === "string"));
}

/** All variables, of any type. @throws {Problem} if it is not TOML */
export const readVariables = (text, file) => valuesOf(parse(text, file))[TABLE] ?? {};

/** The name of the Worker, if the file has one. @throws {Problem} if it is not TOML */
export function readName(text, file) {
  const { name } = valuesOf(parse(text, file));
  return typeof name === "string" ? name : undefined;
}

/**
 * Sets values: in their place, in place of their commented default, or after the last setting.
 * @param {string} text
 * @param {Record<string, string>} values
 * @param {string} [file]  its name, for the operator
 * @returns {string}
 * @throws {Problem} if the file is not TOML, or has a value in another form than a string
 */
export function setSettings(text, values, file = DEFAULT_FILE) {
  const mark = text.startsWith(BYTE_ORDER_MARK) ? BYTE_ORDER_MARK : "";
  return mark + Object.entries(values).reduce((changed, [name, value]) => setSetting(changed, name, value, file), text.slice(mark.length));
}

function setSetting(text, name, value, file) {
  const program = parse(text, file);
  const before = valuesOf(program);
  const table = before[TABLE] ?? {};
  if (!isTable(table)) throw new Problem(`${TABLE} in ${file} is not a table`, { fix: `Write it as [${TABLE}], with one line for each setting.`, isFatal: false });
  const wanted = { ...before, [TABLE]: { ...table, [name]: value } };
  if (Object.hasOwn(table, name)) {
    if (table[name] === value) return text;
    if (typeof table[name] !== "string") {
      throw new Problem(`${name} in ${file} is not a string`, { fix: `Set ${name} = ${encode(value)} by hand.`, isFatal: false });
    }
  }
  const changed = candidates(program, text, name, encode(value)).find((candidate) => isDeepStrictEqual(tryValuesOf(candidate), wanted));
  if (changed === undefined) throw new Problem(`${name} cannot be set in ${file}`, { fix: `Set ${name} = ${encode(value)} by hand.`, isFatal: false });
  return changed;
}

/** Files with the setting, those first that change least. Not all of them are right, or TOML. */
function candidates(program, text, name, literal) {
  const [root] = program.body;
  const settings = settingsOf(root);
  const ending = text.includes("\r\n") ? "\r\n" : "\n";
  const splice = ([start, end], inserted) => text.slice(0, start) + inserted + text.slice(end);
  const existing = settings.find(({ path }) => path.length === 1 && path[0] === name);
  if (existing !== undefined) return [splice(existing.node.value.range, literal)];

  const assignment = `${name} = ${literal}`;
  const comment = new RegExp(`^#\\s?${name}\\s*=\\s*(?:${STRING})\\s*$`);
  const uncommented = program.comments
    .filter(({ range: [start, end] }) => comment.test(text.slice(start, end)))
    .map(({ range: [start, end] }) => splice([start, start + text.slice(start, end).trimEnd().length], assignment));
  return [...uncommented, ...added()];

  function added() {
    const inline = root.body.find((node) => isSetting(node, [TABLE]) && node.value.type === "TOMLInlineTable")?.value;
    if (inline !== undefined) {
      const last = inline.body.at(-1);
      return [last === undefined ? splice(inline.range, `{ ${assignment} }`) : splice([last.range[1], last.range[1]], `, ${assignment}`)];
    }
    const header = root.body.find((node) => node.type === "TOMLTable" && node.kind === "standard" && isDeepStrictEqual(node.resolvedKey, [TABLE]));
    if (header !== undefined) {
      // After the last setting of the table, so that comments on the next table stay with it.
      const last = header.body.at(-1);
      return [afterLine((last ?? header.key).range, assignment, last === undefined ? "" : indentation(last))];
    }
    const dotted = root.body.findLast((node) => node.type === "TOMLKeyValue" && keysOf(node)[0] === TABLE);
    if (dotted !== undefined) return [afterLine(dotted.range, `${TABLE}.${assignment}`, indentation(dotted))];
    return [`${text}${text === "" || text.endsWith("\n") ? "" : ending}${text === "" ? "" : ending}[${TABLE}]${ending}${assignment}${ending}`];
  }

  function afterLine([, end], line, indent) {
    const at = text.indexOf("\n", end) + 1;
    return at === 0 ? `${text}${ending}${indent}${line}${ending}` : splice([at, at], `${indent}${line}${ending}`);
  }

  function indentation({ range: [start] }) {
    return /[ \t]*$/.exec(text.slice(0, start))[0];
  }
}

/** The assignments below the table, with their path in it. */
function settingsOf(root) {
  return root.body.flatMap((node) => {
    if (node.type === "TOMLTable") return node.kind === "standard" && node.resolvedKey[0] === TABLE ? node.body.map((child) => ({ path: [...node.resolvedKey.slice(1), ...keysOf(child)], node: child })) : [];
    const [first, ...path] = keysOf(node);
    if (first !== TABLE) return [];
    if (path.length > 0) return [{ path, node }];
    return node.value.type === "TOMLInlineTable" ? node.value.body.map((child) => ({ path: keysOf(child), node: child })) : [];
  });
}

const keysOf = ({ key }) => key.keys.map((part) => part.name ?? part.value);

const isSetting = (node, path) => node.type === "TOMLKeyValue" && isDeepStrictEqual(keysOf(node), path);

const isTable = (value) => typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Date);

function parse(text, file = DEFAULT_FILE) {
  try {
    return parseTOML(text.startsWith(BYTE_ORDER_MARK) ? text.slice(1) : text, { tomlVersion: "1.1" });
  } catch (error) {
    throw new Problem(`${file} is not valid TOML`, { why: `line ${error.lineNumber}: ${plain(error.message)}.`, fix: "Correct it, and run the same command again." });
  }
}

const valuesOf = (program) => getStaticTOMLValue(program);

function tryValuesOf(text) {
  try {
    return valuesOf(parse(text));
  } catch {
    return undefined;
  }
}

// JSON's escapes are those of TOML's basic strings, which has one control character more.
const encode = (value) => JSON.stringify(value).replaceAll("\u007f", "\\u007f");
