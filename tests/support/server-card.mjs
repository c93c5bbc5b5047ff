// The rules for a server card (SEP-2127), as a JSON schema.
//
// Written from the documentation of the card's schema, version v1, for a deployed server: without `repository`, `_meta`, and remotes
// with variables. Members that the published schema does not have are errors here, although it allows them. To validate against the
// published file, set CARD_SCHEMA:
//
//     git clone https://github.com/modelcontextprotocol/experimental-ext-server-card
//     CARD_SCHEMA=experimental-ext-server-card/schema.json dev/with-tools node --test tests/documents.test.mjs

import { readFile } from "node:fs/promises";
import { Ajv2020 } from "ajv/dist/2020.js";
import addFormats from "ajv-formats";

export const CARD_ID = "https://static.modelcontextprotocol.io/schemas/v1/server-card.schema.json";

const text = (minLength, maxLength) => ({ type: "string", minLength, maxLength });
const url = { type: "string", format: "uri" };
const strings = { type: "array", items: { type: "string" } };
const record = (required, properties) => ({ type: "object", required, properties, additionalProperties: false });

const CARD = record(["$schema", "name", "description", "version", "remotes"], {
  $schema: { const: CARD_ID },
  name: { ...text(3, 200), pattern: "^[a-zA-Z0-9.-]+/[a-zA-Z0-9._-]+$" },
  title: text(1, 100),
  description: text(1, 100),
  // By the documentation ranges are rejected; the published schema does not say it.
  version: { ...text(1, 255), pattern: "^[^\\^~<>=*|\\s]+$" },
  websiteUrl: url,
  icons: { type: "array", items: record(["src"], { src: url, mimeType: { type: "string" }, sizes: strings, theme: { enum: ["light", "dark"] } }) },
  remotes: {
    type: "array",
    minItems: 1,
    items: record(["type", "url"], {
      type: { enum: ["streamable-http", "sse"] },
      url: { type: "string", pattern: "^https?://[^\\s]+$" },
      supportedProtocolVersions: { ...strings, minItems: 1 },
    }),
  },
});

/**
 * Returns the errors in a server card.
 * @param {unknown} document
 * @returns {Promise<string[]>}
 */
export async function errorsInCard(document) {
  const file = process.env.CARD_SCHEMA;
  // The published file has definitions alone, and nothing says which of them a document is.
  const schema = file === undefined ? CARD : { ...JSON.parse(await readFile(file, "utf8")), $ref: "#/$defs/ServerCard" };
  const ajv = new Ajv2020({ allErrors: true });
  addFormats.default(ajv);
  const isValid = ajv.compile(schema);
  return isValid(document) ? [] : isValid.errors.map(({ instancePath, message }) => `${instancePath} ${message}`);
}
