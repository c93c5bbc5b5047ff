// Steps for applications with what they may ask users for, and for the ceiling of client ID metadata documents.

import { findApplication, isOfKind } from "./find-application.mjs";
import { MARK } from "./mark.mjs";
import { permissionRef } from "./plan-permissions.mjs";
import { change, create, keep, leave, ref } from "./steps.mjs";

/** The reference of an application's id. */
export const applicationRef = (use) => `application/${use}`;

/**
 * Steps for all applications, and for the switch of the tenant if it is wanted.
 * @param {Record<string, string>} held  by use: why no application is made although none is found
 */
export function planApplications(state, wanted, held, ids) {
  const steps = wanted.applications.flatMap((application) => planApplication(state, wanted, application, held[application.use], ids));
  return wanted.cimd ? [...steps, ...planCimd(state, wanted, ids)] : steps;
}

function planApplication(state, wanted, application, heldBecause, ids) {
  const { use, name, isThirdParty, redirectUri, setting } = application;
  const subject = `Application "${name}"`;
  const reference = applicationRef(use);
  const { application: existing, evidence, rivals, misfit } = findApplication(state.applications, application);
  if (rivals !== undefined) {
    const because = `several applications have the redirect URI ${redirectUri}: ${rivals.map(({ id }) => id).join(", ")}. Set ${setting} to the one to use`;
    return [leave(subject, because, { isIncomplete: true })];
  }
  if (misfit !== undefined) {
    const because = `the application "${misfit.name}" (${misfit.id}) has its redirect URI ${redirectUri}, and is ${describe(misfit)}, must be ${describe(application)}. Remove the redirect URI from it or delete it in the console`;
    return [leave(subject, because, { isIncomplete: true })];
  }
  if (existing === undefined) return [heldBecause === undefined ? planCreation(state, wanted, application, subject) : leave(subject, heldBecause)];

  const known = `${subject} (${existing.id})`;
  if (!isOfKind(existing, application)) {
    const is = describe(existing);
    return [leave(known, `it is ${is}, must be ${describe(application)}, and the type cannot be changed. Delete it in the console, or remove its id from the settings`, { isIncomplete: true })];
  }
  ids[reference] = existing.id;
  const steps = [...planUris(existing, application, known, reference), ...planMetadata(existing, application, known, reference)];
  if (isThirdParty) steps.push(...planConsent(state.consents[existing.id], ceilingOf(wanted, application), known, consentPath(reference), ids));
  if (use === "registrar") steps.push(...planManagementRole(state, wanted, existing, known, reference));
  if (use === "introspection") steps.push(...warnings(state, existing, known, "checking"));
  if (use === "exchange") steps.push(...warnings(state, existing, known, "exchanging"));
  const adopted = evidence && keep(known, [`"${existing.name}" was not made by this program; ${evidence}`]);
  if (adopted !== undefined) return [adopted, ...steps];
  return steps.some(({ action }) => action === "change") ? steps : [keep(known), ...steps];
}

function planCreation(state, wanted, application, subject) {
  const { use, name, type, isThirdParty, redirectUri, signOutUri, resource, knownId, metadata } = application;
  const reference = applicationRef(use);
  const oidcClientMetadata = { redirectUris: [redirectUri].filter(Boolean), postLogoutRedirectUris: [signOutUri].filter(Boolean) };
  const body = { name, type, isThirdParty, oidcClientMetadata, ...(metadata && { customClientMetadata: metadata }), customData: { [MARK]: { use, resource } } };
  const calls = [{ method: "POST", path: ["applications"], body, gives: reference }];
  const details = [describe(application), ...Object.entries(metadata ?? {}).map(([member, value]) => `${member}: ${value}`)];
  if (knownId !== undefined) details.push(`the settings name ${knownId}, which does not exist at this tenant`);
  if (isThirdParty) {
    const { api, userScopes, names } = ceilingOf(wanted, application);
    calls.push({ method: "POST", path: consentPath(reference), body: consentBody(api.permissions, userScopes, api.key) });
    details.push(`may ask users for: ${names.join(" ")}`);
  }
  if (use === "registrar") calls.push(...managementCalls(state, wanted, reference, details));
  return create(subject, calls, details);
}

const KINDS = { SPA: "single-page", Native: "native", Traditional: "traditional web", MachineToMachine: "machine-to-machine" };

const describe = ({ type, isThirdParty }) => `a ${isThirdParty ? "third-party " : ""}${KINDS[type] ?? type} application`;

function planUris({ oidcClientMetadata }, { redirectUri, signOutUri }, subject, reference) {
  const { redirectUris = [], postLogoutRedirectUris = [] } = oidcClientMetadata ?? {};
  const missing = (uris, uri) => (uri === undefined || uris.includes(uri) ? [] : [uri]);
  const addUris = { redirectUris: missing(redirectUris, redirectUri), postLogoutRedirectUris: missing(postLogoutRedirectUris, signOutUri) };
  const details = [
    ...addUris.redirectUris.map((uri) => `redirect URI: ${redirectUris.join(" ") || "none"} → ${[...redirectUris, uri].join(" ")}`),
    ...addUris.postLogoutRedirectUris.map((uri) => `post sign-out redirect URI: none → ${uri}`),
  ];
  if (details.length > 0) return [change(subject, details, [{ method: "PATCH", path: ["applications", ref(reference)], addUris }])];
  return redirectUris
    .filter((uri) => uri !== redirectUri && redirectUri !== undefined)
    .map((uri) => leave(`${subject}, redirect URI ${uri}`, "this server does not need it, and nothing is deleted"));
}

function planMetadata({ customClientMetadata }, { metadata = {} }, subject, reference) {
  const wrong = Object.entries(metadata).filter(([member, value]) => customClientMetadata?.[member] !== value);
  if (wrong.length === 0) return [];
  const details = wrong.map(([member, value]) => `${member}: ${customClientMetadata?.[member] ?? "not set"} → ${value}`);
  return [change(subject, details, [{ method: "PATCH", path: ["applications", ref(reference)], addMetadata: Object.fromEntries(wrong) }])];
}

// What applications may ask users for: all permissions of the server, the user data that the operator named, and what the
// application itself needs.
function ceilingOf({ apis: [api], userScopes: named }, { userScopes: own = [] } = {}) {
  const userScopes = [...new Set([...own, ...named])];
  return { api, userScopes, names: [...userScopes, ...api.permissions.map(({ name }) => name)] };
}

const consentPath = (reference) => ["applications", ref(reference), "user-consent-scopes"];

function planConsent(current, { api, userScopes }, subject, path, ids) {
  const missing = api.permissions.filter(({ name }) => !current.resourceScopes.includes(ids[permissionRef(api.key, name)]));
  const missingUserScopes = userScopes.filter((name) => !current.userScopes.includes(name));
  const details = [...missing.map(({ name }) => name), ...missingUserScopes].map((name) => `may ask users for: none → ${name}`);
  const steps = [];
  if (details.length > 0) {
    steps.push(change(subject, details, [{ method: "POST", path, body: consentBody(missing, missingUserScopes, api.key) }]));
  }
  const own = new Set(api.permissions.map(({ name }) => ids[permissionRef(api.key, name)]));
  const more = current.resourceScopes.filter((id) => !own.has(id)).length + current.userScopes.filter((name) => !userScopes.includes(name)).length;
  if (more > 0) steps.push(leave(`${subject}, ${more} further scopes that it may ask users for`, "this server does not need them, and nothing is deleted"));
  return steps;
}

const consentBody = (permissions, userScopes, api) => ({
  ...(userScopes.length > 0 && { userScopes }),
  ...(permissions.length > 0 && { resourceScopes: permissions.map(({ name }) => ref(permissionRef(api, name))) }),
});

/** Steps for the tenant's switch for client ID metadata documents, with its ceiling. */
function planCimd({ cimd }, wanted, ids) {
  const subject = "Client ID metadata documents (for the whole tenant)";
  if (cimd.refusal !== undefined) return [leave(subject, cimd.refusal, { isIncomplete: true })];
  // The ceiling first: with the switch alone, users would consent and then be refused.
  const limit = "Ceiling of client ID metadata documents";
  const steps = planConsent(cimd.ceiling, ceilingOf(wanted), limit, ["cimd", "user-consent-scopes"], ids);
  const ceiling = steps.find(({ action }) => action === "change");
  if (cimd.enabled) return [...(ceiling ? [] : [keep(limit)]), ...steps, keep(subject)];
  // In one step with the ceiling: if that is refused, the switch stays off.
  const details = ["off → on: any client with such a document may ask users for this server's permissions"];
  const call = { method: "PATCH", path: ["configs", "cimd"], body: { enabled: true } };
  const on = change(subject, [...(ceiling?.details ?? []), ...details], [...(ceiling?.calls ?? []), call]);
  return [...(ceiling ? [] : [keep(limit)]), ...steps.filter((step) => step !== ceiling), on];
}

// The role that lets a machine use the Management API: one that is there, or a new one.
function managementCalls({ roles, resources }, { managementResource }, reference, details) {
  const role = roles.find(({ type, mayManage }) => type === "MachineToMachine" && mayManage);
  const path = ["applications", ref(reference), "roles"];
  if (role !== undefined) {
    details.push(`role: ${role.name}, which lets it administer the tenant`);
    return [{ method: "POST", path, body: { roleIds: [role.id] } }];
  }
  const all = resources.find(({ indicator }) => indicator === managementResource)?.scopes?.find(({ name }) => name === "all");
  const name = "Logto Management API access";
  const body = { name, description: "May administer the tenant", type: "MachineToMachine", scopeIds: [all?.id].filter(Boolean) };
  details.push(`role: ${name}, which is made as well and lets it administer the tenant`);
  return [
    { method: "POST", path: ["roles"], body, gives: "role/management" },
    { method: "POST", path, body: { roleIds: [ref("role/management")] } },
  ];
}

// Checking and exchanging tokens needs no role.
function warnings({ roles, applicationRoles }, { id }, subject, what) {
  return roles
    .filter((role) => role.mayManage && applicationRoles[id]?.includes(role.id))
    .map(({ name }) => leave(`${subject}, role "${name}"`, `with it the secret in the Worker can administer the tenant, and ${what} tokens needs no role. Take it from the application in the console`));
}

function planManagementRole(state, wanted, { id }, subject, reference) {
  const managing = state.roles.filter(({ mayManage }) => mayManage).map((role) => role.id);
  if (state.applicationRoles[id]?.some((roleId) => managing.includes(roleId))) return [];
  const details = [];
  const calls = managementCalls(state, wanted, reference, details);
  return [change(subject, details, calls)];
}
