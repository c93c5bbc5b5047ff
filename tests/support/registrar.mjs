// A tenant with everything: identity provider, its Management API, the MCP Worker, and the registrar.

import { readFile } from "node:fs/promises";
import { after } from "node:test";
import { createKey } from "../../dev/identity-provider/keys.mjs";
import { LOCAL_ACCOUNTS, startIdentityProvider } from "../../dev/identity-provider/index.mjs";
import { MANAGEMENT_CLIENT, MANAGEMENT_RESOURCE, providerOptions, startManagementApi } from "../../dev/management-api/index.mjs";
import { DEFAULT_SETTINGS } from "./deployment.mjs";
import { freePort, startKeyValueStore, startWorker } from "./worker.mjs";

const PORTAL_SECRET = "portal-secret";

// As in registrar/wrangler.toml.
const LEDGER = { LEDGER: "RegistrationLedger" };

/** The scope that developers need. */
export const DEVELOPER_SCOPE = "apps:write";

/** A user without that scope. */
const CAROL = {
  ...LOCAL_ACCOUNTS[0],
  sub: "c4r0lxq81mzt",
  username: "carol",
  password: "carol",
  name: "Carol Poe",
  email: "carol@example.com",
};

/** Gives {@link startTenant}; what it has started is stopped after the tests of the file. */
export function tenants() {
  const started = [];
  after(() => Promise.all(started.map((tenant) => tenant.stop())));
  return async (options) => {
    const tenant = await startTenant(options);
    started.push(tenant);
    return tenant;
  };
}

/**
 * Starts all of it.
 * @param {object} [options]
 * @param {Record<string, unknown>} [options.settings]  of the registrar, in addition to what it needs
 * @param {boolean} [options.withMcpServer]
 * @param {import("./key-value-store.mjs").KeyValueStore} [options.store]
 *   what the registrar knows of clients already. By default nothing; the caller closes it
 * @param {Record<string, string>} [options.objects]  Durable Objects, by binding. Defaults to those of wrangler.toml
 * @param {string} [options.objectsFolder]  where the Durable Object is stored, to keep it when the registrar stops
 * @param {boolean} [options.second]  whether the registrar runs in two isolates; the second one is at `registrar.secondOrigin`
 */
export async function startTenant({ settings = {}, withMcpServer = false, store: known, objects = LEDGER, objectsFolder, secondIsolate } = {}) {
  const [mcpPort, registrarPort] = [await freePort(), await freePort()];
  const mcpResource = `http://127.0.0.1:${mcpPort}/mcp`;
  // A cookie with the prefix __Host- is for https, or for a host of this name.
  const origin = `http://localhost:${registrarPort}`;
  const resource = `${origin}/register`;

  // The key is ours, so that a test can sign what the provider never would.
  const key = await createKey();
  const { signIns, options } = providerOptions();
  const scopes = { "whoami:read": "See who you are" };
  const provider = await startIdentityProvider({
    port: 0,
    resource: mcpResource,
    scopes,
    keys: [key],
    dynamicRegistration: false,
    registrationEndpoint: resource,
    accounts: [...LOCAL_ACCOUNTS, CAROL],
    ...options,
    moreResources: {
      ...options.moreResources,
      [resource]: { scopes: { [DEVELOPER_SCOPE]: "Register and manage your applications" }, withoutScopes: [CAROL.sub] },
    },
    clients: [...options.clients, portalClient(origin)],
  });
  const api = await startManagementApi({ provider, signIns, resources: { [mcpResource]: scopes } });
  const store = known ?? (await startKeyValueStore());
  const registrar = await startWorker({
    build: "registrar/build",
    scheduler: true,
    port: registrarPort,
    namespaces: { REGISTRATIONS: store },
    objects,
    objectsFolder,
    secondIsolate,
    settings: {
      ...(await settingsOf("registrar/wrangler.toml")),
      ISSUER: provider.issuer,
      RESOURCE: resource,
      MANAGEMENT_API: api.url,
      MANAGEMENT_RESOURCE,
      MANAGEMENT_CLIENT_ID: MANAGEMENT_CLIENT.id,
      MANAGEMENT_CLIENT_SECRET: MANAGEMENT_CLIENT.secret,
      MCP_RESOURCE: mcpResource,
      PORTAL_CLIENT_ID: "portal",
      PORTAL_CLIENT_SECRET: PORTAL_SECRET,
      SESSION_SECRET: "0123456789abcdef0123456789abcdef",
      ...settings,
    },
  });
  const mcpSettings = {
    ...DEFAULT_SETTINGS,
    ISSUER: provider.issuer,
    RESOURCE: mcpResource,
    AUTHORIZATION_SERVER_MIRROR: "true",
    REGISTRATION_ENDPOINT: resource,
  };
  const worker = withMcpServer ? await startWorker({ port: mcpPort, settings: mcpSettings }) : undefined;

  return {
    provider,
    key,
    api,
    store,
    registrar,
    worker,
    origin,
    resource,
    mcpResource,
    async stop() {
      await Promise.all([registrar.stop(), worker?.stop()]);
      if (known === undefined) await store.close();
      await api.close();
      await provider.close();
    },
  };
}

// What an operator who fills in nothing else deploys.
async function settingsOf(file) {
  const toml = await readFile(new URL(`../../${file}`, import.meta.url), "utf8");
  const lines = toml.matchAll(/^([A-Z_]+) = "([^"]+)"$/gm);
  return Object.fromEntries([...lines].map(([, name, value]) => [name, value]));
}

// The operator's own software: consent is skipped.
function portalClient(origin) {
  return {
    firstParty: true,
    metadata: {
      client_id: "portal",
      client_name: "Developer portal",
      client_secret: PORTAL_SECRET,
      token_endpoint_auth_method: "client_secret_basic",
      grant_types: ["authorization_code"],
      redirect_uris: [`${origin}/callback`],
      post_logout_redirect_uris: [`${origin}/`],
    },
  };
}
