// The settings in wrangler.jsonc: reads the object `vars`, of the top or of an environment.

import { parse, printParseErrorCode } from "jsonc-parser";
import { Problem } from "./problem.mjs";

/**
 * The settings that are strings.
 * @param {string} text   of wrangler.jsonc
 * @param {string} [file]  its name, for the operator
 * @param {string} [environment]  whose settings; without it, those of the top
 * @returns {Record<string, string>}
 * @throws {Problem} if it is no JSONC, or has no such environment
 */
export function readSettings(text, file = "wrangler.jsonc", environment) {
  const errors = [];
  const content = parse(text, errors, { allowTrailingComma: true });
  if (errors.length > 0) {
    const [{ error, offset }] = errors;
    const line = text.slice(0, offset).split("\n").length;
    throw new Problem(`${file} is not valid JSONC`, { why: `line ${line}: ${printParseErrorCode(error)}.`, fix: "Correct it, and run the same command again." });
  }
  const place = environment === undefined ? content : content?.env?.[environment];
  if (place === undefined) {
    const known = Object.keys(content?.env ?? {}).join(", ");
    throw new Problem(`${file} has no environment ${JSON.stringify(environment)}`, { fix: known === "" ? "Leave --env out." : `It has ${known}.` });
  }
  return Object.fromEntries(Object.entries(place?.vars ?? {}).filter(([, value]) => typeof value === "string"));
}
