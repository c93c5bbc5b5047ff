// The command of administration: its arguments, and the message that it sends.

import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { test } from "node:test";
import { envelope, lines, read, send } from "./keys.mjs";
import { Problem } from "./logto/problem.mjs";

const URL_ = "https://mcp.example.com/mcp";
const ID = "0123456789abcdEF";

test("arguments are commands", () => {
  const command = (...args) => read([...args, URL_]).command;
  assert.deepEqual(command("list", "--subject", "alice"), { list: { subject: "alice" } });
  assert.deepEqual(command("list", "--subject", "a", "--issuer", "https://i.example"), { list: { subject: "a", issuer: "https://i.example" } });
  assert.deepEqual(command("describe", ID), { describe: { id: ID } });
  assert.deepEqual(command("revoke", ID), { revoke: { id: ID } });
  assert.deepEqual(command("revoke", "--subject", "alice"), { revoke_all: { subject: "alice" } });
});

test("what is no command changes nothing", () => {
  for (const args of [[], ["list"], ["revoke"], ["revoke", "x"], ["revoke", ID, "--subject", "alice"], ["drop", ID], ["list", ID, ID], ["--all"]]) {
    assert.throws(() => read([...args, URL_]), Problem, args.join(" "));
  }
  assert.throws(() => read(["describe", ID]), /URL/);
});

test("the code covers label, deployment and message, and the secret is not sent", () => {
  const secret = "fedcba9876543210fedcba9876543210";
  const body = envelope({ command: { revoke: { id: ID } }, secret, resource: URL_, now: 1_800_000_000, nonce: "n".repeat(16) });
  const { message, mac } = JSON.parse(body);
  assert.deepEqual(JSON.parse(message), { time: 1_800_000_000, nonce: "n".repeat(16), command: { revoke: { id: ID } } });
  const expected = createHmac("sha256", secret).update(`mcp-edge keys administration v1\0${URL_}\0${message}`).digest("base64url");
  assert.equal(mac, expected);
  assert.ok(!body.includes(secret));
  assert.notEqual(envelope({ command: {}, secret, resource: URL_ }), envelope({ command: {}, secret, resource: URL_ }), "each is new");
});

test("an answer is sent for to the vault's address, and a refusal says what to do", async () => {
  const asked = [];
  const fetch = (status, answer) => async (url, options) => {
    asked.push([String(url), options.redirect]);
    return new Response(JSON.stringify(answer), { status });
  };
  const request = { url: URL_, command: { describe: { id: ID } } };
  assert.deepEqual(await send(request, "s", { fetch: fetch(200, { keys: [] }) }), { keys: [] });
  assert.deepEqual(asked, [["https://mcp.example.com/account/administration", "error"]]);
  await assert.rejects(send(request, "s", { fetch: fetch(401, { error: "the code is wrong" }) }), ({ fix }) => /RESOURCE byte for byte/.test(fix));
  await assert.rejects(send(request, "s", { fetch: fetch(404, { error: "not_found" }) }), /no such key/);
  await assert.rejects(send({ ...request, url: "http://mcp.example.com/mcp" }, "s", {}), /https/);
});

test("keys are printed without what a terminal would interpret", () => {
  const key = { id: ID, name: "a\u001b[31m\u202eb", state: "active", subject: "alice", scopes: "a b", tools: null, created_at: 0, expires_at: 86_400, last_used_day: null };
  assert.deepEqual(lines({ keys: [key] }), [`${ID}  active  1970-01-01 to 1970-01-02  never used  sub alice  a b  all tools  a [31m b`]);
  assert.deepEqual(lines({ keys: [] }), ["no keys"]);
  assert.deepEqual(lines({ revoked: [{ id: ID, name: "x", grant: "shared" }] }), [`${ID}  revoked  x  (grant at the provider: shared)`]);
});
