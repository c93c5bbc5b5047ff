// A deployment on the public internet, as far as anybody can tell: https, names with a dot, and so the client id metadata
// document of the connection in place of a registration.

import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { connectionDeployments } from "./support/connections-deployment.mjs";
import { startInternet } from "./support/internet.mjs";
import "./support/report-failures.mjs";

const ORIGIN = "https://mcp.example.com";
const CALENDAR = "https://calendar.example.net";
const CLIENT = `${ORIGIN}/account/connections/calendar/client.json`;

const start = connectionDeployments();
const ports = {};
/** The clients that got tokens of the calendar. */
const asked = new Set();
const internet = await startInternet(ports);
after(() => internet.close());
const deployment = await start({
  internet,
  origin: ORIGIN,
  provider: { origin: "https://login.example.com" },
  calendar: { origin: CALENDAR, provider: { fetch: internet.fetch, onTokenIssued: ({ clientId }) => asked.add(clientId) } },
  connections: { billing: { url: "https://billing.example.com/api" } },
});
const { calendar, call, newUser, provider, worker } = deployment;
Object.assign(ports, {
  "mcp.example.com": worker.port,
  "login.example.com": provider.port,
  "calendar.example.net": calendar.provider.port,
});

describe("a public deployment", () => {
  test("is known to the service by the address of its client's document", async () => {
    const user = newUser();
    const token = await user.forged();
    const { link } = await call(token);
    assert.ok(link?.startsWith(`${ORIGIN}/account/connect/`), link);
    await user.connect(link);
    const { structured, text } = await call(token);
    assert.equal(structured?.events[0].title, "Dentist", text);
    const callback = user.callbacks.find(({ pathname }) => pathname.startsWith("/account/connections/"));
    assert.equal(callback.origin, ORIGIN);
    assert.ok(internet.requests.every(({ path }) => path !== "/oidc/reg"), "nothing was registered");
    assert.ok(asked.has(CLIENT), [...asked].join(" "));
  });

  test("publishes that document, which names no secret and one redirect URI", async () => {
    const response = await internet.fetch(CLIENT);
    const document = await response.json();
    assert.match(response.headers.get("content-type"), /^application\/json/);
    assert.equal(document.client_id, CLIENT);
    assert.deepEqual(document.redirect_uris, [`${ORIGIN}/account/connections/calendar/callback`]);
    assert.equal(document.token_endpoint_auth_method, "none");
    assert.equal(document.client_secret, undefined);
    const other = await internet.fetch(CLIENT.replace("calendar", "billing"));
    assert.equal(other.status, 404, "a connection without accounts has no client");
  });

  test("asks services in its own name, and nobody else", async () => {
    const hosts = new Set(internet.requests.map(({ host }) => host));
    assert.deepEqual([...hosts].sort(), ["calendar.example.net", "login.example.com"]);
  });
});
