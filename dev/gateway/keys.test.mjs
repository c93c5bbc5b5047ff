// `make gateway-keys`: the first key, its rotation, and what is never shown.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { webcrypto } from "node:crypto";
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { calculateJwkThumbprint } from "jose";
import { getStaticTOMLValue, parseTOML } from "toml-eslint-parser";
import { Problem } from "../logto/problem.mjs";
import { run } from "./keys-run.mjs";
import { createSigningKey, publicPart } from "./signing-key.mjs";

const MINUTE = 60_000;
const LOGGED_OUT = "You are not authenticated. Please run `wrangler login`.";

let root;
let now;
/** The secrets of the deployed Worker, and the settings with which it was deployed. */
let worker;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "mcp-edge-keys-"));
  now = Date.parse("2026-11-26T12:00:00Z");
  worker = { secrets: new Map(), vars: {} };
  await settings('RESOURCE = "https://mcp.example.com/mcp"   # the endpoint\n');
});
afterEach(() => rm(root, { recursive: true, force: true }));

const settings = (text) => writeFile(join(root, "wrangler.toml"), `name = "edge"\n\n[vars]\n${text}`);
const vars = async () => getStaticTOMLValue(parseTOML(await readFile(join(root, "wrangler.toml"), "utf8"))).vars;
const deploy = async () => (worker.vars = await vars());
const files = () => readdir(join(root, ".wrangler/gateway/edge")).catch(() => []);

/** What the deployed gateway publishes. */
async function fetchKeys(url) {
  assert.equal(String(url), "https://mcp.example.com/.well-known/jwks.json");
  const signing = worker.secrets.get("UPSTREAM_SIGNING_KEY");
  const own = signing === undefined ? [] : [publicPart(JSON.parse(signing))];
  const others = JSON.parse(worker.vars.UPSTREAM_PUBLIC_KEYS || "[]").filter(({ kid }) => kid !== own[0]?.kid);
  return Response.json({ keys: [...own, ...others] });
}

function wranglerFor() {
  return async ([, command, name], input) => {
    if (worker.fails !== undefined) return { code: 1, output: worker.fails };
    if (command === "list") return { code: 0, output: JSON.stringify([...worker.secrets.keys()].map((each) => ({ name: each }))) };
    worker.secrets.set(name, input);
    return { code: 0, output: "Success" };
  };
}

async function keys(args = {}, surroundings = {}) {
  const lines = [];
  const asked = [];
  const options = { rotate: false, yes: false, now: false, "dry-run": false, config: "wrangler.toml", ...args };
  const defaults = { root, folder: join(root, ".wrangler/gateway"), print: (line) => lines.push(line), confirm: async (text) => asked.push(text) > 0, wranglerFor, fetch: fetchKeys, now: () => now };
  let [code, problem] = [undefined, undefined];
  try {
    code = await run(options, { ...defaults, ...surroundings });
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    problem = error;
    lines.push(...error.lines);
  }
  const output = lines.join("\n");
  // Of a P-256 key, "d" has 43 characters.
  const secrets = [...worker.secrets.values()].map((value) => (value.startsWith("{") ? JSON.parse(value).d : value));
  for (const secret of secrets) assert.ok(!output.includes(secret), "shows a secret");
  assert.doesNotMatch(output, /"d":/);
  return { code, problem, output, asked };
}

describe("the first key", () => {
  test("is a P-256 key whose kid is its thumbprint, put with STATE_SECRET after a question", async () => {
    const { code, asked, output } = await keys();
    assert.equal(code, 0, output);
    assert.equal(asked.length, 1);
    const key = JSON.parse(worker.secrets.get("UPSTREAM_SIGNING_KEY"));
    assert.equal(key.kid, await calculateJwkThumbprint(key, "sha256"));
    assert.deepEqual([key.kty, key.crv, key.alg], ["EC", "P-256", "ES256"]);
    await webcrypto.subtle.importKey("jwk", key, { name: "ECDSA", namedCurve: "P-256" }, false, ["sign"]);
    assert.equal(Buffer.from(worker.secrets.get("STATE_SECRET"), "base64url").length, 32);
    const { d: _d, ...publicKey } = key;
    assert.deepEqual(JSON.parse(/^\{[\s\S]*?^\}/m.exec(output)[0]), publicKey);
    assert.match(output, /https:\/\/mcp\.example\.com\/\.well-known\/jwks\.json/);
    assert.deepEqual(await files(), []);
  });

  test("is not replaced by a second run", async () => {
    await keys();
    const before = new Map(worker.secrets);
    const { asked, output } = await keys();
    assert.deepEqual(worker.secrets, before);
    assert.equal(asked.length, 0);
    assert.match(output, /UPSTREAM_SIGNING_KEY is set\. To replace it.*--rotate/);
  });

  test("is not put if the answer is no, or only the plan is asked for", async () => {
    assert.match((await keys({}, { confirm: async () => false })).output, /Nothing was changed/);
    assert.match((await keys({ "dry-run": true, yes: true })).output, /only the plan was asked for/);
    assert.equal(worker.secrets.size, 0);
  });

  test("is put for a Worker that is not deployed yet", async () => {
    const isNew = () => async (args, input) => (args[1] === "list" ? { code: 1, output: 'Worker "edge" not found [code: 10007]' } : wranglerFor()(args, input));
    const { code, output } = await keys({}, { wranglerFor: isNew });
    assert.equal(code, 0, output);
    assert.ok(worker.secrets.has("UPSTREAM_SIGNING_KEY"));
  });

  test("is not made for an upstream that gets no assertion", async () => {
    await settings('UPSTREAM_AUTH = "secret"\n');
    const { output } = await keys();
    assert.deepEqual([...worker.secrets.keys()], ["STATE_SECRET"]);
    assert.match(output, /wrangler secret put UPSTREAM_SECRET/);
  });

  test("goes into files of mode 0600 without a login, and from there into the Worker", async () => {
    worker.fails = LOGGED_OUT;
    const { output } = await keys();
    assert.deepEqual((await files()).sort(), ["STATE_SECRET", "UPSTREAM_SIGNING_KEY"]);
    for (const name of await files()) assert.equal((await stat(join(root, ".wrangler/gateway/edge", name))).mode & 0o777, 0o600);
    assert.match(output, /wrangler secret put UPSTREAM_SIGNING_KEY --config wrangler\.toml < \.wrangler\/gateway\/edge\/UPSTREAM_SIGNING_KEY && rm/);
    assert.match(output, /or log in and run "make gateway-keys" again, which puts both in any shell/);
    const written = await readFile(join(root, ".wrangler/gateway/edge/UPSTREAM_SIGNING_KEY"), "utf8");
    assert.ok(!output.includes(JSON.parse(written).d));
    assert.match((await keys()).output, /the key of an earlier run/);
    worker.fails = undefined;
    await keys();
    assert.equal(worker.secrets.get("UPSTREAM_SIGNING_KEY"), written);
    assert.deepEqual(await files(), []);
  });

  test("of one Worker is not put into another", async () => {
    worker.fails = LOGGED_OUT;
    await keys();
    worker.fails = undefined;
    await writeFile(join(root, "other.toml"), 'name = "other"\n');
    await keys({ config: "other.toml" });
    assert.notEqual(worker.secrets.get("UPSTREAM_SIGNING_KEY"), await readFile(join(root, ".wrangler/gateway/edge/UPSTREAM_SIGNING_KEY"), "utf8"));
  });

  test("a secret in clear text in wrangler.toml is refused", async () => {
    await settings('STATE_SECRET = "abc"\n');
    assert.match((await keys()).problem.message, /STATE_SECRET is in wrangler\.toml in clear text/);
  });
});

describe("a rotation", () => {
  beforeEach(async () => {
    await keys();
    await deploy();
  });
  const published = async () => (await (await fetchKeys("https://mcp.example.com/.well-known/jwks.json")).json()).keys.map(({ kid }) => kid);
  const signing = () => JSON.parse(worker.secrets.get("UPSTREAM_SIGNING_KEY")).kid;

  test("publishes, signs and removes, so that each key is published as long as it is needed", async () => {
    const old = signing();
    const first = await keys({ rotate: true });
    assert.match(first.output, /Step 1 of 3[\s\S]*make deploy/);
    assert.equal(signing(), old);
    assert.match(await readFile(join(root, "wrangler.toml"), "utf8"), /# the endpoint/);

    now += 90 * MINUTE;
    assert.match((await keys({ rotate: true })).problem.message, /not published yet/);
    await deploy();
    const [, next] = await published();
    assert.deepEqual(await published(), [old, next]);
    // The hour begins when a run finds the key, not when the settings were edited.
    assert.match((await keys({ rotate: true, "dry-run": true })).output, /The next key is published/);
    const found = await keys({ rotate: true });
    assert.deepEqual([found.code, signing()], [0, old]);
    assert.match(found.output, /The next key is published[\s\S]*after 60 minutes/);
    now += 59 * MINUTE;
    assert.match((await keys({ rotate: true })).problem.message, /too early to switch: 1 minutes/);
    now += MINUTE;
    assert.match((await keys({ rotate: true })).output, /Step 2 of 3/);
    assert.equal(signing(), next);
    assert.deepEqual((await published()).sort(), [old, next].sort());
    const [state] = await files();
    assert.doesNotMatch(await readFile(join(root, ".wrangler/gateway/edge", state), "utf8"), /"d"/);

    assert.match((await keys({ rotate: true })).problem.message, /too early to remove/);
    now += 5 * MINUTE;
    assert.match((await keys({ rotate: true })).output, /Step 3 of 3[\s\S]*make deploy/);
    await deploy();
    assert.deepEqual(await published(), [next]);
    assert.deepEqual(await files(), []);
  });

  test("begins anew if wrangler.toml could not be written, or lost the key", async () => {
    const old = signing();
    const changed = async () => {
      await settings('RESOURCE = "https://mcp.example.com/mcp" # edited meanwhile\n');
      return true;
    };
    assert.match((await keys({ rotate: true }, { confirm: changed })).problem.message, /was changed meanwhile/);
    assert.deepEqual(await files(), []);
    await keys({ rotate: true });
    const [{ kid }] = JSON.parse((await vars()).UPSTREAM_PUBLIC_KEYS);
    assert.notEqual(kid, old);
    // The end of the process between the two, or a revert of the file.
    await settings('RESOURCE = "https://mcp.example.com/mcp"\n');
    assert.match((await keys({ rotate: true })).output, /Step 1 of 3/);
    assert.equal(JSON.parse((await vars()).UPSTREAM_PUBLIC_KEYS)[0].kid, kid);
    await deploy();
    await keys({ rotate: true, now: true });
    assert.equal(signing(), kid);
  });

  test("that lost its state says which keys may be left of it, and removes none", async () => {
    await keys({ rotate: true });
    const [{ kid: lost }] = JSON.parse((await vars()).UPSTREAM_PUBLIC_KEYS);
    await rm(join(root, ".wrangler"), { recursive: true });
    await deploy();
    const { output } = await keys({ rotate: true });
    assert.ok(output.replaceAll(/\s+/g, " ").includes(`UPSTREAM_PUBLIC_KEYS also has the key ${lost}. If it is left of a rotation that was broken off`), output);
    const kids = JSON.parse((await vars()).UPSTREAM_PUBLIC_KEYS).map(({ kid }) => kid);
    assert.deepEqual([kids.length, kids.includes(lost)], [3, true]);
  });

  test("keeps other keys of UPSTREAM_PUBLIC_KEYS, and does not wait with --now", async () => {
    const other = publicPart(await createSigningKey());
    await settings(`RESOURCE = "https://mcp.example.com/mcp"\nUPSTREAM_PUBLIC_KEYS = '${JSON.stringify([other])}'\n`);
    await deploy();
    for (let step = 0; step < 3; step += 1) {
      assert.equal((await keys({ rotate: true, now: true })).code, 0);
      await deploy();
    }
    assert.deepEqual(JSON.parse((await vars()).UPSTREAM_PUBLIC_KEYS), [other]);
  });

  test("does not remove the old key before the next one is in the Worker", async () => {
    await keys({ rotate: true, now: true });
    await deploy();
    worker.fails = LOGGED_OUT;
    assert.match((await keys({ rotate: true, now: true })).output, /Step 2 of 3[\s\S]*wrangler secret put UPSTREAM_SIGNING_KEY/);
    assert.match((await keys({ rotate: true, now: true })).problem.message, /the next key is not in the Worker yet/);
    // What the operator does.
    const file = join(root, ".wrangler/gateway/edge/UPSTREAM_SIGNING_KEY");
    worker.secrets.set("UPSTREAM_SIGNING_KEY", await readFile(file, "utf8"));
    await rm(file);
    assert.match((await keys({ rotate: true, now: true })).output, /Step 3 of 3/);
    await deploy();
    assert.deepEqual(await published(), [signing()]);
  });

  test("lists no key twice: one without a kid has its thumbprint", async () => {
    const { kid, ...current } = publicPart(JSON.parse(worker.secrets.get("UPSTREAM_SIGNING_KEY")));
    await settings(`RESOURCE = "https://mcp.example.com/mcp"\nUPSTREAM_PUBLIC_KEYS = '${JSON.stringify([current])}'\n`);
    await deploy();
    await keys({ rotate: true });
    const listed = JSON.parse((await vars()).UPSTREAM_PUBLIC_KEYS).map((key) => key.kid);
    assert.deepEqual([listed.length, listed.includes(kid)], [2, true]);
  });

  test("keeps the next key in a file that only its owner can read", async () => {
    await keys({ rotate: true });
    for (const name of await files()) assert.equal((await stat(join(root, ".wrangler/gateway/edge", name))).mode & 0o777, 0o600);
    for (const name of await files()) assert.ok(!(await readFile(join(root, "wrangler.toml"), "utf8")).includes(JSON.parse(await readFile(join(root, ".wrangler/gateway/edge", name), "utf8")).next.d));
  });

  test("does not begin without a deployed key, nor with a wrong setting", async () => {
    const offline = async () => {
      throw new TypeError("fetch failed", { cause: new Error("no such host") });
    };
    assert.match((await keys({ rotate: true }, { fetch: offline })).problem.message, /published keys cannot be read/);
    for (const [value, expected] of [
      ['"[{"', /is not JSON/],
      ['"{}"', /is not an array of keys/],
      ['"[{}]"', /something that is no key/],
      ['[{ kid = "a" }]', /is not a string/],
      [`'[{"kid":"a","d":"x"}]'`, /has a private key/],
    ]) {
      await settings(`RESOURCE = "https://mcp.example.com/mcp"\nUPSTREAM_PUBLIC_KEYS = ${value}\n`);
      assert.match((await keys({ rotate: true })).problem.message, expected);
    }
    worker.secrets.clear();
    assert.match((await keys({ rotate: true })).problem.message, /has no UPSTREAM_SIGNING_KEY/);
  });

  test("changes nothing if the answer is no", async () => {
    const before = await readFile(join(root, "wrangler.toml"), "utf8");
    await keys({ rotate: true }, { confirm: async () => false });
    assert.equal(await readFile(join(root, "wrangler.toml"), "utf8"), before);
    assert.deepEqual(await files(), []);
  });
});

test("the command explains itself", async () => {
  const command = fileURLToPath(new URL("keys.mjs", import.meta.url));
  assert.match((await promisify(execFile)(process.execPath, [command, "--help"])).stdout, /^Usage: make gateway-keys/);
  await assert.rejects(promisify(execFile)(process.execPath, [command, "--nonsense"]), ({ code, stderr }) => code === 2 && /make gateway-keys ARGS=--help/.test(stderr));
});
