// Two people who pack the same files get the same bytes, with any umask.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { fixModes } from "./staged-modes.mjs";

const NO_MODES = process.platform === "win32" && "Windows has no such modes";

test("an archive does not depend on the umask", { skip: NO_MODES }, (context) => {
  const root = mkdtempSync(join(tmpdir(), "mcp-edge-modes-"));
  context.after(() => rmSync(root, { recursive: true }));
  const sums = ["644", "600"].map((mode) => {
    const folder = join(root, mode);
    mkdirSync(join(folder, "bin"), { recursive: true });
    writeFileSync(join(folder, "package.json"), '{"name":"some-package","version":"1.0.0"}');
    writeFileSync(join(folder, "bin/program"), "#!/bin/sh\n");
    chmodSync(join(folder, "package.json"), parseInt(mode, 8));
    chmodSync(join(folder, "bin/program"), parseInt(mode, 8) | 0o100);
    fixModes(folder);
    execFileSync("npm", ["pack", "--silent", folder, "--pack-destination", folder], { stdio: "ignore" });
    return createHash("sha256").update(readFileSync(join(folder, "some-package-1.0.0.tgz"))).digest("hex");
  });
  assert.equal(sums[0], sums[1]);
});
