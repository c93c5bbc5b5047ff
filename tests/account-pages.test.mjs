// The pages of access keys in a real browser: make, copy, use, replace, revoke; and what others may not do.

import assert from "node:assert/strict";
import { createServer } from "node:http";
import { after, describe, test } from "node:test";
import { PATIENCE_MS, accessibilityProblems, keepPicture, reasonToSkip, startBrowser } from "./support/browser.mjs";
import { idOf } from "./support/account.mjs";
import { legacyCall } from "./support/messages.mjs";
import "./support/report-failures.mjs";
import { vaultDeployments } from "./support/vault-deployment.mjs";
import { post } from "./support/worker.mjs";

const skip = reasonToSkip();
const start = vaultDeployments();
const deployment = await start();
const { origin, worker } = deployment;
const browser = skip ? undefined : await startBrowser();
after(() => browser?.close());

const statusOf = async (key) => (await post(worker, { token: key, message: legacyCall("whoami") })).status;

/** A browser of its own, with this person in front of it. */
async function open(login, options = {}) {
  const context = await browser.newContext({ permissions: ["clipboard-read", "clipboard-write"], ...options });
  context.setDefaultTimeout(PATIENCE_MS);
  const page = await context.newPage();
  page.problems = [];
  page.on("pageerror", (error) => page.problems.push(error.message));
  page.on("console", (message) => message.type() === "error" && page.problems.push(message.text()));
  await page.goto(`${origin}/account`);
  await page.getByRole("link", { name: "Sign in" }).click();
  await answerProvider(page, login);
  await page.getByRole("heading", { name: "Access keys", exact: true }).waitFor();
  return page;
}

/** Signs in and allows what is asked for, as far as the provider asks. */
async function answerProvider(page, login) {
  await page.waitForURL((url) => url.origin !== origin);
  for (let step = 0; step < 4 && !page.url().startsWith(origin); step += 1) {
    if (await page.getByLabel("Password").isVisible()) {
      await page.getByLabel("User name or e-mail address").fill(login);
      await page.getByLabel("Password").fill(login);
      await page.getByRole("button", { name: "Sign in" }).click();
    } else {
      await page.getByRole("button", { name: "Allow" }).click();
    }
    await page.waitForLoadState();
  }
}

async function fillForm(page, name) {
  await page.goto(`${origin}/account/keys`);
  await page.getByLabel("Name").fill(name);
  await page.getByRole("button", { name: "Continue" }).click();
}

async function make(page, login, name) {
  await fillForm(page, name);
  await answerProvider(page, login);
  return page.locator("#key").textContent();
}

const raw = (page, method, path, form, headers = {}) =>
  page.context().request.fetch(`${origin}${path}`, { method, form, headers, maxRedirects: 0 });

describe("the pages of access keys", { skip }, () => {
  test("make a key, show it once, and let it be copied, replaced and revoked", async () => {
    const alice = await open("alice");
    const key = await make(alice, "alice", "Nightly build");
    assert.match(key, /^mcpk_/);
    assert.equal(await statusOf(key), 200);
    await keepPicture(alice, "keys-made", { fullPage: true });

    await alice.getByRole("button", { name: "Copy the key" }).click();
    assert.equal(await alice.evaluate(() => navigator.clipboard.readText()), key);
    assert.ok(!(await alice.url()).includes("code="), "the address holds nothing that could be replayed");
    await alice.reload();
    assert.ok(!(await alice.content()).includes(key), "not a second time");

    await alice.goto(`${origin}/account/keys`);
    await keepPicture(alice, "keys-list", { fullPage: true });
    await alice.getByRole("link", { name: "Nightly build", exact: true }).click();
    await alice.getByRole("link", { name: "Replace…" }).click();
    await alice.getByRole("button", { name: "Continue" }).click();
    await answerProvider(alice, "alice");
    const second = await alice.locator("#key").textContent();
    assert.notEqual(second, key);
    assert.equal(await statusOf(second), 200);

    await alice.goto(`${origin}/account/keys/${idOf(second)}?action=revoke`);
    await keepPicture(alice, "keys-revoke", { fullPage: true });
    await alice.getByRole("button", { name: "Revoke" }).click();
    await alice.getByRole("heading", { name: "Revoked" }).waitFor();
    assert.deepEqual(alice.problems, []);
  });

  test("do not show or change another user's key", async () => {
    const [alice, bob] = [await open("alice"), await open("bob")];
    const key = await make(alice, "alice", "alice's alone");
    const path = `/account/keys/${idOf(key)}`;
    assert.equal((await raw(bob, "GET", path)).status(), 404);
    await bob.goto(`${origin}/account/keys`);
    const csrf = await bob.locator('input[name="csrf"]').first().inputValue();
    assert.equal((await raw(bob, "POST", path, { csrf, action: "revoke" })).status(), 404);
    assert.ok(!(await bob.content()).includes("alice's alone"));
    assert.equal(await statusOf(key), 200);
  });

  test("take no form of another site, without the session's token or with that of another", async () => {
    const [alice, bob] = [await open("alice"), await open("bob")];
    const csrf = await alice.locator('input[name="csrf"]').first().inputValue();
    const ofBob = await bob.locator('input[name="csrf"]').first().inputValue();
    const form = { name: "forged", days: "1" };
    for (const [fields, headers] of [
      [form, {}],
      [{ ...form, csrf: ofBob }, {}],
      [{ ...form, csrf }, { origin: "https://evil.example" }],
      [{ ...form, csrf }, { "sec-fetch-site": "cross-site" }],
    ]) {
      assert.equal((await raw(alice, "POST", "/account/keys", fields, headers)).status(), 403, JSON.stringify(fields));
    }
  });

  test("cannot be framed", async () => {
    const server = createServer((_, response) =>
      response.writeHead(200, { "content-type": "text/html" }).end(`<iframe src="${origin}/account/keys"></iframe>`),
    );
    await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
    const alice = await open("alice");
    await alice.goto(`http://127.0.0.1:${server.address().port}/`);
    const frame = alice.frames()[1];
    await frame.waitForLoadState();
    assert.ok(!(await frame.content()).includes("Access keys"));
    server.close();
  });

  test("take the answer of the provider once", async () => {
    const alice = await open("alice");
    let callback;
    alice.on("request", (request) => request.url().includes("/account/callback?") && (callback = request.url()));
    const key = await make(alice, "alice", "once");
    const cookies = await alice.context().cookies();
    const again = await raw(alice, "GET", callback.slice(origin.length));
    assert.ok(again.status() >= 400, `${again.status()}`);
    assert.ok(!(await again.text()).includes("mcpk_"));
    assert.ok(!cookies.some(({ name }) => name.startsWith("__Host-authorize")), "the round trip is over");
    assert.equal(await statusOf(key), 200);
  });

  test("keep two tabs apart", async () => {
    const one = await open("alice");
    const two = await one.context().newPage();
    await fillForm(one, "first tab");
    await fillForm(two, "second tab");
    await answerProvider(two, "alice");
    await answerProvider(one, "alice");
    const keys = [await one.locator("#key").textContent(), await two.locator("#key").textContent()];
    assert.notEqual(...keys);
    assert.ok((await one.getByRole("heading", { level: 1 }).textContent()).includes("first tab"));
    assert.ok((await two.getByRole("heading", { level: 1 }).textContent()).includes("second tab"));
    assert.deepEqual([await statusOf(keys[0]), await statusOf(keys[1])], [200, 200]);
  });

  test("work without JavaScript", async () => {
    const alice = await open("alice", { javaScriptEnabled: false });
    const key = await make(alice, "alice", "no scripts");
    assert.equal(await statusOf(key), 200);
    assert.equal(await alice.getByRole("button", { name: "Copy the key" }).count(), 0);
  });

  for (const [name, options] of [
    ["light", {}],
    ["dark", { colorScheme: "dark" }],
    ["narrow", { viewport: { width: 320, height: 700 } }],
  ]) {
    test(`are accessible (${name})`, async () => {
      const alice = await open("alice", options);
      const problems = async (what) => {
        await keepPicture(alice, `keys-${what}-${name}`, { fullPage: true });
        const overflow = await alice.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
        assert.ok(overflow <= 0, `${what} is ${overflow} pixels too wide`);
        assert.deepEqual(await accessibilityProblems(alice), [], what);
      };
      const key = await make(alice, "alice", `accessible ${name}`);
      await problems("made");
      await alice.goto(`${origin}/account/keys`);
      await problems("list");
      await alice.goto(`${origin}/account/keys/${idOf(key)}`);
      await problems("one");
      await alice.goto(`${origin}/account/keys/${idOf(key)}?action=revoke`);
      await problems("question");
      await alice.goto(`${origin}/account/keys/0000000000000000`);
      await problems("not-found");
    });
  }
});
