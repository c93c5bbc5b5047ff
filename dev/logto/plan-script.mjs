// The step for the custom-claims script of the tenant.

import { ADVICE, block, completeScript, hasSource, recognise } from "./claims-script.mjs";
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
  const { kind, table = {}, block: stored, isCalled } = recognise(script);
  // Other servers of this tenant keep their entries.
  const { [resource]: former, ...others } = table;
  const merged = isWanted ? { ...others, [resource]: scopes } : others;
  if (kind === "own") {
    const wanted = completeScript(sorted(merged));
    if (script === wanted) return keep(SUBJECT, says);
    const isOnlyOlder = describe(former) === describe(scopes);
    const detail = isOnlyOlder ? "a former version of this program's script → the present one" : `claims for ${resource}: ${describe(former)} → ${describe(scopes)}`;
    // A PATCH keeps the other members, such as environment variables.
    return change(SUBJECT, [detail], [{ method: "PATCH", path: PATH, body: { script: wanted }, expectScript: script }]);
  }
  if (!isWanted && former === undefined) return keep(SUBJECT, ["no claims are needed: CLAIM_SCOPES names none"]);
  const lines = block(sorted(merged));
  if (kind === "foreign" && stored === lines && isCalled) return keep(SUBJECT, ["your own script contains this server's lines"]);
  const because =
    kind === "edited"
      ? "its lines for this server were edited by hand, and are not overwritten"
      : "there is a script of your own already, which is never overwritten";
  const advice =
    stored === undefined
      ? `Add these lines to it, in the Logto console under "Custom JWT":\n\n${lines}\n\nand in getCustomJwtClaims: ${ADVICE}`
      : `Replace the lines between "mcp-edge:begin" and "mcp-edge:end" in it with these:\n\n${lines}${isCalled ? "" : `\n\nand in getCustomJwtClaims: ${ADVICE}`}`;
  return leave(SUBJECT, because, { show: advice, isIncomplete: true });
}

// The same table is always the same text.
const sorted = (table) => Object.fromEntries(Object.entries(table).sort(([one], [other]) => (one < other ? -1 : 1)));

const describe = (scopes = {}) =>
  Object.entries(scopes)
    .map(([scope, names]) => `${scope} covers ${names.join(", ")}`)
    .join("; ") || "none";
