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

// As code, a member with this name in quotes would set the prototype; computed, it is a member.
const PROTO_IN_JSON = /^(\s*)"__proto__":/gm;
const PROTO_IN_CODE = '$1["__proto__"]:';
const PROTO_AS_CODE = /^(\s*)\["__proto__"\]:/gm;
const PROTO_AS_JSON = '$1"__proto__":';

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
    `const mcpEdgeResources = ${tableAsCode(table)};`,
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
 * @typedef {object} Recognised
 * @property {"own" | "foreign" | "edited"} kind  `own`: this program's alone, of this or a former version; `foreign`: the
 *   operator's, with this program's lines or without; `edited`: with lines of this program's that somebody has changed
 * @property {Record<string, Record<string, string[]>>} [table]  of the lines, if it can be read
 * @property {string} [block]  the lines, if they are intact
 * @property {boolean} [isCalled]  whether the rest of the script uses the lines
 *
 * What a stored script is.
 * @param {string} script
 * @returns {Recognised}
 */
export function recognise(script) {
  const text = withUnixLines(script);
  const begin = BEGIN.exec(text);
  if (begin === null) return { kind: "foreign" };
  const bodyAt = begin.index + begin[0].length + 1;
  const endAt = text.indexOf(`\n${END}`, bodyAt);
  const body = text.slice(bodyAt, endAt === -1 ? undefined : endAt);
  const rest = endAt === -1 ? "" : text.slice(endAt + 1 + END.length);
  const around = text.slice(0, begin.index) + rest;
  const isOnlyOne = !BEGIN.test(rest);
  // What a comment calls is not called.
  const isCalled = around.replaceAll(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, "").includes("mcpEdgeClaims(");
  const table = isOnlyOne ? readTable(body) : undefined;
  if (endAt === -1 || table === undefined || checksum(body) !== begin[1]) return { kind: "edited", table, isCalled };
  if (around.trim() === ENTRY) return { kind: "own", table };
  return { kind: "foreign", table, block: text.slice(begin.index, endAt + 1 + END.length), isCalled };
}

/** A script without the line ends of Windows, which a browser or an editor may have put in. */
export const withUnixLines = (script) => script.replaceAll("\r\n", "\n");

// The table of lines that somebody has edited may be anything.
function readTable(body) {
  try {
    const table = JSON.parse(TABLE.exec(body)?.[1].replaceAll(PROTO_AS_CODE, PROTO_AS_JSON));
    const isTable = Object.values(table).every((scopes) => Object.values(scopes).every((claims) => Array.isArray(claims) && claims.every((claim) => typeof claim === "string")));
    return isTable ? table : undefined;
  } catch {
    return undefined;
  }
}

const tableAsCode = (table) => oneLineLists(JSON.stringify(table, null, 2).replaceAll(INVISIBLE, escaped).replaceAll(PROTO_IN_JSON, PROTO_IN_CODE));

// What a stored script names is printed, too.
const INVISIBLE = /[\u007f-\u009f\u2028\u2029]|\p{Cf}/gu;

const escaped = (character) => character.split("").map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`).join("");

// Only the names of claims, which contain no brackets, are in lists.
const oneLineLists = (json) => json.replaceAll(/\[\s+([^\]]*?)\s+\]/g, (_list, names) => `[${names.replaceAll(/\s+/g, " ")}]`);

function checksum(text) {
  return createHash("sha256").update(text).digest("hex").slice(0, 16);
}
