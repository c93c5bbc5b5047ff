// Steps for settings in wrangler.toml.

import { applicationRef } from "./plan-applications.mjs";
import { plain, Problem } from "./problem.mjs";
import { isUserScope, parseScopes } from "./scopes.mjs";
import { change, create, keep, leave, ref } from "./steps.mjs";
import { DEVELOPER_SCOPE } from "./wanted.mjs";
import { readSettings, setSettings } from "./wrangler-file.mjs";

const DEFAULT_CLAIMS = "whoami:read=username,name,email,email_verified,picture";
const DEFAULT_SCOPE = "whoami:read";

/** What Logto's personal access tokens begin with. */
const DEFAULT_PAT_PREFIX = "pat_";

/**
 * The settings of the Worker that do not depend on what is made at Logto.
 * @param {Record<string, string>} settings  those that are set
 */
export function baseSettings(settings, { issuer, resource }) {
  return {
    PROVIDER: "logto",
    ISSUER: issuer,
    RESOURCE: resource,
    // What the operator has chosen, empty included, stays.
    REQUIRED_SCOPES: settings.REQUIRED_SCOPES ?? DEFAULT_SCOPE,
    CLAIM_SCOPES: settings.CLAIM_SCOPES ?? DEFAULT_CLAIMS,
  };
}

/** Days that Logto keeps an unused refresh token of the vault: as long as the longest key lives by default. */
const REFRESH_DAYS = "90";

/** The limit of Logto. */
const MOST_REFRESH_DAYS = 180;

/** What the vault must know as the endpoint does, if that has it: without it they read tokens differently. */
const SHARED = ["SCOPE_PREFIX", "SCOPE_HIERARCHY"];

/**
 * The settings of the vault, likewise.
 * @param {Record<string, string>} endpointSettings  with those that will be written
 * @param {Record<string, string>} settings
 * @throws {Problem} if refresh tokens of Logto cannot live as long
 */
export function vaultSettings(endpointSettings, settings) {
  const { PROVIDER, ISSUER, RESOURCE, REQUIRED_SCOPES } = endpointSettings;
  const shared = SHARED.filter((name) => endpointSettings[name]).map((name) => [name, endpointSettings[name]]);
  const days = settings.REFRESH_DAYS || REFRESH_DAYS;
  if (!/^[1-9]\d{0,2}$/.test(days) || Number(days) > MOST_REFRESH_DAYS) {
    throw new Problem(`REFRESH_DAYS = "${plain(days)}" in vault/wrangler.toml is nothing that Logto allows`, { fix: `Set it to 1 to ${MOST_REFRESH_DAYS}.` });
  }
  return { PROVIDER, ISSUER, RESOURCE, REQUIRED_SCOPES, ...Object.fromEntries(shared), REFRESH_DAYS: days };
}

/**
 * The settings about personal access tokens of the Worker that exchanges them.
 * @param {Record<string, string>} settings  of that Worker
 * @param {import("./scopes.mjs").Permission[]} permissions  of the server
 */
export function exchangeSettings({ PAT_PREFIX, PAT_SCOPES, REQUIRED_SCOPES = "" }, permissions) {
  const required = parseScopes(REQUIRED_SCOPES).filter((name) => !isUserScope(name));
  const scopes = required.length > 0 ? required : permissions.map(({ name }) => name);
  return { PAT_PREFIX: PAT_PREFIX || DEFAULT_PAT_PREFIX, PAT_SCOPES: PAT_SCOPES || scopes.join(" ") };
}

/** The settings of the registrar, likewise. */
export function registrarSettings({ endpoint, issuer, resource, managementResource, origin, settings }) {
  const isCloud = managementResource === `${endpoint}/api`;
  return {
    ISSUER: issuer,
    RESOURCE: `${origin}/register`,
    MANAGEMENT_API: `${endpoint}/api`,
    ...(!isCloud && { MANAGEMENT_RESOURCE: managementResource }),
    MCP_RESOURCE: resource,
    REQUIRED_SCOPES: settings.REQUIRED_SCOPES || DEVELOPER_SCOPE,
  };
}

/**
 * The settings whose value is the id of an application: name → reference. An id that is a secret is none of them.
 * @param {import("./wanted.mjs").WantedApplication[]} applications  of one Worker
 * @param {Record<string, string>} settings
 */
export function idsInSettings(applications, settings) {
  const isVariable = ({ setting, isSecretId }) => setting !== undefined && (!isSecretId || Object.hasOwn(settings, setting));
  return Object.fromEntries(applications.filter(isVariable).map(({ setting, use }) => [setting, applicationRef(use)]));
}

/**
 * The steps for the settings of one file; those that change it have `setting`, for `settingsOf`.
 * @param {string} file  its name, for the operator
 * @param {string} text
 * @param {Record<string, string>} values
 * @param {Record<string, string>} later  of `idsInSettings`
 * @param {import("./plan.mjs").Plan} plan  of the tenant
 */
export function planSettings(file, text, values, later, { steps, ids }) {
  const settings = readSettings(text, file);
  const given = new Set(steps.flatMap(({ calls }) => calls.map(({ gives }) => gives)));
  const known = Object.entries(values).map(([name, value]) => planSetting(file, text, settings[name], name, value));
  const unknown = Object.entries(later).map(([name, reference]) => {
    if (ids[reference] !== undefined) return planSetting(file, text, settings[name], name, ids[reference]);
    if (!given.has(reference)) return leave(`${file}: ${name}`, "its application was left alone", { isIncomplete: true });
    return planSetting(file, text, settings[name], name, ref(reference));
  });
  return [...known, ...unknown, ...warnings(file, { ...settings, ...values })];
}

function planSetting(file, text, from, name, value) {
  const subject = `${file}: ${name}`;
  if (from === value) return keep(subject, [`= ${value}`]);
  const to = typeof value === "string" ? value : "the id of the new application";
  try {
    setSettings(text, { [name]: to }, file);
  } catch (problem) {
    return leave(subject, `${problem.message}. ${problem.fix}`, { isIncomplete: true });
  }
  const step = from ? change(subject, [`${from} → ${to}`], []) : create(subject, [], [`= ${to}`]);
  return { ...step, setting: { name, value } };
}

function warnings(file, { REQUIRED_SCOPES, OPAQUE_TOKEN_CLIENTS }) {
  const subject = `${file}: REQUIRED_SCOPES`;
  if (REQUIRED_SCOPES === "") return [leave(subject, "you have set it to nothing: every client of the tenant is accepted")];
  return parseScopes(REQUIRED_SCOPES)
    .filter(isUserScope)
    .map((name) =>
      leave(`${subject}: ${name}`, "Logto's JWTs carry permissions of API resources only, so that with it every JWT is refused. Remove it; applications may ask for user data with --user-scopes", {
        isIncomplete: !OPAQUE_TOKEN_CLIENTS,
      }),
    );
}

/** The values that steps set, as far as they are known. @param {Record<string, string>} ids */
export function settingsOf(steps, ids) {
  const set = steps.filter(({ setting }) => setting !== undefined).map(({ setting: { name, value } }) => [name, typeof value === "string" ? value : ids[value.ref]]);
  return Object.fromEntries(set.filter(([, value]) => value !== undefined));
}
