// Carries a plan out, step by step.

import { Problem } from "./problem.mjs";
import { readScript } from "./state.mjs";

/**
 * @param {import("./management-client.mjs").ManagementClient} client
 * @param {import("./plan.mjs").Plan} plan
 * @param {(step: import("./plan.mjs").Step, problem?: Problem) => void} report  after each step that changes something
 * @returns {Promise<{ids: Record<string, string>, failed: number}>}
 * @throws {Problem} if nothing else can work either
 */
export async function applyPlan(client, { steps, ids: known }, report) {
  const ids = { ...known };
  let failed = 0;
  for (const step of steps.filter(({ calls }) => calls.length > 0)) {
    try {
      for (const call of step.calls) await carryOut(client, call, ids);
      report(step);
    } catch (error) {
      if (!(error instanceof Problem) || error.isFatal) throw error;
      failed += 1;
      report(step, error);
    }
  }
  return { ids, failed };
}

async function carryOut(client, { method, path, body, gives, expectScript }, ids) {
  const segments = path.map((segment) => encodeURIComponent(resolve(segment, ids)));
  if (expectScript !== undefined && ((await readScript(client)) ?? "") !== expectScript) {
    throw new Problem("the script was changed meanwhile", { why: "It is not what the plan was made for.", fix: "Run the same command again.", isFatal: false });
  }
  const answer = await client.call(method, `/${segments.join("/")}`, resolve(body, ids));
  if (gives === undefined) return;
  if (typeof answer?.id !== "string") throw new Problem(`${method} /api/${segments.join("/")} answered without an id`);
  ids[gives] = answer.id;
}

/** Replaces references by ids. */
function resolve(value, ids) {
  if (Array.isArray(value)) return value.map((each) => resolve(each, ids));
  if (typeof value !== "object" || value === null) return value;
  if (typeof value.ref === "string") {
    if (ids[value.ref] === undefined) throw new Problem(`an earlier step failed (${value.ref})`, { isFatal: false });
    return ids[value.ref];
  }
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, resolve(each, ids)]));
}
