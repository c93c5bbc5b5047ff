// Connecting an account in a real browser: from the agent's link to the agent's answer, in the colors and widths of users.

import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { PATIENCE_MS, accessibilityProblems, keepPicture, reasonToSkip, startBrowser } from "./support/browser.mjs";
import { connectV2 } from "./support/connections-clients.mjs";
import { connectionDeployments } from "./support/connections-deployment.mjs";
import "./support/report-failures.mjs";

const skip = reasonToSkip();
const start = connectionDeployments();
const deployment = skip ? undefined : await start();
const browser = skip ? undefined : await startBrowser();
after(() => browser?.close());

/** A browser of its own, with a new user in front of it who has a token and a link. */
async function invited(options = {}) {
  const user = deployment.newUser();
  const token = await user.token();
  const { link } = await deployment.call(token);
  return { user, token, link, page: await newPage(options) };
}

async function newPage(options = {}) {
  const context = await browser.newContext(options);
  context.setDefaultTimeout(PATIENCE_MS);
  const page = await context.newPage();
  page.problems = [];
  page.on("pageerror", (error) => page.problems.push(error.message));
  page.on("console", (message) => message.type() === "error" && page.problems.push(message.text()));
  return page;
}

const isAt = (page, origin) => page.url().startsWith(`${origin}/`);

/** Answers an authorization server until the browser is back at the pages. */
async function answer(page, login, decision = "Allow") {
  const { origin } = deployment;
  await page.waitForURL((url) => url.origin !== origin);
  for (let step = 0; step < 4 && !isAt(page, origin); step += 1) {
    if (await page.getByLabel("Password").isVisible()) {
      await page.getByLabel("User name or e-mail address").fill(login);
      await page.getByLabel("Password").fill(login);
      await page.getByRole("button", { name: "Sign in" }).click();
    } else {
      await page.getByRole("button", { name: decision }).click();
    }
    await page.waitForLoadState();
  }
}

/** Opens the link, signs in, and stops where consent is asked for. */
async function openLink({ page, link, user }) {
  await page.goto(link);
  await page.getByRole("link", { name: /^Sign in at/ }).click();
  await answer(page, user.login);
  await page.getByRole("button", { name: "Connect", exact: true }).waitFor();
}

const yes = (page) => page.getByRole("button", { name: "Connect this account" });

/** Consents, signs in at the calendar, and stops where the account is shown. */
async function consent(page, login) {
  await page.getByRole("button", { name: "Connect", exact: true }).click();
  await answer(page, login);
  await yes(page).waitFor();
}

/** Keeps a picture of the page, and tests what can be tested of every page. */
async function examine(page, what, name) {
  await keepPicture(page, `connections-${what}-${name}`, { fullPage: true });
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  assert.ok(overflow <= 0, `${what} is ${overflow} pixels too wide`);
  assert.deepEqual(await accessibilityProblems(page), [], what);
}

describe("connecting an account in a browser", { skip }, () => {
  test("leads from the agent's link to the agent's answer", async () => {
    const { user, token, page } = await invited();
    const onLink = async ({ url: link }) => {
      await openLink({ page, link, user });
      const shown = await page.locator("main").innerText();
      for (const text of ["third-party-agent", "Calendar", new URL(deployment.calendar.origin).host, "events:read", "list_events"]) {
        assert.ok(shown.includes(text), `${text}: ${shown}`);
      }
      assert.ok(!shown.includes("connections.test"), "what a client calls itself is no name");
      await consent(page, "alice.calendar");
      assert.ok(!page.url().includes("code="), "the address holds nothing that could be replayed");
      assert.ok((await page.locator("main").innerText()).includes("alice.calendar"));
      await yes(page).click();
      await page.waitForLoadState();
      return "accept";
    };
    const client = await connectV2(deployment.worker.mcpUrl, token, { onLink });
    const { structuredContent } = await client.callTool({ name: "list_events", arguments: {} });
    assert.equal(structuredContent.events[0].title, "Dentist");
    await client.close();
    assert.deepEqual(page.problems, []);
  });

  test("works without JavaScript, and can be given up", async () => {
    const { user, token, link, page } = await invited({ javaScriptEnabled: false });
    await openLink({ page, link, user });
    await page.getByRole("link", { name: "Not now" }).click();
    await page.waitForLoadState();
    assert.equal((await deployment.call(token)).link, link);
    await page.goto(link);
    await consent(page, "alice.calendar");
    await yes(page).click();
    await page.waitForLoadState();
    assert.ok((await deployment.call(token)).structured);
  });

  test("shows somebody else that the link is not theirs", async () => {
    const { token, link, page } = await invited();
    const bob = deployment.newUser("bob.calendar");
    await page.goto(link);
    await page.getByRole("link", { name: /^Sign in at/ }).click();
    await answer(page, bob.login);
    await page.getByText(/not for this account/i).first().waitFor();
    await keepPicture(page, "connections-not-yours", { fullPage: true });
    assert.equal(await page.getByRole("button", { name: "Connect", exact: true }).count(), 0);
    assert.equal((await deployment.call(token)).structured, undefined);
  });

  test("survives a cancelled sign-in at the service, and the button Back", async () => {
    const { user, token, link, page } = await invited();
    await openLink({ page, link, user });
    await page.getByRole("button", { name: "Connect", exact: true }).click();
    await answer(page, "alice.calendar", "Deny");
    await keepPicture(page, "connections-cancelled", { fullPage: true });
    assert.equal((await deployment.call(token)).link, link);
    await page.goto(link);
    await page.getByRole("button", { name: "Start again" }).click();
    await answer(page, "alice.calendar");
    await yes(page).click();
    await page.waitForLoadState();
    assert.ok((await deployment.call(token)).structured);
    await page.goBack();
    await page.waitForLoadState();
    assert.ok((await deployment.call(token)).structured, "going back undoes nothing");
  });

  test("keeps the account when another tab has begun to connect one as well", async () => {
    const { user, token, link, page } = await invited();
    await openLink({ page, link, user });
    const other = await page.context().newPage();
    await other.goto(link);
    await consent(page, "alice.calendar");
    await other.getByRole("button", { name: "Connect", exact: true }).click();
    await other.waitForLoadState();
    await yes(page).click();
    await page.waitForLoadState();
    assert.ok((await deployment.call(token)).structured);
  });

  test("connects nothing for anybody if another user has signed in before the service answers", async () => {
    const { user, token, link, page } = await invited();
    const bob = deployment.newUser("bob.calendar");
    await openLink({ page, link, user });
    await page.getByRole("button", { name: "Connect", exact: true }).click();
    await page.getByLabel("Password").waitFor();
    const other = await page.context().newPage();
    await other.goto(`${deployment.origin}/account/connections`);
    await other.getByRole("button", { name: "Sign out" }).click();
    await other.getByRole("link", { name: /^Sign in at/ }).click();
    await answer(other, bob.login);
    await answer(page, "alice.calendar");
    await page.getByRole("heading", { name: "Another user has signed in" }).waitFor();
    await keepPicture(page, "connections-another-user", { fullPage: true });
    for (const credential of [token, await bob.token()]) assert.equal((await deployment.call(credential)).structured, undefined);
  });

  for (const [name, options] of [
    ["light", {}],
    ["dark", { colorScheme: "dark" }],
    ["narrow", { viewport: { width: 320, height: 700 } }],
  ]) {
    test(`is accessible (${name})`, async () => {
      const { user, token, link, page } = await invited(options);
      await page.goto(link);
      await examine(page, "sign-in", name);
      await openLink({ page, link, user });
      await examine(page, "consent", name);
      await consent(page, "alice.calendar");
      await examine(page, "confirm", name);
      await yes(page).click();
      await page.waitForLoadState();
      await examine(page, "connected", name);
      await deployment.call(token);
      await page.goto(`${deployment.origin}/account/connections`);
      await examine(page, "list", name);
      await page.getByRole("link", { name: /Disconnect/ }).first().click();
      await examine(page, "disconnect", name);
      await page.getByRole("button", { name: /^Disconnect/ }).click();
      await page.waitForLoadState();
      await examine(page, "disconnected", name);
      await page.goto(link.replace(/[^/]+$/, "A".repeat(link.split("/").at(-1).length)));
      await examine(page, "not-yours", name);
    });
  }
});
