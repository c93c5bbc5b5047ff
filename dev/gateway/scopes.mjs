// `make gateway-scopes`: what an upstream offers, and which tables a gateway in front of it needs. See scopes-options.mjs.

import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { decodeConfig, readSettings } from "../logto/wrangler-file.mjs";
import { Problem } from "../logto/problem.mjs";
import { assertionFor, localKeysFile, readLocalKeys } from "./local-keys.mjs";
import { readOffer } from "./offer.mjs";
import { checkUpstream, readOptions, redact, USAGE } from "./scopes-options.mjs";
import { pinsReport, report } from "./scopes-report.mjs";
import { localized, ROOT } from "../surroundings.mjs";
import { safe } from "./text.mjs";

async function main(options) {
  const file = options.config;
  const path = resolve(ROOT, file);
  const bytes = await readFile(path).catch(() => {
    throw new Problem(`${file} cannot be read`, { fix: "Name another one with --config." });
  });
  const settings = readSettings(decodeConfig(bytes, file), file);
  const url = checkUpstream(options.url ?? (settings.UPSTREAM || settings.UPSTREAM_URL), { why: `There is no UPSTREAM in ${file} either.` });
  const headers = options.header && { [options.header.name]: options.header.value };
  const offer = await readOffer(url, { headers: options.assertion ? { authorization: await assertion(url) } : headers });
  const examined = { url, offer, settings, file, prefix: options.prefix };
  const { lines, isFitting } = options.pins ? pinsReport(examined) : report(examined);
  console.log(redact(localized(lines.join("\n")), options.header));
  return isFitting ? 0 : 1;
}

async function assertion(url) {
  const keys = await readLocalKeys(localKeysFile(ROOT));
  if (keys === undefined) throw new Problem('there is no key of "make dev" yet', { fix: `make dev UPSTREAM=${url}` });
  return assertionFor(keys, url);
}

let options;
try {
  options = readOptions(process.argv.slice(2), process.env);
  if (options.help) console.log(localized(USAGE));
  else process.exitCode = await main(options);
} catch (error) {
  const lines = error instanceof Problem ? error.lines : [safe(error.message)];
  console.error(redact(localized(`gateway-scopes: ${lines.join("\n")}`), options?.header));
  if (process.env.DEBUG && !(error instanceof Problem)) console.error(error);
  process.exitCode = 2;
}
