// The plan: from what a tenant has and what it should have, a list of steps. A pure function of both.

import { planApplications } from "./plan-applications.mjs";
import { findRole, planApi, planRole, planUsers } from "./plan-permissions.mjs";
import { planScript } from "./plan-script.mjs";

/**
 * @typedef {{ref: string}} Reference  an id that an earlier step gives
 *
 * @typedef {object} Call
 * @property {string} method
 * @property {(string | Reference)[]} path  segments below /api
 * @property {object} [body]  may contain references
 * @property {{redirectUris: string[], postLogoutRedirectUris: string[]}} [addUris]  in place of a body: to add to what the
 *   application has at the time of the call
 * @property {Record<string, unknown>} [addMetadata]  likewise, members of its `customClientMetadata`
 * @property {string} [gives]  the reference that the `id` in the answer resolves
 * @property {string} [expectScript]  the stored script before this call; with another one it is not made
 * @property {string} [expectDescription]  likewise, the description of the permission
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
 * @typedef {object} Plan
 * @property {Step[]} steps
 * @property {Record<string, string>} ids  the references that are known already
 * @property {string[]} roleNames  of the wanted roles
 *
 * @param {import("./state.mjs").State} state
 * @param {import("./wanted.mjs").Wanted} wanted
 * @param {Record<string, string>} [held]  by use of an application: why it is not made although none is found
 * @returns {Plan}
 */
export function planTenant(state, wanted, held = {}) {
  const ids = {};
  const roles = wanted.roles.map((role) => findRole(state, wanted, role));
  const steps = [
    ...wanted.apis.flatMap((api) => planApi(state, wanted, api, ids)),
    ...roles.flatMap((role) => planRole(state, wanted, role, ids)),
    ...planUsers(state, roles[0], ids),
    ...planApplications(state, wanted, held, ids),
    ...planScript(state, wanted),
  ];
  return { steps, ids, roleNames: roles.map(({ name }) => name) };
}

/** Whether the plan changes anything. */
export const changesAnything = (steps) => steps.some(({ action }) => action === "create" || action === "change");
