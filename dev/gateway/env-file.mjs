// Secrets for `wrangler dev`: a file in the form of dotenv, because what is on a command line can be seen by others.

import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import { writePrivate } from "./write-private.mjs";

/** Writes the file, for its owner only. @param {Record<string, string>} values */
export async function writeEnvFile(file, values) {
  await mkdir(dirname(file), { recursive: true });
  await writePrivate(file, Object.entries(values).map(([name, value]) => `${name}=${quote(name, value)}\n`).join(""));
}

// What is quoted is taken as it is, but for dollar signs: wrangler replaces variables.
function quote(name, value) {
  const mark = ["'", '"', "`"].find((each) => !value.includes(each));
  if (mark === undefined || /[\r\n\\]/.test(value)) throw new Error(`${name} cannot be passed to wrangler: it has line breaks, backslashes or all kinds of quotes`);
  return mark + value.replaceAll("$", "\\$") + mark;
}
