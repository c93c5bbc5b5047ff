// The playground on the page, in a real browser, with the local identity provider.

import { after, before } from "node:test";
import { reasonToSkip, startBrowser, visit } from "./browser.mjs";
import { startDeployment } from "./deployment.mjs";

export const STEPS = [
  "Send a request without a token",
  "Read the server’s metadata",
  "Find the provider’s endpoints",
  "Ask for your consent",
  "Exchange the code for a token",
  "List the tools",
  "Call whoami",
];

export const deployment = await startDeployment({ settings: { PLAYGROUND_CLIENT_ID: "playground", RESOURCE_NAME: "Acme" } });
export const { worker, provider } = deployment;

let browser;
before(async () => {
  if (!reasonToSkip()) browser = await startBrowser();
});
after(async () => {
  await browser?.close();
  await deployment.stop();
});

/** Opens the page. Returns its controls and the actions of a user. */
export async function open({ origin = worker.origin, from = browser, ...options } = {}) {
  const page = await visit(from, `${origin}/`, options);
  const signInButton = page.getByRole("button", { name: /^Sign in and (call|list)/ });
  return {
    page,
    result: page.getByRole("region", { name: "Result" }),
    status: page.locator("#status"),
    signInButton,

    /** Clicks a button and returns the window that it opens. */
    async openWindow(button = signInButton) {
      const [opened] = await Promise.all([page.waitForEvent("popup"), button.click()]);
      return opened;
    },

    async signIn({ as = "alice", button } = {}) {
      await answer(await this.openWindow(button), { as });
    },

    /** Returns the text of the error with this title. */
    async problem(title) {
      await page.getByRole("heading", { name: title, level: 3 }).waitFor();
      return page.locator(".problem").innerText();
    },

    close: () => page.context().close(),
  };
}

/** Fills in the provider's sign-in and consent forms. */
export async function answer(opened, { as = "alice", decision = "Allow" } = {}) {
  await opened.getByLabel("User name or e-mail address").fill(as);
  await opened.getByLabel("Password").fill(as);
  await opened.getByRole("button", { name: "Sign in" }).click();
  await opened.getByRole("button", { name: decision, exact: true }).click();
}

/** Replaces the access token in responses of the token endpoint. */
export async function replaceToken(page, access_token) {
  await page.context().route("**/oidc/token", async (route) => {
    const response = await route.fetch();
    await route.fulfill({ response, json: { ...(await response.json()), access_token } });
  });
}
