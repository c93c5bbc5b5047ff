// The playground of a gateway, in a real browser: its upstream knows only revisions with a handshake, or only the one without.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { accessibilityProblems, keepPicture, reasonToSkip } from "./support/browser.mjs";
import { startDeployment } from "./support/deployment.mjs";
import { open } from "./support/playground.mjs";
import "./support/report-failures.mjs";
import { startSmallUpstream } from "./support/small-upstream.mjs";

const SIGN_IN = [
  "Send a request without a token",
  "Read the server’s metadata",
  "Find the provider’s endpoints",
  "Ask for your consent",
  "Exchange the code for a token",
];

const HANDSHAKE = ["Agree on a revision of MCP", "Confirm the agreement"];

// The refused request, the handshake, and the request again.
const LISTS = { legacy: ["List the tools", ...HANDSHAKE, "List the tools"], modern: ["List the tools"] };

const startGateway = (upstream, settings = {}) =>
  startDeployment({
    settings: {
      PLAYGROUND_CLIENT_ID: "playground",
      RESOURCE_NAME: "Documents",
      REQUIRED_SCOPES: "docs:read",
      CLAIM_SCOPES: undefined,
      UPSTREAM: upstream.url,
      UPSTREAM_AUTH: "none",
      STATE_SECRET: "a secret of at least thirty-two characters",
      TOOL_SCOPES: "*=allow delete_*=docs:delete",
      ...settings,
    },
    provider: { scopes: { "docs:read": "Read documents", "docs:delete": "Delete documents" } },
  });

/** The playground after a sign-in, with actions of a user. */
async function signedIn(gateway, options) {
  const playground = await open({ origin: gateway.worker.origin, ...options });
  const { page, result } = playground;
  const tool = page.getByLabel("Tool", { exact: true });
  await playground.signIn();
  await page.getByText("Choose a tool").waitFor();
  return {
    ...playground,
    tool,
    steps: () => page.locator("#trace strong").allInnerTexts(),
    states: async () => (await page.locator("#trace .state").allInnerTexts()).map((state) => state.split(" ")[0]),
    listed: () => tool.locator("> option").evaluateAll((all) => all.map(({ value }) => value)),
    async call(name, given = {}) {
      await tool.selectOption(name);
      for (const [label, value] of Object.entries(given)) await page.getByLabel(label, { exact: true }).fill(value);
      await page.getByRole("button", { name: "Call", exact: true }).click();
    },
    shown: (text) => result.getByText(text).first().waitFor(),
  };
}

for (const era of ["legacy", "modern"]) {
  describe(`in front of a ${era} upstream`, { skip: reasonToSkip() }, () => {
    let upstream;
    let gateway;
    before(async () => {
      upstream = await startSmallUpstream(era);
      gateway = await startGateway(upstream);
    });
    after(async () => {
      await gateway?.stop();
      await upstream?.close();
    });

    for (const [device, options] of [
      ["desktop-light", { colorScheme: "light" }],
      ["desktop-dark", { colorScheme: "dark" }],
      ["phone-dark", { colorScheme: "dark", viewport: { width: 360, height: 740 }, isMobile: true, hasTouch: true }],
    ]) {
      test(`the tools are listed and called, each step is shown, ${device}`, async () => {
        const playground = await signedIn(gateway, options);
        const { page } = playground;
        assert.deepEqual(await playground.steps(), [...SIGN_IN, ...LISTS[era]]);
        const states = era === "legacy" ? ["400", "200", "202", "200"] : ["200"];
        assert.deepEqual((await playground.states()).slice(SIGN_IN.length), states);
        assert.deepEqual(await playground.listed(), ["greet", "count", "vanish"]);
        await playground.call("greet", { name: "Ada" });
        await playground.shown('"greeting": "Hello Ada"');
        await playground.call("count");
        await playground.shown("One, two, three.");
        const shown = await page.getByLabel("Response", { exact: true }).last().innerText();
        assert.match(shown, /notifications\/progress.*One, two, three/s);
        assert.deepEqual(await accessibilityProblems(page), []);
        const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        assert.ok(overflow <= 0, `${overflow} pixels too wide`);
        await keepPicture(page, `gateway-${era}-${device}`, { fullPage: true });
        assert.deepEqual(page.complaints.filter((text) => !text.includes("status of 400")), []);
        await playground.close();
      });
    }

    test("a stream that ends without a response is an error", async () => {
      const playground = await signedIn(gateway);
      await playground.call("vanish");
      assert.match(await playground.problem("The response ended without a result"), /status 200/);
      await playground.call("greet", { name: "Ada" });
      await playground.shown("Hello Ada");
      await playground.close();
    });

    test("more access is asked for, and more tools are listed then", async () => {
      const playground = await signedIn(gateway);
      const { page, tool } = playground;
      await playground.call("…");
      assert.match(await playground.problem("More access is needed"), /docs:delete/);
      const again = await playground.openWindow(page.getByRole("button", { name: "Sign in and allow it" }));
      await again.getByText("Delete documents").waitFor();
      await again.getByRole("button", { name: "Allow" }).click();
      await tool.locator("option[value=delete_all]").waitFor({ state: "attached" });
      assert.deepEqual(await playground.listed(), ["greet", "count", "vanish", "delete_all"]);
      assert.equal(await tool.locator("option").count(), 4, "nothing needs more access");
      await playground.call("delete_all");
      await playground.shown("Everything is deleted.");
      await playground.close();
    });
  });
}

describe("a session", { skip: reasonToSkip() }, () => {
  let upstream;
  let gateway;
  before(async () => {
    upstream = await startSmallUpstream("legacy");
    gateway = await startGateway(upstream, { LIST_TOOLS: "obtainable" });
  });
  after(async () => {
    await gateway?.stop();
    await upstream?.close();
  });

  test("is kept, named by each request, and not shown as a whole", async () => {
    const playground = await signedIn(gateway);
    const { page } = playground;
    const sent = [];
    page.on("request", (request) => request.method() === "POST" && sent.push(request.headers()));
    await playground.call("greet", { name: "Ada" });
    await playground.shown("Hello Ada");
    const [{ "mcp-session-id": id, "mcp-protocol-version": revision }] = sent;
    assert.equal(revision, "2025-11-25");
    assert.ok(id.length > 36 && !upstream.sessions.has(id), "it is sealed");
    await page.locator("details").evaluateAll((all) => all.forEach((details) => (details.open = true)));
    const shown = await page.locator("body").innerText();
    assert.ok(!shown.includes(id) && shown.includes(`mcp-session-id: ${id.slice(0, 8)}… (${id.length} characters)`));
    await playground.close();
  });

  test("that is lost is begun anew, once", async () => {
    const playground = await signedIn(gateway);
    const before = (await playground.steps()).length;
    upstream.sessions.clear();
    await playground.call("greet", { name: "Ada" });
    await playground.shown("Hello Ada");
    assert.deepEqual((await playground.steps()).slice(before), ["Call greet", ...HANDSHAKE, "Call greet"]);
    assert.deepEqual((await playground.states()).slice(before), ["404", "200", "202", "200"]);
    await playground.close();
  });

  test("is kept when a listed tool needs more access", async () => {
    const playground = await signedIn(gateway);
    const { page, tool } = playground;
    assert.ok((await playground.listed()).includes("delete_all"));
    await playground.call("delete_all");
    assert.match(await playground.problem("More access is needed"), /docs:delete and docs:read/);
    const opened = upstream.sessions.size;
    const again = await playground.openWindow(page.getByRole("button", { name: "Sign in and allow it" }));
    await again.getByRole("button", { name: "Allow" }).click();
    await page.getByText("Choose a tool").waitFor();
    assert.equal(await tool.inputValue(), "delete_all");
    assert.deepEqual(await playground.steps(), [...SIGN_IN, "List the tools"]);
    await playground.call("delete_all");
    await playground.shown("Everything is deleted.");
    assert.equal(upstream.sessions.size, opened);
    await playground.close();
  });
});

test("a gateway without tools says so", { skip: reasonToSkip() }, async () => {
  const upstream = await startSmallUpstream("legacy");
  const gateway = await startGateway(upstream, { TOOL_SCOPES: undefined, RESOURCE_SCOPES: "*=allow" });
  try {
    const playground = await open({ origin: gateway.worker.origin });
    const { page } = playground;
    await playground.signIn();
    await page.getByText("No tools are listed for you.").waitFor();
    assert.equal(await page.getByLabel("Tool", { exact: true }).isVisible(), false);
    assert.ok(await page.getByRole("button", { name: "Delete the token" }).isVisible());
    assert.deepEqual(await accessibilityProblems(page), []);
    await playground.close();
  } finally {
    await gateway.stop();
    await upstream.close();
  }
});
