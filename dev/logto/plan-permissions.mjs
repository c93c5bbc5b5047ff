// Steps for API resources with their permissions, user roles, and users who get a role.

import { change, create, keep, leave, ref } from "./steps.mjs";

const INCOMPLETE = { isIncomplete: true };

/** The reference of a permission's id. */
export const permissionRef = (api, name) => `${api}/${name}`;

/** Steps for an API resource and its permissions. */
export function planApi({ resources }, { key, indicator, name, permissions }, ids) {
  const subject = `API resource ${indicator}`;
  const existing = resources.find((resource) => resource.indicator === indicator);
  const similar = resources
    .filter((resource) => resource.indicator !== indicator && isSimilar(resource.indicator, indicator))
    .map((resource) =>
      leave(`API resource ${resource.indicator}`, `it differs from ${indicator} by case or a slash: Logto compares byte for byte, and cannot change an identifier. Delete it in the console if it was meant to be this one`),
    );
  if (existing !== undefined) ids[key] = existing.id;
  const step =
    existing === undefined
      ? create(subject, [{ method: "POST", path: ["resources"], body: { name, indicator }, gives: key }], [`name: ${name}`])
      : keep(subject);
  const scopes = existing?.scopes ?? [];
  const unknown = scopes
    .filter((scope) => !permissions.some((permission) => permission.name === scope.name))
    .map((scope) => leave(`Permission ${scope.name}`, "no tool of this server is known to need it, and nothing is deleted"));
  return [step, ...similar, ...permissions.map((permission) => planPermission(scopes, key, permission, ids)), ...unknown];
}

function isSimilar(one, other) {
  const reduce = (text) => text.toLowerCase().replace(/\/+$/, "");
  return reduce(one) === reduce(other);
}

function planPermission(scopes, api, { name, description, isExplicit }, ids) {
  const subject = `Permission ${name}`;
  const existing = scopes.find((scope) => scope.name === name);
  if (existing === undefined) {
    const text = description ?? `Use ${name}`;
    const call = { method: "POST", path: ["resources", ref(api), "scopes"], body: { name, description: text }, gives: permissionRef(api, name) };
    const hint = description === undefined ? [`users read "${text}" when they consent; choose a better text with --scope "${name}=…"`] : [`description: ${text}`];
    return create(subject, [call], hint);
  }
  ids[permissionRef(api, name)] = existing.id;
  const isMissing = !existing.description && description !== undefined;
  if (existing.description === description || (!isExplicit && !isMissing)) return keep(subject, [`description: ${existing.description ?? "none"}`]);
  const details = [`description: ${existing.description || "none"} → ${description}`];
  return change(subject, details, [{ method: "PATCH", path: ["resources", ref(api), "scopes", ref(permissionRef(api, name))], body: { description } }]);
}

/** Steps for a user role with all permissions of an API. */
export function planRole({ roles, resources }, { apis }, { key, api, name, description, isDefault }, ids) {
  const subject = `User role "${name}"`;
  const reference = `role/${key}`;
  const { permissions, indicator } = apis.find((each) => each.key === api);
  const references = permissions.map((permission) => permissionRef(api, permission.name));
  const existing = roles.find((role) => role.name === name);
  if (existing === undefined) {
    const body = { name, description, type: "User", isDefault, scopeIds: references.map(ref) };
    const details = [`permissions: ${permissions.map((permission) => permission.name).join(" ")}`];
    if (isDefault) details.push("default role: every user who registers from now on gets it");
    return [create(subject, [{ method: "POST", path: ["roles"], body, gives: reference }], details)];
  }
  if (existing.type !== "User") return [leave(subject, "it is a role for machines; choose another name with --role", INCOMPLETE)];
  ids[reference] = existing.id;
  const missing = permissions.filter((permission) => !existing.scopeIds.includes(ids[permissionRef(api, permission.name)]));
  const own = resources.find((resource) => resource.indicator === indicator)?.scopes ?? [];
  const more = own.filter((scope) => existing.scopeIds.includes(scope.id) && !permissions.some((permission) => permission.name === scope.name));
  const steps = [];
  if (missing.length > 0) {
    const scopeIds = missing.map((permission) => ref(permissionRef(api, permission.name)));
    const details = missing.map((permission) => `permission: none → ${permission.name}`);
    steps.push(change(subject, details, [{ method: "POST", path: ["roles", ref(reference), "scopes"], body: { scopeIds } }]));
  }
  if (isDefault && !existing.isDefault) {
    const details = ["default role: no → yes, every user who registers from now on gets it"];
    steps.push(change(subject, details, [{ method: "PATCH", path: ["roles", ref(reference)], body: { isDefault: true } }]));
  }
  if (steps.length === 0) steps.push(keep(subject, existing.isDefault ? ["default role"] : []));
  for (const scope of more) steps.push(leave(`${subject}, permission ${scope.name}`, "it is more than this server needs, and nothing is deleted"));
  return steps;
}

/** Steps for the users who get the first role. */
export function planUsers({ users, roles }, { roles: [role] }, ids) {
  const reference = `role/${role.key}`;
  return users.map(({ query, id, roleIds }) => {
    const subject = `User ${query}`;
    if (id === undefined) return leave(subject, "there is no user with this name or e-mail address", INCOMPLETE);
    if (ids[reference] === undefined && roles.some(({ name }) => name === role.name)) return leave(subject, "the role cannot be used", INCOMPLETE);
    if (ids[reference] !== undefined && roleIds.includes(ids[reference])) return keep(subject, [`role: ${role.name}`]);
    return change(subject, [`role: none → ${role.name}`], [{ method: "POST", path: ["users", id, "roles"], body: { roleIds: [ref(reference)] } }]);
  });
}
