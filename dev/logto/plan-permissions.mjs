// Steps for API resources with their permissions, user roles, and users who get a role.

import { change, create, keep, leave, ref } from "./steps.mjs";

const INCOMPLETE = { isIncomplete: true };

/** The reference of a permission's id. */
export const permissionRef = (api, name) => `${api}/${name}`;

/** Steps for an API resource and its permissions. */
export function planApi({ resources }, wanted, { key, indicator, name, permissions }, ids) {
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
  return [step, ...similar, ...permissions.map((permission) => planPermission(scopes, wanted, key, permission, ids)), ...unknown];
}

function isSimilar(one, other) {
  const reduce = (text) => text.toLowerCase().replace(/\/+$/, "");
  return reduce(one) === reduce(other);
}

function planPermission(scopes, wanted, api, { name, description, origin }, ids) {
  const subject = `Permission ${name}`;
  const existing = scopes.find((scope) => scope.name === name);
  if (existing === undefined) {
    const text = description ?? `Use ${name}`;
    const call = { method: "POST", path: ["resources", ref(api), "scopes"], body: { name, description: text }, gives: permissionRef(api, name) };
    const hint = description === undefined ? [`users read "${text}" when they consent; choose a better text with --scope "${name}=…"`] : [`description: ${text}`];
    return create(subject, [call], hint);
  }
  ids[permissionRef(api, name)] = existing.id;
  const from = existing.description || undefined;
  if (from === description || description === undefined) return keep(subject, [`description: ${from ?? "none"}`]);
  const isWanted = from === undefined || origin === "flag" || (origin === "source" && wanted.descriptions);
  if (!isWanted) {
    // Nobody knows whether the text in the console was edited, or the one in the source.
    if (origin === "source") return leave(subject, `its description at Logto, "${from}", is not the one in the source, "${description}", and may have been edited in the console; --descriptions writes the latter`);
    return keep(subject, [`description: ${from}`]);
  }
  const path = ["resources", ref(api), "scopes", ref(permissionRef(api, name))];
  return change(subject, [`description: ${from ?? "none"} → ${description}`], [{ method: "PATCH", path, body: { description }, expectDescription: from ?? "" }]);
}

/**
 * The wanted role, with what there is of it: `existing`, `evidence` if this program may not have made it, or `problem`.
 *
 * A role of another name serves as well, if it gives exactly the permissions that the API shall have, and they all exist:
 * with more, users who get it would get more than this server; with fewer, those who have it would get more than now.
 */
export function findRole({ roles, resources }, { apis }, role) {
  const existing = roles.find(({ name }) => name === role.name);
  if (existing !== undefined) return { ...role, existing, problem: existing.type === "User" ? undefined : "it is a role for machines; choose another name with --role" };
  const { indicator, permissions } = apis.find(({ key }) => key === role.api);
  const scopes = resources.find((resource) => resource.indicator === indicator)?.scopes ?? [];
  const needed = permissions.map(({ name }) => scopes.find((scope) => scope.name === name)?.id);
  const isAlike = ({ type, scopeIds }) => type === "User" && scopeIds.length === needed.length && needed.every((id) => scopeIds.includes(id));
  const alike = role.isNamed || needed.length === 0 || needed.includes(undefined) ? [] : roles.filter(isAlike);
  if (alike.length > 1) return { ...role, problem: `several roles have exactly this server's permissions: ${alike.map(({ name }) => `"${name}"`).join(", ")}; choose one with --role` };
  return alike.length === 0 ? role : { ...role, name: alike[0].name, existing: alike[0], evidence: "known by its permissions, which are exactly this server's" };
}

/** Steps for a user role with all permissions of an API. */
export function planRole({ resources }, { apis }, { key, api, name, description, isDefault, existing, evidence, problem }, ids) {
  const subject = `User role "${name}"`;
  const reference = `role/${key}`;
  if (problem !== undefined) return [leave(subject, problem, INCOMPLETE)];
  const { permissions, indicator } = apis.find((each) => each.key === api);
  if (existing === undefined) {
    const scopeIds = permissions.map((permission) => ref(permissionRef(api, permission.name)));
    const body = { name, description, type: "User", isDefault, scopeIds };
    const details = [`permissions: ${permissions.map((permission) => permission.name).join(" ")}`];
    if (isDefault) details.push("default role: every user who registers from now on gets it");
    return [create(subject, [{ method: "POST", path: ["roles"], body, gives: reference }], details)];
  }
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
  if (evidence !== undefined) steps.unshift(keep(subject, [evidence]));
  else if (steps.length === 0) steps.push(keep(subject, existing.isDefault ? ["default role"] : []));
  for (const scope of more) steps.push(leave(`${subject}, permission ${scope.name}`, "it is more than this server needs, and nothing is deleted"));
  return steps;
}

/** Steps for the users who get a role. */
export function planUsers({ users }, { key, name, problem }, ids) {
  const reference = `role/${key}`;
  return users.map(({ query, id, roleIds }) => {
    const subject = `User ${query}`;
    if (id === undefined) return leave(subject, "there is no user with this name or e-mail address", INCOMPLETE);
    if (problem !== undefined) return leave(subject, "the role cannot be used", INCOMPLETE);
    if (ids[reference] !== undefined && roleIds.includes(ids[reference])) return keep(subject, [`role: ${name}`]);
    return change(subject, [`role: none → ${name}`], [{ method: "POST", path: ["users", id, "roles"], body: { roleIds: [ref(reference)] } }]);
  });
}
