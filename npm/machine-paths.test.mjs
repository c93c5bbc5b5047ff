// Paths of the machine that built a module, found in the module.

import assert from "node:assert/strict";
import { test } from "node:test";
import { machinePathsIn } from "./machine-paths.mjs";

const found = (text, env = {}) => machinePathsIn(Buffer.from(`\0asm\0${text}\0more`), { root: "/srv/edge/", home: "/root", env });

test("folders of cargo, of users and of the repository are found on any machine", () => {
  for (const path of [
    "/opt/ci/.cargo/registry/src/registry.example-1949cf8c6b5b557f/serde-1.0.0/src/lib.rs",
    "/builds/cargo/git/checkouts/forked-1/abc/src/lib.rs",
    "C:\\Users\\ada\\greeter\\src\\lib.rs",
    "/Users/ada/greeter/src/lib.rs",
    "/srv/edge/crates/mcp-edge/src/lib.rs",
    "/root/greeter/src/lib.rs",
  ]) assert.ok(found(path).includes(path), path);
  assert.deepEqual(found("/scratch/cargo/a.rs", { CARGO_HOME: "/scratch/cargo" }), ["/scratch/cargo/a.rs"]);
});

test("what stands for them, and other text, is none", () => {
  assert.deepEqual(found("/rust/deps/serde-1.0.0/src/lib.rs ./src/lib.rs crates/edge-runtime/src/color.rs /rustc/abc/library/core/src/str.rs"), []);
  assert.deepEqual(found("notifications/roots/list_changed /srv/edgewise"), []);
});
