// examples/agenda on this machine: the calendar service, the billing API, and the vault's connections to them.

import { BILLING_SCOPES, startBillingService } from "../billing-service/index.mjs";
import { CALENDAR_ACCOUNTS, startCalendarService } from "../calendar-service/index.mjs";
import { LOCAL_CLIENTS } from "../identity-provider/index.mjs";
import { portFrom } from "../ports.mjs";

/** The client at the provider that exchanges tokens. */
const EXCHANGER = LOCAL_CLIENTS.find(({ metadata }) => metadata.client_id === "token-exchange").metadata;

/** The scopes of the example: name → description. */
export const AGENDA_SCOPES = { "agenda:read": "See your events and your invoices" };

/**
 * The vault's settings for the two connections.
 * @param {{calendar: string, billing: string}} places  the URLs of the two APIs
 */
export function agendaConnections({ calendar, billing }) {
  return {
    CONNECTIONS: {
      calendar: {
        kind: "connect",
        title: "Calendar",
        url: calendar,
        resource: calendar,
        scopes: "events:read",
        scope_descriptions: { "events:read": "See your events" },
        account_url: `${calendar}/me`,
        account_name: "account",
      },
      billing: {
        kind: "exchange",
        title: "Billing",
        url: billing,
        audience: "billing",
        scopes: "invoices:read",
        client_id: EXCHANGER.client_id,
      },
    },
    CONNECTION_BILLING_SECRET: EXCHANGER.client_secret,
  };
}

/**
 * Options of the identity provider: its tokens may be exchanged for those of the billing API, by the vault alone.
 * @param {string} billing  the URL of that API
 */
export function agendaProvider(billing) {
  return {
    scopes: AGENDA_SCOPES,
    moreResources: { [billing]: { scopes: BILLING_SCOPES, clients: [EXCHANGER.client_id] } },
    exchangeAudiences: { billing },
  };
}

/** @returns {import("./index.mjs").Example} */
export function agenda(env) {
  const ports = { CALENDAR_PORT: portFrom("CALENDAR_PORT", 3002, env), BILLING_PORT: portFrom("BILLING_PORT", 3003, env) };
  const [calendar, billing] = [ports.CALENDAR_PORT, ports.BILLING_PORT].map((port) => `http://localhost:${port}/api`);
  const { CONNECTIONS, ...secrets } = agendaConnections({ calendar, billing });
  let services = [];
  return {
    folder: "examples/agenda",
    ports,
    provider: agendaProvider(billing),
    vars: { REQUIRED_SCOPES: Object.keys(AGENDA_SCOPES).join(" "), RESOURCE_NAME: "Agenda (local)", PROVIDER: "logto" },
    vaultVars: {
      ...secrets,
      CONNECTIONS: JSON.stringify(CONNECTIONS),
      CONNECTIONS_SECRET: "for this machine only: connections",
    },

    async start({ issuer, prefixed }) {
      services = await Promise.all([
        startCalendarService({ port: ports.CALENDAR_PORT, log: prefixed("calendar") }),
        startBillingService({ port: ports.BILLING_PORT, clientId: EXCHANGER.client_id, issuer: () => issuer }),
      ]);
    },

    lines: ({ origin, elsewhere }) => [
      `  Connected      ${origin}/account/connections`,
      `  Calendar       ${calendar}, of another company`,
      `                 sign in there as ${CALENDAR_ACCOUNTS.map(({ username }) => username).join(", ")}; each password is the user name`,
      `  Billing        ${billing}, your own`,
      "",
      "  Let an agent ask for your events. It shows where you connect your calendar; do so, and it gets them:",
      "",
      `    ${elsewhere}make call ARGS="list_events"`,
      `    ${elsewhere}make call ARGS="my_invoices"`,
    ],

    stop: () => Promise.all(services.map((service) => service.close())),
  };
}
