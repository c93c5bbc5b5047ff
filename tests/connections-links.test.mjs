// Links, consent and callbacks of connected accounts: what others, programs and repetitions can do with them, which is nothing.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { connectionDeployments } from "./support/connections-deployment.mjs";
import { formWith } from "./support/connections-person.mjs";
import "./support/report-failures.mjs";
import { send } from "./support/worker.mjs";

const start = connectionDeployments();
const deployment = await start();
const { calendar, newUser, call, worker, vault } = deployment;

const isConnected = async (token) => (await call(token)).structured !== undefined;

/** A user with a link of their own. */
async function invited(calendarLogin) {
  const user = newUser(calendarLogin);
  const token = await user.token();
  return { user, token, link: (await call(token)).link };
}

const CALENDAR = /^\/account\/connections\/calendar/;

describe("a link", () => {
  test("opened by somebody else connects nothing, and tells neither of them anything", async () => {
    const { token, link } = await invited();
    const bob = newUser("bob.calendar");
    const page = await bob.visit(link);
    assert.ok(page.status >= 400, page.text);
    assert.match(page.text, /This link is not for this account/);
    for (const secret of ["Calendar", "events:read", "list_events", "third-party-agent"]) assert.ok(!page.text.includes(secret), secret);
    const unknown = await bob.visit(link.replace(/[^/]+$/, "A".repeat(link.split("/").at(-1).length)));
    assert.deepEqual([unknown.status, unknown.text], [page.status, page.text], "as if there were none");
    const again = await call(token);
    assert.equal(again.link, link);
    assert.ok(await vault.logged(({ audit }) => audit === "link_of_another_user"));
  });

  test("is not used up by what looks at it first", async () => {
    const { user, token, link } = await invited();
    const { pathname: path } = new URL(link);
    for (const method of ["GET", "HEAD", "GET", "HEAD"]) {
      const { status, text } = await send(worker, { method, path, headers: { host: new URL(link).host, "user-agent": "preview-bot" } });
      assert.equal(status, 200);
      for (const secret of ["Calendar", "events:read", "list_events"]) assert.ok(!text.includes(secret), secret);
    }
    // With the user's own session as well: a scanner in the browser.
    for (let count = 0; count < 3; count += 1) await user.visit(link);
    await user.connect(link);
    assert.ok(await isConnected(token));
  });

  test("is used up by the consent, and shows afterwards that it was", async () => {
    const { user, token, link } = await invited();
    const consent = await user.visit(link);
    const { fields, action } = formWith(consent, "Connect");
    await user.press(await user.agree(consent), "Connect this account");
    assert.ok(await isConnected(token));
    // The same form a second time.
    assert.ok(fields.csrf !== undefined && action.pathname === new URL(link).pathname);
    const replayed = await user.press(consent, "Connect");
    assert.match(replayed.text, /Connected already/);
    assert.match((await user.visit(link)).text, /Connected already/);
  });

  test("needs a consent of one of our own pages", async () => {
    const { user, link } = await invited();
    const consent = await user.visit(link);
    const { action, fields } = formWith(consent, "Connect");
    for (const changed of [{}, { ...fields, csrf: "forged" }]) {
      const body = new URLSearchParams(changed).toString();
      const headers = { host: action.host, "content-type": "application/x-www-form-urlencoded" };
      const { status, headers: answered } = await send(worker, { method: "POST", path: action.pathname, headers, body });
      assert.equal(status, 403);
      assert.equal(answered.location, undefined);
    }
  });
});

describe("the page", () => {
  test("names the agent as the token does, a client with a document by its host", async () => {
    const user = newUser();
    const id = "https://agent.example/oauth/client.json";
    const { link } = await call(await user.forged({ client_id: id }));
    const { text } = await user.visit(link);
    assert.match(text, /\bagent\.example\b/);
    assert.ok(text.includes(id), text);
    const other = (await call(await user.forged({ client_id: "another-agent" }))).link;
    assert.notEqual(other, link, "each agent has a link of its own");
  });

  test("leads to the service only after the consent", async () => {
    const { user, link } = await invited();
    const before = calendar.requests.length;
    const { body } = await user.visit(link);
    assert.ok(!body.includes(calendar.issuer), "not even a link");
    assert.equal(calendar.requests.length, before);
  });
});

describe("the answer of the service", () => {
  for (const [what, members] of [
    ["is no Bearer token", { token_type: "mac" }],
    ["may do more", { scope: "events:read events:write" }],
    ["is the agent's own", "its own"],
  ]) {
    test(`connects nothing with a token that ${what}`, async () => {
      const { user, token, link } = await invited();
      const changed = members === "its own" ? { access_token: token } : members;
      calendar.provider.misbehave({ when: "after", how: "change", members: changed, times: 1 });
      const page = await user.agree(await user.visit(link));
      // The agent's token is known when it asks: the account is of no use, even when it is confirmed.
      if (members === "its own" && page.status === 200) await user.press(page, "Connect this account");
      else assert.ok(page.status >= 400, page.text);
      assert.equal(await isConnected(token), false);
    });
  }

  test("counts once, in the browser that has asked", async () => {
    const { user, token, link } = await invited();
    const page = await user.agree(await user.visit(link));
    const callback = user.callbacks.find(({ pathname }) => CALENDAR.test(pathname));
    assert.ok(callback.searchParams.has("code") && callback.searchParams.has("iss"));
    const replayed = await user.look(callback);
    assert.ok(replayed.status >= 400, replayed.text);
    const thief = newUser("bob.calendar");
    await thief.visit("/account/connections");
    assert.ok((await thief.look(callback)).status >= 400);
    assert.equal(await isConnected(token), false, "nothing is stored before its user has said so");
    await user.press(page, "Connect this account");
    assert.ok(await isConnected(token));
  });

  test("is refused with another state or issuer, and connects nothing", async () => {
    for (const change of [{ state: "another" }, { iss: "https://evil.example" }, { iss: undefined }]) {
      const { user, token, link } = await invited();
      const sendBack = user.changeCallback;
      user.changeCallback = (callback) => {
        if (!CALENDAR.test(callback.pathname)) return callback;
        for (const [name, value] of Object.entries(change)) {
          if (value === undefined) callback.searchParams.delete(name);
          else callback.searchParams.set(name, value);
        }
        return callback;
      };
      const page = await user.agree(await user.visit(link));
      assert.ok(page.status >= 400, `${JSON.stringify(change)}: ${page.text}`);
      assert.equal(await isConnected(token), false);
      user.changeCallback = sendBack;
    }
  });

  test("that the user has cancelled leaves everything as it was, and the link can be used again", async () => {
    const { user, token, link } = await invited();
    user.decision = "deny";
    const page = await user.agree(await user.visit(link));
    assert.match(page.text, /nothing was connected/);
    assert.equal((await call(token)).link, link);
    user.decision = "allow";
    const again = await user.agree(await user.visit(link));
    await user.press(again, "Connect this account");
    assert.ok(await isConnected(token));
  });
});

describe("an account", () => {
  test("of the wrong person is not stored, and another one can be chosen", async () => {
    const { user, token, link } = await invited("alice.work");
    const before = calendar.provider.counts.revocations;
    const question = await user.agree(await user.visit(link));
    assert.ok(question.text.includes("alice.work"), question.text);
    user.calendarLogin = "alice.calendar";
    const other = await user.press(question, "Use another account");
    assert.ok(other.text.includes("alice.calendar"), other.text);
    await user.press(other, "Connect this account");
    const { structured } = await call(token);
    assert.equal(structured.events[0].title, "Dentist");
    await vault.waitFor(() => calendar.provider.counts.revocations > before, "what was not wanted is not revoked");
  });

  test("is disconnected by its user: at once here, and revoked there", async () => {
    const { user, token, link } = await invited();
    await user.connect(link);
    assert.ok(await isConnected(token));
    const before = calendar.provider.counts.revocations;
    const list = await user.visit("/account/connections");
    for (const shown of ["Calendar", "alice.calendar", "list_events"]) assert.ok(list.text.includes(shown), `${shown}: ${list.text}`);
    await disconnect(user);
    const after = await call(token);
    assert.ok(after.isError && after.link !== undefined);
    await vault.waitFor(() => calendar.provider.counts.revocations > before, "it is not revoked at the service");
    assert.ok(await vault.logged(({ audit }) => audit === "account_disconnected"));
  });

  test("is revoked at the service later, if that is down when it is disconnected", async () => {
    const { user, token, link } = await invited();
    await user.connect(link);
    calendar.isDown = true;
    await disconnect(user);
    calendar.isDown = false;
    assert.ok((await call(token)).link !== undefined);
  });

  test("is not connected or disconnected by anybody else", async () => {
    const { user, token, link } = await invited();
    await user.connect(link);
    const bob = newUser("bob.calendar");
    const page = await bob.visit("/account/connections");
    assert.ok(!page.text.includes("alice.calendar"));
    await disconnect(bob).catch(() => {});
    assert.ok(await isConnected(token));
  });
});

/** Disconnects the calendar, on the pages. */
async function disconnect(user) {
  const list = await user.visit("/account/connections");
  return user.press(await user.followLink(list, /action=disconnect$/), "Disconnect");
}
