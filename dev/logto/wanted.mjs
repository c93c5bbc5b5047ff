// What a tenant should have for this server, as plain data.

import { createHash } from "node:crypto";
import { isUserScope, parseClaimScopes, parseScopes, permissionsOf, withImplied } from "./scopes.mjs";

/** What developers need at the registrar by default. */
export const DEVELOPER_SCOPE = "apps:write";

/** Limit of Logto for the name of a role. */
const MAX_ROLE_NAME = 128;

/**
 * @typedef {object} WantedApi
 * @property {string} key  names the resource in the plan
 * @property {string} indicator
 * @property {string} name
 * @property {import("./scopes.mjs").Permission[]} permissions
 *
 * @typedef {object} WantedApplication
 * @property {"playground" | "whoami" | "introspection" | "vault" | "exchange" | "registrar" | "portal"} use
 * @property {string} resource  indicator of the API that it is for
 * @property {string} name
 * @property {string} type
 * @property {boolean} isThirdParty
 * @property {string} [redirectUri]
 * @property {string} [signOutUri]
 * @property {string[]} [userScopes]  user data that it asks for itself
 * @property {Record<string, unknown>} [metadata]  of its `customClientMetadata`, what it cannot do without
 * @property {"worker" | "vault" | "registrar"} worker  which of them uses it
 * @property {string} [setting]  whose value is its id
 * @property {boolean} [isSecretId]  whether the id is a secret by default, not a setting
 * @property {string} [knownId]  the value of the setting
 * @property {boolean} [isKnownByUri]  whether nothing else has its redirect URI
 * @property {boolean} [hasSecrets]  whether a Worker needs its secret
 *
 * @typedef {object} Wanted
 * @property {WantedApi[]} apis
 * @property {{key: string, api: string, name: string, isNamed: boolean, description: string, isDefault: boolean}[]} roles
 *   `isNamed`: by the operator
 * @property {string[]} users  who get the first role
 * @property {{resource: string, scopes: Record<string, string[]>}} claims  what tokens for the resource disclose: scope → claims
 * @property {WantedApplication[]} applications
 * @property {boolean} descriptions  whether those of the source replace those at Logto
 * @property {string[]} userScopes
 * @property {boolean} cimd
 * @property {string} [registrar]  origin
 * @property {string} managementResource
 *
 * @param {object} from
 * @param {string} from.resource
 * @param {object} from.options  of `readOptions`
 * @param {Record<string, string>} from.settings  of wrangler.toml, with those that will be written
 * @param {Record<string, string>} [from.vaultSettings]  likewise
 * @param {Record<string, string>} [from.registrarSettings]  likewise
 * @param {WantedApi["permissions"]} from.permissions
 * @param {string} from.managementResource
 * @returns {Wanted}
 */
export function wantedFrom({ resource, options, settings, vaultSettings = {}, registrarSettings = {}, permissions, managementResource }) {
  const claims = withImplied(parseClaimScopes(settings.CLAIM_SCOPES ?? ""), settings.SCOPE_HIERARCHY);
  const { registrar } = options;
  const registration = registrar && `${registrar}/register`;
  return {
    apis: [
      { key: "api", indicator: resource, name: settings.RESOURCE_NAME || `MCP server ${new URL(resource).host}`, permissions },
      ...(registrar ? [{ key: "registration", indicator: registration, name: "Registration of agents", permissions: developerPermissions(registrarSettings) }] : []),
    ],
    roles: [
      {
        key: "user",
        api: "api",
        name: options.role ?? roleName("Users of", resource),
        isNamed: options.role !== undefined,
        description: `May use the MCP server ${resource}`,
        isDefault: options["default-role"],
      },
      ...(registrar
        ? [{ key: "developer", api: "registration", name: roleName("Developers of", registration), isNamed: false, description: "May register agents", isDefault: false }]
        : []),
    ],
    users: options.user,
    claims: { resource, scopes: claims },
    applications: [...applicationsFor(resource, options, settings), ...keyApplications(resource, options, settings, vaultSettings), ...(registrar ? registrarApplications(registrar, registrarSettings) : [])],
    descriptions: options.descriptions,
    userScopes: options.userScopes,
    cimd: options.cimd,
    registrar,
    managementResource,
  };
}

/** What developers need at the registrar. Without any, every user of the tenant could register applications. */
const developerPermissions = ({ REQUIRED_SCOPES = "" }) => {
  const names = parseScopes(REQUIRED_SCOPES).filter((name) => !isUserScope(name));
  return permissionsOf({ others: names.length > 0 ? names : [DEVELOPER_SCOPE] });
};

// A name that is cut ends with a part of its hash, so that two long resources do not share a role.
function roleName(beginning, indicator) {
  const name = `${beginning} ${indicator}`;
  if (name.length <= MAX_ROLE_NAME) return name;
  const end = `… ${createHash("sha256").update(name).digest("hex").slice(0, 16)}`;
  return name.slice(0, MAX_ROLE_NAME - end.length) + end;
}

function applicationsFor(resource, options, settings) {
  const { host, origin } = new URL(resource);
  const name = settings.RESOURCE_NAME || host;
  return [
    !options["no-playground"] && {
      use: "playground",
      worker: "worker",
      resource,
      name: `Playground of ${name}`,
      type: "SPA",
      isThirdParty: true,
      redirectUri: `${origin}/playground/callback`,
      isKnownByUri: true,
      ...knownBy("PLAYGROUND_CLIENT_ID", settings),
    },
    // A native application may use loopback with any port.
    options.whoami && { use: "whoami", worker: "worker", resource, name: `Terminal client of ${name}`, type: "Native", isThirdParty: true, redirectUri: "http://127.0.0.1/callback" },
    options["opaque-tokens"] && {
      use: "introspection",
      worker: "worker",
      resource,
      name: `Token check of ${name}`,
      type: "MachineToMachine",
      isThirdParty: false,
      hasSecrets: true,
      isSecretId: true,
      ...knownBy("INTROSPECTION_CLIENT_ID", settings),
    },
  ].filter(Boolean);
}

function keyApplications(resource, options, settings, vaultSettings) {
  const { host, origin } = new URL(resource);
  const name = settings.RESOURCE_NAME || host;
  const exchanger = options.keys ? vaultSettings : settings;
  return [
    options.keys && {
      use: "vault",
      worker: "vault",
      resource,
      name: `Account pages of ${name}`,
      type: "Traditional",
      // Users are asked at no other.
      isThirdParty: true,
      userScopes: ["profile"],
      redirectUri: `${origin}/account/callback`,
      signOutUri: `${origin}/account`,
      isKnownByUri: true,
      hasSecrets: true,
      // A refresh token that is replaced ends all keys of a browser session when an answer is lost.
      metadata: { rotateRefreshToken: false, refreshTokenTtlInDays: Number(vaultSettings.REFRESH_DAYS) },
      ...knownBy("VAULT_CLIENT_ID", vaultSettings),
    },
    options.pat && {
      use: "exchange",
      worker: options.keys ? "vault" : "worker",
      resource,
      name: `Token exchange of ${name}`,
      type: "MachineToMachine",
      isThirdParty: false,
      hasSecrets: true,
      isSecretId: true,
      metadata: { allowTokenExchange: true },
      ...knownBy("PAT_CLIENT_ID", exchanger),
    },
  ].filter(Boolean);
}

const knownBy = (setting, settings) => ({ setting, knownId: settings[setting] || undefined });

function registrarApplications(origin, settings) {
  const resource = `${origin}/register`;
  return [
    {
      use: "registrar",
      worker: "registrar",
      resource,
      name: `Registrar at ${new URL(origin).host}`,
      type: "MachineToMachine",
      isThirdParty: false,
      hasSecrets: true,
      isSecretId: true,
      ...knownBy("MANAGEMENT_CLIENT_ID", settings),
    },
    {
      use: "portal",
      worker: "registrar",
      resource,
      name: `Developer portal at ${new URL(origin).host}`,
      type: "Traditional",
      isThirdParty: false,
      redirectUri: `${origin}/callback`,
      signOutUri: `${origin}/`,
      isKnownByUri: true,
      hasSecrets: true,
      ...knownBy("PORTAL_CLIENT_ID", settings),
    },
  ];
}
