// What the APIs of models, and clients, refuse of the schema of a tool's arguments. Each rule comes from the error that a
// refused request was answered with, or from the documentation named.

/** The keywords below which schemas are: by name, in a list, alone. */
const NAMED = ["properties", "patternProperties", "dependentSchemas", "$defs", "definitions"];
const LISTED = ["anyOf", "oneOf", "allOf", "prefixItems"];
const SINGLE = ["items", "contains", "not", "if", "then", "else", "propertyNames", "additionalProperties"];
const COMBINATIONS = ["anyOf", "oneOf", "allOf"];

/** Every schema of a document with its path, the document first. @returns {Array<[string, unknown]>} */
export function schemasOf(schema, path = "") {
  if (typeof schema !== "object" || schema === null) return [[path, schema]];
  const within = (keyword, value) => schemasOf(value, `${path}/${keyword}`);
  const below = Object.entries(schema).flatMap(([keyword, value]) => {
    if (NAMED.includes(keyword)) return Object.entries(value).flatMap(([name, each]) => within(`${keyword}/${name}`, each));
    if (LISTED.includes(keyword)) return value.flatMap((each, index) => within(`${keyword}/${index}`, each));
    // The one place where clients know a boolean.
    if (keyword === "additionalProperties" && typeof value === "boolean") return [];
    return SINGLE.includes(keyword) ? within(keyword, value) : [];
  });
  return [[path, schema], ...below];
}

/** What holds for the schemas of arguments and of results alike. @returns {string[]} problems */
export function commonProblems(root) {
  return schemasOf(root).flatMap(([path, schema]) => {
    // "one boolean property schema silently drops all tools of the server" (Claude Code, TypeScript SDK v1).
    if (typeof schema === "boolean") return [`${path}: a boolean`];
    return [
      ...(/^(u?int\d*|float|double)$/.test(schema.format ?? "") ? [`${path}: format ${schema.format}`] : []),
      ...([schema.type].flat().includes("array") && schema.items === undefined ? [`${path}: no items`] : []),
      ...(path === "" && schema.type !== "object" ? ["the root is no object"] : []),
      ...(path === "" && schema.properties === undefined ? ["the root has no properties"] : []),
    ];
  });
}

/**
 * Anthropic: "input_schema does not support oneOf, allOf, or anyOf at the top level", "Property keys should match pattern
 * '^[a-zA-Z0-9_.-]{1,64}$'" (those of the arguments themselves); names as its clients check them.
 */
export function anthropicProblems({ name, inputSchema }) {
  return [
    ...(/^[a-zA-Z0-9_-]{1,64}$/.test(name) ? [] : [`the name ${name}`]),
    ...Object.keys(inputSchema.properties ?? {})
      .filter((key) => !/^[a-zA-Z0-9_.-]{1,64}$/.test(key))
      .map((key) => `the name of the argument ${key}`),
    ...COMBINATIONS.filter((keyword) => keyword in inputSchema).map((keyword) => `${keyword} at the root`),
  ];
}

/**
 * OpenAI: "schema must have type 'object' and not have 'oneOf'/'anyOf'/'allOf'/'enum'/'not' at the top level", "array
 * schema missing items", "object schema missing properties", "'oneOf' is not permitted", "'allOf' is not permitted".
 */
export function openAiProblems({ name, inputSchema }) {
  const root = [...COMBINATIONS, "enum", "not"].filter((keyword) => keyword in inputSchema);
  return [
    ...(/^[a-zA-Z0-9_-]{1,64}$/.test(name) ? [] : [`the name ${name}`]),
    ...root.map((keyword) => `${keyword} at the root`),
    ...schemasOf(inputSchema).flatMap(([path, schema]) => [
      ...["oneOf", "allOf"].filter((keyword) => keyword in schema).map((keyword) => `${path}: ${keyword}`),
      ...(schema.type === "array" && schema.items === undefined ? [`${path}: no items`] : []),
      ...(schema.type === "object" && schema.properties === undefined ? [`${path}: no properties`] : []),
    ]),
  ];
}

/** The `Schema` of Gemini's function declarations (ai.google.dev/api/caching#Schema). */
const GEMINI = [
  ...["type", "format", "title", "description", "nullable", "enum", "default", "example", "anyOf", "propertyOrdering"],
  ...["items", "minItems", "maxItems", "properties", "required", "minProperties", "maxProperties"],
  ...["minimum", "maximum", "minLength", "maxLength", "pattern"],
  // Not in it; but the official SDKs of MCP write the one by themselves, and the other is MCP's own, so clients of Gemini
  // remove both.
  ...["additionalProperties", "x-mcp-header"],
];

/**
 * Gemini: unknown names are errors, `type` "is not repeating", and enums are "only allowed for STRING type". Its Python
 * SDK (google-genai 3.6, `mcp_to_gemini_tools`) converts no tool of a list in which `additionalProperties` is a boolean:
 * "'bool' object has no attribute 'items'". Vertex AI: "specified other fields alongside any_of. When using any_of, it must
 * be the only field set". References are for recursive types alone, which no form without them can
 * describe.
 */
export function geminiProblems({ name, inputSchema }) {
  return [
    ...(/^[a-zA-Z_][a-zA-Z0-9_.-]{0,63}$/.test(name) ? [] : [`the name ${name}`]),
    ...schemasOf(inputSchema).flatMap(([path, schema]) => {
      const known = isRecursive(inputSchema) ? [...GEMINI, "$ref", "$defs"] : GEMINI;
      return [
        ...Object.keys(schema).filter((keyword) => !known.includes(keyword)).map((keyword) => `${path}: ${keyword}`),
        ...(Array.isArray(schema.type) ? [`${path}: several types`] : []),
        ...("anyOf" in schema ? Object.keys(schema).filter((keyword) => !["anyOf", "$defs"].includes(keyword)) : []).map(
          (keyword) => `${path}: ${keyword} beside anyOf`,
        ),
        ...(typeof schema.additionalProperties === "boolean" ? [`${path}: additionalProperties is a boolean`] : []),
        ...(schema.enum !== undefined && schema.type !== "string" ? [`${path}: an enum that is no string`] : []),
      ];
    }),
  ];
}

/** Whether a reference leads to a schema that contains it. */
function isRecursive(root) {
  const references = schemasOf(root).filter(([, { $ref }]) => $ref !== undefined);
  return references.some(([path, { $ref }]) => `${path}/`.startsWith(`${$ref.slice(1)}/`));
}
