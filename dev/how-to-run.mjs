// How a person runs a program again: by `make` in this repository, by the package mcp-edge in a project that has it.

/** Set by the package's dispatcher. */
const isOfPackage = () => process.env.MCP_EDGE_CLI === "1";

/**
 * A command, with variables of its environment before it.
 * @param {string} name  such as "dev"
 * @param {Record<string, string | number>} [env]
 */
export function howToRun(name, env = {}) {
  const variables = Object.entries(env).map(([key, value]) => `${key}=${value} `).join("");
  return `${variables}${isOfPackage() ? "npx mcp-edge" : "make"} ${name}`;
}

/** The same with arguments: of `make` in ARGS, which its shell reads again. */
export const howToRunWith = (name, args, env) => (isOfPackage() ? `${howToRun(name, env)} ${args}` : `${howToRun(name, env)} ARGS="${args}"`);
