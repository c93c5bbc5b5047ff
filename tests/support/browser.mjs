// A real browser for tests: Debian's Chromium, or whichever is installed, driven by playwright-core.

import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import axe from "axe-core";
import { chromium } from "playwright-core";

const RESULTS = fileURLToPath(new URL("../../test-results", import.meta.url));

const NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

// Where dev/setup puts one that it may not install.
const CACHED = join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "mcp-edge/chromium/chromium");

// A browser on a machine with two busy cores takes its time.
export const PATIENCE_MS = 60_000;

const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** The browser's program, or `undefined`. */
function findBrowser() {
  const { CHROMIUM } = process.env;
  if (CHROMIUM) return CHROMIUM;
  const installed = NAMES.map((name) => which(name)).find(Boolean);
  return installed ?? (existsSync(CACHED) ? CACHED : undefined);
}

function which(name) {
  try {
    return execFileSync("which", [name], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
  } catch {
    return undefined;
  }
}

/**
 * Why there can be no browser tests here; `false` if there can. Where everything has to run (CI=true), their absence is
 * a failure.
 */
export function reasonToSkip() {
  if (findBrowser() !== undefined) return false;
  const reason = `no Chromium: install it, or name one in CHROMIUM (dev/setup says why it could not)`;
  if (process.env.CI === "true") throw new Error(reason);
  return reason;
}

/**
 * Starts the browser.
 * @param {import("playwright-core").LaunchOptions} [options]
 */
export function startBrowser(options = {}) {
  return chromium.launch({ executablePath: findBrowser(), args: FLAGS, timeout: PATIENCE_MS, ...options });
}

/**
 * Opens a page in a browser profile of its own. What must not happen is collected in `page.complaints`: errors on the
 * console, exceptions, breaches of the page's Content-Security-Policy.
 * @param {import("playwright-core").Browser} browser
 * @param {string} url
 * @param {import("playwright-core").BrowserContextOptions} [options]
 */
export async function visit(browser, url, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  context.setDefaultTimeout(PATIENCE_MS);
  const complaints = [];
  context.on("console", (message) => {
    if (message.type() === "error" && !isExpected(message.text())) complaints.push(message.text());
  });
  context.on("weberror", (error) => complaints.push(String(error.error())));
  await context.exposeFunction("reportBreach", (breach) => complaints.push(breach));
  await context.addInitScript(() => {
    const tell = ({ violatedDirective, blockedURI }) => globalThis.reportBreach(`${violatedDirective}: ${blockedURI}`);
    document.addEventListener("securitypolicyviolation", tell);
  });
  const page = await context.newPage();
  page.complaints = complaints;
  await page.goto(url);
  return page;
}

// The browser reports each refusal that a page gets. A sign-in begins with one: that is how it learns where to go.
const isExpected = (text) => /^Failed to load resource: the server responded with a status of 40[13]\b/.test(text);

/** What an automatic check of accessibility finds wrong, one line for each. */
export async function accessibilityProblems(page) {
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate(() => globalThis.axe.run(document));
  return violations.flatMap(({ id, help, nodes }) => nodes.map(({ target }) => `${id} (${help}): ${target.join(" ")}`));
}

/** Keeps a picture of the page among the results of the tests. */
export async function keepPicture(page, name, options = {}) {
  await page.screenshot({ path: join(RESULTS, `${name}.png`), animations: "disabled", ...options });
}
