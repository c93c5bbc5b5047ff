// `make logto` at a tenant that was set up by hand: what serves the purpose already is used, and named; nothing is made twice.

import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import { readSettings, setSettings } from "../dev/logto/wrangler-toml.mjs";
import { createProject, fakeWrangler, runLogto, startLogto } from "./support/logto-tenant.mjs";

const RESOURCE = "https://mcp.example.com/mcp";
const CALLBACK = "https://mcp.example.com/playground/callback";
const REGISTRAR = "https://apps.example.com";
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

const set = (more = [], surroundings = {}) => runLogto({ project, args: ["--endpoint", tenant.endpoint, "--resource", RESOURCE, "--yes", ...more], surroundings });
const state = () => tenant.api.tenant;
const applications = () => tenant.api.applications.all().map(({ record }) => record);
const users = () => state().roles.filter(({ type }) => type === "User");

let number = 0;
async function makeApplication({ type, isThirdParty = false, redirectUris = [], name = "Made by hand" }) {
  number += 1;
  const record = {
    id: `by-hand-${number}`,
    name,
    type,
    isThirdParty,
    customData: {},
    createdAt: Date.now(),
    oidcClientMetadata: { redirectUris, postLogoutRedirectUris: [] },
  };
  await tenant.api.applications.add(record);
  return record;
}

async function setVars(values, file) {
  await project.write(setSettings(await project.read(file), values), file);
}

describe("the playground's application", () => {
  test("is the one with exactly its redirect URI, and the plan says why", async () => {
    const { id } = await makeApplication({ type: "SPA", isThirdParty: true, redirectUris: [CALLBACK] });
    await makeApplication({ type: "SPA", isThirdParty: true, redirectUris: [`${CALLBACK}/`, CALLBACK.toUpperCase()], name: "Playground of mcp.example.com" });
    const { output } = await set();
    assert.match(output, new RegExp(`is already so .*Application .*\\(${id}\\)\n +"Made by hand" was not made by this program; it has the redirect URI ${CALLBACK}`));
    assert.equal(applications().length, 2);
    assert.equal(readSettings(await project.read()).PLAYGROUND_CLIENT_ID, id);
    assert.match((await set()).output, /There is nothing to change/);
  });

  test("is not made, nor chosen, if several have its redirect URI", async () => {
    const made = [await makeApplication({ type: "SPA", isThirdParty: true, redirectUris: [CALLBACK] }), await makeApplication({ type: "SPA", isThirdParty: true, redirectUris: [CALLBACK] })];
    const before = tenant.api.applications.all().map(({ record }) => JSON.stringify(record));
    const { output } = await set();
    for (const { id } of made) assert.match(output, new RegExp(`several applications have the redirect URI .*${id}.* PLAYGROUND_CLIENT_ID`));
    assert.match(output, /Not complete/);
    assert.deepEqual(tenant.api.applications.all().map(({ record }) => JSON.stringify(record)), before);
    await setVars({ PLAYGROUND_CLIENT_ID: made[1].id });
    assert.ok(!(await set()).output.includes("Not complete"));
    assert.equal(applications().length, 2);
  });

  test("is not made a second time beside one of another type with its redirect URI", async () => {
    for (const kind of [{ type: "SPA", isThirdParty: false }, { type: "Traditional", isThirdParty: true }]) {
      const { id } = await makeApplication({ ...kind, redirectUris: [CALLBACK] });
      const { output } = await set();
      assert.match(output, new RegExp(`${id}\\) has its redirect URI.*must be a third-party single-page application`));
      assert.match(output, /Not complete/);
      assert.equal(applications().length, 1);
      await tenant.api.applications.remove(id);
    }
  });
});

describe("applications with secrets", () => {
  test("whose id is a variable in wrangler.toml are used, and their secret is put where there is none", async () => {
    const introspection = await makeApplication({ type: "MachineToMachine" });
    await setVars({ INTROSPECTION_CLIENT_ID: introspection.id });
    const wrangler = fakeWrangler();
    const { code, output } = await set(["--opaque-tokens", "--no-playground"], wrangler);
    assert.equal(code, 0, output);
    assert.match(output, new RegExp(`\\(${introspection.id}\\)\n +"Made by hand" was not made by this program; the settings name it`));
    assert.deepEqual(applications().map(({ id }) => id), [introspection.id]);
    const [{ secrets }] = tenant.api.applications.all();
    assert.deepEqual([...wrangler.stored], [["INTROSPECTION_CLIENT_SECRET", secrets[0].value]], "the id stays a variable");
    assert.deepEqual(applications()[0].customData, {}, "it is not marked");
    assert.match((await set(["--opaque-tokens", "--no-playground"], wrangler)).output, /There is nothing to change/);
  });

  test("that check tokens and may administer the tenant are pointed out", async () => {
    const { id } = await makeApplication({ type: "MachineToMachine" });
    await setVars({ INTROSPECTION_CLIENT_ID: id });
    state().applicationRoles.set(id, ["management-role"]);
    const { output } = await set(["--opaque-tokens", "--no-playground"], fakeWrangler());
    assert.match(output, new RegExp(`left alone .*\\(${id}\\), role "Logto Management API access", because .*administer the tenant`));
    assert.deepEqual(state().applicationRoles.get(id), ["management-role"]);
  });

  test("whose secrets the Worker has already are not made again", async () => {
    const names = ["INTROSPECTION_CLIENT_ID", "INTROSPECTION_CLIENT_SECRET", "MANAGEMENT_CLIENT_ID", "MANAGEMENT_CLIENT_SECRET"];
    const wrangler = fakeWrangler({ names });
    const { output } = await set(["--opaque-tokens", "--no-playground", "--registrar", REGISTRAR], wrangler);
    assert.match(output, /left alone .*Token check.*, because .*has the secrets INTROSPECTION_CLIENT_ID and INTROSPECTION_CLIENT_SECRET already.*wrangler secret delete/);
    assert.match(output, /left alone .*Registrar at.*, because .*has the secrets MANAGEMENT_CLIENT_ID and MANAGEMENT_CLIENT_SECRET already/);
    assert.deepEqual(applications().map(({ type }) => type), ["Traditional"], "the portal's");
    for (const name of names) assert.equal(wrangler.stored.get(name), undefined, name);
  });

  test("a new one takes the place of an id that the tenant does not know", async () => {
    await setVars({ INTROSPECTION_CLIENT_ID: "gone" });
    const wrangler = fakeWrangler({ names: ["INTROSPECTION_CLIENT_SECRET"] });
    const { output } = await set(["--opaque-tokens", "--no-playground"], wrangler);
    assert.match(output, /the settings name gone, which does not exist at this tenant/);
    assert.match(output, /will change .*secret INTROSPECTION_CLIENT_SECRET/);
    const [{ record, secrets }] = tenant.api.applications.all();
    assert.equal(readSettings(await project.read()).INTROSPECTION_CLIENT_ID, record.id);
    assert.deepEqual([...wrangler.stored], [["INTROSPECTION_CLIENT_SECRET", secrets[0].value]]);
    assert.match((await set(["--opaque-tokens", "--no-playground"], wrangler)).output, /There is nothing to change/);
  });

  test("a secret in wrangler.toml is neither shown nor put beside itself", async () => {
    const { id } = await makeApplication({ type: "MachineToMachine" });
    await setVars({ INTROSPECTION_CLIENT_ID: id, INTROSPECTION_CLIENT_SECRET: "in-clear-text" });
    const wrangler = fakeWrangler();
    const { output } = await set(["--opaque-tokens", "--no-playground"], wrangler);
    assert.match(output, /left alone .*INTROSPECTION_CLIENT_SECRET, because .*in clear text/);
    assert.match(output, /Not complete/);
    assert.ok(!output.includes("in-clear-text"));
    assert.equal(wrangler.stored.size, 0);
  });

  test("the registrar's and the portal's are found by the settings and by the redirect URI", async () => {
    const machine = await makeApplication({ type: "MachineToMachine" });
    const portal = await makeApplication({ type: "Traditional", redirectUris: [`${REGISTRAR}/callback`] });
    await setVars({ MANAGEMENT_CLIENT_ID: machine.id }, "registrar/wrangler.toml");
    const wrangler = fakeWrangler();
    const { output } = await set(["--no-playground", "--registrar", REGISTRAR], wrangler);
    assert.deepEqual(applications().map(({ id }) => id).sort(), [machine.id, portal.id].sort(), output);
    assert.deepEqual([...wrangler.stored.keys()].sort(), ["MANAGEMENT_CLIENT_SECRET", "PORTAL_CLIENT_SECRET", "SESSION_SECRET"]);
    assert.match(output, /post sign-out redirect URI: none → https:\/\/apps.example.com\//);
    assert.match((await set(["--no-playground", "--registrar", REGISTRAR], wrangler)).output, /There is nothing to change/);
  });
});

describe("the user role", () => {
  const makeResource = () => {
    const scope = { id: "by-hand-scope", name: "whoami:read", description: "Mine", resourceId: "by-hand-resource" };
    const resource = { id: "by-hand-resource", name: "Mine", indicator: RESOURCE, isDefault: false, accessTokenTtl: 3600, scopes: [scope] };
    state().resources.push(resource);
    tenant.api.applications.addScope(resource, scope);
    return scope;
  };
  const makeRole = (name, scopeIds, type = "User") => {
    const role = { id: `role-${name}`, name, description: "", isDefault: false, type, scopeIds };
    state().roles.push(role);
    return role;
  };

  test("is the one with exactly this server's permissions, by any name", async () => {
    const role = makeRole("Staff", [makeResource().id]);
    const { output } = await set(["--no-playground", "--user", "alice"]);
    assert.match(output, /is already so .*User role "Staff"\n +known by its permissions, which are exactly this server's/);
    assert.deepEqual(users(), [role]);
    assert.deepEqual(state().users.find(({ username }) => username === "alice").roleIds, [role.id]);
    assert.match((await set(["--no-playground", "--user", "alice"])).output, /There is nothing to change/);
  });

  test("with other permissions beside them, for machines, or without them all is not used", async () => {
    const { id } = makeResource();
    const unknown = { id: "by-hand-admin", name: "admin", description: "Not a tool's", resourceId: "by-hand-resource" };
    state().resources[0].scopes.push(unknown);
    makeRole("Admins", [id, unknown.id]);
    makeRole("More", [id, "management-api-all"]);
    makeRole("None", []);
    makeRole("Machines", [id], "MachineToMachine");
    await set(["--no-playground", "--user", "alice"]);
    assert.deepEqual(users().map(({ name }) => name), ["Admins", "More", "None", `Users of ${RESOURCE}`]);
  });

  test("of somebody else's is not widened by a permission that is new", async () => {
    const { id } = makeResource();
    const readers = makeRole("Readers", [id]);
    const { output } = await set(["--no-playground", "--user", "alice", "--scope", "notes:write=Write notes"]);
    assert.deepEqual(readers.scopeIds, [id], output);
    assert.deepEqual(users().map(({ name }) => name), ["Readers", `Users of ${RESOURCE}`]);
    assert.equal(users()[1].scopeIds.length, 2);
    assert.match((await set(["--no-playground", "--user", "alice", "--scope", "notes:write=Write notes"])).output, /There is nothing to change/);
  });

  test("of two resources with long names is two roles", async () => {
    const long = (end) => `https://mcp.example.com/${"x".repeat(150)}/${end}`;
    for (const end of ["one", "two"]) await set(["--no-playground", "--resource", long(end)]);
    const names = users().map(({ name }) => name);
    assert.equal(new Set(names).size, 2, names.join("\n"));
    for (const name of names) {
      assert.equal(name.length, 128);
      assert.ok(name.startsWith("Users of https://mcp.example.com/xxx"), name);
    }
    for (const { scopeIds } of users()) assert.equal(scopeIds.length, 1, "each with its own permission");
    assert.match((await set(["--no-playground", "--resource", long("one")])).output, /already so .*User role/);
  });

  test("is not chosen among several, nor made", async () => {
    const { id } = makeResource();
    makeRole("One", [id]);
    makeRole("Two", [id]);
    const { output } = await set(["--no-playground", "--user", "alice"]);
    assert.match(output, /left alone .*User role.*, because several roles have exactly this server's permissions: "One", "Two"; choose one with --role/);
    assert.match(output, /User alice, because the role cannot be used/);
    assert.match(output, /Not complete/);
    assert.equal(users().length, 2);
    await set(["--no-playground", "--user", "alice", "--role", "Two"]);
    assert.deepEqual(state().users.find(({ username }) => username === "alice").roleIds, ["role-Two"]);
  });
});
