// `mcp-edge-doctor explain` as a program: where token, settings and keys are from, and the exit status.

import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { startIdentityProvider } from "../dev/identity-provider/index.mjs";
import { createKey } from "../dev/identity-provider/keys.mjs";
import { runExplain, serve } from "./support/doctor.mjs";
import "./support/report-failures.mjs";
import { forgeToken, tokenOf } from "./support/tokens.mjs";

const resource = "https://mcp.example.com/mcp";
const key = await createKey();
const provider = await startIdentityProvider({ port: 0, resource, keys: [key] });
const token = await tokenOf({ provider, resource }, "alice");
const folder = await mkdtemp(join(tmpdir(), "mcp-edge-explain-"));
const file = (name, content) => writeFile(join(folder, name), content);
await file(
  "wrangler.toml",
  `
[vars]
ISSUER = "${provider.issuer}"
RESOURCE = "${resource}"
PROVIDER = "logto"
REQUIRED_SCOPES = "whoami:read"
CLAIM_SCOPES = "whoami:read=username,name"
[env.strict.vars]
ISSUER = "${provider.issuer}"
RESOURCE = "${resource}"
ALLOWED_CLIENTS = "another"
`,
);

after(async () => {
  await provider.close();
  await rm(folder, { recursive: true });
});

/** Runs it in the folder with the settings; no output may have a part of the token. */
async function explain(parameters = [], { input = token, ...options } = {}) {
  const run = await runExplain(parameters, { input, folder, ...options });
  const secrets = [input, options.environment?.TOKEN ?? ""].flatMap((each) => each.split(/[."\s]/)).filter((part) => part.length > 20);
  for (const part of secrets) assert.ok(!(run.stdout + run.stderr).includes(part), "the output has the token");
  return run;
}

/** Likewise with --json. */
async function report(parameters = [], options = {}) {
  const run = await explain([...parameters, "--json"], options);
  assert.equal(run.stderr, "");
  const parsed = JSON.parse(run.stdout);
  return { ...parsed, code: run.code, check: (slug) => parsed.checks.find((it) => it.slug === slug) };
}

describe("the token", () => {
  test("is accepted from standard input, with the provider's keys", async () => {
    const it = await report();
    assert.deepEqual([it.code, it.verdict, it.reason], [0, "accepted", null]);
    assert.equal(it.check("signature").observed, "good, by ES384");
    assert.equal(it.caller.kind, "user");
    assert.deepEqual(it.caller.scopes, ["whoami:read"]);
  });

  test("may be in the environment, and in what operators copy", async () => {
    for (const environment of [{ TOKEN: token }, { MCP_EDGE_DOCTOR_TOKEN: `Bearer ${token}` }]) {
      assert.equal((await report([], { input: "", environment })).code, 0);
    }
    for (const input of [`"${token}"\n`, `Authorization: Bearer ${token}`, JSON.stringify({ access_token: token, token_type: "Bearer" })]) {
      assert.equal((await report([], { input })).code, 0, input.slice(0, 12));
    }
  });

  test("is no argument, and not shown if it is one", async () => {
    for (const parameters of [[token], ["--token", token], [`--token=${token}`]]) {
      const { code, stdout, stderr } = await runExplain(parameters, { folder });
      assert.equal(code, 2);
      assert.equal(stdout, "");
      assert.ok(!stderr.includes(token.split(".")[2]), parameters[0].slice(0, 8));
    }
  });

  test("must be there, and be one", async () => {
    for (const [input, message] of [
      ["", /no token: pass it on standard input/],
      [`${token} ${token}`, /characters that a bearer token cannot have/],
    ]) {
      const { code, stdout, stderr } = await explain([], { input });
      assert.deepEqual([code, stdout], [2, ""]);
      assert.match(stderr, message);
    }
  });

  test("is refused with its reason if it is forged, expired or of another kind", async () => {
    const forged = await forgeToken({ provider, resource, key: { ...(await createKey()), kid: key.kid } });
    const expired = await forgeToken({ provider, resource, key }, { claims: { iat: 1, exp: 2 } });
    const bound = await forgeToken({ provider, resource, key }, { claims: { cnf: { jkt: "x" } } });
    for (const [input, reason] of [[forged, "bad_signature"], [expired, "expired"], [bound, "sender_constrained"], ["opaque", "opaque_not_accepted"]]) {
      const it = await report([], { input });
      assert.deepEqual([it.code, it.verdict, it.reason], [1, "refused", reason]);
      assert.ok(it.checks.find(({ state }) => state === "refused").fix.length > 10);
    }
  });
});

describe("the settings", () => {
  test("are those of an environment with --env, which inherits none", async () => {
    const it = await report(["--env", "strict"]);
    assert.deepEqual([it.code, it.reason], [1, "client_not_allowed"]);
    assert.deepEqual(it.settings, [{ source: "wrangler.toml, environment strict", names: ["ISSUER", "RESOURCE", "ALLOWED_CLIENTS"] }]);
    const { code, stderr } = await explain(["--env", "none"]);
    assert.equal(code, 2);
    assert.match(stderr, /no environment "none"; it has strict/);
  });

  test("may be in wrangler.jsonc, which is read instead of wrangler.toml, as wrangler does", async (t) => {
    const vars = { ISSUER: provider.issuer, RESOURCE: resource, REQUIRED_SCOPES: "admin" };
    await file("wrangler.jsonc", `{ // The settings.\n"vars": ${JSON.stringify(vars)}, "env": { "open": { "vars": { "ISSUER": "${provider.issuer}", "RESOURCE": "${resource}", }, }, }, }`);
    t.after(() => rm(join(folder, "wrangler.jsonc")));
    const it = await report();
    assert.deepEqual([it.code, it.reason], [1, "insufficient_scope"]);
    assert.deepEqual(it.settings, [{ source: "wrangler.jsonc", names: ["ISSUER", "RESOURCE", "REQUIRED_SCOPES"] }]);
    assert.equal((await report(["--env", "open"])).code, 0);
    assert.match((await explain()).stdout, /wrangler\.jsonc is read, as wrangler does; wrangler\.toml in this folder is not/);
    const named = await explain(["--config", "wrangler.toml"]);
    assert.equal(named.code, 0);
    assert.ok(!named.stdout.includes("wrangler.jsonc"));
    await file("wrangler.jsonc", '{ "vars": { "A": \'s3cret\' } }');
    const { code, stderr } = await explain();
    assert.equal(code, 2);
    assert.match(stderr, /wrangler\.jsonc is not JSON with comments: line 1/);
    assert.ok(!stderr.includes("s3cret"));
  });

  test("must be there if an environment of them is named", async (t) => {
    const empty = await mkdtemp(join(tmpdir(), "mcp-edge-explain-"));
    t.after(() => rm(empty, { recursive: true }));
    const named = await explain(["--env", "production"], { folder: empty });
    assert.equal(named.code, 2);
    assert.match(named.stderr, /neither is in this folder; --config names another file/);
    const { code, stdout } = await explain([], { folder: empty });
    assert.equal(code, 1);
    assert.match(stdout, /There is no wrangler\.jsonc and no wrangler\.toml in this folder/);
    const missing = await explain(["--config", "other.jsonc"], { folder: empty });
    assert.match(missing.stderr, /--config other\.jsonc: there is no such file/);
  });

  test("are replaced by variables of the environment, and those by --set", async () => {
    const environment = { REQUIRED_SCOPES: "admin" };
    assert.equal((await report([], { environment })).reason, "insufficient_scope");
    assert.equal((await report(["--set", "REQUIRED_SCOPES=whoami:read"], { environment })).code, 0);
    const { code, stderr } = await explain(["--set", "ISUER=x"]);
    assert.equal(code, 2);
    assert.match(stderr, /--set ISUER: is not one of the settings/);
  });

  test("are those of .dev.vars with --dev only", async (t) => {
    t.after(() => rm(join(folder, ".dev.vars")));
    await file(".dev.vars", "# local\nDENIED_CLIENTS='third-party-agent'\nSTATE_SECRET=\"s3cret\"\n");
    const without = await explain();
    assert.equal(without.code, 0);
    assert.match(without.stdout, /\.dev\.vars is not read/);
    const it = await report(["--dev"]);
    assert.ok(it.settings.some(({ source, names }) => source === ".dev.vars" && names.join() === "DENIED_CLIENTS"));
    assert.ok(!JSON.stringify(it).includes("s3cret"));
  });

  test("are refused if the deployment would not start with them", async () => {
    const it = await report(["--set", "PROVIDER=nobody"]);
    assert.deepEqual([it.code, it.reason], [1, "misconfigured"]);
    assert.match(it.check("settings").observed, /not the name of a profile: generic, logto/);
    assert.equal(it.check("form").state, "not_reached");
  });
});

describe("the keys", () => {
  test("are read from a file with --jwks, without a network", async () => {
    const jwks = await (await fetch(`${provider.issuer}/jwks`)).text();
    await file("jwks.json", jwks);
    const it = await report(["--jwks", "jwks.json", "--set", "JWKS_URL=http://127.0.0.1:1/jwks"]);
    assert.equal(it.code, 0);
    const { code, stderr } = await explain(["--jwks", "wrangler.toml"]);
    assert.equal(code, 2);
    assert.match(stderr, /--jwks wrangler.toml: it is not JSON/);
  });

  test("leave the verdict open if they are not fetched, or cannot be", async () => {
    for (const [parameters, reason] of [
      [["--offline"], null],
      [["--set", "JWKS_URL=http://127.0.0.1:1/jwks"], "keys_unavailable"],
    ]) {
      const it = await report(parameters);
      assert.deepEqual([it.code, it.verdict, it.reason], [3, "undecided", reason]);
      assert.equal(it.check("signature").state, "not_checked");
    }
  });

  test("are fetched without the token", async (t) => {
    const requests = [];
    const other = await serve((request, response) => {
      requests.push({ url: request.url, headers: request.headers });
      response.setHeader("content-type", "application/json").end(JSON.stringify({ keys: [] }));
    });
    t.after(other.close);
    const it = await report(["--set", `JWKS_URL=${other.url}`]);
    assert.equal(it.reason, "keys_unavailable");
    assert.equal(requests.length, 1);
    assert.ok(!JSON.stringify(requests).includes(token.split(".")[1]));
    assert.equal(requests[0].headers.authorization, undefined);
  });
});

test("a tool's scopes are asked for with --scopes, another time with --now", async () => {
  assert.equal((await report(["--scopes", "whoami:read"])).code, 0);
  assert.equal((await report(["--scopes", "notes:read"])).reason, "insufficient_scope");
  const expired = await forgeToken({ provider, resource, key }, { claims: { iat: 1_700_000_000, exp: 1_700_003_600 } });
  assert.equal((await report(["--now", "2023-11-14T22:13:30Z"], { input: expired })).code, 0);
});

test("the report for people has no colours outside of a terminal, and says what to do", async () => {
  const { code, stdout } = await explain(["--set", "ALLOWED_CLIENTS=nobody"]);
  assert.equal(code, 1);
  assert.ok(!stdout.includes("\u001b["));
  assert.match(stdout, /✗ clients[\s\S]*reason {2}client_not_allowed[\s\S]*fix {2}Add [\s\S]*– not reached/);
});
