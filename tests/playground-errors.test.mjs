// Errors in the playground, in a real browser: each is shown with what to do about it.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { accessibilityProblems, reasonToSkip, startBrowser } from "./support/browser.mjs";
import { startDeployment } from "./support/deployment.mjs";
import { answer, deployment, open, provider, replaceToken, worker } from "./support/playground.mjs";
import "./support/report-failures.mjs";
import { forgeToken } from "./support/tokens.mjs";

describe("errors are shown with advice", { skip: reasonToSkip() }, () => {
  test("access was denied, and is allowed at the second attempt", async () => {
    const playground = await open();
    const { page, result } = playground;
    await answer(await playground.openWindow(), { decision: "Deny" });
    assert.match(await playground.problem("Access was not allowed"), /Nothing was shared.*the user denied the request/s);
    assert.deepEqual(await accessibilityProblems(page), []);
    const again = await playground.openWindow(page.getByRole("button", { name: "Sign in again" }));
    await again.getByRole("button", { name: "Allow" }).click();
    await result.getByRole("heading", { name: "Alice Doe" }).waitFor();
    assert.deepEqual(page.complaints, []);
    await playground.close();
  });

  test("the token has expired, and another sign-in continues", async () => {
    const playground = await open();
    const { page, result } = playground;
    await playground.signIn();
    await result.getByRole("heading", { name: "Alice Doe" }).waitFor();
    // The token that the server receives expired an hour ago.
    const then = Math.floor(Date.now() / 1000) - 3600;
    const expired = await forgeToken(deployment, { claims: { iat: then - 60, exp: then } });
    await page.route(worker.mcpUrl, (route) =>
      route.continue({ headers: { ...route.request().headers(), authorization: `Bearer ${expired}` } }),
    );
    await page.getByRole("button", { name: "Call", exact: true }).click();
    assert.match(await playground.problem("Your sign-in has expired"), /Sign in again/);
    assert.equal(await page.getByRole("button", { name: "Call", exact: true }).isVisible(), false);
    await page.unroute(worker.mcpUrl);
    const again = await playground.openWindow(page.getByRole("button", { name: "Sign in again" }));
    await again.getByRole("button", { name: "Allow" }).click();
    await result.getByRole("heading", { name: "Alice Doe" }).waitFor();
    await playground.close();
  });

  test("the browser blocks the window; a link opens it, and the page continues", async () => {
    const strict = await startBrowser({ ignoreDefaultArgs: ["--disable-popup-blocking"] });
    try {
      const playground = await open({ from: strict });
      const { page, result, signInButton } = playground;
      // The browser blocks the window because no user has clicked. (A script evaluated by a test counts as a click.)
      await page.addInitScript(() => addEventListener("load", () => document.getElementById("sign-in").click()));
      await page.reload();
      const problem = await playground.problem("Your browser blocked the sign-in window");
      assert.match(problem, /Open the sign-in page/);
      assert.deepEqual(await accessibilityProblems(page), []);
      const link = page.getByRole("link", { name: "Open the sign-in page" });
      const [opened] = await Promise.all([page.context().waitForEvent("page"), link.click()]);
      await answer(opened);
      await result.getByRole("heading", { name: "Alice Doe" }).waitFor();
      assert.equal(await signInButton.isVisible(), false);
      await playground.close();
    } finally {
      await strict.close();
    }
  });

  test("the window is closed; the page says so, and the sign-in can be cancelled and started again", async () => {
    const playground = await open();
    const { page, status, result } = playground;
    const opened = await playground.openWindow();
    await opened.getByLabel("Password").waitFor();
    await opened.close();
    await status.getByText("seems to be closed").waitFor();
    await page.getByRole("button", { name: "Cancel" }).click();
    await status.getByText("Cancelled.").waitFor();
    await playground.signIn();
    await result.getByRole("heading", { name: "Alice Doe" }).waitFor();
    await playground.close();
  });

  test("a response with another state is not used", async () => {
    const playground = await open();
    const { page, result } = playground;
    const opened = await playground.openWindow();
    await opened.getByLabel("Password").waitFor();
    const foreign = await page.context().newPage();
    await foreign.goto(`${worker.origin}/playground/callback?code=somebodys&state=somebodys`);
    await foreign.getByRole("heading", { name: "No sign-in is waiting for this response" }).waitFor();
    assert.deepEqual(await accessibilityProblems(foreign), []);
    assert.match(await playground.problem("An unexpected response was received"), /was not used/);
    // The sign-in of this page continues.
    await answer(opened);
    await result.getByRole("heading", { name: "Alice Doe" }).waitFor();
    await playground.close();
  });

  test("a response from another issuer is not used", async () => {
    const playground = await open();
    const { page } = playground;
    let exchanged = false;
    page.context().on("request", (request) => (exchanged ||= request.url().endsWith("/oidc/token")));
    // The metadata names a fake issuer that uses the endpoints of the real one.
    const pretended = `${new URL(provider.issuer).origin}/pretended`;
    await page.route("**/.well-known/oauth-protected-resource/mcp", async (route) => {
      const response = await route.fetch();
      await route.fulfill({ response, json: { ...(await response.json()), authorization_servers: [pretended] } });
    });
    await page.route(`${pretended}/.well-known/openid-configuration`, async (route) => {
      const response = await route.fetch({ url: `${provider.issuer}/.well-known/openid-configuration` });
      await route.fulfill({ response, json: { ...(await response.json()), issuer: pretended } });
    });
    await playground.signIn();
    assert.match(await playground.problem("The response came from another provider"), /The code in it was not used/);
    assert.equal(exchanged, false);
    await playground.close();
  });

  test("the token is for another server", async () => {
    const playground = await open();
    await replaceToken(playground.page, await forgeToken(deployment, { claims: { aud: "https://elsewhere.example/mcp" } }));
    await playground.signIn();
    const problem = await playground.problem("The token is for another server");
    assert.ok(problem.includes("https://elsewhere.example/mcp") && problem.includes(worker.mcpUrl), problem);
    await playground.close();
  });

  test("the provider has issued an opaque token", async () => {
    const playground = await open();
    // Logto issues such a token if the token request names no resource.
    await replaceToken(playground.page, "wVjZ9hYF0TqjB9cPxR2nD8sKeLmA4uGo");
    await playground.signIn();
    assert.match(await playground.problem("The token names no server"), /API resource/);
    await playground.close();
  });

  test("the page is opened under another host name", async () => {
    const playground = await open({ origin: `http://localhost:${worker.port}` });
    const { page, signInButton } = playground;
    await page.getByText("This server has another host name").waitFor();
    assert.equal(await signInButton.count(), 0);
    assert.equal(await page.getByRole("link", { name: worker.origin, exact: true }).getAttribute("href"), `${worker.origin}/#try`);
    await playground.close();
  });

  test("the provider does not know this server", async () => {
    const port = new URL(worker.origin).port;
    const resource = `http://127.0.0.1:${port}/other`;
    const other = await startDeployment({
      settings: { PLAYGROUND_CLIENT_ID: "playground" },
      provider: { resource },
    });
    try {
      const playground = await open({ origin: other.worker.origin });
      await playground.openWindow();
      assert.match(await playground.problem("The provider does not know this server"), /register RESOURCE/);
      await playground.close();
    } finally {
      await other.stop();
    }
  });

  test("the provider cannot be reached", async () => {
    const other = await startDeployment({ settings: { PLAYGROUND_CLIENT_ID: "playground" } });
    try {
      await other.provider.close();
      const playground = await open({ origin: other.worker.origin });
      const opened = await playground.openWindow();
      assert.match(await playground.problem("The identity provider cannot be reached"), /check ISSUER/);
      assert.ok(opened.isClosed());
      await playground.close();
    } finally {
      await other.worker.stop();
    }
  });
});
