// The playground on the page, in a real browser: people sign in at the local provider, and things go wrong.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { accessibilityProblems, keepPicture, reasonToSkip, startBrowser, visit } from "./support/browser.mjs";
import { startDeployment } from "./support/deployment.mjs";
import "./support/report-failures.mjs";
import { forgeToken } from "./support/tokens.mjs";
import { startKeyValueStore } from "./support/worker.mjs";

const STEPS = [
  "Knock without a token",
  "Read the server’s metadata",
  "Find the provider’s endpoints",
  "Ask you",
  "Exchange the code for a token",
  "List the tools",
  "Call whoami",
];

const deployment = await startDeployment({ settings: { PLAYGROUND_CLIENT_ID: "playground", RESOURCE_NAME: "Acme" } });
const { worker, provider } = deployment;

let browser;
before(async () => {
  if (!reasonToSkip()) browser = await startBrowser();
});
after(async () => {
  await browser?.close();
  await deployment.stop();
});

/** The page, and what a person does on it. */
async function open({ origin = worker.origin, from = browser, ...options } = {}) {
  const page = await visit(from, `${origin}/`, options);
  const signInButton = page.getByRole("button", { name: /^Sign in and (call|list)/ });
  return {
    page,
    result: page.getByRole("region", { name: "Result" }),
    status: page.locator("#status"),
    signInButton,

    /** Clicks, and gives the window that opens. */
    async openWindow(button = signInButton) {
      const [opened] = await Promise.all([page.waitForEvent("popup"), button.click()]);
      return opened;
    },

    async signIn({ as = "alice", button } = {}) {
      await answer(await this.openWindow(button), { as });
    },

    /** What is shown when something went wrong. */
    async problem(title) {
      await page.getByRole("heading", { name: title, level: 3 }).waitFor();
      return page.locator(".problem").innerText();
    },

    close: () => page.context().close(),
  };
}

/** Fills in the provider's forms. */
async function answer(opened, { as = "alice", decision = "Allow" } = {}) {
  await opened.getByLabel("User name or e-mail address").fill(as);
  await opened.getByLabel("Password").fill(as);
  await opened.getByRole("button", { name: "Sign in" }).click();
  await opened.getByRole("button", { name: decision, exact: true }).click();
}

/** Puts another answer in the place of the token endpoint's. */
async function replaceToken(page, access_token) {
  await page.context().route("**/oidc/token", async (route) => {
    const response = await route.fetch();
    await route.fulfill({ response, json: { ...(await response.json()), access_token } });
  });
}

describe("signing in", { skip: reasonToSkip() }, () => {
  for (const colorScheme of ["light", "dark"]) {
    test(`ends with a card of who you are, beside every step, ${colorScheme}`, async () => {
      const playground = await open({ colorScheme });
      const { page, result } = playground;
      await playground.signIn();
      await result.getByRole("heading", { name: "Alice Doe" }).waitFor();
      const card = await result.innerText();
      for (const expected of ["alice@example.com verified", "unzlfabysh60", provider.issuer, "third-party", "whoami:read"]) {
        assert.ok(card.includes(expected), `${expected} in ${card}`);
      }
      const steps = page.locator("#trail li");
      assert.deepEqual(await steps.locator("strong").allInnerTexts(), STEPS);
      assert.deepEqual(
        await steps.locator(".state").allInnerTexts().then((all) => all.map((state) => state.split(" ")[0])),
        ["401", "200", "200", "answered", "200", "200", "200"],
      );
      // The last exchange is open beside the card.
      assert.match(await page.getByLabel("Request", { exact: true }).last().innerText(), /mcp-name: whoami/);
      assert.match(await page.getByLabel("Response", { exact: true }).last().innerText(), /"name": "Alice Doe"/);
      assert.deepEqual(await accessibilityProblems(page), []);
      await page.locator("#try").evaluate((section) => section.scrollIntoView({ behavior: "instant" }));
      await keepPicture(page, `playground-${colorScheme}`);
      assert.deepEqual(page.complaints, []);
      await playground.close();
    });
  }

  test("fits a phone", async () => {
    const playground = await open({ viewport: { width: 360, height: 740 }, isMobile: true, hasTouch: true });
    const { page, result } = playground;
    await playground.signIn();
    await result.getByRole("heading", { name: "Alice Doe" }).waitFor();
    const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    assert.ok(overflow <= 0, `${overflow} pixels too wide`);
    await keepPicture(page, "playground-phone", { fullPage: true });
    await playground.close();
  });

  test("asks as the specifications say, and shows no secret", async () => {
    const playground = await open();
    const { page, result } = playground;
    const [requests, tokens] = [[], []];
    page.context().on("request", (request) => requests.push(request));
    page.context().on("response", async (response) => {
      if (response.url().endsWith("/oidc/token")) tokens.push(await response.json());
    });
    await playground.signIn();
    await result.getByRole("heading", { name: "Alice Doe" }).waitFor();

    const asked = requests.map((request) => new URL(request.url())).find(({ pathname }) => pathname === "/oidc/auth");
    const { state, code_challenge, ...rest } = Object.fromEntries(asked.searchParams);
    assert.deepEqual(rest, {
      response_type: "code",
      client_id: "playground",
      redirect_uri: `${worker.origin}/playground/callback`,
      scope: "whoami:read",
      resource: worker.mcpUrl,
      code_challenge_method: "S256",
    });
    assert.match(code_challenge, /^[\w-]{43}$/);
    assert.match(state, /^[\w-]{43}$/);
    const exchange = requests.find((request) => request.url().endsWith("/oidc/token"));
    const form = new URLSearchParams(exchange.postData());
    assert.equal(form.get("resource"), worker.mcpUrl);

    await page.locator("details").evaluateAll((all) => all.forEach((details) => (details.open = true)));
    const shown = await page.locator("body").innerText();
    const secrets = [tokens[0].access_token, form.get("code"), form.get("code_verifier"), state];
    for (const secret of secrets) assert.ok(secret && !shown.includes(secret), "a secret is shown");
    // The token is in memory and nowhere else.
    const kept = await page.evaluate(() => JSON.stringify([localStorage, sessionStorage, document.cookie, history.state]));
    assert.equal(kept, '[{},{},"",null]');
    assert.ok(!page.url().includes("code="));
    await playground.close();
  });

  test("can be done with the keyboard alone", async () => {
    const playground = await open();
    const { page, result } = playground;
    const { keyboard } = page;
    const tabTo = async (where, name) => {
      for (let presses = 0; presses < 60; presses += 1) {
        const focused = await where.evaluate(() => document.activeElement.id || document.activeElement.textContent);
        if (focused === name) return;
        await where.keyboard.press("Tab");
      }
      assert.fail(`${name} is not reached`);
    };
    await tabTo(page, "sign-in");
    const [opened] = await Promise.all([page.waitForEvent("popup"), keyboard.press("Enter")]);
    await opened.getByLabel("User name or e-mail address").waitFor();
    await opened.keyboard.type("alice");
    await tabTo(opened, "password");
    await opened.keyboard.type("alice");
    await opened.keyboard.press("Enter");
    await opened.getByRole("button", { name: "Allow" }).waitFor();
    await tabTo(opened, "Allow");
    await opened.keyboard.press("Enter");
    await result.getByRole("heading", { name: "Alice Doe" }).waitFor();
    // The button that had the focus is gone; the result has it now, and the tools come after it.
    await page.waitForFunction(() => document.activeElement.id === "result");
    await tabTo(page, "Call");
    await keyboard.press("Enter");
    await page.locator("#trail li").nth(STEPS.length).locator(".state", { hasText: "200" }).waitFor();
    await playground.close();
  });

  test("forgets the token when asked to, and can begin anew as somebody else", async () => {
    const playground = await open();
    const { page, result, signInButton } = playground;
    await playground.signIn();
    await result.getByRole("heading", { name: "Alice Doe" }).waitFor();
    await page.getByRole("button", { name: "Forget the token" }).click();
    assert.equal(await result.innerText(), "");
    const opened = await playground.openWindow(signInButton);
    await opened.getByRole("link", { name: "Not you?" }).click();
    await answer(opened, { as: "bob" });
    await result.getByRole("heading", { name: "Bob Roe" }).waitFor();
    assert.match(await result.innerText(), /bob@example\.com not verified/);
    await playground.close();
  });
});

describe("what goes wrong is said, with what to do", { skip: reasonToSkip() }, () => {
  test("access was denied, and then allowed", async () => {
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

  test("the session has expired, and another sign-in goes on", async () => {
    const playground = await open();
    const { page, result } = playground;
    await playground.signIn();
    await result.getByRole("heading", { name: "Alice Doe" }).waitFor();
    // An hour later, as far as the server can tell.
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

  test("the browser blocks the window; a link opens it, and the page goes on", async () => {
    const strict = await startBrowser({ ignoreDefaultArgs: ["--disable-popup-blocking"] });
    try {
      const playground = await open({ from: strict });
      const { page, result, signInButton } = playground;
      // No person has clicked, so the browser's own blocker steps in. (What a test evaluates counts as a click.)
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

  test("the window is closed; the page says so, and the sign-in can be cancelled and begun again", async () => {
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

  test("an answer with another state is not used", async () => {
    const playground = await open();
    const { page, result } = playground;
    const opened = await playground.openWindow();
    await opened.getByLabel("Password").waitFor();
    const foreign = await page.context().newPage();
    await foreign.goto(`${worker.origin}/playground/callback?code=somebodys&state=somebodys`);
    await foreign.getByRole("heading", { name: "Nobody is waiting for this answer" }).waitFor();
    assert.deepEqual(await accessibilityProblems(foreign), []);
    assert.match(await playground.problem("An answer came that was not asked for"), /was not used/);
    // The sign-in that was begun here goes on all the same.
    await answer(opened);
    await result.getByRole("heading", { name: "Alice Doe" }).waitFor();
    await playground.close();
  });

  test("an answer from another issuer is not used", async () => {
    const playground = await open();
    const { page } = playground;
    let exchanged = false;
    page.context().on("request", (request) => (exchanged ||= request.url().endsWith("/oidc/token")));
    // Somebody has talked the page into using a provider that only pretends to be one, at the real one's endpoints.
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
    assert.match(await playground.problem("The answer came from another provider"), /The code in it was not used/);
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
    // As Logto does where the token request names no resource.
    await replaceToken(playground.page, "wVjZ9hYF0TqjB9cPxR2nD8sKeLmA4uGo");
    await playground.signIn();
    assert.match(await playground.problem("The token is for no server in particular"), /API resource/);
    await playground.close();
  });

  test("the page is opened under another name", async () => {
    const playground = await open({ origin: `http://localhost:${worker.port}` });
    const { page, signInButton } = playground;
    await page.getByText("This server is called by another name").waitFor();
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

describe("tools with arguments", { skip: reasonToSkip() }, () => {
  let notes;
  let store;
  before(async () => {
    store = await startKeyValueStore();
    notes = await startDeployment({
      settings: {
        PLAYGROUND_CLIENT_ID: "playground",
        REQUIRED_SCOPES: "notes:read",
        SCOPE_HIERARCHY: "notes:write=notes:read",
        CLAIM_SCOPES: undefined,
      },
      provider: { scopes: { "notes:read": "Read your notes", "notes:write": "Write and delete your notes" } },
      worker: { build: "examples/notes/build", namespaces: { NOTES: store } },
    });
  });
  after(async () => {
    await notes.stop();
    await store.close();
  });

  test("more access is asked for when it is needed; the form is made from the tool's schema", async () => {
    const playground = await open({ origin: notes.worker.origin });
    const { page, result, status } = playground;
    await playground.signIn();
    await status.getByText("Choose a tool").waitFor();
    const tool = page.getByLabel("Tool", { exact: true });
    await tool.selectOption("create_note");
    await page.getByRole("button", { name: "Call", exact: true }).click();
    assert.match(await playground.problem("More access is needed"), /notes:read and notes:write/);

    const again = await playground.openWindow(page.getByRole("button", { name: "Sign in and allow it" }));
    await again.getByText("Write and delete your notes").waitFor();
    await again.getByRole("button", { name: "Allow" }).click();
    await status.getByText("Choose a tool").waitFor();
    assert.equal(await tool.inputValue(), "create_note");

    await page.getByRole("button", { name: "Call", exact: true }).click();
    await result.getByText("title", { exact: false }).first().waitFor();
    await page.getByLabel("title").fill("Grüße <b>");
    await page.getByLabel("body").fill("Written in the playground.");
    assert.deepEqual(await accessibilityProblems(page), []);
    await page.getByRole("button", { name: "Call", exact: true }).click();
    await result.getByText("Written in the playground.").waitFor();
    assert.match(await result.innerText(), /Grüße <b>/);

    // What has no control of its own is entered as JSON, and a mistake is said at its field.
    await tool.selectOption("import_notes");
    const field = page.getByLabel("notes", { exact: true });
    await field.fill("one note");
    await page.getByRole("button", { name: "Call", exact: true }).click();
    await page.getByText("This must be JSON").waitFor();
    assert.equal(await field.getAttribute("aria-invalid"), "true");
    await field.fill('[{"title": "Two", "body": "2"}]');
    await page.getByRole("button", { name: "Call", exact: true }).click();
    await result.getByText('"ids"').waitFor();
    assert.deepEqual(page.complaints, []);
    await playground.close();
  });
});
