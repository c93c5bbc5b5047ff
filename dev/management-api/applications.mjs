// The applications of the stand-in, which are also clients of the identity provider's engine.

import { newSecret } from "./secrets.mjs";

/** Scopes that are always allowed. */
const FREE_SCOPES = ["openid", "offline_access"];

/** Types of applications that have secrets. */
const CONFIDENTIAL = ["Traditional", "MachineToMachine"];

/** The user scopes of Logto that the engine has. */
const ENGINE_SCOPES = ["profile", "email"];

/**
 * @param {object} settings
 * @param {{upsert: Function, destroy: Function}} settings.clientStore
 * @param {Record<string, Record<string, string>>} settings.resources  indicator → scope → description
 */
export function createApplications({ clientStore, resources }) {
  const applications = new Map();
  const described = Object.entries(resources).map(([indicator, scopes], number) => ({
    tenantId: "default",
    id: `resource-${number}`,
    name: indicator,
    indicator,
    isDefault: false,
    accessTokenTtl: 3600,
    scopes: Object.entries(scopes).map(([name, description]) => ({
      tenantId: "default",
      id: `scope-${number}-${name.replaceAll(/\W/g, "-")}`,
      resourceId: `resource-${number}`,
      name,
      description,
      createdAt: Date.now(),
    })),
  }));
  const scopes = new Map(
    described.flatMap(({ indicator, scopes }) => scopes.map((scope) => [scope.id, { indicator, ...scope }])),
  );

  return {
    resources: described,
    scope: (id) => scopes.get(id),
    addScope: ({ indicator }, scope) => scopes.set(scope.id, { indicator, ...scope }),
    all: () => [...applications.values()],
    get: (id) => applications.get(id),

    async add(record) {
      const isConfidential = CONFIDENTIAL.includes(record.type);
      const base = { tenantId: "default", applicationId: record.id, createdAt: Date.now(), expiresAt: null };
      applications.set(record.id, {
        record,
        secrets: isConfidential ? [{ ...base, name: "Default secret", value: newSecret() }] : [],
        userScopes: new Set(),
        resourceScopes: new Set(),
        branding: undefined,
      });
      await this.publish(record.id);
    },

    async remove(id) {
      applications.delete(id);
      await clientStore.destroy(id);
    },

    consentOf({ userScopes, resourceScopes }) {
      const granted = [...resourceScopes].map((id) => scopes.get(id));
      const grouped = described.map(({ id, name, indicator }) => ({
        resource: { id, name, indicator },
        scopes: granted.filter((scope) => scope.indicator === indicator).map(({ id, name, description }) => ({ id, name, description })),
      }));
      return {
        organizationScopes: [],
        resourceScopes: grouped.filter(({ scopes }) => scopes.length > 0),
        organizationResourceScopes: [],
        userScopes: [...userScopes].sort(),
      };
    },

    /** Updates the client in the engine. */
    async publish(id) {
      const application = applications.get(id);
      if (application !== undefined) await clientStore.upsert(id, clientMetadata(application, scopes));
    },
  };
}

function clientMetadata({ record, secrets, userScopes, resourceScopes, branding }, scopes) {
  const isConfidential = CONFIDENTIAL.includes(record.type);
  const isMachine = record.type === "MachineToMachine";
  const apiScopes = {};
  for (const id of resourceScopes) {
    const { indicator, name } = scopes.get(id);
    (apiScopes[indicator] ??= []).push(name);
  }
  return {
    client_id: record.id,
    client_name: branding?.displayName ?? record.name,
    application_type: record.type === "Native" ? "native" : "web",
    redirect_uris: record.oidcClientMetadata.redirectUris,
    grant_types: isMachine ? ["client_credentials"] : ["authorization_code", "refresh_token"],
    response_types: isMachine ? [] : ["code"],
    token_endpoint_auth_method: isConfidential ? "client_secret_basic" : "none",
    // Logto accepts all secrets of an application, the engine only one: the newest.
    ...(isConfidential && { client_secret: secrets.at(-1)?.value ?? newSecret() }),
    // A user scope that is not allowed fails the request, an API scope is left out.
    scope: [...FREE_SCOPES, ...ENGINE_SCOPES.filter((name) => userScopes.has(name))].join(" "),
    api_scopes: apiScopes,
    ...(branding?.branding.logoUrl && { logo_uri: branding.branding.logoUrl }),
    ...(branding?.termsOfUseUrl && { tos_uri: branding.termsOfUseUrl }),
    ...(branding?.privacyPolicyUrl && { policy_uri: branding.privacyPolicyUrl }),
  };
}
