// A registry for npm on this machine: it keeps what is published to it, and fetches everything else from the registry that npm is
// configured for.

import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { without } from "../../providers/support/installed.mjs";
import { freePort } from "../../support/worker.mjs";
import { finish } from "./user.mjs";

const VERDACCIO = fileURLToPath(new URL("../node_modules/verdaccio/bin/verdaccio", import.meta.url));
const ROOT = fileURLToPath(new URL("../../..", import.meta.url));

/** Why the tests are skipped, or `false`. @throws {Error} with REQUIRE_NPM=1 or REQUIRE_PROVIDERS=1, if they would be */
export const skipsRegistry = ({ REQUIRE_NPM, REQUIRE_PROVIDERS } = process.env) => without("registry for npm", VERDACCIO, { REQUIRE_PROVIDERS: REQUIRE_NPM ?? REQUIRE_PROVIDERS }, "npm");

/**
 * @typedef {object} Registry
 * @property {string} url
 * @property {(path: string) => Promise<void>} publish  a folder or an archive
 * @property {() => Promise<void>} stop
 *
 * Starts it, empty, on a free port of this machine.
 * @param {string[]} own  the packages that are only kept here, and never fetched from elsewhere
 * @returns {Promise<Registry>}
 */
export async function startRegistry(own) {
  const folder = await mkdtemp(join(tmpdir(), "mcp-edge-registry-"));
  const uplink = (await finish("npm", ["config", "get", "registry"], { cwd: ROOT })).stdout.trim();
  const port = await freePort();
  const url = `http://127.0.0.1:${port}/`;
  const everybody = { access: "$all", publish: "$all", unpublish: "$all" };
  // JSON is YAML.
  const settings = {
    storage: join(folder, "storage"),
    auth: { htpasswd: { file: join(folder, "htpasswd"), max_users: -1 } },
    uplinks: { configured: { url: uplink, cache: true, maxage: "1h", timeout: "60s", max_fails: 10, agent_options: { keepAlive: true, maxSockets: 40 } } },
    packages: { ...Object.fromEntries(own.map((name) => [name, everybody])), "**": { ...everybody, publish: [], proxy: "configured" } },
    max_body_size: "50mb",
    web: { enable: false },
    log: { type: "stdout", format: "json", level: "warn" },
  };
  const config = join(folder, "config.yaml");
  await writeFile(config, JSON.stringify(settings));
  const child = spawn(process.execPath, [VERDACCIO, "--config", config, "--listen", `127.0.0.1:${port}`], { cwd: folder, stdio: ["ignore", "pipe", "pipe"] });
  let log = "";
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (text) => (log += text));
  const ended = new Promise((resolve) => child.once("close", resolve));
  while (!(await fetch(`${url}-/ping`).catch(() => undefined))?.ok) {
    if (child.exitCode !== null) throw new Error(`the registry ended:\n${log}`);
    await new Promise((wake) => setTimeout(wake, 100));
  }

  // npm wants to be signed in before it publishes; this registry does not look.
  const npmrc = join(folder, "npmrc");
  await writeFile(npmrc, `//127.0.0.1:${port}/:_authToken=of-this-test\n`);
  return {
    url,
    async publish(path) {
      await finish("npm", ["publish", path, "--registry", url, "--userconfig", npmrc, "--cache", join(folder, "cache")], { cwd: ROOT });
    },
    async stop() {
      child.kill("SIGTERM");
      await ended;
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** The archive of a package that `make npm` has packed. @throws {Error} with what to do, if it is not there */
export function archive(name, version) {
  const file = join(ROOT, "build/npm", `${name}-${version}.tgz`);
  if (!existsSync(file)) throw new Error(`${file} is missing: run "make npm" first`);
  return file;
}
