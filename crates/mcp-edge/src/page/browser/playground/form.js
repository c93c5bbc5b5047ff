// The fields of a form for a tool's `inputSchema`, and the arguments from the values entered.
//
// A property that fits one control gets that control; any other is entered as JSON. The server validates the arguments;
// the checks here only help the user.

/**
 * @typedef {object} Field
 * @property {string} name
 * @property {string} label
 * @property {string} [hint]
 * @property {"text" | "number" | "flag" | "choice" | "json"} kind
 * @property {boolean} required
 * @property {unknown[]} [choices]
 * @property {unknown} [initial]
 * @property {object} schema  with references resolved and without `null`
 */

/** @returns {Field[]} */
export function fieldsOf(inputSchema) {
  const required = inputSchema?.required ?? [];
  return Object.entries(inputSchema?.properties ?? {}).map(([name, property]) => {
    const schema = simplify(property, inputSchema);
    const choices = schema.enum ?? (schema.const === undefined ? undefined : [schema.const]);
    return {
      name,
      label: schema.title ?? name,
      hint: schema.description,
      kind: choices ? "choice" : (KINDS[schema.type] ?? "json"),
      required: required.includes(name),
      choices,
      initial: schema.default,
      schema,
    };
  });
}

const KINDS = { string: "text", number: "number", integer: "number", boolean: "flag" };

// Resolves references, and removes `null` where other types are allowed: an empty field is left out.
function simplify(schema, root, depth = 0) {
  if (schema === true || depth > 8) return {};
  const { $ref, anyOf, oneOf, ...own } = schema;
  if ($ref !== undefined) return { ...simplify(resolve($ref, root), root, depth + 1), ...own };
  const options = (anyOf ?? oneOf)?.filter(({ type }) => type !== "null");
  if (options?.length === 1) return { ...simplify(options[0], root, depth + 1), ...own };
  // An enumeration with descriptions has one constant per option.
  if (options?.length > 0 && options.every((option) => option.const !== undefined)) {
    return { ...own, enum: options.map((option) => option.const) };
  }
  if (options) return own;
  if (Array.isArray(own.type)) {
    const types = own.type.filter((type) => type !== "null");
    return { ...own, type: types.length === 1 ? types[0] : undefined };
  }
  return own;
}

// Resolves references from the root (`#/$defs/Name`), the only kind in generated schemas.
const resolve = (reference, root) => reference.split("/").slice(1).reduce((at, name) => at?.[name], root) ?? {};

/**
 * Returns the arguments for the values entered. Empty values that are not required are left out.
 * @param {Field[]} fields
 * @param {(name: string) => string | boolean} entered  a string, or whether a box is ticked
 * @throws {Error & {field: string}} if a value is not valid
 */
export function argumentsFrom(fields, entered) {
  const given = {};
  for (const field of fields) {
    const value = entered(field.name);
    const isEmpty = value === "" || value === (field.initial ?? false);
    if (!isEmpty || (field.required && (field.kind === "text" || field.kind === "flag"))) {
      given[field.name] = valueOf(field, value);
    } else if (field.required) {
      throw fieldError(field.name, "This field is required.");
    }
  }
  return given;
}

function valueOf({ name, kind, choices }, value) {
  switch (kind) {
    case "number":
      if (!Number.isFinite(Number(value))) throw fieldError(name, "This must be a number.");
      return Number(value);
    case "choice":
      return choices[Number(value)];
    case "json":
      try {
        return JSON.parse(value);
      } catch {
        throw fieldError(name, 'This must be JSON, such as ["a"] or {"a": 1}. Strings need double quotes.');
      }
    default:
      return value;
  }
}

/** Creates the error of a value that is not valid: the name of its `field`, and a message. */
const fieldError = (field, message) => Object.assign(new Error(message), { field });
