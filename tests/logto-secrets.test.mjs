// Secrets of the Workers: which of them `make logto` has put, and what it says when wrangler fails.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { chmod, copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
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

const set = (surroundings, more = ["--opaque-tokens"]) =>
  runLogto({ project, args: ["--endpoint", tenant.endpoint, "--resource", RESOURCE, "--yes", "--no-playground", ...more], surroundings });
const application = (use = "introspection") => tenant.api.applications.all().find(({ record }) => record.customData["mcp-edge"]?.use === use);

/** A wrangler that cannot put some of the secrets. */
function failingWrangler({ names, fails, output = "✘ [ERROR] A request to the Cloudflare API failed." }) {
  const wrangler = fakeWrangler({ names });
  const wranglerFor = (config) => async (args, input) => {
    if (args[1] === "put" && fails.includes(args[2])) return { code: 1, output };
    return wrangler.wranglerFor(config)(args, input);
  };
  return { ...wrangler, wranglerFor };
}

describe("a later run", () => {
  test("puts what an earlier one could not put, over values that are there", async () => {
    const names = ["INTROSPECTION_CLIENT_SECRET"];
    const broken = failingWrangler({ names, fails: ["INTROSPECTION_CLIENT_SECRET"] });
    const first = await set(broken);
    assert.equal(first.code, 1);
    assert.match(first.output, /created {2}wrangler.toml: secret INTROSPECTION_CLIENT_ID/);
    assert.match(first.output, /failed {3}wrangler.toml: secret INTROSPECTION_CLIENT_SECRET/);

    const wrangler = fakeWrangler({ names: ["INTROSPECTION_CLIENT_ID", ...names] });
    const second = await set(wrangler);
    assert.equal(second.code, 0, second.output);
    assert.match(second.output, /is already so .*secret INTROSPECTION_CLIENT_ID/);
    assert.match(second.output, /will change .*secret INTROSPECTION_CLIENT_SECRET\n +it is set, but not by this program/);
    assert.equal(wrangler.stored.get("INTROSPECTION_CLIENT_SECRET"), application().secrets[0].value);
    assert.match((await set(wrangler)).output, /There is nothing to change/);
  });

  test("keeps no secret in the application's data", async () => {
    await set(fakeWrangler());
    const { record, secrets } = application();
    assert.ok(!JSON.stringify(record).includes(secrets[0].value));
    assert.deepEqual(Object.keys(record.customData), ["mcp-edge"]);
  });

  test("tells the Workers of two configurations apart", async () => {
    await set(fakeWrangler());
    await project.write((await project.read()).replace('name = "mcp-edge"', 'name = "staging"'));
    const staging = fakeWrangler({ names: ["INTROSPECTION_CLIENT_ID", "INTROSPECTION_CLIENT_SECRET"] });
    await set(staging);
    assert.equal(staging.stored.get("INTROSPECTION_CLIENT_SECRET"), application().secrets[0].value);
    assert.deepEqual(Object.keys(application().record.customData["mcp-edge"].secrets), ["mcp-edge", "staging"]);
  });

  test("puts the newest secret when the one that the Worker has was deleted or has expired", async () => {
    const wrangler = fakeWrangler();
    await set(wrangler);
    const { secrets, record } = application();
    const [old] = secrets;
    secrets.push({ ...old, name: "New", value: "the-new-secret", createdAt: old.createdAt + 1 });
    assert.match((await set(wrangler)).output, /There is nothing to change/, "both are good");
    for (const end of [() => (old.expiresAt = Date.now() - 1), () => secrets.shift()]) {
      end();
      const { output } = await set(wrangler);
      if (wrangler.stored.get("INTROSPECTION_CLIENT_SECRET") !== "the-new-secret") assert.fail(output);
      wrangler.stored.set("INTROSPECTION_CLIENT_SECRET", "the-new-secret");
    }
    secrets.length = 0;
    const { output } = await set(wrangler);
    assert.match(output, new RegExp(`INTROSPECTION_CLIENT_SECRET, because .*${record.id} has no secret that is valid`));
    assert.match(output, /Not complete/);
  });

  test("makes the session secret once", async () => {
    const wrangler = fakeWrangler();
    const flags = ["--registrar", "https://apps.example.com"];
    await set(wrangler, flags);
    const before = wrangler.stored.get("SESSION_SECRET");
    assert.match((await set(wrangler, flags)).output, /There is nothing to change/);
    assert.equal(wrangler.stored.get("SESSION_SECRET"), before);
  });
});

describe("what wrangler says", () => {
  const ACCOUNTS = `
✘ [ERROR] More than one account available but unable to select one in non-interactive mode.

  Please set the appropriate account ID in your wrangler.toml file or assign it to the \`CLOUDFLARE_ACCOUNT_ID\` environment variable.
  Available accounts are (\`<name>\`: \`<account_id>\`):
    \`Acme \u001b[31mInc\`: \`0123456789abcdef0123456789abcdef\`
    \`(redacted)\`: \`fedcba9876543210fedcba9876543210\`
`;

  test("several accounts are named, with how to choose one", async () => {
    const { code, output } = await set(fakeWrangler({ fails: ACCOUNTS }));
    assert.equal(code, 0);
    assert.match(output, /because your Cloudflare login has several accounts: Acme .*0123456789abcdef0123456789abcdef.*fedcba9876543210fedcba9876543210/);
    assert.match(output, /CLOUDFLARE_ACCOUNT_ID/);
    assert.match(output, /Not complete/);
    assert.ok(!output.includes("After \"make deploy\""), "deploying does not help");
    assert.ok(!output.includes("\u001b"));
  });

  test("other errors are repeated, in one line, with the command to see all of it", async () => {
    const { output } = await set(fakeWrangler({ fails: "\u001b[31m✘ \u001b[41;97mERROR\u001b[0m\n✘ [ERROR] Something new\u0007 went wrong\n  on two lines\n\n  more\n" }));
    assert.match(output, /because wrangler failed: Something new went wrong on two lines\. To see more: dev\/with-tools wrangler secret list --config wrangler.toml/);
    assert.ok(!/[\u0007\u001b]/.test(output));
  });

  test("the secret is not repeated, even if wrangler does", async () => {
    const wrangler = fakeWrangler();
    const wranglerFor = (config) => async (args, input) =>
      args[1] === "put" ? { code: 1, output: `✘ [ERROR] bad value ${input} for ${input}` } : wrangler.wranglerFor(config)(args, input);
    const { output } = await set({ wranglerFor });
    assert.match(output, /wrangler failed: bad value \(hidden\) for \(hidden\)/);
    assert.ok(!output.includes(application().secrets[0].value));
  });

  test("reasons that are not alike are not taken for each other", async () => {
    for (const [said, expected] of [
      ['✘ [ERROR] Worker "mcp-edge" not found.\n', /is not deployed yet\. After "make deploy", run this command again/],
      ["✘ [ERROR] This Worker does not exist on your account. [code: 10007]", /is not deployed yet/],
      ["✘ [ERROR] In a non-interactive environment, it's necessary to set a CLOUDFLARE_API_TOKEN environment variable for wrangler to work.", /not logged in to Cloudflare.*wrangler login/],
      ["✘ [ERROR] Account not found", /wrangler failed: Account not found/],
      ["getaddrinfo ENOTFOUND api.cloudflare.com", /wrangler failed: getaddrinfo ENOTFOUND/],
    ]) {
      assert.match((await set(fakeWrangler({ fails: said }))).output, expected, said);
    }
  });
});

describe("make", () => {
  const MAKEFILE = fileURLToPath(new URL("../Makefile", import.meta.url));

  test("gives the secret of the application to the command only, not to the set-up", async (t) => {
    const folder = await mkdtemp(join(tmpdir(), "mcp-edge-make-"));
    t.after(() => rm(folder, { recursive: true }));
    await mkdir(join(folder, "dev"));
    await copyFile(MAKEFILE, join(folder, "Makefile"));
    for (const name of ["setup", "with-tools"]) {
      await writeFile(join(folder, "dev", name), `#!/bin/sh\nenv > "$(dirname "$0")/${name}.env"\n`);
      await chmod(join(folder, "dev", name), 0o755);
    }
    const { MAKEFLAGS: _flags, MAKELEVEL: _level, ...env } = process.env;
    for (const [args, more] of [[[], CREDENTIALS], [Object.entries(CREDENTIALS).map(([name, value]) => `${name}=${value}`), {}]]) {
      const child = spawn("make", ["logto", ...args], { cwd: folder, env: { ...env, ...more }, stdio: ["ignore", "pipe", "pipe"] });
      const [errors, code] = await Promise.all([text(child.stderr), new Promise((resolve) => child.once("close", resolve))]);
      assert.equal(code, 0, errors);
      assert.ok((await readFile(join(folder, "dev/with-tools.env"), "utf8")).includes(`LOGTO_CLIENT_SECRET=${CREDENTIALS.LOGTO_CLIENT_SECRET}`));
      assert.ok(!(await readFile(join(folder, "dev/setup.env"), "utf8")).includes(CREDENTIALS.LOGTO_CLIENT_SECRET));
    }
  });
});
