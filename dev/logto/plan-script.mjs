// The step for the custom-claims script of the tenant.

import { ADVICE, block, completeScript, hasSource, recognise } from "./claims-script.mjs";
import { change, create, keep, leave } from "./steps.mjs";

const SUBJECT = "Custom-claims script (runs for every user token of the tenant)";
const PATH = ["configs", "jwt-customizer", "access-token"];

export function planScript({ customizer }, { claims }) {
  const [[resource, scopes] = []] = Object.entries(claims);
  if (resource === undefined) return [keep(SUBJECT, ["CLAIM_SCOPES is empty: no claims are needed"])];
  const table = { [resource]: withSources(scopes) };
  const unknown = [...new Set(Object.values(scopes).flat())].filter((claim) => !hasSource(claim));
  const more = unknown.map((claim) => leave(`Claim ${claim} of CLAIM_SCOPES`, "Logto's user has no such member: a script of your own must return it"));
  return [planFor(customizer?.script, table, resource), ...more];
}

const withSources = (scopes) =>
  Object.fromEntries(
    Object.entries(scopes)
      .map(([scope, names]) => [scope, names.filter(hasSource)])
      .filter(([, names]) => names.length > 0),
  );

function planFor(script, added, resource) {
  const says = [`only for ${resource}: ${describe(added[resource])}`];
  if (!script) {
    return create(SUBJECT, [{ method: "PUT", path: PATH, body: { script: completeScript(added) }, expectScript: "" }], says);
  }
  const { kind, table = {}, block: stored, isCalled } = recognise(script);
  // Other servers of this tenant keep their entries.
  const merged = { ...table, ...added };
  if (kind === "own") {
    const wanted = completeScript(merged);
    if (script === wanted) return keep(SUBJECT, says);
    const from = table[resource] ? describe(table[resource]) : "none";
    const details = [`claims for ${resource}: ${from} → ${describe(added[resource])}`];
    return change(SUBJECT, from === describe(added[resource]) ? [`a former version of this program's script → the present one`] : details, [
      // A PATCH keeps the other members, such as environment variables.
      { method: "PATCH", path: PATH, body: { script: wanted }, expectScript: script },
    ]);
  }
  const lines = block(merged);
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

const describe = (scopes) =>
  Object.entries(scopes)
    .map(([scope, names]) => `${scope} covers ${names.join(", ")}`)
    .join("; ");
