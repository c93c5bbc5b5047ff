// `make deny`: the dependencies against deny.toml.
//
// The database of known weaknesses is fetched. Without it that check is skipped, and says so; with REQUIRE_ADVISORIES=1 it fails.

import { spawnSync } from "node:child_process";
import process from "node:process";
import { fileURLToPath } from "node:url";

/**
 * @param {{status: number | null, output: string}} ran  `cargo deny check advisories`
 * @param {boolean} isRequired
 * @returns {{code: number, line: string}} the code to end with, and what to say
 */
export function adviceOf({ status, output }, isRequired) {
  if (status === 0) return { code: 0, line: "deny: no known weakness" };
  const unreachable = /^.*failed to fetch advisory database.*$/m.test(output);
  if (!unreachable) return { code: 1, line: "deny: the dependencies have known weaknesses (see above)" };
  const reason = "the database of known weaknesses could not be fetched (see above)";
  if (isRequired) return { code: 1, line: `deny: ${reason}: make it reachable, or unset REQUIRE_ADVISORIES` };
  return { code: 0, line: `deny: advisories SKIPPED: ${reason}` };
}

function main() {
  const rules = spawnSync("cargo", ["deny", "--locked", "check", "bans", "licenses", "sources"], { stdio: "inherit" });
  if (rules.error) throw rules.error;
  const { status, stderr, error } = spawnSync("cargo", ["deny", "--locked", "check", "advisories"], { encoding: "utf8", stdio: ["ignore", "inherit", "pipe"] });
  if (error) throw error;
  process.stderr.write(stderr);
  const { code, line } = adviceOf({ status, output: stderr }, process.env.REQUIRE_ADVISORIES === "1");
  console.log(line);
  process.exitCode = rules.status === 0 ? code : 1;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) main();
