// A real browser for tests: an installed Chromium or Debian's, driven by playwright-core.

import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import axe from "axe-core";
import { chromium } from "playwright-core";

const RESULTS = fileURLToPath(new URL("../../test-results", import.meta.url));

const NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

// The path where dev/setup unpacks a browser.
const CACHED = join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "mcp-edge/chromium/chromium");

// A browser on a machine with two busy cores is slow.
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

/** Returns the path of the browser, or `undefined`. */
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
 * Returns the reason why browser tests are skipped, or `false`. With CI=true, a missing browser is an error.
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
 * Opens a page in a new browser profile. `page.complaints` collects errors on the console, exceptions and violations of
 * the page's Content-Security-Policy.
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

// The browser reports each refused request. A sign-in begins with one.
const isExpected = (text) => /^Failed to load resource: the server responded with a status of 40[13]\b/.test(text);

/** Returns the problems that axe finds, one line each. */
export async function accessibilityProblems(page) {
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate(() => globalThis.axe.run(document));
  return violations.flatMap(({ id, help, nodes }) => nodes.map(({ target }) => `${id} (${help}): ${target.join(" ")}`));
}

/** Saves a screenshot of the page in test-results. */
export async function keepPicture(page, name, options = {}) {
  await page.screenshot({ path: join(RESULTS, `${name}.png`), animations: "disabled", ...options });
}
