// `wrangler dev` as a child: started, waited for, and ended with everything that it started.

import { spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const WRANGLER = `${ROOT}node_modules/wrangler/bin/wrangler.js`;

const POLL_MS = 200;
const PATIENCE_MS = 5_000;

/**
 * @param {object} options
 * @param {number} options.port
 * @param {string} [options.folder]  where the Worker's wrangler.toml is, from the root of the repository
 * @param {Record<string, string>} options.vars  replace those of wrangler.toml
 * @param {(line: string) => void} options.progress  gets what it says until the Worker answers
 * @param {(line: string) => void} options.print     gets what it says after that
 */
export function startWrangler({ port, folder = ".", vars, progress, print }) {
  const variables = Object.entries(vars).flatMap(([name, value]) => ["--var", `${name}:${value}`]);
  const child = spawn(
    process.execPath,
    [WRANGLER, "dev", "--port", String(port), "--show-interactive-dev-session=false", ...variables],
    {
      cwd: join(ROOT, folder),
      env: { ...process.env, WRANGLER_SEND_METRICS: "false", WRANGLER_HIDE_BANNER: "true" },
      stdio: ["ignore", "pipe", "pipe"],
      // A process group of its own: wrangler starts a build and workerd, and all of them are to end.
      detached: true,
    },
  );

  // Kept until it is clear whether it matters: all of it if wrangler fails, nothing if it starts well.
  let kept = [];
  let show = (line) => {
    kept.push(line);
    progress(line);
  };
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on("line", (line) => show(line));
  }
  const ended = new Promise((resolve) => {
    child.once("error", (error) => resolve({ code: null, output: error.message }));
    child.once("close", (code) => resolve({ code, output: kept.join("\n") }));
  });

  return {
    ended,

    /** From now on what it says is printed. */
    showOutput() {
      kept = [];
      show = (line) => line.trim() !== "" && print(line);
    },

    /** Waits until the Worker answers, or never ends if wrangler does: see `ended`. */
    async answers(url) {
      for (;;) {
        const response = await fetch(url, { method: "OPTIONS" }).catch(() => undefined);
        await response?.body?.cancel();
        if (response?.ok) return;
        if (response?.status === 500) throw new Error(`the Worker answers with an error:\n${kept.join("\n")}`);
        await new Promise((wake) => setTimeout(wake, POLL_MS));
      }
    },

    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      signalGroup(child, "SIGINT");
      const impatience = setTimeout(() => signalGroup(child, "SIGKILL"), PATIENCE_MS);
      await ended;
      clearTimeout(impatience);
      // Whatever of the group is left, such as a build that has not noticed.
      signalGroup(child, "SIGKILL");
    },
  };
}

function signalGroup({ pid }, signal) {
  try {
    process.kill(-pid, signal);
  } catch (error) {
    if (error.code !== "ESRCH") throw error;
  }
}
