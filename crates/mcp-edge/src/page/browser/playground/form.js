// From a tool's `inputSchema` to the fields of a form, and from what was entered to the arguments.
//
// A property that one control can stand for gets that control; any other is entered as JSON. The server checks the
// arguments, so this only has to help.

/**
 * @typedef {object} Field
 * @property {string} name
 * @property {string} label
 * @property {string} [hint]
 * @property {"text" | "number" | "flag" | "choice" | "json"} kind
 * @property {boolean} required
 * @property {unknown[]} [choices]
 * @property {unknown} [initial]
 * @property {object} schema  without references and without `null`
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

// Follows references, and takes `null` away where there is something else: an empty field is left out anyway.
function simplify(schema, root, depth = 0) {
  if (schema === true || depth > 8) return {};
  const { $ref, anyOf, oneOf, ...own } = schema;
  if ($ref !== undefined) return { ...simplify(resolve($ref, root), root, depth + 1), ...own };
  const options = (anyOf ?? oneOf)?.filter(({ type }) => type !== "null");
  if (options?.length === 1) return { ...simplify(options[0], root, depth + 1), ...own };
  // One constant for each option is how an enumeration with descriptions is written.
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

// References lead from the root (`#/$defs/Name`), as in all schemas that are made from types.
const resolve = (reference, root) => reference.split("/").slice(1).reduce((at, name) => at?.[name], root) ?? {};

/**
 * The arguments for what was entered. What is empty and not required is left out.
 * @param {Field[]} fields
 * @param {(name: string) => string | boolean} entered  text, or whether a box is ticked
 * @throws {FieldError}
 */
export function argumentsFrom(fields, entered) {
  const given = {};
  for (const field of fields) {
    const value = entered(field.name);
    const isEmpty = value === "" || value === (field.initial ?? false);
    if (!isEmpty || (field.required && (field.kind === "text" || field.kind === "flag"))) {
      given[field.name] = valueOf(field, value);
    } else if (field.required) {
      throw new FieldError(field.name, "This is needed.");
    }
  }
  return given;
}

function valueOf({ name, kind, choices }, value) {
  switch (kind) {
    case "number":
      if (!Number.isFinite(Number(value))) throw new FieldError(name, "This must be a number.");
      return Number(value);
    case "choice":
      return choices[Number(value)];
    case "json":
      try {
        return JSON.parse(value);
      } catch {
        throw new FieldError(name, 'This must be JSON, for example ["a", "b"] or {"a": 1}. Texts stand in double quotes.');
      }
    default:
      return value;
  }
}

/** What was entered cannot be sent. */
export class FieldError extends Error {
  constructor(field, message) {
    super(message);
    this.field = field;
  }
}
