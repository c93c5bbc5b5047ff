// The step for the custom-claims script of the tenant.

import { ADVICE, block, completeScript, hasSource, recognise, withUnixLines } from "./claims-script.mjs";
import { change, create, keep, leave } from "./steps.mjs";

const SUBJECT = "Custom-claims script (runs for every user token of the tenant)";
const PATH = ["configs", "jwt-customizer", "access-token"];

export function planScript({ customizer }, { claims: { resource, scopes } }) {
  const unknown = [...new Set(Object.values(scopes).flat())].filter((claim) => !hasSource(claim));
  const more = unknown.map((claim) => leave(`Claim ${claim} of CLAIM_SCOPES`, "Logto's user has no such member: a script of your own must return it"));
  return [planFor(customizer?.script, resource, withSources(scopes)), ...more];
}

const withSources = (scopes) =>
  Object.fromEntries(
    Object.entries(scopes)
      .map(([scope, names]) => [scope, names.filter(hasSource)])
      .filter(([, names]) => names.length > 0),
  );

function planFor(script, resource, scopes) {
  const isWanted = Object.keys(scopes).length > 0;
  const says = [`only for ${resource}: ${describe(scopes)}`];
  if (!script) {
    if (!isWanted) return keep(SUBJECT, ["there is none, and none is needed: CLAIM_SCOPES names no claims"]);
    return create(SUBJECT, [{ method: "PUT", path: PATH, body: { script: completeScript({ [resource]: scopes }) }, expectScript: "" }], says);
  }
  const { kind, table, block: stored, isCalled } = recognise(script);
  // Other servers of this tenant keep their entries.
  const { [resource]: former, ...rest } = table ?? {};
  const others = Object.fromEntries(Object.entries(rest).map(([indicator, claims]) => [indicator, withSources(claims)]));
  const merged = sorted(isWanted ? { ...others, [resource]: scopes } : others);
  if (kind === "own") {
    const wanted = completeScript(merged);
    if (withUnixLines(script) === wanted) return keep(SUBJECT, says);
    const isOnlyOlder = describe(former) === describe(scopes);
    const detail = isOnlyOlder ? "a former version of this program's script → the present one" : `claims for ${resource}: ${describe(former)} → ${describe(scopes)}`;
    // A PATCH keeps the other members, such as environment variables.
    return change(SUBJECT, [detail], [{ method: "PATCH", path: PATH, body: { script: wanted }, expectScript: script }]);
  }
  if (kind === "foreign" && !isWanted && former === undefined) return keep(SUBJECT, ["no claims are needed: CLAIM_SCOPES names none"]);
  const lines = block(merged);
  if (kind === "foreign" && stored === lines && isCalled) return keep(SUBJECT, ["your own script contains this server's lines"]);
  const because =
    kind === "edited"
      ? "its lines for this server were edited by hand, and are not overwritten"
      : "there is a script of your own already, which is never overwritten";
  return leave(SUBJECT, because, { show: advice({ lines, stored, isCalled, kind, isTableLost: kind === "edited" && table === undefined }), isIncomplete: true });
}

function advice({ lines, stored, isCalled, kind, isTableLost }) {
  const between = 'between "mcp-edge:begin" and "mcp-edge:end"';
  const replace = `Replace the lines ${between}${isTableLost ? ", of which there may be several," : ""} in it with these:\n\n${lines}`;
  const add = `Add these lines to it, in the Logto console under "Custom JWT":\n\n${lines}`;
  const put = kind === "edited" || (stored !== undefined && stored !== lines) ? replace : add;
  return [
    stored !== lines && put,
    isTableLost && "If other servers of this tenant have entries in mcpEdgeResources, keep them: they could not be read. Or run `make logto` for each of those servers again.",
    !isCalled && `${stored === lines ? "Call them in" : "and in"} getCustomJwtClaims: ${ADVICE}`,
  ]
    .filter(Boolean)
    .join("\n\n");
}

// The same table is always the same text.
const sorted = (table) => Object.fromEntries(Object.entries(table).sort(([one], [other]) => (one < other ? -1 : 1)));

const describe = (scopes = {}) =>
  Object.entries(scopes)
    .map(([scope, names]) => `${scope} covers ${names.join(", ")}`)
    .join("; ") || "none";
