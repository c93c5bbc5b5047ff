// Both packages from a registry, as a new user without Rust gets them: create a project, start it, sign in, deploy (dry run).

import assert from "node:assert/strict";
import { cp, readFile, readdir } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { startSmallUpstream } from "../support/small-upstream.mjs";
import { printed } from "../support/program.mjs";
import { freePort } from "../support/worker.mjs";
import { archive, skipsRegistry, startRegistry } from "./support/registry.mjs";
import { finish, interrupt, newUser } from "./support/user.mjs";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const { version } = JSON.parse(await readFile(join(ROOT, "create-mcp-edge/package.json"), "utf8"));
const RESOURCES = { production: "https://mcp.example.com/mcp", staging: "https://staging.example.com/mcp" };
const LOGTO = ["--provider", "logto", "--issuer", "https://acme.logto.app/oidc", "--resource", RESOURCES.production, "--staging-resource", RESOURCES.staging];

describe("the packages of npm", { skip: skipsRegistry() }, () => {
  let registry;
  let user;

  before(async () => {
    registry = await startRegistry(["mcp-edge", "create-mcp-edge"]);
    await registry.publish(archive("mcp-edge", version));
    await registry.publish(archive("create-mcp-edge", version));
    user = await newUser(registry.url);
  });

  after(async () => {
    await user?.forget();
    await registry?.stop();
  });

  /** Creates a project and installs what it needs. @returns {Promise<string>} its folder */
  async function create(name, ...args) {
    await user.run(user.folder, "npm", "create", "--yes", "mcp-edge@latest", name, "--", ...args);
    const project = join(user.folder, name);
    await user.run(project, "npm", "install", "--no-audit", "--no-fund");
    return project;
  }

  /** Starts `npm run dev` on free ports, and waits until it says how to connect. */
  async function startDev(project) {
    const ports = { port: await freePort(), "idp-port": await freePort(), "vault-port": await freePort() };
    const dev = user.start(project, ["run", "dev", "--", ...Object.entries(ports).map(([name, port]) => `--${name}=${port}`)]);
    try {
      await printed(dev, /Ctrl-C stops everything/);
    } catch (error) {
      await interrupt(dev);
      throw error;
    }
    return { dev, origin: `http://localhost:${ports.port}`, mcpUrl: `http://localhost:${ports.port}/mcp` };
  }

  /** What `wrangler deploy --dry-run` would deploy: the lines with its bindings and variables. */
  async function dryRun(project, config, place) {
    const { stdout, stderr } = await user.run(project, "npx", "wrangler", "deploy", "--dry-run", "--config", config, `--env=${place}`);
    assert.doesNotMatch(stdout + stderr, /WARNING|ERROR/);
    assert.match(stdout, /--dry-run: exiting now/);
    return stdout;
  }

  test("a release that is run again leaves out what is published, and ends if that is something else", async () => {
    const env = { ...process.env, npm_config_registry: registry.url, npm_config_cache: join(user.folder, "release-cache") };
    const unpublished = (...archives) => finish(process.execPath, [join(ROOT, "dev/release/unpublished.mjs"), "npm", ...archives], { cwd: user.folder, env });
    const [first, second] = ["mcp-edge", "create-mcp-edge"].map((name) => archive(name, version));
    assert.equal((await unpublished(first, second)).stdout, "");
    const next = join(user.folder, "mcp-edge-999.0.0.tgz");
    await cp(second, next);
    assert.equal((await unpublished(first, next)).stdout, `${next}\n`);
    const other = join(user.folder, `mcp-edge-${version}.tgz`);
    await cp(second, other);
    await assert.rejects(unpublished(other), new RegExp(`has mcp-edge ${version.replaceAll(".", "\\.")} with other contents`));
  });

  describe("an endpoint with the tool whoami, the vault and the registrar", () => {
    let project;

    before(async () => {
      project = await create("acme", ...LOGTO, "--mode", "whoami", "--vault", "--registrar");
    });

    test("has what its README names", async () => {
      const readme = await readFile(join(project, "README.md"), "utf8");
      for (const [, target] of readme.matchAll(/\]\(([^)#]+)/g)) assert.ok(await readFile(join(project, target)), target);
    });

    test("starts, and the official client signs in as alice: whoami answers", async () => {
      const { dev, origin, mcpUrl } = await startDev(project);
      try {
        const { stdout } = await user.run(project, "npm", "run", "--silent", "whoami", "--", mcpUrl, "--login", "alice", "--json");
        const identity = JSON.parse(stdout);
        assert.equal(identity.username, "alice");
        assert.equal(identity.email, "alice@example.com");
        const examined = JSON.parse((await user.run(project, "npm", "run", "--silent", "doctor", "--", mcpUrl, "--json")).stdout);
        assert.deepEqual([examined.counts.failure, examined.url], [0, mcpUrl], "the doctor finds nothing");
        const account = await fetch(`${origin}/account/keys`, { redirect: "manual" });
        assert.ok([200, 302, 303].includes(account.status), `the vault answers: ${account.status}`);
      } finally {
        await interrupt(dev);
      }
    });

    test("can say what the settings of a place make of a token", async () => {
      // A token of somebody else.
      const token = `${Buffer.from('{"alg":"ES256","typ":"at+jwt"}').toString("base64url")}.${Buffer.from('{"iss":"https://elsewhere.example"}').toString("base64url")}.AAAA`;
      const refused = await user.run(project, "sh", "-c", `printf %s ${token} | npm run --silent explain -- --json; test $? = 1`);
      const { reason, settings } = JSON.parse(refused.stdout);
      assert.equal(reason, "wrong_issuer");
      assert.equal(settings[0].source, "wrangler.jsonc, environment production");
    });

    for (const [part, config] of [["the endpoint", "wrangler.jsonc"], ["the vault", "vault/wrangler.jsonc"], ["the registrar", "registrar/wrangler.jsonc"]]) {
      test(`${part} can be deployed at each place`, async () => {
        for (const place of ["production", "staging"]) {
          const deployed = await dryRun(project, config, place);
          assert.ok(deployed.includes('env.ISSUER ("https://acme.logto.app/oidc")'), deployed);
          assert.ok(deployed.includes(`("${RESOURCES[place]}")`), deployed);
          assert.match(deployed, /KV Namespace/);
        }
        assert.match(await dryRun(project, config, ""), /KV Namespace/);
      });
    }

    test("the settings of each place are valid: the Worker publishes its metadata", async () => {
      for (const place of ["production", "staging"]) {
        const [port, inspector] = [await freePort(), await freePort()];
        const worker = user.start(project, ["exec", "--", "wrangler", "dev", "--env", place, "--port", String(port), "--inspector-port", String(inspector), "--show-interactive-dev-session=false"]);
        try {
          await printed(worker, /Ready on/);
          const metadata = await fetch(`http://localhost:${port}/.well-known/oauth-protected-resource/mcp`);
          assert.equal(metadata.status, 200, worker.output);
          const { resource, authorization_servers } = await metadata.json();
          assert.deepEqual([resource, authorization_servers], [RESOURCES[place], ["https://acme.logto.app/oidc"]]);
        } finally {
          await interrupt(worker);
        }
      }
    });
  });

  describe("a gateway", () => {
    let upstream;
    let project;

    before(async () => {
      upstream = await startSmallUpstream("legacy");
      project = await create("gate", "--provider", "generic", "--mode", "gateway", "--upstream", upstream.url);
    });

    after(() => upstream?.close());

    test("starts in front of a server, and the official client calls its tools as alice", async () => {
      const { dev, mcpUrl } = await startDev(project);
      try {
        const listed = await user.run(project, "npm", "run", "--silent", "whoami", "--", mcpUrl, "--login", "alice", "--json");
        assert.deepEqual(JSON.parse(listed.stdout).map(({ name }) => name).sort(), ["count", "delete_all", "greet", "vanish"]);
        const called = await user.run(project, "npx", "mcp-edge", "call", "--url", mcpUrl, "--login", "alice", "greet", JSON.stringify({ name: "Alice" }));
        assert.match(called.stdout, /Hello Alice/);
        const call = upstream.received.find(({ method }) => method === "tools/call");
        assert.match(call.headers.authorization, /^Bearer ey/, "the server is shown an assertion of the gateway");
      } finally {
        await interrupt(dev);
      }
    });

    test("proposes tables as JSON, for wrangler.jsonc", async () => {
      const { stdout } = await user.run(project, "npm", "run", "--silent", "gateway-scopes", "--", upstream.url);
      assert.match(stdout, /^"TOOL_SCOPES": ".*greet=small:/m);
      assert.match(stdout, /"vars" in wrangler\.jsonc/);
    });

    test("makes keys for the Worker of production", async () => {
      const { stdout } = await user.run(project, "npm", "run", "--silent", "gateway-keys", "--", "--yes");
      assert.match(stdout, /npx wrangler secret put UPSTREAM_SIGNING_KEY --config wrangler\.jsonc --env production/);
      const key = JSON.parse(await readFile(join(project, ".wrangler/gateway/gate/UPSTREAM_SIGNING_KEY"), "utf8"));
      assert.equal(key.crv, "P-256");
      assert.ok(!stdout.includes(key.d), "no secret is shown");
    });

    test("can be deployed at each place", async () => {
      for (const place of ["production", "staging", ""]) assert.match(await dryRun(project, "wrangler.jsonc", place), /env\.UPSTREAM/);
    });
  });

  test("the template of the Deploy button is complete, and can be deployed", async () => {
    const project = join(user.folder, "deploy");
    await cp(join(ROOT, "templates/deploy"), project, { recursive: true, filter: (source) => !source.includes("node_modules") });
    assert.deepEqual((await readdir(join(project, "worker"))).sort(), ["SHA256SUMS", "index.js", "index_bg.wasm"]);
    await user.run(project, "npm", "install", "--no-audit", "--no-fund");
    const deployed = await dryRun(project, "wrangler.jsonc", "");
    const { cloudflare } = JSON.parse(await readFile(join(project, "package.json"), "utf8"));
    for (const name of Object.keys(cloudflare.bindings)) assert.ok(deployed.includes(`env.${name} `), `${name} is a binding`);
  });
});
