// The example with connections: its endpoints, the vault, the identity provider, and the services that its tools reach.

import assert from "node:assert/strict";
import { readFile, readdir } from "node:fs/promises";
import { join } from "node:path";
import { after } from "node:test";
import { startBillingService } from "../../dev/billing-service/index.mjs";
import { startCalendarService } from "../../dev/calendar-service/index.mjs";
import { agendaConnections, agendaProvider } from "../../dev/examples/agenda.mjs";
import { answers } from "./connections-clients.mjs";
import { Person } from "./connections-person.mjs";
import { modernCall } from "./messages.mjs";
import { forgeToken, tokenOf } from "./tokens.mjs";
import { startVaultDeployment } from "./vault-deployment.mjs";
import { post } from "./worker.mjs";

const EXCHANGER = "token-exchange";

/** What clients ask the provider for. */
const AGENDA_SCOPE = "openid agenda:read";

/** Where an account is connected. */
const LINK = /https?:\/\/[\w.-]+(:\d+)?\/account\/connect\/[\w-]+/;

/** The link in a text, if there is one. */
export const linkIn = (text) => LINK.exec(text)?.[0];

/**
 * Gives {@link startConnections}. After the tests of the file, what it has started is searched for tokens, and stopped.
 */
export function connectionDeployments() {
  const started = [];
  after(async () => {
    const leaks = await Promise.all(started.map((deployment) => deployment.leaks()));
    await Promise.all(started.map((deployment) => deployment.stop()));
    assert.deepEqual(leaks.flat(), []);
  });
  return async (options) => {
    const deployment = await startConnections(options);
    started.push(deployment);
    return deployment;
  };
}

/**
 * Starts all of it.
 * @param {object} [options]
 * @param {object} [options.calendar]  options of the calendar service
 * @param {Record<string, object>} [options.connections]  further members of the settings, by connection
 * @param {Record<string, unknown>} [options.settings]       of the endpoints
 * @param {Record<string, unknown>} [options.vaultSettings]  of the vault
 * @param {import("../../dev/identity-provider/index.mjs").Options} [options.provider]
 * @param {boolean} [options.second]  whether there is a second endpoint, in another process
 * @param {import("./internet.mjs").Internet} [options.internet]  that all of them use
 * @param {string} [options.origin]  where users believe the endpoint to be, in that internet
 */
export async function startConnections({
  calendar: calendarOptions = {}, connections: changes = {}, settings = {}, vaultSettings = {}, provider: providerOptions = {}, second,
  internet, origin,
} = {}) {
  /** Every code, token and secret that was given to a client. */
  const secrets = new Set();
  const lines = [];
  const onSecret = (secret) => secrets.add(secret);
  const log = (line) => lines.push(line);
  const calendar = await startCalendarService({ port: 0, onSecret, log, ...calendarOptions });
  let issuer;
  const billing = await startBillingService({ port: 0, clientId: EXCHANGER, issuer: () => issuer });
  const { CONNECTIONS, ...ofConnections } = agendaConnections({ calendar: calendar.resource, billing: billing.resource });
  const table = Object.entries(CONNECTIONS).map(([name, own]) => [name, { ...own, ...changes[name] }]);
  const common = { REQUIRED_SCOPES: "agenda:read", CLAIM_SCOPES: undefined, RESOURCE_NAME: "Agenda" };
  const deployment = await startVaultDeployment({
    build: "examples/agenda/build",
    second,
    origin,
    outbound: internet?.port,
    settings: { ...common, ...settings },
    provider: { ...agendaProvider(billing.resource), onSecret, log, ...providerOptions },
    vaultSettings: {
      ...common,
      ...ofConnections,
      KEY_SCOPES: "agenda:read",
      CONNECTIONS: Object.fromEntries(table),
      CONNECTIONS_SECRET: "a-connections-secret-of-32-chars!",
      ...vaultSettings,
    },
  });
  issuer = deployment.provider.issuer;
  const { stop, crashVault } = deployment;
  const users = [];
  const earlierLogs = [];

  return Object.assign(deployment, {
    calendar,
    billing,
    secrets,
    /** The credentials that tools were called with. */
    agents: [],
    fetch: internet?.fetch,

    /**
     * Creates a user at the identity provider, who has connected nothing, with a browser of their own.
     * @param {string} [calendarLogin]  whose account the user signs in with at the calendar service
     */
    newUser(calendarLogin = "alice.calendar") {
      const number = users.length + 1;
      const login = `user${number}`;
      const sub = `sub-of-${login}`;
      const common = { email: `${login}@example.com`, email_verified: true, picture: null };
      deployment.accounts.push({ sub, username: login, password: login, name: `User ${number}`, ...common });
      const user = Object.assign(new Person(deployment, login, calendarLogin), {
        sub,
        forged: (claims) => forgeToken(deployment, { claims: { sub, scope: "agenda:read", ...claims } }),
        token: (changes) => tokenOf(deployment, login, { scope: AGENDA_SCOPE, ...changes }),
      });
      users.push(user);
      return user;
    },

    /**
     * Calls a tool without a client, and tells what came of it.
     * @returns {Promise<{status: number, text: string, isError?: boolean, link?: string, structured?: object}>}
     */
    async call(token, name = "list_events", args = {}, worker = deployment.worker) {
      deployment.agents.push(token);
      const answer = await post(worker, { token, ...modernCall(name, args) });
      answers.push(answer.text);
      const { isError, content = [], structuredContent: structured } = answer.json?.result ?? {};
      const text = content.map((block) => block.text).join("\n") || answer.text;
      return { status: answer.status, text, isError, link: linkIn(text), structured };
    },

    /** Where one of the secrets is in clear, among all that was written and answered so far. */
    async leaks() {
      const shown = [["answers to clients", answers.join("\n")], ["pages", users.flatMap(({ pages }) => pages).join("\n")]];
      const all = [...(await deployment.written()), ...shown];
      return all.flatMap(([name, content]) =>
        [...secrets].filter((secret) => content.includes(secret)).map((secret) => `${name} has ${secret.slice(0, 4)}… in it`),
      );
    },

    /** All that was written so far: name and content of each log, each entry of the store, each file of an object. */
    async written() {
      const { vault, worker, second: other, store, objectsFolder } = deployment;
      const processes = Object.entries({ vault, worker, second: other }).filter(([, process]) => process !== undefined);
      const logs = processes.map(([name, process]) => [`log of ${name}`, process.raw()]);
      const stores = [["vault", store], ...processes.map(([name, process]) => [name, process.kv])];
      const entries = stores.flatMap(([name, { entries: all }]) =>
        [...all].map(([key, value]) => [`entry ${key} of the store of ${name}`, `${key} ${value}`]),
      );
      const files = await filesIn(objectsFolder);
      const contents = await Promise.all(files.map(async (file) => [file, await readFile(file, "latin1")]));
      const others = [["log of the services", lines.join("\n")], ["log of the vault before", earlierLogs.join("\n")]];
      return [...logs, ...others, ...entries, ...contents];
    },

    async crashVault(...options) {
      earlierLogs.push(deployment.vault.raw());
      await crashVault(...options);
    },

    async stop() {
      await stop();
      await Promise.all([calendar.close(), billing.close()]);
    },
  });
}

async function filesIn(folder) {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}
