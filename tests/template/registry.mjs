// The crates of this repository as a registry would have them: packed by cargo, and found in place of those of the registry.

import { execFileSync } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/**
 * Packs the crates, and writes settings for cargo by which all projects below a folder get them.
 * @param {string} folder
 */
export async function offerCrates(folder) {
  const cargo = (...args) => execFileSync("cargo", args, { cwd: ROOT, encoding: "utf8", maxBuffer: 2 ** 28 });
  const { packages, target_directory } = JSON.parse(cargo("metadata", "--format-version=1", "--no-deps", "--locked"));
  // `null` is any registry, an empty list none.
  const published = packages.filter(({ publish }) => publish === null);
  cargo("package", ...published.flatMap(({ name }) => ["-p", name]), "--no-verify", "--allow-dirty", "--locked", "--quiet");
  const crates = join(folder, "crates");
  await mkdir(crates, { recursive: true });
  const lines = published.map(({ name, version }) => {
    execFileSync("tar", ["-xzf", join(target_directory, "package", `${name}-${version}.crate`), "-C", crates]);
    return `${name} = { path = ${JSON.stringify(join(crates, `${name}-${version}`))} }`;
  });
  await mkdir(join(folder, ".cargo"), { recursive: true });
  await writeFile(join(folder, ".cargo/config.toml"), `[patch.crates-io]\n${lines.join("\n")}\n`);
}
