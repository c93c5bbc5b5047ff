// Tools that reach other services for their user: the agent gets a link, the user connects an account, the agent gets the
// answer. With the official clients, a calendar service of somebody else and the company's own billing API.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { TOKEN_EXCHANGE } from "../dev/identity-provider/token-exchange.mjs";
import { answers, callWithPython, connectV1, connectV2, skipsPython } from "./support/connections-clients.mjs";
import { connectionDeployments, linkIn } from "./support/connections-deployment.mjs";
import { envelope, ENVELOPE, modernRequest } from "./support/messages.mjs";
import "./support/report-failures.mjs";
import { forgeToken } from "./support/tokens.mjs";
import { User } from "./support/account.mjs";
import { post } from "./support/worker.mjs";

const start = connectionDeployments();
const deployment = await start();
const { worker, calendar, billing, provider, newUser, agents, call } = deployment;
const url = worker.mcpUrl;

const titles = (structured) => structured.events.map(({ title }) => title);
const OF_ALICE = ["Dentist", "Dinner with Bob", "Train to Oslo"];

/** A user who has connected their calendar, and their token. */
async function connected() {
  const user = newUser();
  const token = await user.token();
  await user.connect((await call(token)).link);
  return { user, token };
}

/** A request of a client that can show links, without a client: with what its user has done. */
async function callShowingLinks(token, action) {
  const params = { name: "list_events", arguments: {}, ...(action && { inputResponses: { "connect:calendar": { action } } }) };
  const { message, headers } = modernRequest("tools/call", params);
  message.params._meta = { ...envelope(), [ENVELOPE.capabilities]: { elicitation: { url: {} } } };
  const { json, text } = await post(worker, { token, message, headers });
  answers.push(text);
  // An answer that takes long is a stream.
  return (json ?? JSON.parse(/^data: (.+)$/m.exec(text)[1])).result;
}

// It takes 20 s, so it begins before all others.
const unconnected = (async () => {
  const token = await newUser().token();
  const question = await callShowingLinks(token);
  const before = performance.now();
  const result = await callShowingLinks(token, "accept");
  return { question, result, seconds: (performance.now() - before) / 1000 };
})();
// Its test says what went wrong.
unconnected.catch(() => {});

describe("a tool on a service where the user has an account", () => {
  test("TypeScript v2: the client shows the link, and the same call gets the answer", async () => {
    const user = newUser();
    const links = [];
    const onLink = async (request) => {
      links.push(request);
      await user.connect(request.url);
      return "accept";
    };
    const client = await connectV2(url, await user.token(), { onLink });
    const { structuredContent } = await client.callTool({ name: "list_events", arguments: {} });
    assert.deepEqual(titles(structuredContent), OF_ALICE);
    assert.equal(links.length, 1);
    assert.match(links[0].message, /Calendar/);
    const again = await client.callTool({ name: "list_events", arguments: { days: 2 } });
    assert.deepEqual(titles(again.structuredContent), OF_ALICE.slice(0, 2));
    assert.equal(links.length, 1, "nobody is asked twice");
    await client.close();
  });

  for (const [which, connect] of [
    ["v2: a client that shows no links gets it in the text of an error", connectV2],
    ["v1: an error with the link, then the answer", connectV1],
  ]) {
    test(`TypeScript ${which}`, async () => {
      const user = newUser();
      const client = await connect(url, await user.token());
      const { isError, content } = await client.callTool({ name: "list_events", arguments: {} });
      assert.ok(isError);
      await user.connect(linkIn(content[0].text));
      const { structuredContent } = await client.callTool({ name: "list_events", arguments: {} });
      assert.deepEqual(titles(structuredContent), OF_ALICE);
      await client.close();
    });
  }

  for (const mode of ["auto", "legacy"]) {
    test(`Python (${mode}): an error with the link, then the answer`, { skip: skipsPython }, async () => {
      const user = newUser();
      const client = callWithPython({ url, token: await user.token(), mode, tool: "list_events" });
      const first = await client.call();
      assert.ok(first.is_error);
      await user.connect(linkIn(first.text));
      const second = await client.call();
      assert.ok(!second.is_error, second.text);
      assert.deepEqual(titles(second.structured), OF_ALICE);
      await client.close();
    });
  }

  test("the link is the same in every round, also once it was used", async () => {
    const user = newUser();
    const token = await user.token();
    const linkOf = async () => (await callShowingLinks(token)).inputRequests["connect:calendar"].params.url;
    const links = [await linkOf(), await linkOf(), (await call(token)).link];
    user.decision = "deny";
    await user.agree(await user.visit(links[0]));
    links.push(await linkOf());
    assert.equal(new Set(links).size, 1, JSON.stringify(links));
    assert.notEqual((await call(await newUser().token())).link, links[0], "and another user's is another");
  });

  test("after the user has opened the link, the call waits for the account", async () => {
    const user = newUser();
    const token = await user.token();
    const { inputRequests } = await callShowingLinks(token);
    const call = callShowingLinks(token, "accept");
    await sleep(300);
    await user.connect(inputRequests["connect:calendar"].params.url);
    const { structuredContent, resultType } = await call;
    assert.deepEqual([resultType, titles(structuredContent)], ["complete", OF_ALICE]);
  });

  test("a user who does not want to is not sent there again", async () => {
    const token = await newUser().token();
    for (const action of ["decline", "cancel"]) {
      const { isError, content } = await callShowingLinks(token, action);
      assert.ok(isError && linkIn(content[0].text) === undefined, JSON.stringify(content));
    }
  });

  test("an access key uses the accounts of its user", async () => {
    const { user, token } = await connected();
    const keys = new User(deployment, user.login);
    await keys.signIn();
    const key = await keys.make({ name: "nightly" });
    assert.deepEqual(titles((await call(key)).structured), OF_ALICE);
    assert.deepEqual(titles((await call(token)).structured), OF_ALICE);
  });

  test("each user gets their own", async () => {
    const bob = newUser("bob.calendar");
    const token = await bob.token();
    await bob.connect((await call(token)).link);
    assert.deepEqual(titles((await call(token)).structured), ["Dinner with Alice"]);
  });

  test("what a list says of it", async () => {
    const client = await connectV2(url, await newUser().token());
    const { tools } = await client.listTools();
    const { _meta } = tools.find(({ name }) => name === "list_events");
    assert.deepEqual(_meta["mcp-edge/connections"], [{ name: "calendar", scopes: ["events:read"] }]);
    await client.close();
  });
});

describe("a tool on an API of the same company", () => {
  test("the token is exchanged, and the user is asked for nothing", async () => {
    const user = newUser();
    const token = await user.token();
    const { structured, text } = await call(token, "my_invoices");
    assert.deepEqual(structured, { invoices: [] }, text);
    const { sub, client_id, scope } = billing.accepted.at(-1);
    assert.deepEqual([sub, client_id, scope], [user.sub, "token-exchange", "invoices:read"]);
    const { structured: ofAlice } = await call(await forgeToken(deployment, { claims: { scope: "agenda:read" } }), "my_invoices");
    assert.deepEqual(ofAlice.invoices.map(({ number }) => number), ["2026-0117", "2026-0204"]);
  });

  test("who acts for the user is still known to the API", async () => {
    const act = { sub: "an-agent", act: { sub: "an-earlier-one" } };
    const token = await forgeToken(deployment, { claims: { scope: "agenda:read", act } });
    assert.ok((await call(token, "my_invoices")).structured);
    assert.deepEqual(billing.accepted.at(-1).act, act);
  });

  test("an access key is exchanged by the token that it stands for", async () => {
    const user = newUser();
    const keys = new User(deployment, user.login);
    await keys.signIn();
    const key = await keys.make({ name: "nightly" });
    assert.ok((await call(key, "my_invoices")).structured);
    assert.equal(billing.accepted.at(-1).sub, user.sub);
  });

  for (const [what, members] of [
    ["does not say what it is", { issued_token_type: undefined }],
    ["is another kind of token", { issued_token_type: "urn:ietf:params:oauth:token-type:id_token" }],
    ["is no Bearer token", { token_type: "DPoP" }],
    ["may do more", { scope: "invoices:read invoices:write" }],
    ["is the agent's own", "its own"],
  ]) {
    test(`a token is not used that ${what}`, async () => {
      const token = await newUser().token();
      const before = billing.received.length;
      const changed = members === "its own" ? { access_token: token } : members;
      provider.misbehave({ when: "after", how: "change", grantType: TOKEN_EXCHANGE, members: changed });
      try {
        const { isError, link } = await call(token, "my_invoices");
        assert.ok(isError && link === undefined);
        assert.equal(billing.received.length, before, "nothing was sent to the API");
      } finally {
        provider.misbehave();
      }
      assert.ok((await call(token, "my_invoices")).structured, "and it is not remembered");
    });
  }

  test("an API that refuses every token ends the call, without a link", async () => {
    const token = await newUser().token();
    billing.refuses = true;
    try {
      const { isError, link } = await call(token, "my_invoices");
      assert.ok(isError && link === undefined);
    } finally {
      billing.refuses = false;
    }
  });
});

test("no service has seen the token of an agent", async () => {
  const { token } = await connected();
  await call(token);
  await call(token, "my_invoices");
  const sent = [...calendar.requests.map(({ authorization }) => authorization), ...billing.received];
  assert.ok(sent.length > 10);
  const ofAgents = agents.filter((credential) => sent.some((header) => header?.includes(credential)));
  assert.deepEqual(ofAgents, []);
});

test("without an account, a call that waits for one ends after 20 s with the link", async () => {
  const { question, result, seconds } = await unconnected;
  const { url: link, mode } = question.inputRequests["connect:calendar"].params;
  assert.equal(mode, "url");
  assert.ok(result.isError && result.content[0].text.includes(link), JSON.stringify(result));
  assert.ok(seconds > 10 && seconds < 25, `${seconds} s`);
});

test("nothing that was written or answered has a token, a code or a secret in it", async () => {
  // What has ended and what was disconnected leaves something behind as well.
  const { user, token } = await connected();
  calendar.expireTokens();
  await call(token);
  const list = await user.visit("/account/connections");
  assert.ok(list.text.includes("alice.calendar"), list.text);
  assert.ok(deployment.secrets.size > 20);
  const written = await deployment.written();
  assert.ok(written.some(([name, content]) => /sqlite/.test(name) && content.includes("calendar")), "the objects were read");
  assert.deepEqual(await deployment.leaks(), []);
});
