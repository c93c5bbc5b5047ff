// The settings in wrangler.jsonc: reads the object `vars`, of the top or of an environment, and sets single values. Comments and order stay.

import { applyEdits, modify, parse, printParseErrorCode } from "jsonc-parser";
import { plain, Problem } from "./problem.mjs";

/** What is wrong with a file, in words. */
const ERRORS = {
  InvalidSymbol: "there is a word that is neither true, false nor null; strings need double quotes",
  InvalidNumberFormat: "there is a number in another form than that of JSON",
  PropertyNameExpected: "the name of a member is missing, in double quotes",
  ValueExpected: "a value is missing",
  ColonExpected: "a colon is missing after the name of a member",
  CommaExpected: "a comma is missing before this",
  CloseBraceExpected: "the end of an object, }, is missing",
  CloseBracketExpected: "the end of an array, ], is missing",
  EndOfFileExpected: "there is something after the end of the object",
  InvalidCommentToken: "there is a comment of another kind than // and /* */",
  UnexpectedEndOfComment: "the end of a comment, */, is missing",
  UnexpectedEndOfString: "the end of a string, a double quote, is missing",
  UnexpectedEndOfNumber: "a number is not complete",
  InvalidUnicode: "a \\u is not followed by four hexadecimal digits",
  InvalidEscapeCharacter: "a \\ in a string is followed by a character that it cannot stand before",
  InvalidCharacter: "a string contains a control character, such as the end of a line",
};

/**
 * The settings that are strings.
 * @param {string} text   of wrangler.jsonc
 * @param {string} [file]  its name, for the operator
 * @param {string} [environment]  whose settings; without it, those of the top
 * @returns {Record<string, string>}
 * @throws {Problem} if it is no JSONC, or has no such environment
 */
export function readSettings(text, file, environment) {
  return Object.fromEntries(Object.entries(readVariables(text, file, environment)).filter(([, value]) => typeof value === "string"));
}

/** All variables, of any type. */
export const readVariables = (text, file, environment) => placeIn(text, file, environment).vars ?? {};

/** The name of the Worker there, if the file has one. */
export function readName(text, file, environment) {
  const { name } = placeIn(text, file, environment);
  if (typeof name === "string") return name;
  const { name: top } = placeIn(text, file);
  return typeof top === "string" ? (environment === undefined ? top : `${top}-${environment}`) : undefined;
}

/**
 * Sets values: in their place, or after the last setting.
 * @param {string} text
 * @param {Record<string, string>} values
 * @returns {string}
 * @throws {Problem} if the file is no JSONC, or has a value in another form than a string
 */
export function setSettings(text, values, file, environment) {
  const present = readVariables(text, file, environment);
  const path = [...(environment === undefined ? [] : ["env", environment]), "vars"];
  const formattingOptions = { insertSpaces: true, tabSize: 2, eol: text.includes("\r\n") ? "\r\n" : "\n" };
  return Object.entries(values).reduce((changed, [name, value]) => {
    if (present[name] === value) return changed;
    if (Object.hasOwn(present, name) && typeof present[name] !== "string") {
      throw new Problem(`${name} in ${file} is not a string`, { fix: `Set "${name}": ${JSON.stringify(value)} by hand.`, isFatal: false });
    }
    return applyEdits(changed, modify(changed, [...path, name], value, { formattingOptions }));
  }, text);
}

function placeIn(text, file = "wrangler.jsonc", environment) {
  const errors = [];
  const content = parse(text.replace(/^\ufeff/, ""), errors, { allowTrailingComma: true });
  if (errors.length > 0) {
    const [{ error, offset }] = errors;
    throw new Problem(`${file} is not valid JSONC`, { why: `In line ${text.slice(0, offset).split("\n").length}, ${ERRORS[printParseErrorCode(error)]}.`, fix: "Correct it, and run the same command again." });
  }
  const place = environment === undefined ? content : content?.env?.[environment];
  if (typeof place === "object" && place !== null) return place;
  const known = Object.keys(content?.env ?? {}).join(", ");
  throw new Problem(`${file} has no environment ${plain(JSON.stringify(environment))}`, { fix: known === "" ? "Leave --env out." : `It has ${plain(known)}.` });
}
