// An identity provider, the vault, and endpoints in processes of their own that reach it: what access keys need.

import { createServer, request as httpRequest } from "node:http";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";
import { LOCAL_ACCOUNTS, startIdentityProvider } from "../../dev/identity-provider/index.mjs";
import { createKey } from "../../dev/identity-provider/keys.mjs";
import { vaultClient } from "../../dev/local-vault.mjs";
import { DEFAULT_SETTINGS } from "./deployment.mjs";
import { freePort, startKeyValueStore, startWorker } from "./worker.mjs";

/** The vault's client at the provider. */
export const VAULT_CLIENT = { id: "vault", secret: "vault-client-secret" };

export const ADMIN_SECRET = "an-admin-secret-of-32-characters!";

/** The classes of the vault's Durable Objects, by binding. */
export const OBJECTS = await objectsOf(new URL("../../vault/wrangler.toml", import.meta.url));
/** The entrypoint that endpoints reach. */
export const AS_ENDPOINT = { entrypoint: "Internal", props: { role: "endpoint" } };

const SCOPES = { "whoami:read": "See who you are", "whoami:write": "Change who you are" };

/** Gives {@link startVaultDeployment}; what it has started is stopped after the tests of the file. */
export function vaultDeployments() {
  const started = [];
  after(() => Promise.all(started.map((deployment) => deployment.stop())));
  return async (options) => {
    const deployment = await startVaultDeployment(options);
    started.push(deployment);
    return deployment;
  };
}

/**
 * Starts all of it. Refresh tokens can be used once.
 * @param {object} [options]
 * @param {Record<string, unknown>} [options.settings]       of the endpoints, in addition to the defaults
 * @param {Record<string, unknown>} [options.vaultSettings]  of the vault, in addition to what it needs
 * @param {import("../../dev/identity-provider/index.mjs").Options} [options.provider]
 * @param {boolean} [options.second]  whether there is a second endpoint, in another process: `second`
 * @param {string} [options.build]  of the endpoints, another than that of the deployable Worker
 * @param {string} [options.origin]  where users and clients believe the endpoint to be
 * @param {number} [options.outbound]  as for `startWorker`, for all of them
 */
export async function startVaultDeployment({
  settings = {}, vaultSettings = {}, provider: providerOptions = {}, second = false, build, origin: publicOrigin,
  outbound,
} = {}) {
  const [port, vaultPort, callsPort] = [await freePort(), await freePort(), await freePort()];
  // A cookie with the prefix __Host- is for https, or for a host of this name.
  const origin = publicOrigin ?? `http://localhost:${port}`;
  const resource = `${origin}/mcp`;
  const key = await createKey();
  const accounts = [...LOCAL_ACCOUNTS];
  const provider = await startIdentityProvider({
    port: 0,
    resource,
    scopes: SCOPES,
    keys: [key],
    accounts,
    rotateRefreshTokens: true,
    clients: [vaultClient(origin, VAULT_CLIENT)],
    ...providerOptions,
  });
  // Behind a proxy the provider has no address that could be replaced.
  const tokens = outbound === undefined ? await startTokenEndpoint(provider) : undefined;
  const store = await startKeyValueStore();
  const objectsFolder = await mkdtemp(join(tmpdir(), "mcp-edge-vault-"));
  const common = { ...DEFAULT_SETTINGS, ISSUER: provider.issuer, RESOURCE: resource };

  const startVault = (more = {}) =>
    startWorker({
      build: "vault/build",
      port: vaultPort,
      namespaces: { VAULT_STORE: store },
      objects: OBJECTS,
      objectsFolder,
      entrypoints: [{ port: callsPort, ...AS_ENDPOINT }],
      outbound,
      settings: {
        ...common,
        ...(tokens && { DISCOVERY_URL: tokens.discoveryUrl }),
        VAULT_CLIENT_ID: VAULT_CLIENT.id,
        VAULT_CLIENT_SECRET: VAULT_CLIENT.secret,
        VAULT_SECRET: "a-vault-secret-of-32-characters-!",
        ADMIN_SECRET,
        KEY_SCOPES: Object.keys(SCOPES).join(" "),
        ...vaultSettings,
        ...more,
      },
    });
  const externals = { VAULT: vaultPort, VAULT_CALLS: callsPort };
  const startEndpoint = (own) => startWorker({ ...(build && { build }), port: own, externals, outbound, settings: { ...common, ...settings } });

  const deployment = {
    provider,
    accounts,
    tokens,
    store,
    key,
    origin,
    resource,
    /** Where the objects are stored. */
    objectsFolder,
    /** The ports that an endpoint's bindings to the vault reach. */
    externals,
    vault: await startVault(),
    worker: await startEndpoint(port),
    second: second ? await startEndpoint(await freePort()) : undefined,

    /** Ends the vault as a crash of its machine does, and starts it again with what it has stored. */
    async crashVault(whileDown = async () => {}, more) {
      deployment.vault.kill();
      await deployment.vault.stop();
      await whileDown();
      deployment.vault = await startVault(more);
    },

    async stop() {
      await Promise.all([deployment.vault.stop(), deployment.worker.stop(), deployment.second?.stop()]);
      await Promise.all([tokens?.close(), store.close()]);
      await provider.close();
      await rm(objectsFolder, { recursive: true, force: true });
    },
  };
  return deployment;
}

async function objectsOf(file) {
  const bindings = (await readFile(file, "utf8")).matchAll(/^\[\[durable_objects\.bindings\]\]\nname = "(\w+)"\nclass_name = "(\w+)"$/gm);
  return Object.fromEntries([...bindings].map(([, name, className]) => [name, className]));
}

/**
 * The provider's token endpoint as the vault sees it: it passes requests on, counts refreshes, and fails as a test wants.
 *
 * @typedef {"answer" | "die-before" | "die-after" | "fail"} Mood
 *   "die-before": the connection breaks before the provider has seen the request; "die-after": when it has answered;
 *   "fail": 503
 */
async function startTokenEndpoint(provider) {
  const state = {
    /** Refreshes so far, and the most that were in flight at once. */
    refreshes: 0,
    most: 0,
    /** @type {Mood} */
    mood: "answer",
    /** Awaited before a refresh is passed on. */
    pause: undefined,
    /** Called when the provider has answered, before the vault hears of it. */
    answered: undefined,
  };
  let inFlight = 0;
  const document = await (await fetch(`${provider.issuer}/.well-known/openid-configuration`)).json();
  const upstream = new URL(document.token_endpoint);

  const server = createServer(async (request, response) => {
    if (request.url.startsWith("/discovery")) {
      const body = JSON.stringify({ ...document, token_endpoint: `http://127.0.0.1:${server.address().port}/token` });
      response.writeHead(200, { "content-type": "application/json" }).end(body);
      return;
    }
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const body = Buffer.concat(chunks);
    const isRefresh = new URLSearchParams(body.toString()).get("grant_type") === "refresh_token";
    if (!isRefresh) return passOn(request, body, response);
    state.refreshes += 1;
    inFlight += 1;
    state.most = Math.max(state.most, inFlight);
    try {
      await state.pause?.();
      if (state.mood === "die-before") return request.socket.destroy();
      if (state.mood === "fail") return response.writeHead(503).end();
      await passOn(request, body, response);
    } finally {
      inFlight -= 1;
    }
  });

  function passOn({ method, headers, socket }, body, response) {
    return new Promise((resolve) => {
      const onward = httpRequest(upstream, { method, headers: { ...headers, host: upstream.host } }, async (answer) => {
        const chunks = [];
        for await (const chunk of answer) chunks.push(chunk);
        await state.answered?.();
        if (state.mood === "die-after") socket.destroy();
        else response.writeHead(answer.statusCode, answer.headers).end(Buffer.concat(chunks));
        resolve();
      });
      onward.once("error", () => (socket.destroy(), resolve()));
      onward.end(body);
    });
  }

  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return Object.assign(state, {
    discoveryUrl: `http://127.0.0.1:${server.address().port}/discovery`,
    close: () => new Promise((resolve) => (server.close(resolve), server.closeAllConnections())),
  });
}
