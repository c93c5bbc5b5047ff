// JSON with comments, written.

/** A line of comment before the next member. */
export class Comment {
  /** @param {string} text  one line for each line of it */
  constructor(text) {
    this.text = text;
  }
}

/**
 * @typedef {Record<string, unknown>} Members
 *
 * An object as JSONC: two blanks for each level, short arrays and objects on one line.
 * @param {(Comment | [name: string, value: unknown])[]} members  a value may be such a list itself
 * @returns {string}
 */
export const jsonc = (members) => `${object(members, "")}\n`;

const WIDTH = 110;

function object(members, indent) {
  const inner = `${indent}  `;
  const last = members.findLastIndex((member) => !(member instanceof Comment));
  const lines = members.flatMap((member, index) => {
    if (member instanceof Comment) return member.text.split("\n").map((line) => (line === "" ? "" : `${inner}// ${line}`));
    const [name, value] = member;
    return [`${inner}${JSON.stringify(name)}: ${render(value, inner)}${index < last ? "," : ""}`];
  });
  return `{\n${lines.join("\n")}\n${indent}}`;
}

function render(value, indent) {
  if (isMembers(value)) return object(value, indent);
  const line = oneLine(value);
  if (!Array.isArray(value) || line.length + indent.length <= WIDTH) return line;
  return `[\n${value.map((one) => `${indent}  ${oneLine(one)}`).join(",\n")}\n${indent}]`;
}

const isMembers = (value) => Array.isArray(value) && value.length > 0 && value.every((one) => one instanceof Comment || (Array.isArray(one) && one.length === 2 && typeof one[0] === "string"));

function oneLine(value) {
  if (Array.isArray(value)) return `[${value.map(oneLine).join(", ")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  return `{ ${Object.entries(value).map(([name, one]) => `${JSON.stringify(name)}: ${oneLine(one)}`).join(", ")} }`;
}
