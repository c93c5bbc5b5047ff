// Steps for settings in wrangler.toml.

import { applicationRef } from "./plan-applications.mjs";
import { change, create, keep, leave } from "./steps.mjs";
import { readSettings, setSettings } from "./wrangler-toml.mjs";

const DEFAULT_CLAIMS = "whoami:read=username,name,email,email_verified,picture";
const DEFAULT_SCOPE = "whoami:read";

/**
 * The settings of the Worker that do not depend on what is made at Logto.
 * @param {Record<string, string>} settings  those that are set
 * @param {string} text  of wrangler.toml
 */
export function baseSettings(settings, text, { issuer, resource }) {
  return {
    // A version of the library that has profiles of providers shows them in its wrangler.toml.
    ...(/^#?\s?PROVIDER\s*=/m.test(text) && { PROVIDER: "logto" }),
    ISSUER: issuer,
    RESOURCE: resource,
    // What the operator has chosen, empty included, stays.
    REQUIRED_SCOPES: settings.REQUIRED_SCOPES ?? DEFAULT_SCOPE,
    CLAIM_SCOPES: settings.CLAIM_SCOPES ?? DEFAULT_CLAIMS,
  };
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
    REQUIRED_SCOPES: settings.REQUIRED_SCOPES || "apps:write",
  };
}

/**
 * The steps that `setSettings` will do.
 * @param {string} file  its name, for the operator
 * @param {string} text
 * @param {Record<string, string>} values
 * @param {Record<string, string>} later  settings whose value is the id of an application: name → reference
 * @param {import("./plan.mjs").Plan} plan  of the tenant
 */
export function planSettings(file, text, values, later, { steps, ids }) {
  const settings = readSettings(text);
  const given = new Set(steps.flatMap(({ calls }) => calls.map(({ gives }) => gives)));
  const known = Object.entries(values).map(([name, value]) => planSetting(file, text, settings[name], name, value));
  const unknown = Object.entries(later).map(([name, reference]) => {
    if (ids[reference] !== undefined) return planSetting(file, text, settings[name], name, ids[reference]);
    if (!given.has(reference)) return leave(`${file}: ${name}`, "its application was left alone");
    return planned(file, name, settings[name], "the id of the new application");
  });
  const warnings = settings.REQUIRED_SCOPES === "" ? [leave(`${file}: REQUIRED_SCOPES`, "you have set it to nothing: every client of the tenant is accepted")] : [];
  return [...known, ...unknown, ...warnings];
}

function planSetting(file, text, from, name, value) {
  if (from === value) return keep(`${file}: ${name}`, [`= ${value}`]);
  try {
    setSettings(text, { [name]: value });
  } catch (problem) {
    return leave(`${file}: ${name}`, `${problem.message}. ${problem.fix}`);
  }
  return planned(file, name, from, value);
}

const planned = (file, name, from, to) =>
  from ? change(`${file}: ${name}`, [`${from} → ${to}`], []) : create(`${file}: ${name}`, [], [`= ${to}`]);

/** Which settings are ids of applications. */
export const idsInSettings = ({ applications }) =>
  Object.fromEntries(applications.filter(({ use }) => use === "playground").map(({ use }) => ["PLAYGROUND_CLIENT_ID", applicationRef(use)]));

/** Sets all values that can be set, and returns the text with the names of those that were set. */
export function applySettings(text, values) {
  const set = [];
  for (const [name, value] of Object.entries(values)) {
    if (value === undefined) continue;
    try {
      const changed = setSettings(text, { [name]: value });
      if (changed !== text) set.push(name);
      text = changed;
    } catch (problem) {
      if (problem.isFatal !== false) throw problem;
    }
  }
  return { text, set };
}
