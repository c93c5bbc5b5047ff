// The playground on the page, in a real browser: users sign in at the local provider and call tools.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { accessibilityProblems, keepPicture, reasonToSkip } from "./support/browser.mjs";
import { startDeployment } from "./support/deployment.mjs";
import { answer, open, provider, STEPS, worker } from "./support/playground.mjs";
import "./support/report-failures.mjs";
import { startKeyValueStore } from "./support/worker.mjs";

describe("signing in", { skip: reasonToSkip() }, () => {
  for (const colorScheme of ["light", "dark"]) {
    test(`shows the identity, and every step, ${colorScheme}`, async () => {
      const playground = await open({ colorScheme });
      const { page, result } = playground;
      await playground.signIn();
      await result.getByRole("heading", { name: "Alice Doe" }).waitFor();
      const card = await result.innerText();
      for (const expected of ["alice@example.com verified", "unzlfabysh60", provider.issuer, "third-party", "whoami:read"]) {
        assert.ok(card.includes(expected), `${expected} in ${card}`);
      }
      const steps = page.locator("#trace li");
      assert.deepEqual(await steps.locator("strong").allInnerTexts(), STEPS);
      assert.deepEqual(
        await steps.locator(".state").allInnerTexts().then((all) => all.map((state) => state.split(" ")[0])),
        ["401", "200", "200", "answered", "200", "200", "200"],
      );
      // The last exchange is open, beside the card.
      assert.match(await page.getByLabel("Request", { exact: true }).last().innerText(), /mcp-name: whoami/);
      assert.match(await page.getByLabel("Response", { exact: true }).last().innerText(), /"name": "Alice Doe"/);
      assert.deepEqual(await accessibilityProblems(page), []);
      await page.locator("#try").evaluate((section) => section.scrollIntoView({ behavior: "instant" }));
      await keepPicture(page, `playground-${colorScheme}`);
      assert.deepEqual(page.complaints, []);
      await playground.close();
    });
  }

  test("fits the width of a phone", async () => {
    const playground = await open({ viewport: { width: 360, height: 740 }, isMobile: true, hasTouch: true });
    const { page, result } = playground;
    await playground.signIn();
    await result.getByRole("heading", { name: "Alice Doe" }).waitFor();
    const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    assert.ok(overflow <= 0, `${overflow} pixels too wide`);
    await keepPicture(page, "playground-phone", { fullPage: true });
    await playground.close();
  });

  test("sends the requests that the specifications require, and shows no secret", async () => {
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
    // The token is in memory only.
    const kept = await page.evaluate(() => JSON.stringify([localStorage, sessionStorage, document.cookie, history.state]));
    assert.equal(kept, '[{},{},"",null]');
    assert.ok(!page.url().includes("code="));
    await playground.close();
  });

  test("works with the keyboard alone", async () => {
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
    // The button that had the focus is hidden; the result has it now, and the tools come after it.
    await page.waitForFunction(() => document.activeElement.id === "result");
    await tabTo(page, "Call");
    await keyboard.press("Enter");
    await page.locator("#trace li").nth(STEPS.length).locator(".state", { hasText: "200" }).waitFor();
    await playground.close();
  });

  test("deletes the token on request, and signs in as another user", async () => {
    const playground = await open();
    const { page, result, signInButton } = playground;
    await playground.signIn();
    await result.getByRole("heading", { name: "Alice Doe" }).waitFor();
    await page.getByRole("button", { name: "Delete the token" }).click();
    assert.equal(await result.innerText(), "");
    const opened = await playground.openWindow(signInButton);
    await opened.getByRole("link", { name: "Not you?" }).click();
    await answer(opened, { as: "bob" });
    await result.getByRole("heading", { name: "Bob Roe" }).waitFor();
    assert.match(await result.innerText(), /bob@example\.com not verified/);
    await playground.close();
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

  test("missing scopes are requested; the form is created from the tool's schema", async () => {
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

    // A value without a control of its own is entered as JSON, and an error is shown at its field.
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

test("scopes are requested by the names that the provider knows", { skip: reasonToSkip() }, async () => {
  const PREFIX = "https://notes.example/mcp/";
  const notes = await startDeployment({
    settings: {
      PLAYGROUND_CLIENT_ID: "playground",
      SCOPE_PREFIX: PREFIX,
      REQUIRED_SCOPES: "notes:read",
      CLAIM_SCOPES: undefined,
    },
    provider: {
      scopes: { [`${PREFIX}notes:read`]: "Read your notes", [`${PREFIX}notes:write`]: "Write and delete your notes" },
    },
    worker: { build: "examples/notes/build" },
  });
  try {
    const playground = await open({ origin: notes.worker.origin });
    const { page, status } = playground;
    await playground.signIn();
    await status.getByText("Choose a tool").waitFor();
    const tool = page.getByLabel("Tool", { exact: true });
    assert.deepEqual(await tool.locator("> option").evaluateAll((all) => all.map(({ value }) => value)), ["list_notes", "read_note"]);
    await tool.selectOption("create_note");
    await page.getByRole("button", { name: "Call", exact: true }).click();
    const explained = await playground.problem("More access is needed");
    assert.ok(explained.includes(`${PREFIX}notes:read and ${PREFIX}notes:write`), explained);

    const again = await playground.openWindow(page.getByRole("button", { name: "Sign in and allow it" }));
    await again.getByText("Write and delete your notes").waitFor();
    await again.getByRole("button", { name: "Allow" }).click();
    await page.getByLabel("title").waitFor();
    const allowed = await tool.locator("> option").evaluateAll((all) => all.map(({ value }) => value));
    assert.ok(allowed.includes("create_note"), allowed);
    await playground.close();
  } finally {
    await notes.stop();
  }
});
