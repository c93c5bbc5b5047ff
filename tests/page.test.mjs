// The page at /: the HTTP responses, and the page in a real browser.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, describe, test } from "node:test";
import { buildPage } from "../dev/build-page.mjs";
import { accessibilityProblems, keepPicture, reasonToSkip, startBrowser, visit } from "./support/browser.mjs";
import { startDeployment } from "./support/deployment.mjs";
import "./support/report-failures.mjs";
import { send, startWorker } from "./support/worker.mjs";

// The page and the redirect URI: everything that a visit loads.
const MAX_BYTES = 40 * 1024;

const settings = {
  PLAYGROUND_CLIENT_ID: "playground",
  RESOURCE_NAME: "Acme",
  RESOURCE_DESCRIPTION: "Let the AI agents that you trust see who you are at Acme, and nothing that you have not agreed to share.",
  RESOURCE_DOCUMENTATION: "https://example.com/docs",
  RESOURCE_POLICY_URI: "https://example.com/privacy",
  RESOURCE_TOS_URI: "https://example.com/terms",
};
const deployment = await startDeployment({ settings });
const { worker, provider } = deployment;
after(() => deployment.stop());

describe("the responses", () => {
  test("it is one HTML document with cache headers and an entity tag", async () => {
    const { status, headers } = await send(worker, { path: "/" });
    assert.equal(status, 200);
    assert.equal(headers["content-type"], "text/html; charset=utf-8");
    assert.match(headers["cache-control"], /^public, max-age=\d+$/);
    const again = await send(worker, { path: "/", headers: { "if-none-match": headers.etag } });
    assert.deepEqual([again.status, again.text], [304, ""]);
  });

  test("HEAD and OPTIONS are supported, other methods get 405", async () => {
    for (const path of ["/", "/playground/callback"]) {
      const head = await send(worker, { method: "HEAD", path });
      assert.deepEqual([head.status, head.text], [200, ""], path);
      assert.equal((await send(worker, { method: "OPTIONS", path })).status, 204, path);
      const post = await send(worker, { method: "POST", path });
      assert.deepEqual([post.status, post.headers.allow], [405, "GET, HEAD, OPTIONS"], path);
    }
  });

  test("its policy allows its own script, this server and the provider, and nothing else", async () => {
    const { headers } = await send(worker, { path: "/" });
    const policy = headers["content-security-policy"].split("; ").map((directive) => directive.split(" "));
    const sources = Object.fromEntries(policy.map(([name, ...values]) => [name, values]));
    const [hash] = sources["script-src"];
    assert.match(hash, /^'sha256-[\w+/]{43}='$/);
    assert.deepEqual(sources, {
      "default-src": ["'none'"],
      "style-src": sources["style-src"],
      "script-src": [hash],
      "require-trusted-types-for": ["'script'"],
      "trusted-types": ["'none'"],
      "base-uri": ["'none'"],
      "form-action": ["'none'"],
      "connect-src": ["'self'", new URL(provider.issuer).origin],
      "img-src": ["data:"],
      "frame-ancestors": ["'none'"],
    });
    assert.equal(headers["x-content-type-options"], "nosniff");
    assert.equal(headers["referrer-policy"], "no-referrer");
    assert.equal(headers["cross-origin-opener-policy"], "same-origin-allow-popups");
  });

  test("the redirect URI is not cached", async () => {
    const { headers } = await send(worker, { path: "/playground/callback?code=x&state=y" });
    assert.equal(headers["cache-control"], "no-store");
  });

  /** Checks the size of all that a visit loads. */
  async function assertSmall(from) {
    const parts = await Promise.all(["/", "/playground/callback"].map((path) => send(from, { path })));
    const bytes = parts.reduce((sum, { text }) => sum + Buffer.byteLength(text), 0);
    assert.ok(bytes <= MAX_BYTES, `${bytes} bytes`);
  }

  test("it is at most 40 KB", () => assertSmall(worker));

  test("it is at most 40 KB in front of a gateway, too", async () => {
    const gateway = await startWorker({
      settings: {
        ...settings,
        ISSUER: provider.issuer,
        UPSTREAM: "http://127.0.0.1:1/mcp",
        UPSTREAM_AUTH: "none",
        STATE_SECRET: "a secret of at least thirty-two characters",
        REQUIRED_SCOPES: "whoami:read",
        TOOL_SCOPES: "*=allow delete_*=docs:delete",
      },
    });
    try {
      await assertSmall(gateway);
    } finally {
      await gateway.stop();
    }
  });

  test("the built files match their sources", async () => {
    for (const [path, text] of await buildPage()) {
      assert.equal(await readFile(path, "utf8"), text, `${path} is old: run dev/build`);
    }
  });

  test("it can be disabled, with 404 at its paths", async () => {
    const settings = { ISSUER: provider.issuer, PAGE: "false", PLAYGROUND_CLIENT_ID: "playground" };
    const without = await startWorker({ settings });
    try {
      for (const path of ["/", "/playground/callback"]) {
        assert.equal((await send(without, { path })).status, 404, path);
      }
    } finally {
      await without.stop();
    }
  });

  test("without PLAYGROUND_CLIENT_ID there is no playground", async () => {
    const without = await startWorker({ settings: { ISSUER: provider.issuer } });
    try {
      const { text } = await send(without, { path: "/" });
      assert.ok(text.includes("Connect your client") && !text.includes("Sign in and call"));
      assert.equal((await send(without, { path: "/playground/callback" })).status, 404);
    } finally {
      await without.stop();
    }
  });
});

describe("in a browser", { skip: reasonToSkip() }, () => {
  let browser;
  before(async () => (browser = await startBrowser()));
  after(() => browser?.close());

  const open = (options) => visit(browser, `${worker.origin}/`, options);
  const close = (page) => page.context().close();

  for (const colorScheme of ["light", "dark"]) {
    for (const [device, viewport] of [["desktop", { width: 1280, height: 900 }], ["phone", { width: 360, height: 740 }]]) {
      test(`it is accessible and fits the screen, ${colorScheme}, ${device}`, async () => {
        const page = await open({ colorScheme, viewport });
        assert.equal(await page.getByRole("heading", { level: 1 }).textContent(), "Acme");
        assert.deepEqual(await accessibilityProblems(page), []);
        const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        assert.ok(overflow <= 0, `${overflow} pixels too wide`);
        await keepPicture(page, `page-${device}-${colorScheme}`, { fullPage: true });
        assert.deepEqual(page.complaints, []);
        await close(page);
      });
    }
  }

  test("it shows the operator's name, description, colour and provider", async () => {
    const operated = await startWorker({
      settings: {
        ISSUER: "https://acme.logto.app/oidc",
        RESOURCE: "https://mcp.acme.example/mcp",
        REQUIRED_SCOPES: "whoami:read",
        RESOURCE_NAME: "Acme",
        RESOURCE_DESCRIPTION: "Let the AI agents that you trust work with your Acme account, as far as you allow it.",
        RESOURCE_DOCUMENTATION: "https://acme.example/docs",
        PAGE_COLOR: "#3b5bdb",
      },
    });
    try {
      const page = await visit(browser, `${operated.origin}/`, { colorScheme: "light" });
      const text = await page.locator("main").innerText();
      for (const expected of ["https://mcp.acme.example/mcp", "work with your Acme account", "acme.logto.app"]) {
        assert.ok(text.includes(expected), expected);
      }
      const color = await page.getByText("MCP server", { exact: true }).evaluate((one) => getComputedStyle(one).color);
      assert.equal(color, "rgb(59, 91, 219)");
      await keepPicture(page, "page");
      assert.deepEqual(page.complaints, []);
      await close(page);
    } finally {
      await operated.stop();
    }
  });

  test("it has a dark scheme", async () => {
    const colors = new Set();
    for (const colorScheme of ["light", "dark"]) {
      const page = await open({ colorScheme });
      colors.add(await page.evaluate(() => getComputedStyle(document.body).backgroundColor));
      await close(page);
    }
    assert.equal(colors.size, 2);
  });

  test("it is readable with any colour", async () => {
    for (const PAGE_COLOR of ["#ffe600", "#000080", "#808080"]) {
      const colored = await startWorker({ settings: { ISSUER: provider.issuer, PAGE_COLOR } });
      try {
        for (const colorScheme of ["light", "dark"]) {
          const page = await visit(browser, `${colored.origin}/`, { colorScheme });
          assert.deepEqual(await accessibilityProblems(page), [], `${PAGE_COLOR}, ${colorScheme}`);
          await close(page);
        }
      } finally {
        await colored.stop();
      }
    }
  });

  test("buttons copy the URL, and the command of each client", async () => {
    const page = await open({ permissions: ["clipboard-read", "clipboard-write"] });
    const copied = async (name) => {
      await page.getByRole("button", { name, exact: true }).click();
      await page.getByText("Copied to the clipboard").waitFor();
      return page.evaluate(() => navigator.clipboard.readText());
    };
    assert.equal(await copied("Copy the URL"), worker.mcpUrl);
    assert.equal(await copied("Copy for Claude Code"), `claude mcp add --transport http acme ${worker.mcpUrl}`);
    assert.equal(await copied("Copy URL for ChatGPT"), worker.mcpUrl);
    assert.match(await copied("Copy for MCP Inspector"), new RegExp(`--server-url ${worker.mcpUrl}$`));
    assert.equal(await copied("Copy for mcp-remote"), `npx -y mcp-remote ${worker.mcpUrl}`);
    assert.deepEqual(page.complaints, []);
    await close(page);
  });

  test("clients with a link have one that opens them", async () => {
    const page = await open();
    const target = async (name) => new URL(await page.getByRole("link", { name }).getAttribute("href"));
    const claude = await target("Add to Claude");
    assert.equal(claude.searchParams.get("connectorUrl"), worker.mcpUrl);
    assert.equal(claude.searchParams.get("connectorName"), "Acme");
    const cursor = await target("Add to Cursor");
    assert.deepEqual(JSON.parse(atob(cursor.searchParams.get("config"))), { url: worker.mcpUrl });
    const code = await target("Add to VS Code");
    assert.equal(code.protocol, "vscode:");
    const config = JSON.parse(decodeURIComponent(code.search.slice(1)));
    assert.deepEqual(config, { name: "Acme", type: "http", url: worker.mcpUrl });
    await close(page);
  });

  test("every control can be reached with the keyboard and shows the focus", async () => {
    const page = await open();
    await page.keyboard.press("Tab");
    assert.equal(await page.evaluate(() => document.activeElement.textContent), "Skip to the content");
    assert.ok(await page.getByRole("link", { name: "Skip to the content" }).isVisible());
    const controls = await page.locator("a, button").evaluateAll((all) => all.filter((one) => one.checkVisibility()).length);
    const seen = new Set();
    for (let presses = 0; presses < 2 * controls; presses += 1) {
      const { key, outline } = await page.evaluate(() => {
        const { activeElement: element } = document;
        const key = `${element.tagName} ${element.getAttribute("aria-label") ?? element.textContent} ${element.getAttribute("href")}`;
        return { key, outline: getComputedStyle(element).outlineStyle };
      });
      if (seen.has(key) || key.startsWith("BODY")) break;
      assert.notEqual(outline, "none", key);
      seen.add(key);
      await page.keyboard.press("Tab");
    }
    assert.equal(seen.size, controls);
    await close(page);
  });

  test("it is readable without JavaScript", async () => {
    const context = await browser.newContext({ javaScriptEnabled: false });
    const page = await context.newPage();
    await page.goto(`${worker.origin}/`);
    const text = await page.locator("body").innerText();
    for (const expected of [worker.mcpUrl, "Claude Code", "Who am I", "whoami:read", "needs JavaScript", "Never"]) {
      assert.ok(text.includes(expected), expected);
    }
    // Controls that need JavaScript are hidden.
    assert.equal(await page.getByRole("button").count(), 0);
    await context.close();
  });
});
