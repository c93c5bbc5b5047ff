// Two users at once, through the gateway to real servers: neither ever sees what is the other's.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { initialize, legacyCall, legacyRequest } from "../support/messages.mjs";
import "../support/report-failures.mjs";
import { post, send } from "../support/worker.mjs";
import { connectV1, connectV2 } from "./support/clients.mjs";
import { startProtected } from "./support/protected.mjs";
import { skipsPython } from "./upstreams/programs.mjs";

const OPEN = { TOOL_SCOPES: "*=allow", PROMPT_SCOPES: "*=allow", RESOURCE_SCOPES: "*=allow" };
const AT_ONCE = 8;

/** Starts an upstream behind a gateway before the tests of a group, and connects both users to it. */
function protect(name, connect) {
  const group = {};
  before(async () => {
    Object.assign(group, await startProtected(name, OPEN));
    const { gateway } = group;
    const users = ["alice", "bob"].map(async (user) => {
      const token = await gateway[user]("one");
      const client = await connect({ url: gateway.resource, token });
      return [user, { token, client, sub: gateway.subjects[user] }];
    });
    group.users = Object.fromEntries(await Promise.all(users));
  });
  after(async () => {
    await Promise.allSettled(Object.values(group.users ?? {}).map(({ client }) => client.close()));
    await group.stop?.();
  });
  return group;
}

/** Calls a tool that reports progress, several times at once for both users; what each hears is its own. */
async function assertProgressIsOwn({ alice, bob }, call) {
  await Promise.all([alice, bob].flatMap((user) => Array.from({ length: AT_ONCE }, async () => {
    const heard = [];
    await call(user.client, (progress) => heard.push(progress));
    assert.ok(heard.length >= 2, `${heard.length} notifications`);
    for (const { message } of heard) assert.equal(message, user.sub);
    const steps = heard.map(({ progress }) => progress);
    assert.deepEqual(steps, [...steps].sort((a, b) => a - b));
  })));
}

describe("FastMCP, in the modern era,", { skip: skipsPython }, () => {
  const group = protect("FastMCP", connectV2);

  test("reports progress to whom it is for", () =>
    assertProgressIsOwn(group.users, async (client, onprogress) => {
      const { content } = await client.callTool({ name: "slow", arguments: { steps: 5 } }, { onprogress });
      assert.match(content[0].text, /^\w+$/);
    }));

  test("has resources and prompts for each", async () => {
    await Promise.all(Object.values(group.users).flatMap(({ client, sub }) => Array.from({ length: AT_ONCE }, async () => {
      const { contents } = await client.readResource({ uri: "notes://mine" });
      assert.equal(contents[0].text, `notes of ${sub}`);
      const { messages } = await client.getPrompt({ name: "greet", arguments: { name: sub } });
      assert.equal(messages[0].content.text, `Greet ${sub}`);
    })));
    const { resourceTemplates } = await group.users.alice.client.listResourceTemplates();
    assert.deepEqual(resourceTemplates.map(({ uriTemplate }) => uriTemplate), ["notes://{name}/text"]);
  });
});

describe("TypeScript, in the era of sessions,", () => {
  const group = protect("TypeScript", connectV1);
  const count = async (client) => JSON.parse((await client.callTool({ name: "count", arguments: {} })).content[0].text);

  test("has one session for each client, and state for each user", async () => {
    const { alice, bob } = group.users;
    const second = await connectV1({ url: group.gateway.resource, token: alice.token });
    assert.deepEqual(await count(alice.client), { user: 1, session: 1 });
    assert.deepEqual(await count(bob.client), { user: 1, session: 1 });
    assert.deepEqual(await count(second), { user: 2, session: 1 });
    assert.deepEqual(await count(alice.client), { user: 3, session: 2 });
    await second.close();
  });

  test("reports progress to whom it is for", () =>
    assertProgressIsOwn(group.users, (client, onprogress) => client.callTool({ name: "test_tool_with_progress", arguments: {} }, undefined, { onprogress })));

  test("asks the user who has called", async () => {
    const asked = async ({ url, token }, answer) => {
      const client = await connectV1({ url, token, onElicit: () => ({ action: "accept", content: answer }) });
      const { content } = await client.callTool({ name: "test_elicitation", arguments: { message: "Who are you?" } });
      await client.close();
      return content[0].text;
    };
    const url = group.gateway.resource;
    const [alice, bob] = await Promise.all([
      asked({ url, token: group.users.alice.token }, { username: "alice", email: "alice@example.com" }),
      asked({ url, token: group.users.bob.token }, { username: "bob", email: "bob@example.com" }),
    ]);
    assert.match(alice, /"alice"/);
    assert.match(bob, /"bob"/);
  });
});

describe("TypeScript, in the modern era,", () => {
  const group = protect("TypeScript", connectV2);

  test("tells only those of a change who listen for it", async () => {
    const { alice, bob } = group.users;
    const heard = { alice: [], bob: [] };
    for (const user of ["alice", "bob"]) {
      group.users[user].client.setNotificationHandler("notifications/resources/updated", ({ params }) => heard[user].push(params.uri));
    }
    const listening = await alice.client.listen({ resourceSubscriptions: ["test://watched-resource"] });
    const others = await bob.client.listen({ resourceSubscriptions: ["test://static-text"] });
    await bob.client.callTool({ name: "touch", arguments: { uri: "test://watched-resource" } });
    await bob.client.callTool({ name: "touch", arguments: { uri: "test://static-text" } });
    await group.gateway.worker.waitFor(() => heard.alice.length > 0 && heard.bob.length > 0, "nothing is heard");
    assert.deepEqual(heard, { alice: ["test://watched-resource"], bob: ["test://static-text"] });
    await Promise.all([listening.close(), others.close()]);
  });
});

for (const name of ["everything", "TypeScript"]) {
  describe(`a session at ${name}`, () => {
    let deployment;
    before(async () => (deployment = await startProtected(name, OPEN)));
    after(() => deployment?.stop());

    test("is of no use to another user, and goes on for its own", async () => {
      const { gateway } = deployment;
      const [alice, bob] = [await gateway.alice("one"), await gateway.bob("one")];
      const { headers } = await post(gateway.worker, { token: alice, message: initialize() });
      const session = { "mcp-session-id": headers["mcp-session-id"], "mcp-protocol-version": "2025-11-25" };
      const inSession = (token, message) => post(gateway.worker, { token, message, headers: session });
      assert.equal((await inSession(alice, { jsonrpc: "2.0", method: "notifications/initialized" })).status, 202);
      const ask = legacyRequest("tools/list");
      for (const message of [ask, legacyCall("echo", { message: "hi" }), { jsonrpc: "2.0", method: "notifications/initialized" }]) {
        const { status, json } = await inSession(bob, message);
        assert.deepEqual([status, typeof json?.error.code], [404, "number"]);
      }
      for (const method of ["GET", "DELETE"]) {
        const stolen = { ...session, authorization: `Bearer ${bob}`, accept: "text/event-stream" };
        assert.equal((await send(gateway.worker, { method, headers: stolen })).status, 404, method);
      }
      assert.equal((await inSession(alice, ask)).status, 200, "Bob has not ended it");
      const own = { ...session, authorization: `Bearer ${alice}` };
      assert.equal((await send(gateway.worker, { method: "DELETE", headers: own })).status, 200);
      assert.equal((await inSession(alice, ask)).status, name === "TypeScript" ? 404 : 400, "it has ended");
    });
  });
}
