// What a tenant should have for this server, as plain data.

import { parseClaimScopes, withImplied } from "./scopes.mjs";

/** Limit of Logto for the name of a role. */
const MAX_ROLE_NAME = 128;

const DEVELOPER_PERMISSION = { name: "apps:write", description: "Register and manage your applications", isExplicit: false };

/**
 * @typedef {object} WantedApi
 * @property {string} key  names the resource in the plan
 * @property {string} indicator
 * @property {string} name
 * @property {{name: string, description?: string, isExplicit: boolean}[]} permissions
 *
 * @typedef {object} WantedApplication
 * @property {"playground" | "whoami" | "introspection" | "registrar" | "portal"} use
 * @property {string} resource  indicator of the API that it is for
 * @property {string} name
 * @property {string} type
 * @property {boolean} isThirdParty
 * @property {string} [redirectUri]
 * @property {string} [signOutUri]
 * @property {string} [knownId]  from the settings
 *
 * @typedef {object} Wanted
 * @property {WantedApi[]} apis
 * @property {{key: string, api: string, name: string, description: string, isDefault: boolean}[]} roles
 * @property {string[]} users  who get the first role
 * @property {{resource: string, scopes: Record<string, string[]>}} claims  what tokens for the resource disclose: scope → claims
 * @property {WantedApplication[]} applications
 * @property {string[]} userScopes
 * @property {boolean} cimd
 * @property {string} [registrar]  origin
 * @property {string} managementResource
 *
 * @param {object} from
 * @param {string} from.resource
 * @param {object} from.options  of `readOptions`
 * @param {Record<string, string>} from.settings  of wrangler.toml, with those that will be written
 * @param {Record<string, string>} [from.registrarSettings]
 * @param {WantedApi["permissions"]} from.permissions
 * @param {string} from.managementResource
 * @returns {Wanted}
 */
export function wantedFrom({ resource, options, settings, registrarSettings = {}, permissions, managementResource }) {
  const claims = withImplied(parseClaimScopes(settings.CLAIM_SCOPES ?? ""), settings.SCOPE_HIERARCHY);
  const { registrar } = options;
  const registration = registrar && `${registrar}/register`;
  return {
    apis: [
      { key: "api", indicator: resource, name: settings.RESOURCE_NAME || `MCP server ${new URL(resource).host}`, permissions },
      ...(registrar ? [{ key: "registration", indicator: registration, name: "Registration of agents", permissions: [DEVELOPER_PERMISSION] }] : []),
    ],
    roles: [
      {
        key: "user",
        api: "api",
        name: options.role ?? roleName("Users of", resource),
        description: `May use the MCP server ${resource}`,
        isDefault: options["default-role"],
      },
      ...(registrar
        ? [{ key: "developer", api: "registration", name: roleName("Developers of", registration), description: "May register agents", isDefault: false }]
        : []),
    ],
    users: options.user,
    claims: { resource, scopes: claims },
    applications: [...applicationsFor(resource, options, settings), ...(registrar ? registrarApplications(registrar, registrarSettings) : [])],
    userScopes: options.userScopes,
    cimd: options.cimd,
    registrar,
    managementResource,
  };
}

const roleName = (beginning, indicator) => `${beginning} ${indicator}`.slice(0, MAX_ROLE_NAME);

function applicationsFor(resource, options, settings) {
  const { host, origin } = new URL(resource);
  const name = settings.RESOURCE_NAME || host;
  return [
    !options["no-playground"] && {
      use: "playground",
      resource,
      name: `Playground of ${name}`,
      type: "SPA",
      isThirdParty: true,
      redirectUri: `${origin}/playground/callback`,
      knownId: settings.PLAYGROUND_CLIENT_ID || undefined,
    },
    // A native application may use loopback with any port.
    options.whoami && { use: "whoami", resource, name: `Terminal client of ${name}`, type: "Native", isThirdParty: true, redirectUri: "http://127.0.0.1/callback" },
    options["opaque-tokens"] && { use: "introspection", resource, name: `Token check of ${name}`, type: "MachineToMachine", isThirdParty: false },
  ].filter(Boolean);
}

function registrarApplications(origin, settings) {
  const resource = `${origin}/register`;
  return [
    { use: "registrar", resource, name: `Registrar at ${new URL(origin).host}`, type: "MachineToMachine", isThirdParty: false },
    {
      use: "portal",
      resource,
      name: `Developer portal at ${new URL(origin).host}`,
      type: "Traditional",
      isThirdParty: false,
      redirectUri: `${origin}/callback`,
      signOutUri: `${origin}/`,
      knownId: settings.PORTAL_CLIENT_ID || undefined,
    },
  ];
}
