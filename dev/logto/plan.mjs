// The plan: from what a tenant has and what it should have, a list of steps. A pure function of both.

import { planApplications } from "./plan-applications.mjs";
import { planApi, planRole, planUsers } from "./plan-permissions.mjs";
import { planScript } from "./plan-script.mjs";

/**
 * @typedef {{ref: string}} Reference  an id that an earlier step gives
 *
 * @typedef {object} Call
 * @property {string} method
 * @property {(string | Reference)[]} path  segments below /api
 * @property {object} body  may contain references
 * @property {string} [gives]  the reference that the `id` in the answer resolves
 * @property {string} [expectScript]  the stored script before this call; with another one it is not made
 *
 * @typedef {object} Step
 * @property {"create" | "change" | "keep" | "leave"} action
 * @property {string} subject
 * @property {string[]} details  what is changed: "from → to"
 * @property {string} [because]  why it is left alone
 * @property {string} [show]  lines for the operator to use
 * @property {boolean} [isIncomplete]  whether the server lacks something because it is left alone
 * @property {Call[]} calls
 *
 * @typedef {{steps: Step[], ids: Record<string, string>}} Plan  `ids`: the references that are known already
 *
 * @param {import("./state.mjs").State} state
 * @param {import("./wanted.mjs").Wanted} wanted
 * @returns {Plan}
 */
export function planTenant(state, wanted) {
  const ids = {};
  const steps = [
    ...wanted.apis.flatMap((api) => planApi(state, api, ids)),
    ...wanted.roles.flatMap((role) => planRole(state, wanted, role, ids)),
    ...planUsers(state, wanted, ids),
    ...planApplications(state, wanted, ids),
    ...planScript(state, wanted),
  ];
  return { steps, ids };
}

/** Whether the plan changes anything. */
export const changesAnything = (steps) => steps.some(({ action }) => action === "create" || action === "change");
