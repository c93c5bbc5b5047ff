// Which folders of a machine are replaced in what it builds, and how cargo learns that.

import assert from "node:assert/strict";
import { test } from "node:test";
import { addFlags, pathFlags } from "./source-paths.mjs";

const REGISTRY = "registry+https://index.example";
const registry = "/home/ada/.cargo/registry/src/index.example-1949cf8c6b5b557f";
const METADATA = {
  workspace_root: "/home/ada/greeter",
  target_directory: "/home/ada/greeter/target",
  packages: [
    { name: "greeter", version: "0.1.0", source: null, manifest_path: "/home/ada/greeter/Cargo.toml" },
    { name: "own", version: "0.1.0", source: null, manifest_path: "/home/ada/greeter/crates/own/Cargo.toml" },
    { name: "serde", version: "1.0.229", source: REGISTRY, manifest_path: `${registry}/serde-1.0.229/Cargo.toml` },
    { name: "bytes", version: "1.12.2", source: REGISTRY, manifest_path: `${registry}/bytes-1.12.2/Cargo.toml` },
  ],
};
const FLAGS = ["--remap-path-prefix=/home/ada/a folder=."];

/** What a path becomes, as rustc does it. */
function seen(path, metadata = METADATA) {
  const pairs = pathFlags(metadata).map((flag) => flag.replace("--remap-path-prefix=", "").split("="));
  const match = pairs.findLast(([folder]) => path === folder || path.startsWith(`${folder}/`));
  return match === undefined ? path : `${match[1]}${path.slice(match[0].length)}`;
}

test("a dependency is called by its name and version, the project's own files by their place in it", () => {
  assert.equal(seen(`${registry}/serde-1.0.229/src/lib.rs`), "/rust/deps/serde-1.0.229/src/lib.rs");
  assert.equal(seen("/home/ada/greeter/crates/own/src/lib.rs"), "./crates/own/src/lib.rs");
  assert.equal(seen("/home/ada/greeter/target/release/build/own-1/out/made.rs"), "./target/release/build/own-1/out/made.rs");
});

test("so are dependencies from git, from other folders, and vendored ones", () => {
  const packages = [
    { name: "forked", version: "2.0.0", source: "git+https://git.example/forked", manifest_path: "/home/ada/.cargo/git/checkouts/forked-1/abc/crates/forked/Cargo.toml" },
    { name: "beside", version: "0.3.0", source: null, manifest_path: "/home/ada/beside/Cargo.toml" },
    { name: "kept", version: "1.0.0", source: REGISTRY, manifest_path: "/home/ada/greeter/vendor/kept/Cargo.toml" },
  ];
  const metadata = { ...METADATA, packages, target_directory: "/scratch/target" };
  assert.equal(seen("/home/ada/.cargo/git/checkouts/forked-1/abc/crates/forked/src/lib.rs", metadata), "/rust/deps/forked-2.0.0/src/lib.rs");
  assert.equal(seen("/home/ada/beside/src/lib.rs", metadata), "/rust/deps/beside-0.3.0/src/lib.rs");
  assert.equal(seen("/home/ada/greeter/vendor/kept/src/lib.rs", metadata), "/rust/deps/kept/src/lib.rs");
  assert.equal(seen("/scratch/target/release/build/kept-1/out/made.rs", metadata), "./target/release/build/kept-1/out/made.rs");
});

test("a folder whose name begins as that of the project is not in it", () => {
  const metadata = { ...METADATA, target_directory: "/home/ada/greeter-target" };
  assert.equal(seen("/home/ada/greeter-target/made.rs", metadata), "./target/made.rs");
});

test("flags that a person has set in the environment stay, and come first", () => {
  const given = (env) => addFlags(FLAGS, env, ['[build]\nrustflags = ["-C", "debuginfo=1"]']);
  assert.deepEqual(given({ RUSTFLAGS: " --cfg  a" }), { env: { CARGO_ENCODED_RUSTFLAGS: `--cfg\x1fa\x1f${FLAGS[0]}` }, args: [] });
  assert.deepEqual(given({ RUSTFLAGS: "" }), { env: { CARGO_ENCODED_RUSTFLAGS: FLAGS[0] }, args: [] }, "an empty one counts, as for cargo");
  assert.deepEqual(given({ CARGO_ENCODED_RUSTFLAGS: "--cfg\x1fb c", RUSTFLAGS: "--cfg a" }), { env: { CARGO_ENCODED_RUSTFLAGS: `--cfg\x1fb c\x1f${FLAGS[0]}` }, args: [] });
});

test("those of config.toml stay, in whichever table they are", () => {
  const table = (env, ...configs) => {
    const { env: changed, args } = addFlags(FLAGS, env, configs);
    assert.deepEqual(changed, {});
    const [option, assignment] = args;
    assert.equal(option, "--config");
    const [, name, value] = /^([a-z0-9.-]+)\.rustflags=(.*)$/.exec(assignment);
    assert.deepEqual(JSON.parse(value), FLAGS);
    // Without a blank in them, by the variable of the same table.
    const variable = name === "build" ? "CARGO_BUILD_RUSTFLAGS" : "CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS";
    const joined = [env[variable], "--remap-path-prefix=/a=."].filter(Boolean).join(" ");
    assert.deepEqual(addFlags(["--remap-path-prefix=/a=."], env, configs), { env: { [variable]: joined }, args: [] });
    return name;
  };
  const target = "target.wasm32-unknown-unknown";
  assert.equal(table({}), target);
  assert.equal(table({}, "[net]\nretry = 1\n", '[build]\n# rustflags = ["a"]\njobs = 2\n'), target);
  assert.equal(table({}, '[build]\nrustflags = ["--cfg", "a"]\n'), "build");
  assert.equal(table({}, 'build.rustflags = ["--cfg", "a"]\n'), "build");
  assert.equal(table({ CARGO_BUILD_RUSTFLAGS: "--cfg a" }), "build");
  assert.equal(table({}, '[build]\nrustflags = ["a"]\n', `[${target}]\nrustflags = ["b"]\n`), target);
  assert.equal(table({ CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS: "b" }, '[build]\nrustflags = ["a"]\n'), target);
});

test("tables of other targets count for nothing, whichever way a table is written", () => {
  const variables = (config) => Object.keys(addFlags(["--remap-path-prefix=/a=."], {}, [`[build]\nrustflags = ["a"]\n${config}`]).env);
  const other = "x86_64-unknown-linux-gnu";
  for (const config of [`[target.${other}]\nrustflags = ["b"]`, `[target."${other}"]\nrustflags = ["b"]`, `[target]\n${other}.rustflags = ["b"]`]) {
    assert.deepEqual(variables(config), ["CARGO_BUILD_RUSTFLAGS"], config);
  }
  for (const name of ["wasm32-unknown-unknown", '"wasm32-unknown-unknown"', "'wasm32-unknown-unknown'", "'cfg(target_arch = \"wasm32\")'", '"cfg(all())"']) {
    for (const config of [`[target.${name}]\nrustflags = ["b"]`, `[ target . ${name} ]\nrustflags = ["b"]`, `[target]\n${name}.rustflags = ["b"]`]) {
      assert.deepEqual(variables(config), ["CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS"], config);
    }
  }
});
