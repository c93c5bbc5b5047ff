// The developer portal in a browser: signing in, creating an application, requests with the cookies of a page.

import { PATIENCE_MS } from "./browser.mjs";

/**
 * @param {string} origin  of the portal
 * @param {import("playwright-core").Browser} browser
 */
export function portalAt(origin, browser) {
  /** A browser of its own, with this person in front of it. */
  async function open(login, options = {}) {
    const context = await browser.newContext(options);
    context.setDefaultTimeout(PATIENCE_MS);
    const page = await context.newPage();
    page.problems = [];
    page.on("pageerror", (error) => page.problems.push(error.message));
    page.on("console", (message) => message.type() === "error" && page.problems.push(message.text()));
    if (login) await signIn(page, login);
    return page;
  }

  async function signIn(page, login) {
    await page.goto(`${origin}/`);
    await page.getByRole("link", { name: "Sign in as a developer" }).click();
    await page.getByLabel("User name or e-mail address").fill(login);
    await page.getByLabel("Password").fill(login);
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByRole("heading", { name: "Your applications" }).waitFor();
  }

  /** Creates an application in the portal and gives its id; the page shows it afterwards. */
  async function create(page, { name, kind = /device or in the browser/, addresses }) {
    await page.goto(`${origin}/applications/new`);
    await page.getByLabel("Name").fill(name);
    await page.getByLabel(kind).check();
    await page.getByLabel("Redirect addresses").fill(addresses);
    await page.getByRole("button", { name: "Create application" }).click();
    await page.getByText("Created.").waitFor();
    return page.locator("#client-id").textContent();
  }

  /** A request with the cookies of this browser, and nothing of a page. */
  const raw = (page, method, path, form, headers = {}) =>
    page.context().request.fetch(`${origin}${path}`, { method, form, headers, maxRedirects: 0 });

  const csrfOf = (page) => page.locator('input[name="csrf"]').first().inputValue();

  return { open, signIn, create, raw, csrfOf };
}
