// The rules of the MCP registry for the entry of a remote server, as a JSON schema.
//
// Taken from the documentation of schema 2025-12-11, for a deployed server: without `packages`, `repository` and
// `_meta`. To validate against the published file, set REGISTRY_SCHEMA:
//
//     curl https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json > server.schema.json
//     REGISTRY_SCHEMA=server.schema.json dev/with-tools node --test tests/documents.test.mjs

import { readFile } from "node:fs/promises";
import { Ajv } from "ajv";
import addFormats from "ajv-formats";

export const SERVER_JSON_ID = "https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json";

const text = (minLength, maxLength) => ({ type: "string", minLength, maxLength });
const url = { type: "string", format: "uri" };
const record = (required, properties) => ({ type: "object", required, properties, additionalProperties: false });

const REMOTE_SERVER = record(["$schema", "name", "description", "version", "remotes"], {
  $schema: { const: SERVER_JSON_ID },
  name: { ...text(3, 200), pattern: "^[a-zA-Z0-9.-]+/[a-zA-Z0-9._-]+$" },
  title: text(1, 100),
  description: text(1, 100),
  // A single version: the registry also refuses ranges, which the schema allows.
  version: { ...text(1, 255), pattern: "^[^\\^~<>=*|\\s]+$", not: { const: "latest" } },
  websiteUrl: url,
  icons: {
    type: "array",
    items: record(["src"], {
      src: { ...url, pattern: "^https://", maxLength: 255 },
      mimeType: { enum: ["image/png", "image/jpeg", "image/jpg", "image/svg+xml", "image/webp"] },
      sizes: { type: "array", items: { type: "string", pattern: "^(\\d+x\\d+|any)$" } },
      theme: { enum: ["light", "dark"] },
    }),
  },
  remotes: {
    type: "array",
    minItems: 1,
    items: record(["type", "url"], {
      type: { enum: ["streamable-http", "sse"] },
      url: { type: "string", pattern: "^https?://[^\\s]+$" },
    }),
  },
});

/**
 * Returns the errors in a `server.json`.
 * @param {unknown} document
 * @returns {Promise<string[]>}
 */
export async function errorsInServerJson(document) {
  const published = process.env.REGISTRY_SCHEMA;
  const schema = published === undefined ? REMOTE_SERVER : JSON.parse(await readFile(published, "utf8"));
  // The `example` members of the published schema are not a keyword of JSON Schema.
  const ajv = new Ajv({ allErrors: true, strict: false });
  addFormats.default(ajv);
  const isValid = ajv.compile(schema);
  return isValid(document) ? [] : isValid.errors.map(({ instancePath, message }) => `${instancePath} ${message}`);
}
