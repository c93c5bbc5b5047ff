// The part of a tenant that `make logto` sets up: API resources with permissions, roles, users, the custom-claims script,
// and client ID metadata documents. Statuses and bodies are Logto's; tokens of the identity provider do not depend on it.

import { randomBytes } from "node:crypto";
import { LOCAL_ACCOUNTS } from "../identity-provider/index.mjs";
import { problem } from "./problem.mjs";

const MANAGEMENT_SCOPE = "management-api-all";
const CUSTOMIZER_KEYS = { "access-token": "jwt.accessToken", "client-credentials": "jwt.clientCredentials" };

/**
 * @param {object} parts
 * @param {ReturnType<typeof import("./applications.mjs").createApplications>} parts.applications
 * @param {string} parts.managementResource
 * @returns {{answer: (call: object) => {status: number, body?: any, headers?: object} | undefined, state: object}}
 *   `answer` returns undefined for calls that are not about these parts
 */
export function createTenant({ applications, managementResource }) {
  const state = {
    resources: applications.resources,
    roles: [role({ id: "management-role", name: "Logto Management API access", type: "MachineToMachine", scopeIds: [MANAGEMENT_SCOPE] })],
    applicationRoles: new Map(),
    users: LOCAL_ACCOUNTS.map(({ sub, username, email, name }) => ({ id: sub, username, primaryEmail: email, name, roleIds: [] })),
    customizers: {},
    cimd: { enabled: false, userScopes: new Set(), resourceScopes: new Set() },
  };
  const management = {
    tenantId: "default",
    id: "management-api",
    name: "Logto Management API",
    indicator: managementResource,
    isDefault: false,
    accessTokenTtl: 3600,
    scopes: [{ id: MANAGEMENT_SCOPE, resourceId: "management-api", name: "all", description: "Administer the tenant" }],
  };

  const routes = [
    ["GET", /^\/resources$/, ({ query }) => list([management, ...state.resources], query)],
    ["POST", /^\/resources$/, createResource],
    ["GET", /^\/resources\/([^/]+)\/scopes$/, listScopes],
    ["POST", /^\/resources\/([^/]+)\/scopes$/, createScope],
    ["PATCH", /^\/resources\/([^/]+)\/scopes\/([^/]+)$/, changeScope],
    ["GET", /^\/roles$/, ({ query }) => list(state.roles.map(shownRole), query)],
    ["POST", /^\/roles$/, createRole],
    ["PATCH", /^\/roles\/([^/]+)$/, changeRole],
    ["GET", /^\/roles\/([^/]+)\/scopes$/, ({ ids: [id], query }) => withRole(id, ({ scopeIds }) => list(scopeIds.map(scopeWithResource), query))],
    ["POST", /^\/roles\/([^/]+)\/scopes$/, addScopes],
    ["GET", /^\/applications\/([^/]+)\/roles$/, applicationRoles],
    ["POST", /^\/applications\/([^/]+)\/roles$/, addApplicationRoles],
    ["GET", /^\/users$/, findUsers],
    ["GET", /^\/users\/([^/]+)\/roles$/, ({ ids: [id], query }) => withUser(id, ({ roleIds }) => list(roleIds.map(roleById).map(shownRole), query))],
    ["POST", /^\/users\/([^/]+)\/roles$/, addUserRoles],
    ["GET", /^\/configs\/jwt-customizer$/, () => ok(Object.entries(state.customizers).map(([key, value]) => ({ key, value })))],
    ["PUT", /^\/configs\/jwt-customizer\/([\w-]+)$/, putCustomizer],
    ["PATCH", /^\/configs\/jwt-customizer\/([\w-]+)$/, changeCustomizer],
    ["GET", /^\/configs\/cimd$/, () => ok({ enabled: state.cimd.enabled })],
    ["PATCH", /^\/configs\/cimd$/, ({ body }) => ok({ enabled: (state.cimd.enabled = body.enabled ?? state.cimd.enabled) })],
    ["GET", /^\/cimd\/user-consent-scopes$/, () => ok(applications.consentOf(state.cimd))],
    ["POST", /^\/cimd\/user-consent-scopes$/, addCeiling],
  ];

  return {
    state,
    answer({ method, path, query, body }) {
      for (const [wanted, pattern, respond] of routes) {
        const match = wanted === method && pattern.exec(path);
        if (match) return respond({ ids: match.slice(1).map(decodeURIComponent), query, body });
      }
      return undefined;
    },
  };

  function createResource({ body: { name, indicator, accessTokenTtl = 3600 } }) {
    if ([management, ...state.resources].some((resource) => resource.indicator === indicator)) {
      return problem(422, "resource.resource_identifier_in_use", `The API identifier ${indicator} is already in use`);
    }
    const resource = { tenantId: "default", id: newId(), name, indicator, isDefault: false, accessTokenTtl, scopes: [] };
    state.resources.push(resource);
    return { status: 201, body: resource };
  }

  function listScopes({ ids: [resourceId], query }) {
    const resource = [management, ...state.resources].find(({ id }) => id === resourceId);
    return resource === undefined ? unknown("resources", resourceId) : list(resource.scopes, query);
  }

  function createScope({ ids: [resourceId], body: { name, description } }) {
    const resource = state.resources.find(({ id }) => id === resourceId);
    if (resource === undefined) return unknown("resources", resourceId);
    if (/\s/.test(name)) return problem(400, "scope.name_with_space", "The name of the scope cannot contain any spaces.");
    if (resource.scopes.some((scope) => scope.name === name)) return problem(422, "scope.name_exists", `The scope name ${name} is already in use`);
    const scope = { tenantId: "default", id: newId(), resourceId, name, description, createdAt: Date.now() };
    resource.scopes.push(scope);
    applications.addScope(resource, scope);
    return { status: 201, body: scope };
  }

  function changeScope({ ids: [resourceId, scopeId], body: { description } }) {
    const scope = state.resources.find(({ id }) => id === resourceId)?.scopes.find(({ id }) => id === scopeId);
    if (scope === undefined) return unknown("scopes", scopeId);
    scope.description = description ?? scope.description;
    return ok(scope);
  }

  function createRole({ body: { name, description, type = "User", isDefault = false, scopeIds = [] } }) {
    if (state.roles.some((existing) => existing.name === name)) return problem(422, "role.name_in_use", `This role name ${name} is already in use`);
    const created = role({ id: newId(), name, description, type, isDefault, scopeIds });
    state.roles.push(created);
    return ok(withoutScopes(created));
  }

  function changeRole({ ids: [id], body: { name, description, isDefault } }) {
    return withRole(id, (changed) => {
      const members = Object.entries({ name, description, isDefault }).filter(([, value]) => value !== undefined);
      return ok(withoutScopes(Object.assign(changed, Object.fromEntries(members))));
    });
  }

  function addScopes({ ids: [id], body: { scopeIds } }) {
    return withRole(id, (changed) => {
      if (scopeIds.some((scopeId) => changed.scopeIds.includes(scopeId))) return problem(422, "role.scope_exists", "The scope has already been added to this role");
      changed.scopeIds.push(...scopeIds);
      return { status: 201, body: changed.scopeIds.map(scopeWithResource) };
    });
  }

  function applicationRoles({ ids: [id], query }) {
    return list((state.applicationRoles.get(id) ?? []).map(roleById).map(shownRole), query);
  }

  function addApplicationRoles({ ids: [id], body: { roleIds } }) {
    if (applications.get(id)?.record.type !== "MachineToMachine") return problem(422, "application.invalid_type", "Only machine to machine applications can have associated roles.");
    state.applicationRoles.set(id, [...new Set([...(state.applicationRoles.get(id) ?? []), ...roleIds])]);
    return { status: 201, body: { roleIds, addedRoleIds: roleIds } };
  }

  function findUsers({ query }) {
    const member = query.has("search.primaryEmail") ? "primaryEmail" : "username";
    const text = query.get(`search.${member}`)?.toLowerCase();
    const found = state.users.filter((user) => text === undefined || user[member]?.toLowerCase() === text);
    return list(found.map(({ roleIds: _roleIds, ...user }) => user), query);
  }

  function addUserRoles({ ids: [id], body: { roleIds } }) {
    return withUser(id, (user) => {
      const addedRoleIds = roleIds.filter((roleId) => !user.roleIds.includes(roleId));
      user.roleIds.push(...addedRoleIds);
      return { status: 201, body: { roleIds, addedRoleIds } };
    });
  }

  function putCustomizer({ ids: [kind], body }) {
    const status = state.customizers[CUSTOMIZER_KEYS[kind]] === undefined ? 201 : 200;
    state.customizers[CUSTOMIZER_KEYS[kind]] = body;
    return { status, body };
  }

  function changeCustomizer({ ids: [kind], body }) {
    const stored = state.customizers[CUSTOMIZER_KEYS[kind]];
    return stored === undefined ? problem(404, "entity.not_exists", "The config does not exist.") : ok(Object.assign(stored, body));
  }

  function addCeiling({ body: { userScopes = [], resourceScopes = [] } }) {
    const invalidResourceScopes = resourceScopes.filter((id) => applications.scope(id) === undefined);
    if (invalidResourceScopes.length > 0) {
      return problem(422, "application.user_consent_scopes_not_found", "Invalid user consent scopes.", { data: { invalidResourceScopes } });
    }
    userScopes.forEach((name) => state.cimd.userScopes.add(name));
    resourceScopes.forEach((id) => state.cimd.resourceScopes.add(id));
    return { status: 201, body: "Created" };
  }

  function withRole(id, respond) {
    const found = roleById(id);
    return found === undefined ? unknown("roles", id) : respond(found);
  }

  function withUser(id, respond) {
    const user = state.users.find((candidate) => candidate.id === id);
    return user === undefined ? unknown("users", id) : respond(user);
  }

  function roleById(id) {
    return state.roles.find((candidate) => candidate.id === id);
  }

  function scopeWithResource(id) {
    const resource = [management, ...state.resources].find(({ scopes }) => scopes.some((scope) => scope.id === id));
    return { ...resource?.scopes.find((scope) => scope.id === id), resource };
  }
}

const ok = (body) => ({ status: 200, body });

const unknown = (kind, id) => problem(404, "entity.not_exists_with_id", `The ${kind} with ID \`${id}\` does not exist.`);

const role = ({ isDefault = false, description = "", ...more }) => ({ tenantId: "default", description, isDefault, ...more });

const withoutScopes = ({ scopeIds: _scopeIds, ...shown }) => shown;

const shownRole = (shown) => ({ ...withoutScopes(shown), usersCount: 0, featuredUsers: [], applicationsCount: 0, featuredApplications: [] });

function list(entries, query) {
  if (!query.has("page") && !query.has("page_size")) return ok(entries);
  const [number, size] = [Number(query.get("page") ?? 1), Number(query.get("page_size") ?? 20)];
  const body = entries.slice((number - 1) * size, number * size);
  return { status: 200, body, headers: { "total-number": String(entries.length) } };
}

const newId = () => randomBytes(11).toString("hex").slice(0, 21);
