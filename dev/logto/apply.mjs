// Carries a plan out, step by step. What may have been changed since the plan was made is read again before it is written.

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

async function carryOut(client, call, ids) {
  const { method, gives } = call;
  const path = pathOf(call.path, ids);
  await expectUnchanged(client, call, ids);
  const body = await bodyOf(client, path, call, ids);
  const answer = await client.call(method, path, body, gives && "created");
  if (gives !== undefined) ids[gives] = answer.id;
}

async function expectUnchanged(client, { path, expectScript, expectDescription }, ids) {
  if (expectScript !== undefined && ((await readScript(client)) ?? "") !== expectScript) throw changedMeanwhile("the script");
  if (expectDescription !== undefined) {
    const [list, id] = [pathOf(path.slice(0, -1), ids), resolve(path.at(-1), ids)];
    const scope = (await client.list(list, "scope")).find((candidate) => candidate.id === id);
    if ((scope?.description ?? "") !== expectDescription) throw changedMeanwhile("the description");
  }
}

async function bodyOf(client, path, { body, addUris, addMetadata }, ids) {
  if (addUris !== undefined) return withUris(client, path, addUris);
  if (addMetadata === undefined) return resolve(body, ids);
  const { customClientMetadata } = await client.get(path, "application");
  return { customClientMetadata: { ...customClientMetadata, ...addMetadata } };
}

// Logto replaces the lists, so that what somebody has added meanwhile must be in them.
async function withUris(client, path, added) {
  const { oidcClientMetadata = {} } = await client.get(path, "application");
  const { redirectUris = [], postLogoutRedirectUris = [] } = oidcClientMetadata;
  return {
    oidcClientMetadata: {
      ...oidcClientMetadata,
      redirectUris: [...new Set([...redirectUris, ...added.redirectUris])],
      postLogoutRedirectUris: [...new Set([...postLogoutRedirectUris, ...added.postLogoutRedirectUris])],
    },
  };
}

const changedMeanwhile = (what) =>
  new Problem(`${what} was changed meanwhile`, { why: "It is not what the plan was made for.", fix: "Run the same command again.", isFatal: false });

const pathOf = (segments, ids) => `/${segments.map((segment) => encodeURIComponent(resolve(segment, ids))).join("/")}`;

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
