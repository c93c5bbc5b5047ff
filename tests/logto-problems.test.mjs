// What `make logto` says when something is wrong: what happened, why, and how to fix it.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import { text } from "node:stream/consumers";
import { after, beforeEach, describe, test } from "node:test";
import { checked } from "../dev/logto/answers.mjs";
import { COMMAND, CREDENTIALS, createProject, runLogto, startLogto } from "./support/logto-tenant.mjs";

const RESOURCE = "https://mcp.example.com/mcp";
const tenant = await startLogto({ resource: RESOURCE });
const project = await createProject();
after(async () => {
  await tenant.stop();
  await project.remove();
});
beforeEach(() => {
  tenant.answer = () => undefined;
  tenant.requests.length = 0;
});

const set = (args = [], options = {}) => runLogto({ project, args: ["--endpoint", tenant.endpoint, "--resource", RESOURCE, ...args], ...options });
const refuseToken = (status, body) => {
  tenant.answer = ({ line }) => (line === "POST /oidc/token" ? { status, body } : undefined);
};

/** Asserts that nothing was changed, and that the text says what, why and how to fix it. */
function assertProblem({ problem, output }, ...patterns) {
  assert.ok(problem, output);
  for (const pattern of patterns) assert.match(output, pattern);
  assert.ok(!output.includes(CREDENTIALS.LOGTO_CLIENT_SECRET));
  assert.ok(tenant.requests.every((line) => line.startsWith("GET") || line === "POST /oidc/token"));
}

describe("credentials", () => {
  test("a wrong secret", async () => {
    const result = await set([], { env: { ...CREDENTIALS, LOGTO_CLIENT_SECRET: "wrong-secret-value" } });
    assertProblem(result, /refused the secret \(401\)/, /fix {2}Copy the secret/);
    assert.ok(!result.output.includes("wrong-secret-value"));
  });

  test("an unknown application", async () => {
    refuseToken(400, { error: "invalid_client", error_description: "invalid client x" });
    assertProblem(await set(), /no application with this id/, /LOGTO_CLIENT_ID must be/);
  });

  test("id and secret that are swapped are not printed", async () => {
    const { LOGTO_CLIENT_ID, LOGTO_CLIENT_SECRET } = CREDENTIALS;
    refuseToken(400, { error: "invalid_client", error_description: `invalid client ${LOGTO_CLIENT_SECRET}` });
    const env = { ...CREDENTIALS, LOGTO_CLIENT_ID: LOGTO_CLIENT_SECRET, LOGTO_CLIENT_SECRET: LOGTO_CLIENT_ID };
    assertProblem(await set([], { env }), /no application with this id/, /swapped/);
  });

  test("an expired secret", async () => {
    refuseToken(400, { error: "invalid_request", error_description: "client secret has expired" });
    assertProblem(await set(), /the secret has expired/, /Add a new secret/);
  });

  test("an application without the Management API's role", async () => {
    refuseToken(200, { access_token: "x", expires_in: 3600 });
    assertProblem(await set(), /may not use the Management API/, /lacks the role/, /Logto Management API access/);
    tenant.answer = ({ line }) => (line.startsWith("GET /api/") ? { status: 403, body: { code: "auth.forbidden", message: "Forbidden." } } : undefined);
    assertProblem(await set(), /\(403\)/, /Logto Management API access/);
  });

  test("a token that no header can carry is not printed", async () => {
    for (const access_token of ["SECRETTOKEN\nx", "SECRETTOKEN\u0000", "SECRETTOKENé", "SECRET TOKEN", ""]) {
      refuseToken(200, { access_token, scope: "all", expires_in: 3600 });
      const result = await set();
      assertProblem(result, /does not answer as Logto does/);
      assert.ok(!result.output.includes("SECRET"), result.output);
    }
  });

  test("a tenant whose Management API has another name", async () => {
    refuseToken(400, { error: "invalid_target", error_description: "x" });
    assertProblem(await set(), /no Management API called https:\/\/default.logto.app\/api/, /--management-resource/);
  });

  test("none, and no terminal", async () => {
    const { CI: _ci, ...env } = process.env;
    const child = spawn(process.execPath, [COMMAND, "--endpoint", tenant.endpoint, "--resource", RESOURCE], {
      env: { ...env, LOGTO_CLIENT_ID: "", LOGTO_CLIENT_SECRET: "" },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const [output, code] = await Promise.all([text(child.stderr), new Promise((resolve) => child.once("close", resolve))]);
    assert.equal(code, 2);
    assert.match(output, /^logto: LOGTO_CLIENT_ID or LOGTO_CLIENT_SECRET is missing\n {2}why/);
  });
});

describe("the tenant", () => {
  const at = (endpoint, options = {}) => runLogto({ project, args: ["--endpoint", endpoint, "--resource", RESOURCE], ...options });
  const failing = (code) => ({ surroundings: { http: { fetch: async () => Promise.reject(Object.assign(new TypeError("fetch failed"), { cause: Object.assign(new Error(code), { code }) })) } } });

  test("an unknown host, a port where nothing listens, a bad certificate", async () => {
    assertProblem(await at("https://nothing.example", failing("ENOTFOUND")), /nothing.example cannot be reached/, /no such host/);
    assertProblem(await at("http://127.0.0.1:1"), /cannot be reached/);
    assertProblem(await at("https://t.example", failing("DEPTH_ZERO_SELF_SIGNED_CERT")), /certificate/, /NODE_EXTRA_CA_CERTS/);
  });

  test("something that is no Logto", async () => {
    tenant.answer = () => ({ status: 404, body: "<html>" });
    assertProblem(await set(), /has no discovery document \(status 404\)/, /There is no Logto at this URL/);
  });

  test("a redirect is not followed, so that the secret goes nowhere else", async () => {
    for (const path of ["GET /oidc/.well-known/openid-configuration", "POST /oidc/token", "GET /api/resources"]) {
      tenant.requests.length = 0;
      tenant.answer = ({ line }) => (line.startsWith(path) ? { status: 307, headers: { location: `${tenant.endpoint}/elsewhere` } } : undefined);
      assertProblem(await set(), /redirects to/, /Credentials are never sent/);
      assert.ok(!tenant.requests.some((line) => line.includes("elsewhere")), path);
    }
  });

  test("an answer that never comes, and one without an end", async () => {
    tenant.answer = ({ line }) => (line.startsWith("GET /api/resources") ? new Promise(() => {}) : undefined);
    assertProblem(await set([], { surroundings: { http: { timeoutMs: 200 } } }), /did not answer within 0.2 seconds/);
    tenant.answer = ({ line }) => (line.startsWith("GET /api/resources") ? { status: 200, body: " ".repeat(9 * 1024 * 1024) } : undefined);
    assertProblem(await set(), /larger than/);
  });

  test("429 is waited for, and not for ever", async () => {
    const pauses = [];
    let left = 2;
    tenant.answer = ({ line }) => (line.startsWith("GET /api/resources") && (left -= 1) >= 0 ? { status: 429, headers: { "retry-after": "7" } } : undefined);
    const http = { pause: async (seconds) => pauses.push(seconds) };
    const { code, output } = await set(["--dry-run"], { surroundings: { http } });
    assert.deepEqual([code, pauses], [0, [7, 7]], output);
    left = Infinity;
    assertProblem(await set([], { surroundings: { http } }), /keeps answering 429/, /continues where it stopped/);
  });

  test("another issuer than the endpoint is used and said", async () => {
    const { output } = await set(["--dry-run"]);
    assert.match(output, new RegExp(`the tenant calls itself ${tenant.provider.issuer}`));
  });
});

describe("a tenant that is not what it should be", () => {
  const issuedBy = (issuer) => {
    tenant.answer = ({ line }) => (line.includes("/.well-known/") ? { status: 200, body: { issuer } } : undefined);
  };

  test("an issuer that the Worker would not accept", async () => {
    for (const issuer of ["http://logto.internal:3001/oidc", "https://logto.example.com/oidc\u001b[2J", "HTTPS://logto.example.com/oidc"]) {
      issuedBy(issuer);
      const result = await set();
      assertProblem(result, /the issuer/, /ENDPOINT|proxy/);
      assert.ok(!result.output.includes("\u001b"), issuer);
    }
  });

  test("what it calls things cannot control the terminal, nor make lines of the plan", async () => {
    const description = "x\u001b[2J\n✓ is already so  everything";
    tenant.answer = async ({ line }) =>
      line.startsWith("GET /api/resources")
        ? { status: 200, headers: { "total-number": "1" }, body: [{ id: "r", name: "R", indicator: RESOURCE, accessTokenTtl: 3600, scopes: [{ id: "s", name: "whoami:read", description }] }] }
        : undefined;
    const { output } = await set(["--dry-run", "--scope", "whoami:read=Read"]);
    assert.match(output, /whoami:read/);
    assert.ok(!output.includes("\u001b"));
    assert.ok(!/^✓ is already so {2}everything/m.test(output), output);
  });
});

describe("in the middle", () => {

  test("a step that Logto refuses fails alone; those that need it are not tried; a later run does the rest", async () => {
    tenant.answer = ({ line }) =>
      line.startsWith("POST /api/applications") || line.startsWith("PUT /api/configs")
        ? { status: 403, body: { code: "subscription.limit_exceeded", message: "Quota\u001b[31m exceeded" } }
        : undefined;
    const { code, output } = await set(["--yes"]);
    assert.equal(code, 1);
    assert.match(output, /✗ failed {3}Application/);
    assert.match(output, /plan of the tenant does not include it/);
    assert.match(output, /created {2}User role/);
    assert.match(output, /2 steps failed/);
    assert.ok(!output.includes("\u001b"), "what others say cannot control the terminal");
    tenant.answer = () => undefined;
    const second = await set(["--yes"]);
    assert.equal(second.code, 0, second.output);
    assert.match((await set()).output, /There is nothing to change/);
  });

  test("a script that appears meanwhile is not overwritten", async () => {
    tenant.api.tenant.customizers = {};
    const script = "const getCustomJwtClaims = async () => ({});";
    const confirm = async () => {
      tenant.api.tenant.customizers["jwt.accessToken"] = { script };
      return true;
    };
    const { code, output } = await set([], { surroundings: { confirm } });
    assert.equal(code, 1);
    assert.match(output, /the script was changed meanwhile/);
    assert.equal(tenant.api.tenant.customizers["jwt.accessToken"].script, script);
  });

  test("a redirect URI that is added meanwhile stays", async () => {
    await set(["--yes"]);
    const { oidcClientMetadata } = tenant.api.applications.all()[0].record;
    oidcClientMetadata.redirectUris = ["https://first.example/callback"];
    oidcClientMetadata.postLogoutRedirectUris = ["https://first.example/"];
    const confirm = async () => {
      oidcClientMetadata.redirectUris.push("https://second.example/callback");
      return true;
    };
    const { code, output } = await set([], { surroundings: { confirm } });
    assert.equal(code, 0, output);
    const { record } = tenant.api.applications.all()[0];
    assert.deepEqual(record.oidcClientMetadata, {
      redirectUris: ["https://first.example/callback", "https://second.example/callback", "https://mcp.example.com/playground/callback"],
      postLogoutRedirectUris: ["https://first.example/"],
    });
  });

  test("client ID metadata documents are not switched on without their ceiling", async () => {
    tenant.answer = ({ line }) => (line.startsWith("POST /api/cimd/") ? { status: 422, body: { code: "x", message: "no" } } : undefined);
    const { code } = await set(["--yes", "--cimd"]);
    assert.equal(code, 1);
    assert.ok(!tenant.requests.includes("PATCH /api/configs/cimd"));
  });

  test("wrangler.toml that is edited meanwhile is not overwritten", async () => {
    const confirm = async () => {
      await project.write(`${await project.read()}# mine\n`);
      return true;
    };
    const { output } = await set(["--scope", "a:b=C"], { surroundings: { confirm } });
    assert.match(output, /wrangler.toml was changed meanwhile/);
    assert.match(await project.read(), /# mine\n$/);
  });
});

describe("answers that are not Logto's", () => {
  const answerWith = (path, answer) => {
    tenant.answer = ({ line }) => (line.startsWith(path) ? answer : undefined);
  };
  const list = (body) => ({ status: 200, headers: { "total-number": "1" }, body });

  test("client ID metadata documents are too old for a Logto only if it does not know them", async () => {
    for (const path of ["GET /api/configs/cimd", "GET /api/cimd/user-consent-scopes"]) {
      answerWith(path, { status: 404, body: { code: "entity.not_found", message: "Not found" } });
      assert.match((await set(["--dry-run", "--cimd"])).output, /Client ID metadata documents .*, because this Logto is too old for them/);
      answerWith(path, { status: 403, body: { code: "subscription.limit_exceeded", message: "Upgrade" } });
      const { output } = await set(["--dry-run", "--cimd"]);
      assert.match(output, /Client ID metadata documents .*, because .*was refused \(403\).*Upgrade.*plan of the tenant/);
      assert.match(output, /Not complete/);
      assert.ok(!output.includes("too old"));
    }
  });

  test("each is looked at: what is not as expected is said, with where", async () => {
    const application = { id: "a", name: "A", type: "SPA", isThirdParty: true, customData: { "mcp-edge": { use: "playground", resource: RESOURCE } } };
    for (const [path, answer, pattern] of [
      ["GET /api/configs/cimd", { status: 200, body: "<html>" }, /not JSON/],
      ["GET /api/configs/cimd", { status: 200, body: { enabled: "yes" } }, /\/enabled must be boolean/],
      ["GET /api/cimd/user-consent-scopes", { status: 200, body: {} }, /must have required property/],
      ["GET /api/configs/jwt-customizer", { status: 200, body: "<html>" }, /not JSON/],
      ["GET /api/configs/jwt-customizer", { status: 200, body: { script: "x" } }, /must be array/],
      ["GET /api/configs/jwt-customizer", { status: 200, body: [{ key: "jwt.accessToken", value: null }] }, /\/0\/value must be object/],
      ["GET /api/resources", list([{ id: "r", indicator: RESOURCE }]), /'scopes'/],
      ["GET /api/resources", list([null]), /must be object/],
      ["GET /api/resources", { status: 200, body: "<html>" }, /did not answer with a list/],
      ["GET /api/applications", list([{ id: 5, name: "A", type: "SPA" }]), /\/id must be string/],
      ["GET /api/applications", list([{ ...application, oidcClientMetadata: { redirectUris: "x" } }]), /redirectUris must be array/],
      ["GET /api/roles", list([{ id: "r", type: "User" }]), /'name'/],
      ["GET /api/users?", list([{ username: "alice" }]), /'id'/],
      ["POST /oidc/token", { status: 200, body: "<html>" }, /does not answer as Logto does/],
      ["POST /oidc/token", { status: 200, body: { access_token: 5, scope: "all" } }, /does not answer as Logto does/],
      ["GET /oidc/.well-known", { status: 200, body: "[1]" }, /no discovery document/],
    ]) {
      answerWith(path, answer);
      tenant.requests.length = 0;
      const result = await set(["--yes", "--cimd", "--user", "alice"]);
      assertProblem(result, pattern, /fix {2}(Check|Set) /);
    }
  });

  test("a refusal that is not Logto's is not explained as one", async () => {
    for (const status of [400, 401, 403]) {
      answerWith("GET /api/resources", { status, body: "<html>Access denied" });
      const result = await set(["--yes"]);
      assertProblem(result, /refused \(\d+\)/, /a proxy or a firewall/, /fix {2}Let requests to \/api\//);
      assert.ok(!/permission `all`|plan of the tenant|its own token/.test(result.output), String(status));
    }
    answerWith("GET /api/configs/cimd", { status: 404, body: "Not Found" });
    assert.match((await set(["--dry-run", "--cimd"])).output, /this Logto is too old for them/);
    answerWith("POST /api/resources", { status: 404, body: "Not Found" });
    assert.match((await set(["--yes", "--resource", "https://new.example.com/mcp"])).output, /is not known there \(404\)\n +why.*too old/);
    answerWith("POST /api/resources", { status: 422, body: { code: "resource.x", message: "Wrong" } });
    assert.match((await set(["--yes", "--resource", "https://new.example.com/mcp"])).output, /Logto says: resource.x: Wrong\.\n +fix/);
  });

  test("those of a real one are as expected", async () => {
    const recording = async (name) => JSON.parse(await readFile(new URL(`../registrar/tests/logto/${name}.json`, import.meta.url), "utf8"));
    const { Native, SPA } = await recording("management-create-app");
    const { secrets_list_traditional: traditional, secrets_list_native: native } = await recording("management-app");
    const { create, scope_create: scope, role_create: role } = await recording("management-resource");
    for (const [kind, { body }] of [["application", Native], ["application", SPA], ["created", SPA], ["secrets", traditional], ["secrets", native], ["resource", create], ["created", scope], ["scope", scope], ["role", role]]) {
      assert.equal(checked(kind, body, "a call"), body, kind);
    }
  });

  test("one without an id ends the run with what was called", async () => {
    answerWith("POST /api/resources", { status: 200, body: "" });
    const { problem, output } = await set(["--yes", "--resource", "https://new.example.com/mcp"]);
    assert.ok(problem, output);
    assert.match(output, /POST \/api\/resources answered with something that this program does not know/);
  });

  test("a pause that Logto asks for is one", async () => {
    for (const [value, expected] of [["-5", 3], ["0", 3], ["Thu, 26 Nov 2026 08:00:00 GMT", 3], ["2", 2], ["9999", 30]]) {
      const pauses = [];
      let isFirst = true;
      tenant.answer = ({ line }) => {
        if (!line.startsWith("GET /api/resources") || !isFirst) return undefined;
        isFirst = false;
        return { status: 429, headers: { "retry-after": value } };
      };
      await set(["--dry-run"], { surroundings: { http: { pause: async (seconds) => pauses.push(seconds) } } });
      assert.deepEqual(pauses, [expected], value);
    }
  });
});

describe("users", () => {
  test("the role goes to the user of exactly this name, and to nobody if two other spellings could be meant", async () => {
    const given = [];
    const users = (names) => {
      tenant.answer = ({ line, body }) => {
        if (line.startsWith("GET /api/users?")) return { status: 200, headers: { "total-number": String(names.length) }, body: names.map((username) => ({ id: `id-${username}`, username })) };
        const [, id] = /^(?:GET|POST) \/api\/users\/([^/]+)\/roles/.exec(line) ?? [];
        if (id === undefined) return undefined;
        if (line.startsWith("POST")) given.push(id);
        return { status: 200, headers: { "total-number": "0" }, body: [] };
      };
    };
    users(["ALICE", "alice"]);
    await set(["--yes", "--user", "alice"]);
    assert.deepEqual(given, ["id-alice"]);
    users(["ALICE", "Alice"]);
    await set(["--yes", "--user", "alice"]);
    assert.deepEqual(given, ["id-alice"]);
  });
});

describe("a refusal", () => {
  test("a message with a gap is filled from the answer, and nothing else of it is shown", async () => {
    const data = { details: "the ceiling is\u001b[31m empty", token: "hidden-value" };
    const body = { code: "request.invalid_input", message: "Input is invalid. {{details}} {{token2}}", data };
    tenant.answer = ({ line }) => (line.startsWith("GET /api/resources") ? { status: 422, body } : undefined);
    const { output } = await set(["--yes"]);
    assert.match(output, /Input is invalid\. the ceiling is.* empty …/);
    assert.ok(!output.includes("hidden-value") && !output.includes("\u001b[31m"));
  });
});
