// Options, what is missing, and the checks of values.

import assert from "node:assert/strict";
import { resolve } from "node:path";
import { describe, test } from "node:test";
import { complete, missing } from "../src/answers.mjs";
import { readOptions } from "../src/options.mjs";
import { Problem } from "../src/problem.mjs";

const GOOD = ["acme", "--provider", "logto", "--issuer", "https://acme.logto.app/oidc", "--resource", "https://mcp.example.com/mcp", "--mode", "whoami"];
const CWD = resolve("/work");

const answersTo = (...args) => complete(readOptions([...GOOD, ...args]), CWD);

/** The problem that the arguments have, message and fix. */
function problem(...args) {
  try {
    answersTo(...args);
  } catch (error) {
    assert.ok(error instanceof Problem, error.stack);
    assert.ok(error.fix, "every problem says what to do");
    return error.text;
  }
  return assert.fail(`accepted: ${args.join(" ")}`);
}

test("options are the answers", () => {
  assert.deepEqual(answersTo("--vault", "--registrar", "--staging-resource", "https://staging.example.com/mcp"), {
    folder: resolve(CWD, "acme"),
    name: "acme",
    provider: "logto",
    issuer: "https://acme.logto.app/oidc",
    resource: "https://mcp.example.com/mcp",
    stagingResource: "https://staging.example.com/mcp",
    mode: "whoami",
    upstream: undefined,
    vault: true,
    registrar: true,
  });
});

test("--yes takes the defaults", () => {
  const { provider, issuer, resource, mode, vault, registrar } = complete(readOptions(["acme", "--yes"]), CWD);
  assert.deepEqual({ provider, issuer, resource, mode, vault, registrar }, { provider: "generic", issuer: "", resource: "", mode: "whoami", vault: false, registrar: false });
});

test("the name is that of the folder, unless an option gives another", () => {
  assert.equal(answersTo().name, "acme");
  assert.equal(answersTo("--name", "acme-2").name, "acme-2");
});

test("what is missing is named", () => {
  assert.deepEqual(missing(readOptions([])), ["the folder", "--provider", "--mode"]);
  assert.deepEqual(missing(readOptions(["acme", "--mode", "gateway", "--provider", "logto"])), ["--upstream"]);
  assert.deepEqual(missing(readOptions(["--yes"])), ["the folder"]);
  assert.deepEqual(missing(readOptions(["acme", "--yes", "--mode", "gateway"])), ["--upstream"], "an upstream has no default");
  assert.deepEqual(missing(readOptions(GOOD)), []);
});

test("unknown options, and those that npm kept for itself, are explained", () => {
  assert.throws(() => readOptions(["acme", "--isuer", "x"]), { message: "Unknown option '--isuer'", fix: /--help/ });
  assert.throws(() => readOptions(["acme", "logto"]), { message: /^One folder is expected/, fix: / -- --provider/ });
});

describe("issuers", () => {
  for (const [what, issuer, expected] of [
    ["no URL", "acme.logto.app/oidc", /is no https URL/],
    ["http", "http://acme.logto.app/oidc", /is no https URL/],
    ["a query", "https://acme.logto.app/oidc?tenant=1", /has a query or a fragment/],
    ["an empty query", "https://acme.logto.app/oidc?", /has a query or a fragment/],
    ["a fragment", "https://acme.logto.app/oidc#", /has a query or a fragment/],
    ["a user", "https://user@acme.logto.app/oidc", /has a user name in it/],
    ["a slash at the end", "https://acme.logto.app/oidc/", /is not an issuer of Logto\n.*https:\/\/your-tenant\.logto\.app\/oidc/],
    ["a blank", " https://acme.logto.app/oidc", /is no https URL|white space/],
    ["a line break", "https://acme.logto.app/\noidc", /white space/],
    ["a quote", 'https://acme.logto.app/"oidc', /quotes/],
    ["all tenants", "https://login.microsoftonline.com/{tenantid}/v2.0", /stands for several tenants/],
    ["another provider", "https://acme.eu.auth0.com/", /is an issuer of Auth0, not of Logto/],
  ]) test(`${what} is refused`, () => assert.match(problem("--issuer", issuer), expected));
});

describe("resources", () => {
  for (const [what, resource, expected] of [
    ["http", "http://mcp.example.com/mcp", /is no https URL/],
    ["no path", "https://mcp.example.com", /has no path\n.*https:\/\/mcp\.example\.com\/mcp/],
    ["only a slash", "https://mcp.example.com/", /has no path/],
    ["a query", "https://mcp.example.com/mcp?x=1", /has a query/],
    ["capitals in the host", "https://MCP.example.com/mcp", /normal form\n.*https:\/\/mcp\.example\.com\/mcp/],
    ["the default port", "https://mcp.example.com:443/mcp", /normal form/],
    ["dots", "https://mcp.example.com/a/../mcp", /normal form/],
    ["a port", "https://mcp.example.com:8443/mcp", /names a port/],
    ["this machine", "https://localhost/mcp", /is on this machine/],
    ["a published path", "https://mcp.example.com/.well-known/mcp", /below \/\.well-known/],
    ["another Worker", "https://other.acme.workers.dev/mcp", /not the address of this Worker\n.*https:\/\/acme\.<your subdomain>\.workers\.dev\/mcp/],
  ]) test(`${what} is refused`, () => assert.match(problem("--resource", resource), expected));

  test("its own address at workers.dev is accepted", () => {
    assert.equal(answersTo("--resource", "https://acme.sub.workers.dev/mcp").resource, "https://acme.sub.workers.dev/mcp");
    assert.match(problem("--staging-resource", "https://acme.sub.workers.dev/mcp"), /The resource of staging .*\n.*https:\/\/acme-staging\./);
  });

  test("staging has another than production", () => {
    assert.match(problem("--staging-resource", "https://mcp.example.com/mcp"), /have the same resource/);
  });
});

describe("upstreams", () => {
  const gateway = (upstream) => ["--mode", "gateway", "--upstream", upstream];
  test("https, and http on this machine, are accepted", () => {
    for (const upstream of ["https://upstream.example.com/mcp", "http://localhost:3001/mcp", "http://127.0.0.1:3001/", "http://[::1]:3001/mcp"]) {
      assert.equal(answersTo(...gateway(upstream)).upstream, upstream);
    }
  });
  for (const [what, upstream, expected] of [
    ["http elsewhere", "http://upstream.example.com/mcp", /is no https URL/],
    ["http on a host that begins alike", "http://localhost.example.com/mcp", /is no https URL/],
    ["a query", "http://localhost:3001/mcp?key=1", /has a query/],
    ["the gateway itself", "https://mcp.example.com/mcp", /is the gateway itself/],
  ]) test(`${what} is refused`, () => assert.match(problem(...gateway(upstream)), expected));
  test("only gateways have one", () => assert.match(problem("--upstream", "http://localhost:3001/mcp"), /is for gateways/));
});

test("names that Cloudflare would refuse are refused before", () => {
  for (const name of ["Acme", "acme_mcp", "-acme", "acme-", "a".repeat(41), "acme.mcp"]) assert.match(problem(`--name=${name}`), /cannot be the name of a Worker/, name);
  assert.throws(() => complete(readOptions(["My Project", "--yes"]), CWD), { message: /^The folder's name "My Project"/ });
});

test("unknown providers and modes are refused with those that are known", () => {
  assert.match(problem("--provider", "okto"), /Choose one of logto, auth0, .*generic/);
  assert.match(problem("--provider", "constructor"), /unknown/);
  assert.match(problem("--mode", "proxy"), /Choose whoami or gateway/);
});

test("the registrar is for Logto", () => {
  assert.match(problem("--provider", "generic", "--registrar"), /at Logto, and at no other provider/);
});
