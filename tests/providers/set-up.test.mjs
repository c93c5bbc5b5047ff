// What `dev/setup providers` installs does not depend on the machine where the lists were written, or on the day.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { without } from "./support/installed.mjs";

const read = (file) => readFile(new URL(`../../dev/setup-parts/${file}`, import.meta.url), "utf8");

test("the lists of Python packages have nothing but versions with their checksums", async () => {
  for (const file of ["providers.txt", "python-client.txt", "gateway.txt"]) {
    const lines = (await read(file)).split("\n").filter((line) => line !== "" && !line.startsWith("#"));
    const others = lines.filter((line) => !/^(?:[\w.-]+(?:\[[\w,]+\])?==[\w.+]+ \\| {4}--hash=sha256:[0-9a-f]{64}(?: \\)?)$/.test(line));
    assert.deepEqual(others, [], file);
  }
});

test("a server that is not installed is skipped, and fails if all are required", () => {
  const missing = "/nowhere/server";
  assert.match(without("server", missing, {}), /no server here/);
  assert.throws(() => without("server", missing, { REQUIRE_PROVIDERS: "1" }), /no server here/);
  assert.equal(without("server", fileURLToPath(import.meta.url), { REQUIRE_PROVIDERS: "1" }), false);
});

test("a package of Debian with another version than the tests know is not used, and the reason is said", async () => {
  const folder = await mkdtemp(join(tmpdir(), "mcp-edge-provider-"));
  const script = fileURLToPath(new URL("../../dev/setup-parts/providers.sh", import.meta.url));
  const stubs = `
    apt-get() { :; }
    say() { echo "$1: $2"; }
    begin() { work=${folder}; }
    unpack_packages() {
      printf 'asked for %s\\n' "\${@:2}" >&3
      echo "E: Version '\${2#*=}' for '\${2%%=*}' was not found"
      return 100
    }
    run() { "\${@:3}" >"$work/log"; }
    install_tree() { echo installed; }
    exec 3>&1
    work= providers_debian=${folder}/debian
    . ${script}
    providers_of_debian`;
  const isDebian = await readFile("/etc/debian_version").then(() => true, () => false);
  const { stdout, stderr } = spawnSync("bash", ["-euc", stubs], { encoding: "utf8" });
  await rm(folder, { recursive: true });
  assert.ok(!stdout.includes("installed"), stdout);
  if (!isDebian) return;
  for (const wanted of ["glewlwyd=2.7.5-*", "liblemonldap-ng-portal-perl=2.16.1+ds-*"]) {
    const [name, version] = wanted.split("=");
    assert.ok(stdout.includes(`asked for ${wanted}\n`), stdout + stderr);
    assert.ok(stdout.includes(`not available: Version '${version}' for '${name}' was not found (see `), stdout + stderr);
  }
});
