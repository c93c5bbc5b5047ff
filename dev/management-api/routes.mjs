// The calls and their responses: statuses, codes and shapes as recorded.

import { randomBytes } from "node:crypto";
import { problem } from "./problem.mjs";
import { newSecret } from "./secrets.mjs";

/** The user scopes. */
const USER_SCOPES = [
  "profile",
  "email",
  "phone",
  "address",
  "custom_data",
  "identities",
  "roles",
  "urn:logto:scope:organizations",
  "urn:logto:scope:organization_roles",
  "urn:logto:scope:sessions",
  "urn:logto:scope:trusted_devices",
];

const THIRD_PARTY_TYPES = ["Native", "SPA", "Traditional"];
const MAX_NAME_CHARACTERS = 256;

/** `({method, path, query, body}) => Promise<{status, body}>` */
export function createRouter({ applications, signIns, tenant }) {
  const routes = [
    ["GET", /^\/logs$/, ({ query }) => ok(page(signIns.find(logFilter(query)), query))],
    ["GET", /^\/applications$/, ({ query }) => ok(page(search(query), query))],
    ["POST", /^\/applications$/, create],
    ["GET", /^\/applications\/([^/]+)$/, ({ application }) => ok(application.record)],
    ["PATCH", /^\/applications\/([^/]+)$/, change],
    ["DELETE", /^\/applications\/([^/]+)$/, remove],
    ["PATCH", /^\/applications\/([^/]+)\/custom-data$/, mergeCustomData],
    ["GET", /^\/applications\/([^/]+)\/secrets$/, ({ application }) => ok(application.secrets)],
    ["POST", /^\/applications\/([^/]+)\/secrets$/, addSecret],
    ["DELETE", /^\/applications\/([^/]+)\/secrets\/([^/]+)$/, removeSecret],
    ["GET", /^\/applications\/([^/]+)\/user-consent-scopes$/, ({ application }) => ok(applications.consentOf(application))],
    ["POST", /^\/applications\/([^/]+)\/user-consent-scopes$/, addConsent],
    ["DELETE", /^\/applications\/([^/]+)\/user-consent-scopes\/(user-scopes|resource-scopes)\/([^/]+)$/, removeConsent],
    ["PUT", /^\/applications\/([^/]+)\/sign-in-experience$/, putBranding],
  ];

  return async function answer({ method, path, query, body }) {
    if (body === undefined) return problem(400, "request.invalid_input", "The request body is invalid.");
    const answered = tenant.answer({ method, path, query, body });
    if (answered !== undefined) return answered;
    for (const [wanted, pattern, respond] of routes) {
      const match = wanted === method && pattern.exec(path);
      if (!match) continue;
      const [id, ...rest] = match.slice(1).map(decodeURIComponent);
      const application = id === undefined ? undefined : applications.get(id);
      if (id !== undefined && application === undefined) return unknown(id);
      const result = await respond({ application, rest, query, body });
      if (application !== undefined && method !== "GET") await applications.publish(id);
      return result;
    }
    return problem(404, "entity.not_found", "The resource does not exist.");
  };

  function search(query) {
    const name = query.get("search.name")?.replaceAll("%", "").toLowerCase();
    return applications
      .all()
      .map(({ record }) => record)
      .filter((record) => name === undefined || record.name.toLowerCase().includes(name))
      .sort((one, other) => other.createdAt - one.createdAt);
  }

  async function create({ body }) {
    const { name, type, description = null, oidcClientMetadata, customClientMetadata = {}, customData = {}, isThirdParty = false } = body;
    const issue = nameIssue(name) ?? metadataIssue(oidcClientMetadata) ?? lifeIssue(customClientMetadata);
    if (issue) return invalid(issue);
    if (isThirdParty && !THIRD_PARTY_TYPES.includes(type)) {
      const message = "Only traditional web, single-page, and native applications can be marked as third-party apps.";
      return problem(400, "application.invalid_third_party_application_type", message);
    }
    if (isThirdParty && customClientMetadata.allowTokenExchange) return noExchange();
    const record = {
      tenantId: "default",
      id: newId(),
      name,
      description,
      type,
      oidcClientMetadata: oidcClientMetadata ?? { redirectUris: [], postLogoutRedirectUris: [] },
      customClientMetadata,
      protectedAppMetadata: null,
      customData,
      isThirdParty,
      appLevelAccessControlEnabled: false,
      createdAt: Date.now(),
    };
    await applications.add(record);
    return ok(record);
  }

  function change({ application: { record }, body }) {
    const { name, description, oidcClientMetadata, customData, customClientMetadata } = body;
    const issue = (name !== undefined && nameIssue(name)) || metadataIssue(oidcClientMetadata) || lifeIssue(customClientMetadata);
    if (issue) return invalid(issue);
    if (record.isThirdParty && customClientMetadata?.allowTokenExchange) return noExchange();
    // `type` is ignored without an error.
    for (const [member, value] of Object.entries({ name, description, oidcClientMetadata, customClientMetadata, customData })) {
      if (value !== undefined) record[member] = value;
    }
    return ok(record);
  }

  async function remove({ application }) {
    await applications.remove(application.record.id);
    return { status: 204 };
  }

  function mergeCustomData({ application: { record }, body }) {
    record.customData = { ...record.customData, ...body };
    return ok(record.customData);
  }

  function addSecret({ application: { record, secrets }, body: { name, expiresAt = null } }) {
    if (record.type !== "Traditional") return problem(422, "entity.db_constraint_violated", "Database constraint violated.");
    if (secrets.some((secret) => secret.name === name)) {
      return problem(422, "application.secret_name_exists", "Secret name already exists.");
    }
    if (expiresAt !== null && expiresAt <= Date.now()) {
      return problem(400, "request.invalid_input", "Input is invalid. The value of `expiresAt` must be in the future.");
    }
    const secret = { tenantId: "default", applicationId: record.id, name, value: newSecret(), createdAt: Date.now(), expiresAt };
    secrets.push(secret);
    return { status: 201, body: secret };
  }

  function removeSecret({ application, rest: [name] }) {
    const left = application.secrets.filter((secret) => secret.name !== name);
    if (left.length === application.secrets.length) return problem(404, "entity.not_found", "The resource does not exist.");
    application.secrets = left;
    return { status: 204 };
  }

  function addConsent({ application, body: { userScopes = [], resourceScopes = [] } }) {
    if (!application.record.isThirdParty) {
      return problem(422, "application.third_party_application_only", "The feature is only available for third-party applications.");
    }
    const badUserScope = userScopes.findIndex((name) => !USER_SCOPES.includes(name));
    if (badUserScope !== -1) {
      const issue = { received: userScopes[badUserScope], code: "invalid_enum_value", options: USER_SCOPES };
      return invalid({ ...issue, path: ["userScopes", badUserScope], message: "Invalid enum value." });
    }
    if (resourceScopes.includes("management-api-all")) {
      return problem(422, "application.consent_management_api_scopes_not_allowed", "Management API scopes are not allowed.");
    }
    const invalidResourceScopes = resourceScopes.filter((id) => applications.scope(id) === undefined);
    if (invalidResourceScopes.length > 0) {
      const data = { invalidOrganizationScopes: [], invalidResourceScopes, invalidOrganizationResourceScopes: [] };
      return problem(422, "application.user_consent_scopes_not_found", "Invalid user consent scopes.", { data });
    }
    application.userScopes = new Set([...application.userScopes, ...userScopes]);
    application.resourceScopes = new Set([...application.resourceScopes, ...resourceScopes]);
    return { status: 201, body: "Created" };
  }

  function removeConsent({ application, rest: [kind, name] }) {
    const scopes = kind === "user-scopes" ? application.userScopes : application.resourceScopes;
    return scopes.delete(name) ? { status: 204 } : problem(404, "entity.not_found", "The resource does not exist.");
  }

  function putBranding({ application, body }) {
    for (const member of ["termsOfUseUrl", "privacyPolicyUrl"]) {
      if (body[member] && !URL.canParse(body[member])) {
        return invalid({ validation: "url", code: "invalid_string", message: "Invalid url", path: [member] });
      }
    }
    const status = application.branding === undefined ? 201 : 200;
    application.branding = {
      tenantId: "default",
      applicationId: application.record.id,
      color: {},
      branding: body.branding ?? {},
      customCss: null,
      termsOfUseUrl: body.termsOfUseUrl ?? null,
      privacyPolicyUrl: body.privacyPolicyUrl ?? null,
      displayName: body.displayName ?? null,
    };
    return { status, body: application.branding };
  }
}

const ok = (body) => ({ status: 200, body });

const unknown = (id) =>
  problem(404, "entity.not_exists_with_id", `The applications with ID \`${id}\` does not exist.`);

// Times are in milliseconds since 1970.
function logFilter(query) {
  const time = (name) => (query.has(name) ? Number(query.get(name)) : undefined);
  const [applicationId, key] = [query.get("applicationId"), query.get("logKey")];
  return { applicationId, key, after: time("start_time"), until: time("end_time") };
}

function page(entries, query) {
  const number = Number(query.get("page") ?? 1);
  const size = Number(query.get("page_size") ?? 20);
  return entries.slice((number - 1) * size, number * size);
}

function invalid(issue) {
  const details = `Error in key path "${issue.path.join(".")}": (${issue.code}) ${issue.message}`;
  const body = { code: "guard.invalid_input", data: { issues: [issue], name: "ZodError" }, details, message: "The request body is invalid." };
  return { status: 400, body };
}

function nameIssue(name) {
  if (name === undefined) {
    return { code: "invalid_type", expected: "string", received: "undefined", path: ["name"], message: "Required" };
  }
  if (name.length > MAX_NAME_CHARACTERS) {
    const message = `String must contain at most ${MAX_NAME_CHARACTERS} character(s)`;
    return { code: "too_big", maximum: MAX_NAME_CHARACTERS, type: "string", inclusive: true, exact: false, message, path: ["name"] };
  }
  return undefined;
}

// A redirect URI must only be some URL. One that the engine cannot use makes the application unusable.
// Days, 1 to 180.
function lifeIssue({ refreshTokenTtlInDays: days } = {}) {
  if (days === undefined || (Number.isInteger(days) && days >= 1 && days <= 180)) return undefined;
  return { code: "custom", message: "Invalid input", path: ["customClientMetadata", "refreshTokenTtlInDays"] };
}

const noExchange = () =>
  problem(422, "application.third_party_application_cannot_enable_token_exchange", "Third-party applications are not allowed to enable token exchange.");

function metadataIssue(metadata) {
  if (metadata === undefined) return undefined;
  for (const member of ["redirectUris", "postLogoutRedirectUris"]) {
    const path = ["oidcClientMetadata", member];
    if (!Array.isArray(metadata[member])) {
      return { code: "invalid_type", expected: "array", received: "undefined", path, message: "Required" };
    }
    const bad = metadata[member].findIndex((uri) => !isStorable(uri));
    if (bad !== -1) return { code: "custom", message: "Invalid input", path: [...path, bad] };
  }
  return undefined;
}

function isStorable(uri) {
  return URL.canParse(uri) && !/^https?:\/\/\*\//.test(uri) && !uri.includes("/../");
}

const ALPHABET = "0123456789abcdefghijklmnopqrstuvwxyz";

function newId() {
  return [...randomBytes(21)].map((byte) => ALPHABET[byte % ALPHABET.length]).join("");
}
