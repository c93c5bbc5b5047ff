// The custom-claims script: the JavaScript that Logto runs for every access token of the tenant.
//
// Its part that belongs to this program stands between two marks, with a checksum, so that a later run recognises it:
// alone, or pasted into a script of the operator's. It returns nothing unless the token is for one of the resources in its
// table, and then only claims that the token's scopes cover.

import { createHash } from "node:crypto";

/** Where claims come from in Logto's user. All others have no source. */
const SOURCES = {
  username: "user.username",
  name: "user.name",
  picture: "user.avatar",
  email: "user.primaryEmail",
  email_verified: "Boolean(user.primaryEmail)",
  phone_number: "user.primaryPhone",
  phone_number_verified: "Boolean(user.primaryPhone)",
  preferred_username: "user.profile?.preferredUsername ?? user.username",
  given_name: "user.profile?.givenName",
  family_name: "user.profile?.familyName",
  middle_name: "user.profile?.middleName",
  nickname: "user.profile?.nickname",
  profile: "user.profile?.profile",
  website: "user.profile?.website",
  gender: "user.profile?.gender",
  birthdate: "user.profile?.birthdate",
  zoneinfo: "user.profile?.zoneinfo",
  locale: "user.profile?.locale",
  address: "user.profile?.address",
  custom_data: "user.customData",
};

const BEGIN = /^\/\/ mcp-edge:begin ([0-9a-f]{16})\b.*$/m;
const END = "// mcp-edge:end";
const TABLE = /^const mcpEdgeResources = (\{\}|\{\n[\s\S]*?\n\});$/m;

/** The last line of a script that is this program's alone. */
const ENTRY = "const getCustomJwtClaims = async ({ token, context }) => mcpEdgeClaims(token, context);";

/** The lines to add to a script of the operator's, after the block. */
export const ADVICE = "return { ...yourClaims, ...mcpEdgeClaims(token, context) };";

/** Whether the script has a source for this claim. */
export const hasSource = (claim) => Object.hasOwn(SOURCES, claim);

/**
 * The block for a table.
 * @param {Record<string, Record<string, string[]>>} table  resource → scope → claims
 */
export function block(table) {
  const used = new Set(Object.values(table).flatMap((scopes) => Object.values(scopes).flat()));
  const sources = Object.entries(SOURCES).filter(([claim]) => used.has(claim));
  const lines = [
    "// For each API resource: which permission covers which claims.",
    `const mcpEdgeResources = ${oneLineLists(JSON.stringify(table, null, 2))};`,
    "const mcpEdgeSources = {",
    ...sources.map(([claim, source]) => `  ${claim}: (user) => ${source},`),
    "};",
    "const mcpEdgeClaims = (token, context) => {",
    "  const claims = {};",
    "  const audience = [token?.aud].flat();",
    "  const user = context?.user;",
    "  if (!user || audience.length !== 1 || !Object.hasOwn(mcpEdgeResources, audience[0])) return claims;",
    "  const covered = mcpEdgeResources[audience[0]];",
    '  for (const scope of String(token.scope ?? "").split(" ")) {',
    "    for (const claim of Object.hasOwn(covered, scope) ? covered[scope] : []) {",
    "      const value = mcpEdgeSources[claim](user);",
    "      if (value !== undefined && value !== null) claims[claim] = value;",
    "    }",
    "  }",
    "  return claims;",
    "};",
  ];
  const body = lines.join("\n");
  return `// mcp-edge:begin ${checksum(body)} (written by \`make logto\`: run it again instead of editing)\n${body}\n${END}`;
}

/** The complete script for a table. */
export const completeScript = (table) => `${block(table)}\n\n${ENTRY}\n`;

/**
 * What a stored script is.
 * @param {string} script
 * @returns {{kind: "own" | "foreign" | "edited", table?: object, block?: string, isCalled?: boolean}}
 *   `own`: this program's alone, of this or a former version; `foreign`: the operator's, with an intact block of this
 *   program's (`block`, `table`) or without; `edited`: with a block that somebody has changed
 */
export function recognise(script) {
  const begin = BEGIN.exec(script);
  if (begin === null) return { kind: "foreign" };
  const bodyAt = begin.index + begin[0].length + 1;
  const endAt = script.indexOf(`\n${END}`, bodyAt);
  const body = script.slice(bodyAt, endAt);
  const table = endAt === -1 || checksum(body) !== begin[1] ? undefined : readTable(body);
  if (table === undefined) return { kind: "edited" };
  const around = script.slice(0, begin.index) + script.slice(endAt + 1 + END.length);
  if (around.trim() === ENTRY) return { kind: "own", table };
  const kept = script.slice(begin.index, endAt + 1 + END.length);
  return { kind: "foreign", table, block: kept, isCalled: around.includes("mcpEdgeClaims(") };
}

function readTable(body) {
  try {
    return JSON.parse(TABLE.exec(body)?.[1]);
  } catch {
    return undefined;
  }
}

// Only the names of claims, which contain no brackets, are in lists.
const oneLineLists = (json) => json.replaceAll(/\[\s+([^\]]*?)\s+\]/g, (_list, names) => `[${names.replaceAll(/\s+/g, " ")}]`);

function checksum(text) {
  return createHash("sha256").update(text).digest("hex").slice(0, 16);
}
