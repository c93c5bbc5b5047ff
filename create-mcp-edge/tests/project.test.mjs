// The files of a project: configurations as wrangler reads them, and what their README says.

import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { parseTOML, getStaticTOMLValue } from "toml-eslint-parser";
import { unstable_readConfig as readConfig } from "wrangler";
import { complete } from "../src/answers.mjs";
import { readOptions } from "../src/options.mjs";
import { projectFiles } from "../src/project.mjs";
import { PROVIDERS } from "../src/providers.mjs";
import { WRANGLER, COMPATIBILITY_DATE, COMPATIBILITY_FLAGS } from "../src/versions.mjs";
import { writeProject } from "../src/write.mjs";

const ROOT = new URL("../../", import.meta.url);
const toml = (path) => getStaticTOMLValue(parseTOML(readFileSync(new URL(path, ROOT), "utf8")));
const json = (path) => JSON.parse(readFileSync(new URL(path, ROOT), "utf8"));

const LOGTO = ["--provider", "logto", "--issuer", "https://acme.logto.app/oidc", "--resource", "https://mcp.example.com/mcp"];
const PLACES = ["production", "staging"];

let folder;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "create-mcp-edge-"));
});
after(() => rm(folder, { recursive: true, force: true }));

/** Writes a project; its files, and its configurations as wrangler reads them. */
async function project(name, ...args) {
  const answers = complete(readOptions([name, ...args]), folder);
  const files = projectFiles(answers, "1.2.3");
  await writeProject(answers.folder, files);
  return { files, config: (file, env) => readConfig({ config: join(answers.folder, file), env }, { hideWarnings: false }) };
}

describe("versions", () => {
  test("are those of this repository", () => {
    assert.equal(WRANGLER, json("package.json").devDependencies.wrangler);
    const { compatibility_date, compatibility_flags } = toml("wrangler.toml");
    assert.equal(COMPATIBILITY_DATE, compatibility_date);
    assert.deepEqual(COMPATIBILITY_FLAGS, compatibility_flags);
  });

  test("mcp-edge is that of create-mcp-edge, exactly", async () => {
    const { files } = await project("versions", "--yes");
    assert.deepEqual(JSON.parse(files.get("package.json")).devDependencies, { "mcp-edge": "1.2.3", wrangler: WRANGLER });
  });
});

describe("the endpoint", () => {
  test("has variables and bindings of its own at each place", async () => {
    const { config } = await project("endpoint", ...LOGTO, "--mode", "whoami", "--staging-resource", "https://staging.example.com/mcp");
    for (const [place, name, RESOURCE] of [["production", "endpoint", "https://mcp.example.com/mcp"], ["staging", "endpoint-staging", "https://staging.example.com/mcp"]]) {
      const { vars, kv_namespaces, name: worker, routes } = config("wrangler.jsonc", place);
      assert.equal(worker, name);
      assert.deepEqual(kv_namespaces.map(({ binding }) => binding), ["JWKS"]);
      const { REQUIRED_SCOPES, CLAIM_SCOPES } = toml("wrangler.toml").vars;
      assert.deepEqual(vars, { PROVIDER: "logto", ISSUER: "https://acme.logto.app/oidc", RESOURCE, REQUIRED_SCOPES, CLAIM_SCOPES });
      assert.deepEqual(routes, [{ pattern: new URL(RESOURCE).hostname, custom_domain: true }]);
    }
    const local = config("wrangler.jsonc");
    assert.equal(local.name, "endpoint-local", "a deployment by accident replaces no other Worker");
    assert.deepEqual(Object.keys(local.vars), ["REQUIRED_SCOPES", "CLAIM_SCOPES"]);
  });

  test("at workers.dev needs no route", async () => {
    const { config } = await project("acme", "--yes", "--resource", "https://acme.sub.workers.dev/mcp");
    assert.equal(config("wrangler.jsonc", "production").routes, undefined);
  });

  test("uses the prebuilt Worker, and builds nothing", async () => {
    const { config } = await project("prebuilt", "--yes");
    const { main, build } = config("wrangler.jsonc");
    assert.ok(main.endsWith(join("node_modules", "mcp-edge", "workers", "endpoint", "index.js")), main);
    assert.equal(build.command, undefined);
  });
});

describe("a gateway", () => {
  test("in front of a server on this machine leaves that of the deployments open", async () => {
    const { config } = await project("local-upstream", ...LOGTO, "--mode", "gateway", "--upstream", "http://localhost:3001/mcp");
    assert.deepEqual(config("wrangler.jsonc").vars, { UPSTREAM: "http://localhost:3001/mcp" });
    for (const place of PLACES) {
      const { UPSTREAM, TOOL_SCOPES, REQUIRED_SCOPES } = config("wrangler.jsonc", place).vars;
      assert.deepEqual([UPSTREAM, TOOL_SCOPES, REQUIRED_SCOPES], ["", "", undefined]);
    }
  });

  test("in front of a server elsewhere is so at all places", async () => {
    const upstream = "https://upstream.example.com/mcp";
    const { config } = await project("upstream", ...LOGTO, "--mode", "gateway", "--upstream", upstream);
    for (const place of [undefined, ...PLACES]) assert.equal(config("wrangler.jsonc", place).vars.UPSTREAM, upstream);
  });
});

describe("the vault and the registrar", () => {
  test("have the objects, migrations and namespaces of this repository's, at each place", async () => {
    const { config } = await project("parts", ...LOGTO, "--mode", "whoami", "--vault", "--registrar");
    for (const part of ["vault", "registrar"]) {
      const own = toml(`${part}/wrangler.toml`);
      const source = readFileSync(new URL(`${part}/wrangler.toml`, ROOT), "utf8");
      for (const place of [undefined, ...PLACES]) {
        const found = config(`${part}/wrangler.jsonc`, place);
        assert.deepEqual(found.durable_objects.bindings, own.durable_objects.bindings);
        assert.deepEqual(found.migrations, own.migrations);
        assert.deepEqual(found.kv_namespaces.map(({ binding }) => binding), own.kv_namespaces.map(({ binding }) => binding));
        if (part === "vault") assert.deepEqual([found.workers_dev, found.preview_urls, found.routes], [false, false, undefined]);
        for (const name of Object.keys(found.vars)) assert.match(source, new RegExp(`^(?:# )?${name} = `, "m"));
      }
    }
  });

  test("the endpoint binds the vault of its own place", async () => {
    const { config } = await project("bound", ...LOGTO, "--mode", "whoami", "--vault");
    for (const place of [undefined, ...PLACES]) {
      const { name } = config("vault/wrangler.jsonc", place);
      assert.deepEqual(config("wrangler.jsonc", place).services, [
        { binding: "VAULT", service: name },
        { binding: "VAULT_CALLS", service: name, entrypoint: "Internal", props: { role: "endpoint" } },
      ]);
    }
  });

  test("the vault is deployed before the endpoint", async () => {
    const { files } = await project("order", ...LOGTO, "--mode", "whoami", "--vault");
    const { scripts } = JSON.parse(files.get("package.json"));
    for (const [script, place] of [["deploy", "production"], ["deploy:staging", "staging"]]) {
      assert.equal(scripts[script], `wrangler deploy --config vault/wrangler.jsonc --env ${place} && wrangler deploy --env ${place}`);
    }
  });
});

test("every setting of the endpoint is one that wrangler.toml knows", async () => {
  const known = readFileSync(new URL("wrangler.toml", ROOT), "utf8");
  const { config } = await project("known", ...LOGTO, "--mode", "gateway", "--upstream", "https://upstream.example.com/mcp", "--vault");
  for (const name of Object.keys(config("wrangler.jsonc", "production").vars)) assert.match(known, new RegExp(`^(?:# )?${name} = `, "m"));
});

test("every script of a project is a command of the package", async () => {
  const hasCommand = (name) => existsSync(new URL(`npm/commands/${name}.mjs`, ROOT));
  const { files } = await project("scripts", ...LOGTO, "--mode", "gateway", "--upstream", "https://upstream.example.com/mcp", "--vault");
  const { scripts } = JSON.parse(files.get("package.json"));
  const named = [...Object.values(scripts), ...files.values()].flatMap((text) => [...text.matchAll(/(?:^|npx )mcp-edge ([a-z][a-z-]*)/gm)].map(([, name]) => name));
  for (const name of ["dev", "gateway-keys", "doctor", "explain"]) assert.ok(named.includes(name), name);
  for (const name of named) assert.ok(hasCommand(name), name);
});

describe("README.md", () => {
  test("names only scripts that the project has", async () => {
    for (const [name, ...args] of [
      ["readme-all", ...LOGTO, "--mode", "gateway", "--upstream", "http://localhost:3001/mcp", "--vault", "--registrar"],
      ["readme-none", "--yes"],
    ]) {
      const { files } = await project(name, ...args);
      const { scripts } = JSON.parse(files.get("package.json"));
      const named = [...files.values()].flatMap((text) => [...text.matchAll(/npm run ([a-z:-]+[a-z])/g)].map(([, script]) => script));
      assert.ok(named.includes("dev") && named.includes("deploy"));
      for (const script of named) assert.ok(Object.hasOwn(scripts, script), `${name}: ${script}`);
    }
  });

  test("links to files that the project or this repository has", async () => {
    const { files } = await project("links", ...LOGTO, "--mode", "gateway", "--upstream", "http://localhost:3001/mcp", "--vault", "--registrar");
    const targets = [...files.get("README.md").matchAll(/\]\(([^)#]+)/g)].map(([, target]) => target);
    const ofPackage = { "node_modules/mcp-edge/README.md": "npm/README.md", "node_modules/mcp-edge/docs/registrar.md": "registrar/README.md" };
    for (const target of targets) {
      if (files.has(target)) continue;
      const source = ofPackage[target] ?? target.replace("node_modules/mcp-edge/", "");
      assert.ok(readFileSync(new URL(source, ROOT), "utf8"), target);
    }
    for (const provider of Object.keys(PROVIDERS)) assert.ok(readFileSync(new URL(`docs/providers/${provider}.md`, ROOT)));
  });

  test("names a command that takes --env", async () => {
    for (const [name, ...args] of [
      ["env-generic", "--yes"],
      ["env-logto", ...LOGTO, "--mode", "whoami"],
      ["env-gateway", "--yes", "--mode", "gateway", "--upstream", "https://upstream.example.com/mcp"],
    ]) {
      const { files } = await project(name, ...args);
      const [, command] = /`npx mcp-edge (\S+) --env staging`/.exec(files.get("README.md")) ?? [];
      assert.ok(existsSync(new URL(`npm/commands/${command}.mjs`, ROOT)), `${name}: ${command}`);
    }
  });

  test("asks for what was left for later, and for nothing else", async () => {
    const { files } = await project("later", "--yes");
    assert.match(files.get("README.md"), /\*\*Fill in\*\* `PROVIDER`, `ISSUER` and `RESOURCE`/);
    const complete = await project("decided", ...LOGTO, "--mode", "whoami");
    assert.doesNotMatch(complete.files.get("README.md"), /\*\*Fill in\*\*/);
  });
});
