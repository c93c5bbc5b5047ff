// What `make logto` sets up for access keys (`--keys`) and personal access tokens (`--pat`).

import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import { readSettings } from "../dev/logto/wrangler-toml.mjs";
import { createProject, fakeWrangler, runLogto, startLogto } from "./support/logto-tenant.mjs";

const RESOURCE = "https://mcp.example.com/mcp";
const VAULT_TOML = "vault/wrangler.toml";
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

const set = (more, surroundings = fakeWrangler()) =>
  runLogto({ project, args: ["--endpoint", tenant.endpoint, "--resource", RESOURCE, "--yes", "--no-playground", ...more], surroundings });
const application = (use) => tenant.api.applications.all().find(({ record }) => record.customData["mcp-edge"]?.use === use);
const settingsIn = async (file) => readSettings(await project.read(file));
const uncomment = async (name, value, file) => project.write((await project.read(file)).replace(new RegExp(`^# ${name} = .*$`, "m"), `${name} = "${value}"`), file);

describe("--keys", () => {
  test("makes the vault's application and settings, and puts its secret", async () => {
    const wrangler = fakeWrangler();
    const { code, output } = await set(["--keys"], wrangler);
    assert.equal(code, 0, output);
    const { record, userScopes, resourceScopes, secrets } = application("vault");
    assert.deepEqual([record.type, record.isThirdParty], ["Traditional", true]);
    assert.deepEqual(record.oidcClientMetadata, {
      redirectUris: ["https://mcp.example.com/account/callback"],
      postLogoutRedirectUris: ["https://mcp.example.com/account"],
    });
    assert.deepEqual(record.customClientMetadata, { rotateRefreshToken: false, refreshTokenTtlInDays: 90 });
    assert.deepEqual([...userScopes], ["profile"]);
    assert.equal(resourceScopes.size, 1, "the permission of the server");

    const [vault, endpoint] = [await settingsIn(VAULT_TOML), await settingsIn()];
    for (const name of ["PROVIDER", "ISSUER", "RESOURCE", "REQUIRED_SCOPES"]) assert.equal(vault[name], endpoint[name], name);
    assert.deepEqual([vault.VAULT_CLIENT_ID, vault.REFRESH_DAYS], [record.id, "90"]);
    assert.equal(wrangler.stored.get("VAULT_CLIENT_SECRET"), secrets[0].value);
    assert.ok(!output.includes(secrets[0].value));
    assert.match(output, /rotateRefreshToken: false/, "it is shown before it is written");
  });

  test("leaves VAULT_SECRET to the operator, who keeps a copy", async () => {
    const wrangler = fakeWrangler();
    const { output } = await set(["--keys"], wrangler);
    assert.ok(!wrangler.stored.has("VAULT_SECRET"));
    assert.match(output, /secret VAULT_SECRET, because you keep a copy.*openssl rand -base64 32.*secret put VAULT_SECRET --config vault\/wrangler.toml/);
    assert.match(output, /Not complete/);
    wrangler.stored.set("VAULT_SECRET", undefined);
    const second = await set(["--keys"], wrangler);
    assert.match(second.output, /There is nothing to change/);
    assert.ok(!second.output.includes("Not complete"), second.output);
  });

  test("a second run changes nothing, and one without the flag does not read the vault's settings", async () => {
    const wrangler = fakeWrangler();
    await set(["--keys"], wrangler);
    const before = [tenant.snapshot(), await project.read(VAULT_TOML)];
    assert.match((await set(["--keys"], wrangler)).output, /There is nothing to change/);
    assert.deepEqual([tenant.snapshot(), await project.read(VAULT_TOML)], before);
    await project.write("not toml", VAULT_TOML);
    assert.match((await set([], wrangler)).output, /There is nothing to change/);
  });

  test("refresh tokens that are replaced, or forgotten early, are put right; other members stay", async () => {
    await set(["--keys"]);
    const { record } = application("vault");
    record.customClientMetadata = { rotateRefreshToken: true, idTokenTtl: 600 };
    const { output } = await set(["--keys"]);
    assert.match(output, /rotateRefreshToken: true → false\n +refreshTokenTtlInDays: not set → 90/);
    assert.deepEqual(record.customClientMetadata, { idTokenTtl: 600, rotateRefreshToken: false, refreshTokenTtlInDays: 90 });
  });

  test("the life of refresh tokens is that of REFRESH_DAYS", async () => {
    await uncomment("REFRESH_DAYS", "30", VAULT_TOML);
    await set(["--keys"]);
    assert.equal(application("vault").record.customClientMetadata.refreshTokenTtlInDays, 30);
    assert.equal((await settingsIn(VAULT_TOML)).REFRESH_DAYS, "30");
  });

  test("a life that Logto does not allow is refused before anything is made", async () => {
    for (const days of ["365", "0", "90 days", "1e2"]) {
      await project.write((await project.read(VAULT_TOML)).replace(/^(# )?REFRESH_DAYS = .*$/m, `REFRESH_DAYS = "${days}"`), VAULT_TOML);
      const { problem } = await set(["--keys"]);
      assert.match(problem?.lines.join(" ") ?? "", /REFRESH_DAYS.*1 to 180/, days);
    }
    assert.equal(tenant.api.applications.all().length, 0);
  });

  test("what decides about scopes at the endpoint is the same at the vault", async () => {
    await uncomment("SCOPE_HIERARCHY", "admin>whoami:read");
    await set(["--keys"]);
    assert.equal((await settingsIn(VAULT_TOML)).SCOPE_HIERARCHY, "admin>whoami:read");
  });

  test("--dry-run writes nothing", async () => {
    const before = [tenant.snapshot(), await project.read(VAULT_TOML)];
    const { output } = await set(["--keys", "--pat", "--dry-run"]);
    assert.match(output, /\+ will create {3}Application "Account pages of /);
    assert.deepEqual([tenant.snapshot(), await project.read(VAULT_TOML)], before);
  });
});

describe("--pat", () => {
  test("makes an application that may exchange tokens, without a role, and puts its secrets", async () => {
    const wrangler = fakeWrangler();
    const { code, output } = await set(["--pat"], wrangler);
    assert.equal(code, 0, output);
    const { record, secrets } = application("exchange");
    assert.deepEqual([record.type, record.isThirdParty, record.customClientMetadata], ["MachineToMachine", false, { allowTokenExchange: true }]);
    assert.equal(tenant.api.tenant.applicationRoles.get(record.id), undefined);
    const { PAT_PREFIX, PAT_SCOPES } = await settingsIn();
    assert.deepEqual([PAT_PREFIX, PAT_SCOPES], ["pat_", "whoami:read"]);
    assert.deepEqual([wrangler.stored.get("PAT_CLIENT_ID"), wrangler.stored.get("PAT_CLIENT_SECRET")], [record.id, secrets[0].value]);
    assert.match((await set(["--pat"], wrangler)).output, /There is nothing to change/);
  });

  test("with --keys the vault exchanges, and the endpoint knows their beginning alone", async () => {
    const vaultsOwn = fakeWrangler({ names: ["VAULT_SECRET"] });
    const endpoints = fakeWrangler();
    const wranglerFor = (config) => (config.endsWith(VAULT_TOML) ? vaultsOwn : endpoints).wranglerFor(config);
    const { code, output } = await set(["--keys", "--pat"], { wranglerFor });
    assert.equal(code, 0, output);
    const [vault, endpoint] = [await settingsIn(VAULT_TOML), await settingsIn()];
    assert.deepEqual([vault.PAT_PREFIX, vault.PAT_SCOPES], ["pat_", "whoami:read"]);
    assert.deepEqual([endpoint.PAT_PREFIX, endpoint.PAT_SCOPES], ["pat_", undefined]);
    assert.deepEqual([...vaultsOwn.stored.keys()].sort(), ["PAT_CLIENT_ID", "PAT_CLIENT_SECRET", "VAULT_CLIENT_SECRET", "VAULT_SECRET"]);
    assert.equal(endpoints.stored.size, 0);
  });

  test("what the operator has chosen stays", async () => {
    await uncomment("PAT_PREFIX", "tok_");
    await uncomment("PAT_SCOPES", "notes:read");
    await set(["--pat"]);
    const { PAT_PREFIX, PAT_SCOPES } = await settingsIn();
    assert.deepEqual([PAT_PREFIX, PAT_SCOPES], ["tok_", "notes:read"]);
  });

  test("a switch that was turned off is turned on again, and a role of the Management API is pointed out", async () => {
    await set(["--pat"]);
    const { record } = application("exchange");
    record.customClientMetadata = {};
    tenant.api.tenant.applicationRoles.set(record.id, ["management-role"]);
    const { output } = await set(["--pat"]);
    assert.match(output, /allowTokenExchange: not set → true/);
    assert.match(output, /exchanging tokens needs no role/);
    assert.deepEqual(record.customClientMetadata, { allowTokenExchange: true });
  });
});
