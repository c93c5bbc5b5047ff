// Opens a URL in the user's browser, if there is one.

import { spawn } from "node:child_process";

const PROGRAMS = { darwin: "open", linux: "xdg-open" };

/** @param {URL} url */
export function openInBrowser(url) {
  const program = PROGRAMS[process.platform];
  // Without a terminal no user is there to sign in.
  if (program === undefined || !process.stdout.isTTY) return;
  const child = spawn(program, [url.href], { detached: true, stdio: "ignore" });
  child.on("error", () => {});
  child.unref();
}
