// Keeps what a server issues, as test data: RECORD=folder make providers

import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { discover } from "./token-requests.mjs";

/**
 * Writes a JSON file, if recording is asked for.
 * @param {string} server  the folder
 * @param {string} name    the file
 * @param {object} content
 */
export async function record(server, name, content) {
  if (!process.env.RECORD) return;
  const folder = join(process.env.RECORD, server);
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, `${name}.json`), `${JSON.stringify(content, null, 1)}\n`);
}

/** Writes the discovery document and the keys. */
export async function recordProvider(server, issuer) {
  if (!process.env.RECORD) return;
  const document = await discover(issuer);
  await record(server, "discovery", document);
  await record(server, "jwks", await (await fetch(document.jwks_uri)).json());
}
