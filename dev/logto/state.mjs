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
 * @property {Record<string, number[]>} secrets  by application id: when each of its valid secrets was made
 * @property {{script: string} | undefined} customizer  of user access tokens
 * @property {{enabled: boolean, ceiling: object} | {refusal: string} | undefined} cimd  if it is wanted
 * @property {{query: string, id?: string, roleIds: string[]}[]} users
 *
 * @param {import("./management-client.mjs").ManagementClient} client
 * @param {import("./wanted.mjs").Wanted} wanted
 * @returns {Promise<State>}
 */
export async function readTenant(client, wanted) {
  const resources = await client.list("/resources?includeScopes=true", "resource");
  const applications = await client.list("/applications", "application");
  const roles = await readRoles(client, wanted, resources);
  const [consents, applicationRoles, secrets] = [{}, {}, {}];
  for (const application of applications) {
    const uses = usesOf(application, wanted);
    if (uses.length === 0) continue;
    const { id, isThirdParty, type } = application;
    if (isThirdParty) consents[id] = consentOf(await client.get(`/applications/${encodeURIComponent(id)}/user-consent-scopes`, "consent"));
    if (type === "MachineToMachine") applicationRoles[id] = (await client.list(`/applications/${encodeURIComponent(id)}/roles`, "role")).map((role) => role.id);
    if (uses.some(({ hasSecrets, type: wantedType }) => hasSecrets && wantedType === type)) secrets[id] = (await validSecrets(client, id)).map(({ createdAt }) => createdAt);
  }
  return {
    resources,
    roles,
    applications,
    consents,
    applicationRoles,
    secrets,
    customizer: await readCustomizer(client),
    cimd: wanted.cimd ? await readCimd(client) : undefined,
    users: await readUsers(client, wanted.users),
  };
}

/** The secrets of an application that have not expired, the newest first. */
export async function validSecrets(client, id) {
  const secrets = await client.get(`/applications/${encodeURIComponent(id)}/secrets`, "secrets");
  return secrets.filter(({ expiresAt }) => !expiresAt || expiresAt > Date.now()).sort((one, other) => other.createdAt - one.createdAt);
}

/** What an application may be wanted for. */
function usesOf(application, { applications }) {
  return applications.filter(
    ({ use, resource, redirectUri, knownId }) =>
      application.id === knownId ||
      isMadeFor(application, use, resource) ||
      (redirectUri !== undefined && application.oidcClientMetadata?.redirectUris?.includes(redirectUri)),
  );
}

async function readRoles(client, { roles, apis, applications, managementResource }, resources) {
  const all = await client.list("/roles", "role");
  const names = new Set(roles.map(({ name }) => name));
  // A role of another name may serve as well, if its permissions exist already.
  const isSearched = roles.some(
    ({ name, isNamed, api }) => !isNamed && !all.some((role) => role.name === name) && resources.some(({ indicator }) => indicator === apis.find(({ key }) => key === api).indicator),
  );
  const read = [];
  for (const role of all) {
    const mayManage = role.type === "MachineToMachine" && applications.some(({ type }) => type === "MachineToMachine");
    const maySubstitute = isSearched && role.type === "User";
    if (!names.has(role.name) && !mayManage && !maySubstitute) continue;
    const scopes = await client.list(`/roles/${encodeURIComponent(role.id)}/scopes`, "roleScope");
    read.push({
      ...role,
      scopeIds: scopes.map(({ id }) => id),
      mayManage: scopes.some(({ name, resource }) => name === "all" && resource?.indicator === managementResource),
    });
  }
  return read;
}

async function readCustomizer(client) {
  const configs = await client.get("/configs/jwt-customizer", "customizers");
  return configs.find(({ key }) => key === "jwt.accessToken")?.value;
}

/** Reads the stored script again, to see whether somebody has changed it meanwhile. */
export const readScript = async (client) => (await readCustomizer(client))?.script;

async function readCimd(client) {
  try {
    const { enabled } = await client.get("/configs/cimd", "cimd");
    return { enabled, ceiling: consentOf(await client.get("/cimd/user-consent-scopes", "consent")) };
  } catch (problem) {
    if (!(problem instanceof Problem) || problem.isFatal) throw problem;
    const refusal = problem.status === 404 ? "this Logto is too old for them: 1.43 has them" : [problem.message, problem.why, problem.fix].filter(Boolean).join(". ");
    return { refusal };
  }
}

async function readUsers(client, queries) {
  const users = [];
  for (const query of queries) {
    const member = query.includes("@") ? "primaryEmail" : "username";
    const found = await client.list(`/users?search.${member}=${encodeURIComponent(query)}&mode.${member}=exact`, "user");
    // Some tenants tell names apart by case: another spelling counts only if it can mean one user.
    const alike = found.filter((candidate) => candidate[member]?.toLowerCase() === query.toLowerCase());
    const user = alike.find((candidate) => candidate[member] === query) ?? (alike.length === 1 ? alike[0] : undefined);
    const roles = user ? await client.list(`/users/${encodeURIComponent(user.id)}/roles`, "role") : [];
    users.push({ query: plain(query), id: user?.id, roleIds: roles.map(({ id }) => id) });
  }
  return users;
}

const consentOf = ({ userScopes, resourceScopes }) => ({
  userScopes,
  resourceScopes: resourceScopes.flatMap(({ scopes }) => scopes.map(({ id }) => id)),
});
