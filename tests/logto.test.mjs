// `make logto` against a stand-in for Logto: what it makes, what it leaves alone, and what a second run does.

import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import { readSettings } from "../dev/logto/wrangler-toml.mjs";
import { CREDENTIALS, createProject, fakeWrangler, runLogto, startLogto } from "./support/logto-tenant.mjs";

const RESOURCE = "https://mcp.example.com/mcp";
let tenant;
let project;
beforeEach(async () => {
  tenant = await startLogto({ resource: RESOURCE });
  project = await createProject();
});
afterEach(async () => {
  await tenant.stop();
  await project.remove();
});

const set = (more = [], options = {}) =>
  runLogto({ project, args: ["--endpoint", tenant.endpoint, "--resource", RESOURCE, ...more], ...options });
const state = () => tenant.api.tenant;
const resource = () => state().resources.find(({ indicator }) => indicator === RESOURCE);
const applications = () => tenant.api.applications.all();
const changing = () => tenant.api.calls.filter((call) => !call.startsWith("GET"));

describe("a tenant with nothing", () => {
  test("one run makes the resource, its permission, a role, the script and the playground's application", async () => {
    const { code, output, asked } = await set();
    assert.equal(code, 0, output);
    assert.deepEqual(asked, ["Do this?"]);
    assert.deepEqual(resource().scopes.map(({ name, description }) => [name, description]), [
      ["whoami:read", "See who you are: your name, user name and e-mail address"],
    ]);
    const [role] = state().roles.filter(({ type }) => type === "User");
    assert.deepEqual([role.name, role.isDefault, role.scopeIds], [`Users of ${RESOURCE}`, false, [resource().scopes[0].id]]);
    const [{ record, resourceScopes, userScopes }] = applications();
    assert.deepEqual([record.type, record.isThirdParty], ["SPA", true]);
    assert.deepEqual(record.oidcClientMetadata.redirectUris, ["https://mcp.example.com/playground/callback"]);
    assert.deepEqual([[...resourceScopes], [...userScopes]], [[resource().scopes[0].id], []]);
    assert.match(state().customizers["jwt.accessToken"].script, /getCustomJwtClaims/);
    assert.deepEqual(state().cimd.enabled, false);

    const settings = readSettings(await project.read());
    assert.equal(settings.ISSUER, tenant.provider.issuer, "as in the discovery document");
    assert.equal(settings.RESOURCE, RESOURCE);
    assert.equal(settings.REQUIRED_SCOPES, "whoami:read");
    assert.equal(settings.PLAYGROUND_CLIENT_ID, record.id);
    assert.match(output, /make deploy\n {2}make doctor URL=https:\/\/mcp.example.com\/mcp/);
    assert.match(output, /Give users the role/);
  });

  test("wrangler.toml keeps every other byte", async () => {
    const withProvider = (toml) => (/^#? ?PROVIDER = /m.test(toml) ? toml : toml.replace(/^ISSUER = /m, '# PROVIDER = "generic"\nISSUER = '));
    await project.write(withProvider(await project.read()));
    const before = (await project.read()).split("\n");
    await set();
    const after = (await project.read()).split("\n");
    const changed = after.filter((line, index) => line !== before[index]).map((line) => line.split(" = ")[0]);
    assert.equal(after.length, before.length);
    assert.deepEqual(changed.sort(), ["ISSUER", "PLAYGROUND_CLIENT_ID", "PROVIDER", "RESOURCE"]);
  });

  test("a second run changes nothing, and does not ask", async () => {
    await set(["--whoami", "--default-role", "--user", "alice", "--cimd"]);
    const [tenantBefore, tomlBefore] = [tenant.snapshot(), await project.read()];
    tenant.api.calls.length = 0;
    const { code, output, asked } = await set(["--whoami", "--default-role", "--user", "alice", "--cimd"]);
    assert.deepEqual([code, asked, changing()], [0, [], []], output);
    assert.match(output, /0 to create, 0 to change, \d+ already so, 0 left alone\nThere is nothing to change/);
    assert.equal(tenant.snapshot(), tenantBefore);
    assert.equal(await project.read(), tomlBefore);
  });

  test("--dry-run and DRY_RUN=1 only show the plan", async () => {
    const before = [tenant.snapshot(), await project.read()];
    for (const [more, env] of [[["--dry-run"], {}], [[], { DRY_RUN: "1" }]]) {
      const { code, output, asked } = await set(more, { env: { ...CREDENTIALS, ...env } });
      assert.deepEqual([code, asked, changing()], [0, [], []]);
      assert.match(output, /\+ will create {3}API resource https:\/\/mcp.example.com\/mcp/);
    }
    assert.deepEqual([tenant.snapshot(), await project.read()], before);
  });

  test("without a yes nothing is changed", async () => {
    const { code, output } = await set([], { surroundings: { confirm: async () => false } });
    assert.equal(code, 0);
    assert.match(output, /Nothing was changed/);
    assert.deepEqual(changing(), []);
    assert.deepEqual((await set(["--yes"])).asked, []);
  });

  test("ENDPOINT and RESOURCE are taken from the settings the next time", async () => {
    await set();
    const { code, output } = await runLogto({ project, args: ["--endpoint", tenant.endpoint] });
    assert.equal(code, 0, output);
    assert.match(output, /There is nothing to change/);
  });

  test("the permissions of all tools are made, with the descriptions in the source or of --scope", async () => {
    await project.addSource(`
      pub const READ: &str = "notes:read";
      #[tool(title = "A", scope = READ, complete_among("style", ["short"]))]
      #[tool(scope = "math:use")]
      // .scope("comment:only", "No")
      Server::builder("x", "1").scope(READ, "Read your \\"notes\\"").build()`);
    const { output } = await set(["--scope", "math:use=Use the calculator", "--scope", "more:do=Do more"]);
    assert.deepEqual(Object.fromEntries(resource().scopes.map(({ name, description }) => [name, description])), {
      "whoami:read": "See who you are: your name, user name and e-mail address",
      "notes:read": 'Read your "notes"',
      "math:use": "Use the calculator",
      "more:do": "Do more",
    }, output);
    assert.equal(applications()[0].resourceScopes.size, 4);
  });

  test("tenant-wide switches need their own flag, and the ceiling comes before the switch", async () => {
    await set(["--cimd"]);
    assert.equal(state().cimd.enabled, true);
    assert.deepEqual([...state().cimd.resourceScopes], [resource().scopes[0].id]);
    const [ceiling, on] = changing().filter((call) => call.includes("cimd"));
    assert.deepEqual([ceiling, on], ["POST /cimd/user-consent-scopes", "PATCH /configs/cimd"]);
  });
});

describe("a tenant with other contents", () => {
  const OWN_SCRIPT = "const getCustomJwtClaims = async () => ({ plan: 'gold' });";

  test("nothing else is touched, and a script of the operator's survives", async () => {
    const { applications: stored } = tenant.api;
    await set(["--resource", "https://other.example.com/mcp"]);
    await project.write((await project.read()).replace(/^(ISSUER|RESOURCE|PLAYGROUND_CLIENT_ID) = .*$/gm, '$1 = ""'));
    state().customizers["jwt.accessToken"] = { script: OWN_SCRIPT, environmentVariables: { A: "b" } };
    const others = JSON.parse(tenant.snapshot());

    const { code, output } = await set();
    assert.equal(code, 0, output);
    const now = JSON.parse(tenant.snapshot());
    for (const kind of ["resources", "roles", "applications", "users"]) {
      const idOf = (entry) => entry.id ?? entry.record.id;
      for (const entry of others[kind]) assert.deepEqual(now[kind].find((each) => idOf(each) === idOf(entry)), entry, kind);
    }
    assert.deepEqual(now.customizers, others.customizers);
    assert.equal(stored.all().length, 2);
    assert.match(output, /there is a script of your own already, which is never overwritten/);
    assert.match(output, /"https:\/\/mcp.example.com\/mcp"/, "the lines to add are shown");
    assert.match(output, /Not complete/);
  });

  test("what has drifted is said and put right", async () => {
    await set(["--default-role"]);
    const [scope] = resource().scopes;
    const role = state().roles.find(({ type }) => type === "User");
    const [application] = applications();
    role.scopeIds = [];
    application.record.oidcClientMetadata.redirectUris = ["https://elsewhere.example/callback"];
    application.resourceScopes.clear();
    await project.write((await project.read()).replace(RESOURCE, `${RESOURCE}/`));

    const { output } = await set(["--scope", "whoami:read=See your name"]);
    assert.match(output, /~ will change {3}Permission whoami:read\n +description: See who you are.* → See your name/);
    assert.match(output, /~ will change {3}User role.*\n +permission: none → whoami:read/);
    assert.match(output, /redirect URI: https:\/\/elsewhere.example\/callback → https:\/\/elsewhere.example\/callback https:\/\/mcp.example.com/);
    assert.match(output, /may ask users for: none → whoami:read/);
    assert.match(output, /wrangler.toml: RESOURCE\n +https:\/\/mcp.example.com\/mcp\/ → https:\/\/mcp.example.com\/mcp/);
    assert.equal(scope.description, "See your name");
    assert.deepEqual([role.scopeIds, role.isDefault], [[scope.id], true]);
    assert.equal(application.record.oidcClientMetadata.redirectUris.length, 2, "nothing is deleted");
    assert.match((await set(["--scope", "whoami:read=See your name"])).output, /There is nothing to change/);
  });

  test("a description that the operator wrote in the console stays", async () => {
    await set();
    resource().scopes[0].description = "Mine";
    assert.match((await set()).output, /There is nothing to change/);
  });

  test("a resource that differs by a slash or case is pointed out", async () => {
    for (const indicator of [`${RESOURCE}/`, "https://MCP.example.com/mcp"]) state().resources.push({ id: indicator, indicator, name: "x", scopes: [] });
    const { output } = await set(["--dry-run"]);
    assert.equal(output.match(/differs from https:\/\/mcp.example.com\/mcp by case or a slash/g).length, 2);
    assert.match(output, /cannot change an identifier/);
  });

  test("what this server does not need is left alone, and said", async () => {
    await set();
    const id = resource().id;
    const more = { id: "extra", name: "old:scope", description: "Old", resourceId: id };
    resource().scopes.push(more);
    tenant.api.applications.addScope(resource(), more);
    applications()[0].resourceScopes.add("extra");
    const { output } = await set();
    assert.match(output, /left alone .*Permission old:scope, because no tool/);
    assert.match(output, /1 further scopes that it may ask users for, because/);
    assert.match(output, /There is nothing to change/);
  });

  test("an application of another type is not used, and not changed", async () => {
    await set();
    applications()[0].record.isThirdParty = false;
    const before = tenant.snapshot();
    const { output, asked } = await set();
    assert.match(output, /it is a single-page application, must be a third-party single-page application/);
    assert.match(output, /PLAYGROUND_CLIENT_ID, because its application was left alone/);
    assert.deepEqual(asked, []);
    assert.equal(tenant.snapshot(), before);
  });

  test("an application is known by its id, its mark or its redirect URI, never by its name", async () => {
    await set();
    const [{ record }] = applications();
    record.name = "Renamed";
    record.customData = {};
    await project.write((await project.read()).replace(record.id, ""));
    const { output } = await set();
    assert.equal(applications().length, 1, output);
    assert.equal(readSettings(await project.read()).PLAYGROUND_CLIENT_ID, record.id);
  });

  test("a role for machines with the wanted name is not used, nor given to users", async () => {
    state().roles.push({ id: "m", name: "Mine", type: "MachineToMachine", scopeIds: [] });
    const { code, output } = await set(["--role", "Mine", "--user", "alice", "--user", "nobody"]);
    assert.equal(code, 0, output);
    assert.match(output, /it is a role for machines/);
    assert.match(output, /User alice, because the role cannot be used/);
    assert.match(output, /User nobody, because there is no user/);
    assert.match(output, /Not complete/);
  });

  test("scopes in the metadata of a deployment are permissions, too", async () => {
    await set([], { surroundings: { scopesOfEndpoint: async () => ["whoami:read", "files:read"] } });
    assert.deepEqual(resource().scopes.map(({ name, description }) => [name, description])[1], ["files:read", "Use files:read"]);
  });

  test("lists are read to their last page", async () => {
    for (let number = 0; number < 230; number += 1) state().resources.push({ id: `r${number}`, indicator: `https://${number}.example`, name: "x", scopes: [] });
    await set();
    assert.equal(tenant.api.calls.filter((call) => call.startsWith("GET /resources?")).length, 3);
    assert.match((await set()).output, /There is nothing to change/);
  });
});

describe("secrets", () => {
  const FLAGS = ["--opaque-tokens", "--registrar", "https://apps.example.com"];

  test("they are piped into wrangler, never printed, and set once", async () => {
    const wrangler = fakeWrangler();
    const { code, output } = await set(FLAGS, { surroundings: wrangler });
    assert.equal(code, 0, output);
    const secret = (use) => applications().find(({ record }) => record.customData["mcp-edge"]?.use === use);
    const expected = {
      INTROSPECTION_CLIENT_ID: secret("introspection").record.id,
      INTROSPECTION_CLIENT_SECRET: secret("introspection").secrets[0].value,
      MANAGEMENT_CLIENT_ID: secret("registrar").record.id,
      MANAGEMENT_CLIENT_SECRET: secret("registrar").secrets[0].value,
      PORTAL_CLIENT_SECRET: secret("portal").secrets[0].value,
    };
    for (const [name, value] of Object.entries(expected)) assert.equal(wrangler.stored.get(name), value, name);
    assert.equal(Buffer.from(wrangler.stored.get("SESSION_SECRET"), "base64").length, 32);
    const everythingElse = [output, await project.read(), await project.read("registrar/wrangler.toml"), ...wrangler.calls.flatMap(({ args }) => args)].join("\n");
    for (const name of wrangler.stored.keys()) {
      if (name.endsWith("SECRET")) assert.ok(!everythingElse.includes(wrangler.stored.get(name)), name);
    }
    assert.ok(!everythingElse.includes(CREDENTIALS.LOGTO_CLIENT_SECRET));
    assert.deepEqual(state().applicationRoles.get(expected.MANAGEMENT_CLIENT_ID), ["management-role"]);
    assert.equal(state().applicationRoles.get(expected.INTROSPECTION_CLIENT_ID), undefined, "it needs no role");

    const registrar = readSettings(await project.read("registrar/wrangler.toml"));
    assert.equal(registrar.RESOURCE, "https://apps.example.com/register");
    assert.equal(registrar.MANAGEMENT_API, `${tenant.endpoint}/api`);
    assert.equal(registrar.MANAGEMENT_RESOURCE, "https://default.logto.app/api");
    assert.equal(registrar.MCP_RESOURCE, RESOURCE);
    assert.equal(registrar.PORTAL_CLIENT_ID, secret("portal").record.id);

    wrangler.calls.length = 0;
    const second = await set(FLAGS, { surroundings: wrangler });
    assert.match(second.output, /There is nothing to change/);
    assert.deepEqual(wrangler.calls.map(({ args }) => args[1]), ["list", "list"]);
  });

  test("without a deployment they are left for a later run, which sets them", async () => {
    const missing = fakeWrangler({ fails: "This Worker does not exist on your account. [code: 10007]" });
    const first = await set(FLAGS, { surroundings: missing });
    assert.equal(first.code, 0);
    assert.match(first.output, /secrets INTROSPECTION_CLIENT_ID, INTROSPECTION_CLIENT_SECRET, because the Worker is not deployed yet. After "make deploy", run this command again/);
    assert.ok(missing.calls.every(({ args }) => args[1] === "list"));
    const later = fakeWrangler();
    assert.equal((await set(FLAGS, { surroundings: later })).code, 0);
    assert.equal(later.stored.size, 6);
  });
});

describe("the end", () => {
  test("the doctor examines an endpoint that answers, and its verdict is the exit status", async () => {
    const examined = [];
    const surroundings = { answers: async () => true, runDoctor: async (url) => examined.push(url) && 1 };
    const first = await set([], { surroundings });
    assert.deepEqual([first.code, examined], [0, [RESOURCE]]);
    assert.match(first.output, /deploy them \(make deploy\)/, "what answers has the former settings");
    assert.equal((await set([], { surroundings })).code, 1);
    assert.equal((await set(["--no-doctor"], { surroundings })).code, 0);
  });
});
