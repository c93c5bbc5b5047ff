// What the answers of Logto's Management API must look like, as far as this program uses them.

import { Ajv } from "ajv";
import { plain, Problem } from "./problem.mjs";

const string = { type: "string" };
const strings = { type: "array", items: string };
const object = (properties, required = Object.keys(properties)) => ({ type: "object", properties, required });
const optional = (schema) => ({ anyOf: [schema, { type: "null" }] });

// Ids of applications stand in commands that the operator is to run.
const id = { type: "string", pattern: "^[\\w-]+$" };

const scope = object({ id: string, name: string, description: optional(string) }, ["id", "name"]);
const metadata = object({ redirectUris: strings, postLogoutRedirectUris: strings }, []);

/** By kind: an entry of a list, or a whole answer. */
const SCHEMAS = {
  created: object({ id }),
  resource: object({ id: string, indicator: string, scopes: { type: "array", items: scope } }),
  scope,
  role: object({ id: string, name: string, type: string }),
  roleScope: object({ id: string, name: string, resource: optional(object({ indicator: string })) }, ["id", "name"]),
  application: object({ id, name: string, type: string, oidcClientMetadata: optional(metadata), customClientMetadata: optional(object({})), customData: optional(object({})) }, ["id", "name", "type"]),
  secret: object({ value: string, createdAt: { type: "number" }, expiresAt: optional({ type: "number" }) }, ["value", "createdAt"]),
  secrets: { type: "array", items: { $ref: "secret" } },
  consent: object({ userScopes: strings, resourceScopes: { type: "array", items: object({ scopes: { type: "array", items: object({ id: string }) } }) } }),
  customizers: { type: "array", items: object({ key: string, value: object({ script: string }) }) },
  cimd: object({ enabled: { type: "boolean" } }),
  user: object({ id: string, username: optional(string), primaryEmail: optional(string) }, ["id"]),
};

const ajv = new Ajv({ strict: true, allowUnionTypes: true });
for (const [kind, schema] of Object.entries(SCHEMAS)) ajv.addSchema(schema, kind);

/**
 * Returns an answer of Logto, if it has the members that this program uses.
 * @param {keyof typeof SCHEMAS} kind
 * @param {unknown} answer
 * @param {string} call  for the operator: "GET /api/resources"
 * @throws {Problem}
 */
export function checked(kind, answer, call) {
  const isValid = ajv.getSchema(kind);
  if (isValid(answer)) return answer;
  const [{ instancePath, message }] = isValid.errors;
  throw new Problem(`${call} answered with something that this program does not know`, {
    why: answer === undefined ? "The answer is not JSON." : `The ${kind} ${plain(instancePath)}${instancePath && " "}${plain(message)}.`,
    fix: "Check that ENDPOINT leads to Logto itself, without a proxy that answers in its place. Logto 1.42 and 1.43 are known; a later one may answer differently.",
  });
}
