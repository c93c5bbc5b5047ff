// Who may use which tool, prompt, resource and task of an upstream: TOOL_SCOPES and its siblings.

import assert from "node:assert/strict";
import { after, afterEach, describe, test } from "node:test";
import { stream } from "./gateway/upstreams/answers.mjs";
import { startHostileUpstream } from "./gateway/upstreams/hostile.mjs";
import { startGateway } from "./support/gateway-deployment.mjs";
import { initialize, legacyCall, legacyRequest, modernRequest } from "./support/messages.mjs";
import "./support/report-failures.mjs";
import { post } from "./support/worker.mjs";

const upstream = await startHostileUpstream({
  tools: ["search", "search_all", "delete_one", "admin", "open", "mine", "ours", "unmapped"],
  prompts: ["greet", "secret", "unmapped"],
  resources: ["file:///public/a", "file:///docs/a", "file:///other/a"],
  templates: ["file:///public/{name}", "file:///docs/{name}", "file:///other/{name}", "{+any}"],
});
const TABLES = {
  TOOL_SCOPES: "search*=docs:read delete_*=docs:delete,docs:read admin=deny open=allow mine=user ours=first_party",
  PROMPT_SCOPES: "greet=docs:read secret=deny",
  RESOURCE_SCOPES: "file:///public/*=allow file:///docs/*=docs:read",
};
const SETTINGS = { ...TABLES, USER_BY_SUBJECT: "true", FIRST_PARTY_CLIENTS: "our-app" };
const gateway = await startGateway({ upstream: upstream.url, settings: { ...SETTINGS, TASK_SCOPES: "tasks:use" } });
const lists = await startGateway({ upstream: upstream.url, settings: { ...SETTINGS, LIST_TOOLS: "obtainable" } });
afterEach(() => upstream.forget());
after(async () => {
  await Promise.all([gateway.stop(), lists.stop()]);
  await upstream.stop();
});

const MACHINE = { sub: "robot", client_id: "robot" };

const nothing = await gateway.alice("");
const reader = await gateway.alice("docs:read");
const deleter = await gateway.alice("docs:read docs:delete");
const machine = await gateway.alice("docs:read", MACHINE);
const ourApp = await gateway.alice("", { client_id: "our-app" });

const ask = (token, message, headers) => post(gateway.worker, { token, message, headers });
const modern = (token, ...request) => post(gateway.worker, { token, ...modernRequest(...request) });

function assertPassed({ status, text, json }) {
  assert.equal(status, 200, text);
  assert.ok(json.result, text);
}

/** 403 with a challenge that names all scopes of the operation; nothing reaches the upstream. */
function assertStepUp({ status, headers, text }, scope, method = "tools/call") {
  assert.equal(status, 403, text);
  const challenge = headers["www-authenticate"];
  assert.match(challenge, /^Bearer error="insufficient_scope"/);
  assert.equal(/ scope="([^"]*)"/.exec(challenge)?.[1], scope);
  assert.match(challenge, /resource_metadata="/);
  assert.deepEqual(upstream.of(method), []);
}

/** What does not exist, does not exist for anybody: no status, no challenge and no text says more. */
function assertUnknown({ status, headers, text, json }, pattern, method = "tools/call") {
  assert.equal(status, 200, text);
  assert.equal(json.error?.code, -32602, text);
  assert.match(json.error.message, pattern);
  assert.equal(headers["www-authenticate"], undefined);
  assert.deepEqual(upstream.of(method), []);
}

describe("a tool", () => {
  for (const [name, token, outcome] of [
    ["search", reader, "passes"],
    ["search_all", reader, "passes"],
    ["search", nothing, "docs:read"],
    ["delete_one", deleter, "passes"],
    ["delete_one", reader, "docs:delete docs:read"],
    ["delete_one", nothing, "docs:delete docs:read"],
    ["open", nothing, "passes"],
    ["mine", nothing, "passes"],
    ["mine", machine, "unknown"],
    ["ours", ourApp, "passes"],
    ["ours", deleter, "unknown"],
    ["admin", deleter, "unknown"],
    ["unmapped", deleter, "unknown"],
    ["nonexistent", deleter, "unknown"],
    // An upstream may compare without case.
    ["Search", reader, "unknown"],
    ["OPEN", reader, "unknown"],
    ["\u017fearch", reader, "unknown"],
    ["open ", reader, "no name"],
    ["admin\u0000", reader, "no name"],
    ["*", reader, "unknown"],
    ["", reader, "unknown"],
  ]) {
    const who = { [nothing]: "no scope", [reader]: "docs:read", [deleter]: "all scopes", [machine]: "no user", [ourApp]: "our app" }[token];
    test(`${JSON.stringify(name)} with ${who}: ${outcome}`, async () => {
      const isHeader = /^[\x20-\x7e]*$/.test(name) && name.trim() === name;
      const answers = [await ask(token, legacyCall(name))];
      if (isHeader) answers.push(await modern(token, "tools/call", { name, arguments: {} }));
      for (const answer of answers) {
        if (outcome === "passes") assertPassed(answer);
        else if (outcome === "unknown") assertUnknown(answer, /unknown tool/i);
        else if (outcome === "no name") assertUnknown(answer, /names have neither/);
        else assertStepUp(answer, outcome);
      }
    });
  }

  test("that is denied reads like one that does not exist", async () => {
    const said = async (name) => (await ask(deleter, legacyCall(name))).json.error.message.replace(name, "…");
    assert.equal(await said("admin"), await said("nonexistent"));
    assert.equal(await said("unmapped"), await said("nonexistent"));
  });

  test("that is called as a task needs the scopes of both", async () => {
    const call = legacyRequest("tools/call", { name: "search", arguments: {}, task: { ttl: 1000 } });
    assertStepUp(await ask(reader, call), "docs:read tasks:use");
    assertPassed(await ask(await gateway.alice("docs:read tasks:use"), call));
    const { json } = await post(lists.worker, { token: await lists.alice("docs:read"), message: call });
    assert.equal(json.error.code, -32602, "not without TASK_SCOPES");
  });
});

describe("lists show", () => {
  const names = async (deployment, token, method, member, key = "name") => {
    const answers = [await post(deployment.worker, { token, message: legacyRequest(method) }), await post(deployment.worker, { token, ...modernRequest(method) })];
    const [legacy, modernList] = answers.map(({ json, text }) => {
      assert.ok(json?.result, text);
      return json.result[member].map((each) => each[key]);
    });
    assert.deepEqual(legacy, modernList);
    return legacy;
  };
  const tokens = {
    "no scope": (deployment) => deployment.alice(""),
    "docs:read": (deployment) => deployment.alice("docs:read"),
    "no user": (deployment) => deployment.alice("docs:read", MACHINE),
    "our app": (deployment) => deployment.alice("", { client_id: "our-app" }),
  };
  const expected = {
    "no scope": [["open", "mine"], ["search", "search_all", "delete_one", "open", "mine"]],
    "docs:read": [["search", "search_all", "open", "mine"], ["search", "search_all", "delete_one", "open", "mine"]],
    "no user": [["search", "search_all", "open"], ["search", "search_all", "delete_one", "open"]],
    "our app": [["open", "mine", "ours"], ["search", "search_all", "delete_one", "open", "mine", "ours"]],
  };
  for (const [who, [granted, obtainable]] of Object.entries(expected)) {
    test(`with ${who}, the tools that are granted, or obtainable`, async () => {
      assert.deepEqual(await names(gateway, await tokens[who](gateway), "tools/list", "tools"), granted);
      assert.deepEqual(await names(lists, await tokens[who](lists), "tools/list", "tools"), obtainable);
    });
  }

  test("prompts, resources and templates by the same rules", async () => {
    const kinds = [
      ["prompts/list", "prompts", "name", [], ["greet"]],
      ["resources/list", "resources", "uri", ["file:///public/a"], ["file:///public/a", "file:///docs/a"]],
      ["resources/templates/list", "resourceTemplates", "uriTemplate", ["file:///public/{name}"], ["file:///public/{name}", "file:///docs/{name}"]],
    ];
    for (const [method, member, key, without, withScope] of kinds) {
      assert.deepEqual(await names(gateway, nothing, method, member, key), without);
      assert.deepEqual(await names(gateway, reader, method, member, key), withScope);
      assert.deepEqual(await names(lists, await lists.alice(""), method, member, key), withScope);
    }
  });

  test("pages as the upstream makes them", async () => {
    upstream.on("tools/list", ({ response, message, honest }) => {
      const nextCursor = message.params?.cursor === undefined ? "second" : undefined;
      response.writeHead(200, { "content-type": "application/json" })
        .end(JSON.stringify({ ...honest, result: { ...honest.result, nextCursor } }));
    });
    const first = await ask(nothing, legacyRequest("tools/list"));
    assert.equal(first.json.result.nextCursor, "second");
    const second = await ask(nothing, legacyRequest("tools/list", { cursor: "second" }));
    assert.equal(second.json.result.nextCursor, undefined);
    assert.equal(upstream.last("tools/list").message.params.cursor, "second");
  });
});

describe("a prompt", () => {
  test("by its table", async () => {
    assertPassed(await ask(reader, legacyRequest("prompts/get", { name: "greet" })));
    assertPassed(await modern(reader, "prompts/get", { name: "greet" }));
    upstream.forget();
    assertStepUp(await ask(nothing, legacyRequest("prompts/get", { name: "greet" })), "docs:read", "prompts/get");
    for (const name of ["secret", "unmapped", "Greet", "search"]) {
      assertUnknown(await ask(deleter, legacyRequest("prompts/get", { name })), /unknown prompt/i, "prompts/get");
    }
  });
});

describe("a resource", () => {
  const read = (token, uri) => ask(token, legacyRequest("resources/read", { uri }));

  test("by its table", async () => {
    assertPassed(await read(nothing, "file:///public/a"));
    assertPassed(await read(reader, "file:///docs/a%20b"));
    assertPassed(await read(reader, "file:///docs/ä"));
    upstream.forget();
    assertStepUp(await read(nothing, "file:///docs/a"), "docs:read", "resources/read");
  });

  for (const uri of [
    "file:///other/a", "file:///public/../docs/a", "file:///public/%2e%2e/docs/a", "file:///public/..%2fdocs", "FILE:///public/a",
    "file:///public/..\\docs", "file:///public/%2E%2E%5Cdocs", "file:///public/a\n", "file:///public/ a", "file:///public/%",
    "file://user@/public/a", "file:///Public/a", "file:///publi%63/a", "/public/a", ""
  ]) {
    test(`does not exist as ${JSON.stringify(uri).slice(0, 50)}`, async () => {
      const { status, json, text } = await read(deleter, uri);
      assert.equal(status, 200, text);
      assert.equal(json.error?.code, -32002, text);
      assert.deepEqual(upstream.of("resources/read"), []);
    });
  }

  test("is refused if its URI is longer than any", async () => {
    const { json } = await read(deleter, `file:///public/${"a".repeat(17_000)}`);
    assert.equal(json.error?.code, -32602);
    assert.deepEqual(upstream.of("resources/read"), []);
  });

  test("modern, says which it does not find", async () => {
    const { json, text } = await modern(deleter, "resources/read", { uri: "file:///other/a" });
    assert.equal(json.error?.code, -32602, text);
    assert.deepEqual(json.error.data, { uri: "file:///other/a" });
  });

  for (const method of ["resources/subscribe", "resources/unsubscribe"]) {
    test(`is protected in ${method}`, async () => {
      assertPassed(await ask(reader, legacyRequest(method, { uri: "file:///docs/a" })));
      upstream.forget();
      assertStepUp(await ask(nothing, legacyRequest(method, { uri: "file:///docs/a" })), "docs:read", method);
      const { json } = await ask(reader, legacyRequest(method, { uri: "file:///other/a" }));
      assert.equal(json.error.code, -32002);
      assert.deepEqual(upstream.of(method), []);
    });
  }

  test("is protected where a client listens", async () => {
    const listen = (token, ...resourceSubscriptions) =>
      modern(token, "subscriptions/listen", { notifications: { resourceSubscriptions } });
    upstream.on("subscriptions/listen", stream(({ end }) => end()));
    assert.equal((await listen(reader, "file:///docs/a", "file:///public/a")).status, 200);
    upstream.forget();
    assertStepUp(await listen(nothing, "file:///public/a", "file:///docs/a"), "docs:read", "subscriptions/listen");
    const { json, text } = await listen(deleter, "file:///public/a", "file:///other/a");
    assert.ok(json?.error, text);
    assert.deepEqual(upstream.of("subscriptions/listen"), []);
  });
});

describe("a completion", () => {
  const complete = (token, ref) => ask(token, legacyRequest("completion/complete", { ref, argument: { name: "a", value: "" } }));

  test("is for a prompt or a template that the caller may use", async () => {
    for (const ref of [
      { type: "ref/prompt", name: "greet" }, { type: "ref/resource", uri: "file:///docs/{name}" }, { type: "ref/resource", uri: "file:///docs/a" },
    ]) {
      assertPassed(await complete(reader, ref));
      upstream.forget();
      assertStepUp(await complete(nothing, ref), "docs:read", "completion/complete");
    }
    for (const ref of [
      { type: "ref/prompt", name: "secret" }, { type: "ref/resource", uri: "file:///other/{name}" }, { type: "ref/resource", uri: "{+any}" },
      { type: "ref/tool", name: "open" }, { type: "ref/prompt", uri: "file:///public/a" },
    ]) {
      const { json, text } = await complete(deleter, ref);
      assert.ok(json.error, text);
      assert.deepEqual(upstream.of("completion/complete"), []);
    }
  });
});

describe("tasks", () => {
  test("need TASK_SCOPES", async () => {
    const token = await gateway.alice("tasks:use");
    for (const method of ["tasks/get", "tasks/result", "tasks/cancel"]) {
      assertPassed(await ask(token, legacyRequest(method, { taskId: "1" })));
      upstream.forget();
      assertStepUp(await ask(reader, legacyRequest(method, { taskId: "1" })), "tasks:use", method);
    }
  });

  test("do not exist without it", async () => {
    const token = await lists.alice("tasks:use");
    const { json } = await post(lists.worker, { token, message: legacyRequest("tasks/get", { taskId: "1" }) });
    assert.equal(json.error.code, -32601);
    assert.deepEqual(upstream.requests, []);
  });
});

describe("a batch", () => {
  const headers = { "mcp-protocol-version": "2025-03-26" };
  const batch = (token, ...messages) => ask(token, messages, headers);

  test("passes if all of it may", async () => {
    const { status, json, text } = await batch(deleter, legacyCall("search"), legacyCall("delete_one"));
    assert.equal(status, 200, text);
    assert.equal(json.length, 2);
    assert.equal(upstream.requests.length, 1);
  });

  test("needs the scopes of all of it", async () => {
    const answer = await batch(nothing, legacyCall("open"), legacyCall("search"), legacyCall("delete_one"));
    assertStepUp(answer, "docs:delete docs:read");
    assert.deepEqual(upstream.requests, []);
  });

  for (const [what, ...messages] of [
    ["an initialization", initialize("2025-03-26")],
    ["a list", legacyCall("open"), legacyRequest("tools/list")],
    ["a modern request", modernRequest("tools/call", { name: "open" }).message],
    ["too many messages", ...Array.from({ length: 101 }, () => legacyCall("open"))],
  ]) {
    test(`is refused with ${what}`, async () => {
      const { status, json, text } = await batch(deleter, ...messages);
      assert.ok(status === 400 && json.error.code === -32600, `${status} ${text}`);
      assert.deepEqual(upstream.requests, []);
    });
  }

  test("is refused in later revisions", async () => {
    const { status, json } = await ask(deleter, [legacyCall("open")], { "mcp-protocol-version": "2025-11-25" });
    assert.deepEqual([status, json.error.code], [400, -32600]);
  });

  test("with a tool that is denied reaches nobody with it", async () => {
    const { text } = await batch(deleter, legacyCall("open"), legacyCall("admin"));
    assert.match(text, /unknown tool/i);
    for (const { body } of upstream.requests) assert.ok(!body.includes("admin"));
  });
});

test("the metadata name the scopes of all tables", async () => {
  const response = await fetch(`${gateway.origin}/.well-known/oauth-protected-resource/mcp`);
  assert.deepEqual((await response.json()).scopes_supported.sort(), ["docs:delete", "docs:read", "tasks:use"]);
});

test("tools, prompts and resources without a table do not exist", async () => {
  const other = await startGateway({ upstream: upstream.url, settings: { TOOL_SCOPES: "open=allow" } });
  try {
    const token = await other.alice("docs:read");
    for (const method of ["prompts/list", "resources/list", "resources/templates/list", "prompts/get", "resources/read"]) {
      const { json, text } = await post(other.worker, { token, message: legacyRequest(method, { name: "greet", uri: "file:///public/a" }) });
      assert.equal(json.error?.code, -32601, text);
    }
    assert.deepEqual(upstream.requests, []);
    const { json } = await post(other.worker, { token, message: initialize() });
    assert.deepEqual(Object.keys(json.result.capabilities).filter((name) => ["prompts", "resources", "completions", "tasks"].includes(name)), []);
  } finally {
    await other.stop();
  }
});

for (const [what, settings, expected] of [
  ["ambiguous patterns", { TOOL_SCOPES: "a*=allow *b=allow" }, /^- TOOL_SCOPES: a\* and \*b match the same names/],
  ["a pattern twice", { TOOL_SCOPES: "a=allow a=deny" }, /^- TOOL_SCOPES: a occurs twice/],
  ["two stars", { TOOL_SCOPES: "a*b*=allow" }, /^- TOOL_SCOPES.*more than one \*/],
  ["a need that is alone and is not", { TOOL_SCOPES: "a=allow,docs:read" }, /^- TOOL_SCOPES.*allow must stand alone/],
  ["no key", { UPSTREAM_SIGNING_KEY: undefined }, /^- UPSTREAM_SIGNING_KEY is not set/],
  ["no state secret", { STATE_SECRET: undefined }, /^- STATE_SECRET is not set/],
  ["an upstream over plain HTTP", { UPSTREAM: "http://upstream.example/mcp" }, /^- UPSTREAM = .*must begin with https/],
  ["tasks of nobody", { UPSTREAM_AUTH: "none", UPSTREAM_SIGNING_KEY: undefined, TASK_SCOPES: "allow" }, /^- TASK_SCOPES needs UPSTREAM_AUTH = "assertion"/],
  ["no seconds", { UPSTREAM_SECONDS: "0" }, /^- UPSTREAM_SECONDS = "0"/],
]) {
  test(`settings with ${what} let no request through, and the log says which`, async () => {
    const other = await startGateway({ upstream: upstream.url, settings: { TOOL_SCOPES: "*=allow", ...settings } });
    try {
      const { status } = await post(other.worker, { token: await other.alice(""), message: legacyCall("open") });
      assert.equal(status, 500);
      assert.deepEqual(upstream.requests, []);
      const isLogged = () => other.worker.raw().includes("no request will be let through");
      await other.worker.waitFor(isLogged, "the log does not say that the settings are wrong");
      const problems = [...new Set(other.worker.raw().match(/^- .*$/gm))];
      assert.equal(problems.length, 1, problems.join("\n"));
      assert.match(problems[0], expected);
    } finally {
      await other.stop();
    }
  });
}
