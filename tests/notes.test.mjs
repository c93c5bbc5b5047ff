// The example in examples/notes: real tokens, the official client, and the interface of Workers KV.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, beforeEach, describe, test } from "node:test";
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { startDeployment } from "./support/deployment.mjs";
import { ENVELOPE, MODERN, modernCall, modernRequest } from "./support/messages.mjs";
import "./support/report-failures.mjs";
import { connect } from "./support/mcp-client.mjs";
import { signIn } from "./support/sign-in.mjs";
import { forgeToken, tokenOf } from "./support/tokens.mjs";
import { post, send, startKeyValueStore } from "./support/worker.mjs";

const MAY_READ = "notes:read";
const MAY_WRITE = "notes:write";

const store = await startKeyValueStore();
const deployment = await startDeployment({
  settings: { ...(await settingsOf("examples/notes/wrangler.toml")), CLAIM_SCOPES: undefined },
  provider: { scopes: { [MAY_READ]: "Read your notes", [MAY_WRITE]: "Write and delete your notes" } },
  worker: { build: "examples/notes/build", namespaces: { NOTES: store } },
});
const { worker } = deployment;

const clients = [];
after(async () => {
  await Promise.all(clients.map((client) => client.close()));
  await deployment.stop();
  await store.close();
});

beforeEach(() => {
  store.entries.clear();
  store.metadata.clear();
  store.pause = undefined;
});

/** The settings of the example. */
async function settingsOf(file) {
  const toml = await readFile(new URL(`../${file}`, import.meta.url), "utf8");
  const lines = toml.matchAll(/^([A-Z_]+) = "([^"]+)"$/gm);
  return Object.fromEntries([...lines].map(([, name, value]) => [name, value]));
}

/** Obtains a token of this user with these scopes. */
const grant = (login, ...scopes) => tokenOf(deployment, login, { scope: ["openid", ...scopes].join(" ") });

/** Creates the official client, with a user who answers input requests with `decide`. */
async function open(token, { mode = { pin: MODERN }, decide } = {}) {
  const capabilities = decide && { elicitation: {} };
  const client = new Client({ name: "notes-test", version: "1.0.0" }, { capabilities, versionNegotiation: { mode } });
  if (decide) client.setRequestHandler("elicitation/create", async ({ params }) => decide(params));
  const requestInit = { headers: { authorization: `Bearer ${token}` } };
  await client.connect(new StreamableHTTPClientTransport(new URL(worker.mcpUrl), { requestInit }));
  clients.push(client);
  return client;
}

const yes = () => ({ action: "accept", content: { confirm: true } });

async function create(client, title, body = `About ${title}`) {
  const { structuredContent } = await client.callTool({ name: "create_note", arguments: { title, body } });
  return structuredContent.id;
}

async function titles(client) {
  const { structuredContent } = await client.callTool({ name: "list_notes", arguments: {} });
  return structuredContent.notes.map(({ title }) => title);
}

describe("notes", () => {
  let alice;
  let bob;
  before(async () => {
    alice = await open(await grant("alice", MAY_READ, MAY_WRITE), { decide: yes });
    bob = await open(await grant("bob", MAY_READ, MAY_WRITE), { decide: yes });
  });

  test("are written, listed and read", async () => {
    const id = await create(alice, "Milk", "Two litres.\n\n— „süß“ 🥛");
    const { structuredContent, content } = await alice.callTool({ name: "read_note", arguments: { id } });
    assert.equal(structuredContent.title, "Milk");
    assert.equal(structuredContent.body, "Two litres.\n\n— „süß“ 🥛");
    assert.deepEqual(JSON.parse(content[0].text), structuredContent);
    assert.deepEqual(await titles(alice), ["Milk"]);
  });

  test("are stored under a key that does not reveal their user", async () => {
    const id = await create(alice, "Milk");
    const [key] = store.entries.keys();
    assert.match(key, /^[0-9a-f]{64}\/[0-9a-f]{12}$/);
    assert.ok(key.endsWith(`/${id}`));
    assert.ok(!`${key}${store.metadata.get(key)}`.includes("unzlfabysh60"), "the subject");
  });

  test("are deleted when the user confirms it", async () => {
    const id = await create(alice, "Milk");
    const { structuredContent } = await alice.callTool({ name: "delete_note", arguments: { id } });
    assert.deepEqual(structuredContent, { id, deleted: true });
    assert.equal(store.entries.size, 0);
  });

  test("are kept when the user declines; the question names the note", async () => {
    const asked = [];
    const decline = (params) => {
      asked.push(params.message);
      return { action: "decline" };
    };
    const careful = await open(await grant("alice", MAY_READ, MAY_WRITE), { decide: decline });
    const id = await create(careful, "Milk");
    const { structuredContent, isError } = await careful.callTool({ name: "delete_note", arguments: { id } });
    assert.deepEqual(structuredContent, { id, deleted: false });
    assert.ok(!isError);
    assert.deepEqual(asked, ["Delete the note “Milk”?"]);
    assert.deepEqual(await titles(alice), ["Milk"]);
  });

  test("of other users are not accessible in any way", async () => {
    const id = await create(alice, "Secret");
    assert.deepEqual(await titles(bob), []);
    for (const name of ["read_note", "delete_note"]) {
      const { isError, content } = await bob.callTool({ name, arguments: { id } });
      assert.ok(isError, name);
      assert.equal(content[0].text, `there is no note ${id}; list_notes shows all`);
    }
    await assert.rejects(bob.readResource({ uri: `note://${id}` }), { code: -32602 });
    const { contents } = await bob.readResource({ uri: "notes://index" });
    assert.equal(contents[0].text, "[]");
    const reference = { type: "ref/resource", uri: "note://{id}" };
    const { completion } = await bob.complete({ ref: reference, argument: { name: "id", value: id } });
    assert.deepEqual(completion.values, []);
    const { messages } = await bob.getPrompt({ name: "summarize_notes" });
    assert.equal(messages.length, 1);

    const [key] = store.entries.keys();
    for (const injected of [key, `../${key}`, `${key.slice(0, 64)}%2F${id}`]) {
      const { isError } = await bob.callTool({ name: "read_note", arguments: { id: injected } });
      assert.ok(isError, injected);
      const uri = `note://${encodeURIComponent(injected)}`;
      await assert.rejects(bob.readResource({ uri }), { code: -32602 }, injected);
    }
    assert.deepEqual(await titles(alice), ["Secret"]);
  });

  test("are imported with progress", async () => {
    const reports = [];
    let wake = () => {};
    const reported = async (count) => {
      while (reports.length < count) await new Promise((resolve) => (wake = resolve));
    };
    const notes = ["a", "b", "c", "d"].map((title) => ({ title, body: "" }));
    // The store delays each write until the progress of all earlier ones has been reported.
    store.forget();
    store.pause = () => reported(store.writes.length - 1);
    const { structuredContent } = await alice.callTool(
      { name: "import_notes", arguments: { notes } },
      {
        onprogress({ progress, total, message }) {
          reports.push({ progress, total, message });
          wake();
        },
      },
    );
    assert.deepEqual(
      reports,
      ["a", "b", "c", "d"].map((message, index) => ({ progress: index + 1, total: 4, message })),
    );
    assert.equal(structuredContent.ids.length, 4);
    assert.deepEqual((await titles(alice)).sort(), ["a", "b", "c", "d"]);
  });

  test("that are invalid are refused with an explanation for the model", async () => {
    for (const [draft, expected] of [
      [{ title: "x".repeat(121), body: "" }, /title/],
      [{ title: "x", body: "y".repeat(10_001) }, /body/],
      [{ title: "x" }, /body/],
      [{ title: "\n", body: "" }, /blank/],
    ]) {
      const { isError, content } = await alice.callTool({ name: "create_note", arguments: draft });
      assert.ok(isError);
      assert.match(content[0].text, expected);
    }
    assert.equal(store.entries.size, 0);
  });

  test("are resources, in the list and by template", async () => {
    const id = await create(alice, "Milk");
    const { resources } = await alice.listResources();
    const skills = ["skill://tidy-notes/SKILL.md", "skill://mcp-edge/SKILL.md"];
    assert.deepEqual(resources.map(({ uri }) => uri), ["notes://index", ...skills]);
    const { resourceTemplates } = await alice.listResourceTemplates();
    assert.deepEqual(resourceTemplates.map(({ uriTemplate }) => uriTemplate), ["note://{id}"]);
    const index = await alice.readResource({ uri: "notes://index" });
    const [{ uri, title }] = JSON.parse(index.contents[0].text);
    assert.equal(title, "Milk");
    const { contents } = await alice.readResource({ uri });
    assert.deepEqual(contents, [{ uri: `note://${id}`, text: "About Milk", mimeType: "text/markdown" }]);
  });

  test("are completed by title where an id is expected", async () => {
    const id = await create(alice, "Green tea");
    await create(alice, "Milk");
    const ref = { type: "ref/resource", uri: "note://{id}" };
    const { completion } = await alice.complete({ ref, argument: { name: "id", value: "tea" } });
    assert.deepEqual(completion.values, [id]);
  });

  test("are part of a prompt", async () => {
    await create(alice, "Milk");
    const { messages } = await alice.getPrompt({ name: "summarize_notes", arguments: { style: "a table" } });
    assert.deepEqual(messages.map(({ role }) => role), ["user", "user"]);
    assert.match(messages[0].content.text, /a table$/);
    assert.equal(messages[1].content.resource.text, "# Milk\n\nAbout Milk");
  });

  test("are not lost silently when the store fails", async () => {
    store.mood.writes = "fail";
    const { isError, content } = await alice.callTool({ name: "create_note", arguments: { title: "x", body: "" } });
    store.mood.writes = "answer";
    assert.ok(isError);
    assert.match(content[0].text, /^internal error; it is in the server's log under /);
    assert.equal(store.entries.size, 0);
  });
});

describe("scopes", () => {
  const names = async (client) => (await client.listTools()).tools.map(({ name }) => name);
  const scopeOf = ({ headers }) => /scope="([^"]*)"/.exec(headers["www-authenticate"])?.[1];

  test("decide what is listed", async () => {
    assert.deepEqual(await names(await open(await grant("alice", MAY_READ))), ["list_notes", "read_note"]);
    const all = ["list_notes", "read_note", "create_note", "import_notes", "delete_note"];
    assert.deepEqual(await names(await open(await grant("alice", MAY_READ, MAY_WRITE))), all);
  });

  test("to write imply those to read", async () => {
    const client = await open(await grant("alice", MAY_WRITE));
    await create(client, "Milk");
    assert.deepEqual(await titles(client), ["Milk"]);
  });

  test("are advertised; the scope for reading is sufficient at first", async () => {
    const { json } = await send(worker, { path: "/.well-known/oauth-protected-resource/mcp" });
    assert.deepEqual(json.scopes_supported, [MAY_READ, MAY_WRITE]);
    const challenge = await post(worker, modernRequest("tools/list"));
    assert.equal(challenge.status, 401);
    assert.equal(scopeOf(challenge), MAY_READ);
  });

  test("that a tool needs are all named, and granting exactly those is sufficient", async () => {
    const token = await grant("alice", MAY_READ);
    const { message, headers } = modernCall("delete_note", { id: "0123456789ab" });
    message.params._meta[ENVELOPE.capabilities] = { elicitation: {} };
    const refusal = await post(worker, { token, message, headers });
    assert.equal(refusal.status, 403);
    assert.match(refusal.headers["www-authenticate"], /error="insufficient_scope"/);
    assert.equal(scopeOf(refusal), `${MAY_READ} ${MAY_WRITE}`);

    const note = modernCall("create_note", { title: "Milk", body: "" });
    const shortfall = await post(worker, { token, ...note });
    assert.equal(shortfall.status, 403);
    assert.equal(store.entries.size, 0, "nothing has run");
    const more = await grant("alice", ...scopeOf(shortfall).split(" "));
    assert.equal((await post(worker, { token: more, ...note })).status, 200);
    assert.equal(store.entries.size, 1);
  });

  test("are requested by the official client when a tool needs more", async () => {
    const { client, oauth } = await connect(worker.mcpUrl, { mode: { pin: MODERN } });
    clients.push(client);
    assert.equal(oauth.authorizationUrl.searchParams.get("scope").includes(MAY_WRITE), false);
    await assert.rejects(create(client, "Milk"), { name: "UnauthorizedError" });
    const asked = oauth.authorizationUrl.searchParams.get("scope").split(" ");
    assert.ok(asked.includes(MAY_WRITE), asked);
    const callback = await signIn({ authorizationUrl: oauth.authorizationUrl });
    await client.transport.finishAuth(callback.searchParams);
    await create(client, "Milk");
    assert.deepEqual(await titles(client), ["Milk"]);
  });

  test("do not turn a machine into a user", async () => {
    const claims = { sub: "some-machine", client_id: "some-machine", scope: `${MAY_READ} ${MAY_WRITE}` };
    const token = await forgeToken(deployment, { claims });
    const { status } = await post(worker, { token, ...modernCall("list_notes") });
    assert.equal(status, 403);
    assert.deepEqual(await names(await open(token)), []);
  });
});

describe("a client with a handshake", () => {
  test("can do everything except what needs an input request", async () => {
    const client = await open(await grant("alice", MAY_READ, MAY_WRITE), { mode: "legacy", decide: yes });
    const id = await create(client, "Milk");
    assert.deepEqual(await titles(client), ["Milk"]);
    const { contents } = await client.readResource({ uri: `note://${id}` });
    assert.equal(contents[0].text, "About Milk");

    const { isError, content } = await client.callTool({ name: "delete_note", arguments: { id } });
    assert.ok(isError);
    assert.match(content[0].text, /question to the user.*MCP 2026-07-28/);
    assert.equal(store.entries.size, 1);
  });

  test("gets progress as well", async () => {
    const client = await open(await grant("alice", MAY_READ, MAY_WRITE), { mode: "legacy" });
    const reports = [];
    const notes = ["a", "b"].map((title) => ({ title, body: "" }));
    const onprogress = ({ progress }) => reports.push(progress);
    await client.callTool({ name: "import_notes", arguments: { notes } }, { onprogress });
    assert.deepEqual(reports, [1, 2]);
  });
});

test("a client without forms gets the missing capability", async () => {
  const token = await grant("alice", MAY_READ, MAY_WRITE);
  const { status, json } = await post(worker, { token, ...modernCall("delete_note", { id: "0123456789ab" }) });
  assert.equal(status, 400);
  assert.equal(json.error.code, -32021);
  assert.deepEqual(json.error.data.requiredCapabilities, { elicitation: {} });
});

test("with a state secret, the state of input requests is sealed for its user", async () => {
  const sealed = await startDeployment({
    settings: { REQUIRED_SCOPES: MAY_READ, SCOPE_HIERARCHY: `${MAY_WRITE}=${MAY_READ}`, STATE_SECRET: "x".repeat(32) },
    worker: { build: "examples/notes/build", namespaces: { NOTES: store } },
  });
  try {
    const token = (sub) => forgeToken(sealed, { claims: { sub, scope: `${MAY_READ} ${MAY_WRITE}` } });
    const [alice, bob] = [await token("alice"), await token("bob")];
    const call = async (name, args, { token: by = alice, more = {} } = {}) => {
      const { message, headers } = modernCall(name, args);
      message.params._meta[ENVELOPE.capabilities] = { elicitation: {} };
      Object.assign(message.params, more);
      return (await post(sealed.worker, { token: by, message, headers })).json;
    };
    const [one, other] = [
      (await call("create_note", { title: "One", body: "" })).result.structuredContent.id,
      (await call("create_note", { title: "Other", body: "" })).result.structuredContent.id,
    ];
    const { requestState } = (await call("delete_note", { id: one })).result;
    assert.equal(typeof requestState, "string");
    const more = { requestState, inputResponses: { confirm: yes() } };
    assert.equal((await call("delete_note", { id: other }, { more })).error.code, -32602, "another note");
    assert.equal((await call("delete_note", { id: one }, { token: bob, more })).error.code, -32602, "another user");
    assert.equal((await call("delete_note", { id: one }, { more })).result.structuredContent.deleted, true);
    assert.equal(store.entries.size, 1);
  } finally {
    await sealed.stop();
  }
});
