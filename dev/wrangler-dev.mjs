// Runs `wrangler dev` as a child process and ends it with all of its own children.

import { spawn, spawnSync } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";

const POLL_MS = 200;
const PATIENCE_MS = 5_000;

/**
 * @param {object} options
 * @param {string} options.root  of the project
 * @param {string} options.wrangler  its program
 * @param {number} options.port
 * @param {string} [options.folder]  where the Worker's configuration is, from the root
 * @param {string} [options.config]  the name of its configuration there. Defaults to what wrangler finds
 * @param {string} [options.state]  the folder of its objects and its KV, from the root. Defaults to .wrangler/state beside its configuration
 * @param {string} [options.registry]  Workers find others of the same registry by their names. Defaults to that of the machine
 * @param {Record<string, string>} options.vars  replace those of wrangler.toml
 * @param {string[]} [options.envFiles]  with secrets, in place of .dev.vars
 * @param {(line: string) => void} options.progress  receives its output until the Worker responds
 * @param {(line: string) => void} options.print     receives its output after that
 */
export function startWrangler({ root, wrangler, port, folder = ".", config, state, registry, vars, envFiles = [], progress, print }) {
  const variables = Object.entries(vars).flatMap(([name, value]) => ["--var", `${name}:${value}`]);
  const files = envFiles.flatMap((file) => ["--env-file", file]);
  const configuration = [
    ...(config === undefined ? [] : ["--config", config]),
    ...(state === undefined ? [] : ["--persist-to", join(root, state)]),
  ];
  const child = spawn(
    process.execPath,
    [wrangler, "dev", ...configuration, "--port", String(port), "--show-interactive-dev-session=false", ...files, ...variables],
    {
      cwd: join(root, folder),
      env: { ...process.env, WRANGLER_SEND_METRICS: "false", WRANGLER_HIDE_BANNER: "true", ...(registry && { WRANGLER_REGISTRY_PATH: join(root, ".wrangler/registry", registry) }) },
      stdio: ["ignore", "pipe", "pipe"],
      // A separate process group, so that the build and workerd end with wrangler.
      detached: process.platform !== "win32",
    },
  );

  // Printed only if wrangler fails to start.
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

    /** Prints its output from now on. */
    showOutput() {
      kept = [];
      show = (line) => line.trim() !== "" && print(line);
    },

    /** Waits until the Worker responds. Never ends if wrangler ends: see `ended`. */
    async answers(url, { method = "OPTIONS" } = {}) {
      for (;;) {
        const response = await fetch(url, { method }).catch(() => undefined);
        await response?.body?.cancel();
        if (response?.ok) return;
        if (response?.status === 500) throw new Error(`the Worker responds with an error:\n${kept.join("\n")}`);
        await new Promise((wake) => setTimeout(wake, POLL_MS));
      }
    },

    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      signalGroup(child, "SIGINT");
      const impatience = setTimeout(() => signalGroup(child, "SIGKILL"), PATIENCE_MS);
      await ended;
      clearTimeout(impatience);
      // Ends the rest of the group, such as a build.
      signalGroup(child, "SIGKILL");
    },
  };
}

/** Signals a process and all that it has started. */
function signalGroup({ pid }, signal) {
  // Windows has neither groups nor signals for them.
  if (process.platform === "win32") return void spawnSync("taskkill", ["/pid", String(pid), "/t", "/f"], { stdio: "ignore" });
  try {
    process.kill(-pid, signal);
  } catch (error) {
    if (error.code !== "ESRCH") throw error;
  }
}
