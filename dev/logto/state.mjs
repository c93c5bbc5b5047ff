// What a tenant has: reads it through the Management API, and changes nothing.

import { isMadeFor } from "./mark.mjs";
import { plain, Problem } from "./problem.mjs";

/**
 * @typedef {object} State
 * @property {object[]} resources  with their scopes
 * @property {object[]} roles  those that are wanted or may be used, with the ids of their scopes
 * @property {object[]} applications
 * @property {Record<string, {userScopes: string[], resourceScopes: string[]}>} consents  by application id: names and ids
 * @property {Record<string, string[]>} applicationRoles  ids, by application id
 * @property {{script: string} | undefined} customizer  of user access tokens
 * @property {{enabled: boolean, ceiling: object} | undefined} cimd  undefined if Logto is too old for it
 * @property {{query: string, id?: string, roleIds: string[]}[]} users
 *
 * @param {import("./management-client.mjs").ManagementClient} client
 * @param {import("./wanted.mjs").Wanted} wanted
 * @returns {Promise<State>}
 */
export async function readTenant(client, wanted) {
  const resources = await client.list("/resources?includeScopes=true");
  const applications = await client.list("/applications");
  const roles = await readRoles(client, wanted);
  const candidates = applications.filter((application) => isCandidate(application, wanted));
  const consents = {};
  const applicationRoles = {};
  for (const { id, isThirdParty, type } of candidates) {
    if (isThirdParty) consents[id] = consentOf(await client.get(`/applications/${encodeURIComponent(id)}/user-consent-scopes`));
    if (type === "MachineToMachine") {
      applicationRoles[id] = (await client.list(`/applications/${encodeURIComponent(id)}/roles`)).map((role) => role.id);
    }
  }
  return {
    resources,
    roles,
    applications,
    consents,
    applicationRoles,
    customizer: await readCustomizer(client),
    cimd: wanted.cimd ? await readCimd(client) : undefined,
    users: await readUsers(client, wanted.users),
  };
}

function isCandidate(application, { applications }) {
  return applications.some(
    ({ use, resource, redirectUri, knownId }) =>
      application.id === knownId ||
      isMadeFor(application, use, resource) ||
      (redirectUri !== undefined && application.oidcClientMetadata?.redirectUris?.includes(redirectUri)),
  );
}

async function readRoles(client, { roles, registrar, managementResource }) {
  const all = await client.list("/roles");
  const names = new Set(roles.map(({ name }) => name));
  const read = [];
  for (const role of all) {
    const mayManage = registrar !== undefined && role.type === "MachineToMachine";
    if (!names.has(role.name) && !mayManage) continue;
    const scopes = await client.list(`/roles/${encodeURIComponent(role.id)}/scopes`);
    read.push({
      ...role,
      scopeIds: scopes.map(({ id }) => id),
      mayManage: scopes.some(({ name, resource }) => name === "all" && resource?.indicator === managementResource),
    });
  }
  return read;
}

async function readCustomizer(client) {
  const configs = await client.get("/configs/jwt-customizer");
  return configs.find(({ key }) => key === "jwt.accessToken")?.value;
}

/** Reads the stored script again, to see whether somebody has changed it meanwhile. */
export const readScript = async (client) => (await readCustomizer(client))?.script;

async function readCimd(client) {
  try {
    const { enabled } = await client.get("/configs/cimd");
    return { enabled, ceiling: consentOf(await client.get("/cimd/user-consent-scopes")) };
  } catch (problem) {
    if (problem instanceof Problem && !problem.isFatal) return undefined;
    throw problem;
  }
}

async function readUsers(client, queries) {
  const users = [];
  for (const query of queries) {
    const member = query.includes("@") ? "primaryEmail" : "username";
    const found = await client.list(`/users?search.${member}=${encodeURIComponent(query)}&mode.${member}=exact`);
    // Some tenants tell names apart by case: another spelling counts only if it can mean one user.
    const alike = found.filter((candidate) => candidate[member]?.toLowerCase() === query.toLowerCase());
    const user = alike.find((candidate) => candidate[member] === query) ?? (alike.length === 1 ? alike[0] : undefined);
    const roles = user ? await client.list(`/users/${encodeURIComponent(user.id)}/roles`) : [];
    users.push({ query: plain(query), id: user?.id, roleIds: roles.map(({ id }) => id) });
  }
  return users;
}

const consentOf = ({ userScopes, resourceScopes }) => ({
  userScopes,
  resourceScopes: resourceScopes.flatMap(({ scopes }) => scopes.map(({ id }) => id)),
});
