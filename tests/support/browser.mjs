// A real browser for tests: Debian's Chromium, or whichever is installed, driven by playwright-core.

import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { chromium } from "playwright-core";

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
