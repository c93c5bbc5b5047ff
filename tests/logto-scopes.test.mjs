// Which permissions `make logto` makes: those of API resources, never OpenID Connect's own scopes.

import assert from "node:assert/strict";
import { after, afterEach, before, describe, test } from "node:test";
import { block, recognise } from "../dev/logto/claims-script.mjs";
import { parseClaimScopes, permissionsOf, withImplied } from "../dev/logto/scopes.mjs";
import { createProject, runLogto, startLogto } from "./support/logto-tenant.mjs";

const RESOURCE = "https://mcp.example.com/mcp";

describe("names that objects have already", () => {
  const NAMES = ["constructor", "__proto__", "toString", "hasOwnProperty"];

  test("are scopes like all others", () => {
    for (const name of NAMES) {
      const table = parseClaimScopes(`${name}=email ${name}=name other=name`);
      assert.deepEqual(Object.entries(table), [[name, ["email", "name"]], ["other", ["name"]]], name);
      assert.deepEqual(Object.entries(withImplied(table, `admin=${name} ${name}=unknown`)).at(-1), ["admin", ["email", "name"]]);
      assert.deepEqual(permissionsOf({ others: [name] }).map(({ name: named, description }) => [named, description]), [[name, undefined]]);
      assert.deepEqual(permissionsOf({ flags: [[name, "Text"]] }).map(({ name: named, description }) => [named, description]), [[name, "Text"]]);
    }
  });

  test("are known again in the script, and disclose their claims", () => {
    for (const name of NAMES) {
      const table = { [RESOURCE]: Object.fromEntries([[name, ["name"]]]) };
      const lines = block(table);
      assert.deepEqual(recognise(lines).table, table, name);
      const claims = new Function("token", "context", `${lines}\nreturn mcpEdgeClaims(token, context);`);
      assert.deepEqual(claims({ aud: RESOURCE, scope: name }, { user: { name: "Alice" } }), { name: "Alice" }, name);
    }
  });
});

describe("the permissions of a tenant", () => {
  let tenant;
  let project;
  before(async () => {
    tenant = await startLogto({ resource: RESOURCE });
  });
  after(() => tenant.stop());
  afterEach(() => project.remove());

  const set = (args = [], options = {}) => runLogto({ project, args: ["--endpoint", tenant.endpoint, "--resource", RESOURCE, "--yes", ...args], ...options });
  const namesOf = (indicator) => tenant.api.tenant.resources.find((resource) => resource.indicator === indicator)?.scopes.map(({ name }) => name);
  const withVars = (values) => (toml) => Object.entries(values).reduce((text, [name, value]) => text.replace(new RegExp(`^${name} = .*$`, "m"), `${name} = "${value}"`), toml);

  test("OpenID Connect's scopes and Logto's user scopes are none of them, from all sources", async () => {
    project = await createProject({ change: withVars({ REQUIRED_SCOPES: "openid notes:read", CLAIM_SCOPES: "profile=nickname email=email urn:logto:scope:organizations=organizations" }) });
    await project.addSource('Server::builder("x", "1").scope("phone", "Phone").scope("notes:write", "Write")');
    const { output } = await set([], { surroundings: { scopesOfEndpoint: async () => ["openid", "offline_access", "address", "custom_data", "notes:list"] } });
    assert.deepEqual(namesOf(RESOURCE).sort(), ["notes:list", "notes:read", "notes:write"], output);
    assert.match(output, /left alone .*REQUIRED_SCOPES: openid, because Logto's JWTs carry permissions of API resources only/);
    assert.match(output, /Not complete/);
    const refused = await set(["--scope", "profile=Profile"]);
    assert.match(refused.problem.message, /profile/);
    assert.match(refused.problem.fix, /--user-scopes/);
  });

  test("a scope that is none is refused", async () => {
    project = await createProject({ change: withVars({ REQUIRED_SCOPES: "notes:read no\\\\tes" }) });
    assert.match((await set()).problem.message, /REQUIRED_SCOPES: no\\tes/);
  });

  test("the registrar's are those that its settings require", async () => {
    project = await createProject();
    const registrar = await project.read("registrar/wrangler.toml");
    await project.write(registrar.replace('REQUIRED_SCOPES = "apps:write"', 'REQUIRED_SCOPES = "openid agents:register"'), "registrar/wrangler.toml");
    const flags = ["--registrar", "https://apps.example.com"];
    await set(flags);
    assert.deepEqual(namesOf("https://apps.example.com/register"), ["agents:register"]);
    const developers = tenant.api.tenant.roles.find(({ name }) => name.startsWith("Developers"));
    assert.equal(developers.scopeIds.length, 1);
    await project.write(registrar.replace('REQUIRED_SCOPES = "apps:write"', 'REQUIRED_SCOPES = ""'), "registrar/wrangler.toml");
    await set(flags);
    assert.deepEqual(namesOf("https://apps.example.com/register"), ["agents:register", "apps:write"]);
  });

  test("metadata with something else than names is left out", async () => {
    project = await createProject();
    const { scopesOfEndpoint } = await import("../dev/logto/scopes.mjs");
    const resource = `${tenant.endpoint}/mcp`;
    for (const [scopes, expected] of [[["a:b", 5, null, ["x"], "no\u0007", "c d"], ["a:b"]], ["a:b", []], [undefined, []]]) {
      tenant.answer = ({ line }) => (line.includes("oauth-protected-resource") ? { status: 200, body: { resource, scopes_supported: scopes } } : undefined);
      assert.deepEqual(await scopesOfEndpoint(resource), expected);
    }
    tenant.answer = () => undefined;
  });
});

describe("descriptions", () => {
  let tenant;
  let project;
  before(async () => {
    tenant = await startLogto({ resource: RESOURCE });
    project = await createProject();
  });
  after(async () => {
    await tenant.stop();
    await project.remove();
  });
  const set = (args = []) => runLogto({ project, args: ["--endpoint", tenant.endpoint, "--resource", RESOURCE, "--yes", ...args] });
  const scope = () => tenant.api.tenant.resources.find(({ indicator }) => indicator === RESOURCE).scopes.find(({ name }) => name === "notes:read");
  const source = (text) => project.addSource(`Server::builder("x", "1").scope("notes:read", "${text}")`);

  test("that somebody may have edited in the console are changed on request only, and the difference is shown", async () => {
    await source("Read your notes");
    await set();
    assert.equal(scope().description, "Read your notes");
    scope().description = "Edited in the console";
    const { output } = await set();
    assert.match(output, /left alone .*Permission notes:read, because .*"Edited in the console".*"Read your notes".*--descriptions/);
    assert.match(output, /There is nothing to change/);
    assert.ok(!output.includes("Not complete"));
    assert.equal(scope().description, "Edited in the console");
    await set(["--descriptions"]);
    assert.equal(scope().description, "Read your notes");
    assert.match((await set(["--descriptions"])).output, /There is nothing to change/);
  });

  test("that are missing are filled in", async () => {
    scope().description = "";
    await set();
    assert.equal(scope().description, "Read your notes");
  });

  test("that were edited while the question was open are not overwritten", async () => {
    const confirm = async () => {
      scope().description = "Just edited";
      return true;
    };
    const { code, output } = await runLogto({
      project,
      args: ["--endpoint", tenant.endpoint, "--resource", RESOURCE, "--scope", "notes:read=From the flag"],
      surroundings: { confirm },
    });
    assert.equal(code, 1);
    assert.match(output, /Permission notes:read\n.*was changed meanwhile/);
    assert.equal(scope().description, "Just edited");
  });
});
