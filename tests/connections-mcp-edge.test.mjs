// Another deployment of mcp-edge as the service: its resource metadata leads to its provider (RFC 9728), where the user
// connects an account, and the gateway in front of it calls its tools as that account.

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { CALENDAR_ACCOUNTS } from "../dev/calendar-service/index.mjs";
import { startIdentityProvider } from "../dev/identity-provider/index.mjs";
import { callWithPython, connectV1, connectV2, skipsPython } from "./support/connections-clients.mjs";
import { linkIn } from "./support/connections-deployment.mjs";
import { Person } from "./support/connections-person.mjs";
import { DEFAULT_SETTINGS } from "./support/deployment.mjs";
import "./support/report-failures.mjs";
import { tokenOf } from "./support/tokens.mjs";
import { vaultDeployments } from "./support/vault-deployment.mjs";
import { freePort, startWorker } from "./support/worker.mjs";

const start = vaultDeployments();

const port = await freePort();
const resource = `http://localhost:${port}/mcp`;
const theirs = await startIdentityProvider({
  port: 0,
  resource,
  accounts: CALENDAR_ACCOUNTS,
  rotateRefreshTokens: true,
  refreshTokensForAll: true,
  title: "The other company",
  cookiePrefix: "other",
});
const upstream = await startWorker({ port, settings: { ...DEFAULT_SETTINGS, ISSUER: theirs.issuer, RESOURCE: resource } });
after(async () => {
  await upstream.stop();
  await theirs.close();
});

const gateway = await start({
  settings: {
    REQUIRED_SCOPES: undefined,
    CLAIM_SCOPES: undefined,
    UPSTREAM: resource,
    UPSTREAM_AUTH: "connection",
    TOOL_SCOPES: "*=allow",
    PROMPT_SCOPES: "*=allow",
    RESOURCE_SCOPES: "*=allow",
    STATE_SECRET: "the state of the tests of the gateway",
  },
  vaultSettings: {
    CONNECTIONS: {
      upstream: { kind: "connect", title: "The other company", url: resource, resource, scopes: "whoami:read" },
    },
    CONNECTIONS_SECRET: "a-connections-secret-of-32-chars!",
  },
});

/** A user who has connected nothing. */
async function user(login, theirLogin) {
  const place = { origin: gateway.origin, calendar: { origin: new URL(theirs.issuer).origin } };
  const person = new Person(place, login, theirLogin);
  return { person, token: await tokenOf(gateway, login) };
}

const usernameIn = ({ structuredContent, content }) => structuredContent?.username ?? content[0].text;

test("a tool of the other deployment answers as the account that the user has connected there", async () => {
  const { person, token } = await user("alice", "alice.work");
  const links = [];
  const onLink = async ({ url }) => {
    links.push(url);
    await person.connect(url);
    return "accept";
  };
  const client = await connectV2(gateway.worker.mcpUrl, token, { mode: "auto", onLink }).catch(async (error) => {
    // A method that cannot ask: its error has the link.
    const link = linkIn(error.message);
    if (link === undefined) throw error;
    await onLink({ url: link });
    return connectV2(gateway.worker.mcpUrl, token, { mode: "auto", onLink });
  });
  assert.equal(usernameIn(await client.callTool({ name: "whoami", arguments: {} })), "alice.work");
  assert.equal(links.length, 1);
  await client.close();
  const legacy = await connectV1(gateway.worker.mcpUrl, token);
  assert.equal(usernameIn(await legacy.callTool({ name: "whoami", arguments: {} })), "alice.work");
  await legacy.close();
});

test("another user has no part in it, and connects their own", { skip: skipsPython }, async () => {
  const { person, token } = await user("bob", "bob.calendar");
  const visit = { url: gateway.worker.mcpUrl, token, mode: "auto", tool: "whoami" };
  const link = await linkOf(visit);
  await person.connect(link);
  const client = callWithPython(visit);
  assert.equal((await client.call()).structured.username, "bob.calendar");
  await client.close();
});

/** The link that a client is given: in an error of the method that it calls first, or in the result of the tool. */
async function linkOf({ url, token }) {
  try {
    const client = await connectV2(url, token, { mode: "legacy" });
    const { content } = await client.callTool({ name: "whoami", arguments: {} });
    await client.close();
    return linkIn(content[0].text);
  } catch (error) {
    return linkIn(error.message);
  }
}
