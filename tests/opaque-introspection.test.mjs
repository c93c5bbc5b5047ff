// Opaque tokens and introspection: when the provider is asked, and what each of its answers means.

import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { faults } from "./support/hostile-provider.mjs";
import {
  ACCEPTING_ALL,
  asked,
  deploy,
  NO_SCOPES,
  randomToken,
  remember,
  SECRET,
} from "./support/opaque-deployment.mjs";
import { ask, assertAccepted, assertRefused } from "./support/refusals.mjs";
import "./support/report-failures.mjs";
import { CANARY, seconds } from "./support/signers.mjs";

describe("by default", () => {
  test("an opaque token is refused, without a request to the provider", async () => {
    const { worker, provider, opaque } = await deploy({});
    for (const token of [opaque(), "pat_0123456789abcdef", "a.b.c", "a", "~~~", "a==", "x".repeat(16 * 1024)]) {
      await assertRefused(worker, { token }, "opaque_not_accepted", NO_SCOPES);
    }
    assert.equal(provider.count(), 0);
  });

  test("an opaque token is refused also with credentials for introspection", async () => {
    const { worker, provider, opaque } = await deploy({ INTROSPECTION_CLIENT_ID: "a", INTROSPECTION_CLIENT_SECRET: "b" });
    await assertRefused(worker, { token: opaque() }, "opaque_not_accepted", NO_SCOPES);
    assert.equal(provider.count(), 0);
  });
});

describe("the introspection request", async () => {
  const jobs = [];
  const { worker, provider, opaque } = await deploy(ACCEPTING_ALL, (job) => jobs.unshift(job));
  after(async () => {
    for (const job of jobs) await job();
  });

  test("is a form with the Worker's credentials, encoded as in RFC 6749", async () => {
    provider.forget();
    const token = opaque();
    await assertAccepted(worker, { token });
    const { method, headers, body } = provider.requests.find(({ endpoint }) => endpoint === "introspection");
    assert.equal(method, "POST");
    assert.equal(headers["content-type"], "application/x-www-form-urlencoded");
    assert.deepEqual(Object.fromEntries(new URLSearchParams(body)), { token, token_type_hint: "access_token" });
    const [scheme, credentials] = headers.authorization.split(" ");
    const [id, secret] = Buffer.from(credentials, "base64").toString().split(":").map(decodeURIComponent);
    assert.deepEqual([scheme, id, secret], ["Basic", "mcp edge:1", SECRET]);
  });

  // One random token in 256 begins with this byte.
  test("is sent for a random token whose first byte is a brace", async () => {
    const token = randomToken((byte) => byte === 0x7b);
    remember(provider, token);
    await assertAccepted(worker, { token });
  });

  test("contains the token unchanged, with any characters", async () => {
    for (const token of ["a+b/c~d-e_f.g==", "a.b.c", "...", "eyJ", "eyJhbGciOiJub25lIn0"]) {
      provider.forget();
      await ask(worker, { token });
      const sent = provider.requests.filter(({ endpoint }) => endpoint === "introspection").map(({ body }) => new URLSearchParams(body).get("token"));
      // A first segment that decodes to a JSON object makes a token a malformed JWT.
      assert.deepEqual(sent, token === "eyJhbGciOiJub25lIn0" ? [] : [token], token);
    }
  });

  test("is not sent for a token that is too long for an opaque one", async () => {
    provider.forget();
    await assertRefused(worker, { token: "x".repeat(4097) }, "token_too_large", NO_SCOPES);
    assert.equal(provider.count(), 0);
  });

  test("is sent for a token of 4,096 bytes", async () => {
    for (const token of ["x".repeat(4096), "~+/".repeat(1365), `${"y".repeat(513)}`]) {
      remember(provider, token);
      await assertAccepted(worker, { token });
      await assertAccepted(worker, { token });
    }
  });

  test("adds neither token nor secret to the log", () => {
    for (const secret of [SECRET, encodeURIComponent(SECRET), CANARY, ...provider.tokens.keys()]) {
      assert.ok(!worker.raw().includes(secret));
    }
  });
});

describe("the Worker's credentials", () => {
  const LIST = "introspection_endpoint_auth_methods_supported";
  const sent = async (discovery) => {
    const { worker, provider, opaque } = await deploy();
    provider.discovery = discovery;
    await assertAccepted(worker, { token: opaque() });
    for (const secret of [SECRET, encodeURIComponent(SECRET)]) assert.ok(!worker.raw().includes(secret), "the log has the secret");
    const { headers, body } = provider.requests.find(({ endpoint }) => endpoint === "introspection");
    const { client_id, client_secret } = Object.fromEntries(new URLSearchParams(body));
    return { header: headers.authorization?.split(" ")[0], client_id, client_secret };
  };
  const inForm = { header: undefined, client_id: ACCEPTING_ALL.INTROSPECTION_CLIENT_ID, client_secret: SECRET };
  const inHeader = { header: "Basic", client_id: undefined, client_secret: undefined };

  for (const [what, discovery, expected] of [
    ["in the form, where the provider lists only that", { [LIST]: ["client_secret_post"] }, inForm],
    ["in the form, beside methods that the Worker does not have", { [LIST]: ["private_key_jwt", "client_secret_post"] }, inForm],
    ["in the header, where both are listed", { [LIST]: ["client_secret_post", "client_secret_basic"] }, inHeader],
    ["in the header, where nothing is listed", {}, inHeader],
    ["in the header, where the list is empty", { [LIST]: [] }, inHeader],
    ["in the header, where the list is of another type", { [LIST]: "client_secret_post" }, inHeader],
    ["in the header, although the token endpoint takes only the other", { token_endpoint_auth_methods_supported: ["client_secret_post"] }, inHeader],
  ]) {
    test(`are ${what}`, async () => assert.deepEqual(await sent(discovery), expected));
  }
});

describe("clients whose tokens are accepted", () => {
  const cases = [
    ["agent", "agent", true],
    ["other agent", "agent", true],
    ["other", "agent", false],
    ["agent", "AGENT", false],
    ["agent", "agent-2", false],
    ["agent", undefined, false],
    ["clients.example", "https://clients.example/agent.json", true],
    ["clients.example", "https://clients.example.evil.example/agent.json", false],
    ["clients.example", "https://clients.example@evil.example/", false],
    ["*", "any-client", true],
    ["*", undefined, true],
    ["agent *", "any-client", false],
  ];
  for (const [list, client_id, isAccepted] of cases) {
    test(`the list "${list}" ${isAccepted ? "accepts" : "refuses"} ${client_id ?? "a token that names no client"}`, async () => {
      const { worker, provider, opaque } = await deploy({ ...ACCEPTING_ALL, OPAQUE_TOKEN_CLIENTS: list });
      const token = opaque({ client_id });
      if (isAccepted) await assertAccepted(worker, { token });
      else {
        await assertRefused(worker, { token }, "opaque_not_accepted", NO_SCOPES);
        await assertRefused(worker, { token }, "opaque_not_accepted", NO_SCOPES);
      }
      assert.equal(asked(provider), 1);
    });
  }

  test("the general lists of clients apply as well", async () => {
    const { worker, opaque } = await deploy({ ...ACCEPTING_ALL, DENIED_CLIENTS: "agent", ALLOWED_CLIENTS: "agent friend" });
    await assertRefused(worker, { token: opaque() }, "client_denied");
    await assertRefused(worker, { token: opaque({ client_id: "other-client" }) }, "client_not_allowed");
    await assertAccepted(worker, { token: opaque({ client_id: "friend" }) });
  });

  test("required scopes apply as well", async () => {
    const { worker, opaque } = await deploy({ ...ACCEPTING_ALL, REQUIRED_SCOPES: "profile" });
    await assertRefused(worker, { token: opaque() }, "insufficient_scope", { scope: "profile" });
    await assertAccepted(worker, { token: opaque({ scope: "openid profile" }) });
  });
});

describe("the introspection response", async () => {
  const jobs = [];
  const { worker, provider, opaque } = await deploy(ACCEPTING_ALL, (job) => jobs.unshift(job));
  after(async () => {
    for (const job of jobs) await job();
  });

  const refusals = [
    ["inactive", { active: false }, "inactive"],
    ["active, but of no type: a refresh token", { token_type: undefined }, "not_an_access_token"],
    ["active, but of another type", { token_type: "refresh_token" }, "not_an_access_token"],
    ["active, but bound to a key", { token_type: "DPoP" }, "not_an_access_token"],
    ["active, but of a type that is not a string", { token_type: ["Bearer"] }, "not_an_access_token"],
    ["of another issuer", { iss: "https://other.example/oidc" }, "wrong_issuer"],
    ["of the issuer with a slash", { iss: `${provider.issuer}/` }, "wrong_issuer"],
    ["for another audience", { aud: "https://other.example/mcp" }, "wrong_audience"],
    ["for other audiences", { aud: ["a", "b"] }, "wrong_audience"],
    ["for no audience at all", { aud: [] }, "wrong_audience"],
    ["for an audience that is null", { aud: null }, "wrong_audience"],
    ["expired", { exp: seconds() - 3600 }, "expired"],
    ["with an expiry in a string", { exp: "soon" }, "missing_expiry"],
    ["not valid yet", { nbf: seconds() + 3600 }, "not_yet_valid"],
    ["issued in the future", { iat: seconds() + 3600, exp: seconds() + 7200 }, "bad_issue_time"],
    ["without a subject", { sub: undefined }, "missing_subject"],
    ["with an empty subject", { sub: "" }, "missing_subject"],
    ["of a client that is not a string", { client_id: 7 }, "malformed_token"],
    ["400: the client of the token is unknown", { status: 400, body: { error: "invalid_client", error_description: `invalid client ${CANARY}` } }, "inactive"],
    ["400: a type it does not introspect", { status: 400, body: { error: "unsupported_token_type" } }, "inactive"],
    ["bound to a DPoP key", { cnf: { jkt: CANARY } }, "sender_constrained"],
    ["bound to a certificate", { cnf: { "x5t#S256": CANARY } }, "sender_constrained"],
    ["an ID token", { typ: "ID" }, "not_an_access_token"],
  ];
  for (const [what, answer, reason] of refusals) {
    test(`${what}: the token is refused`, async () => {
      await assertRefused(worker, { token: opaque(answer) }, reason, NO_SCOPES);
    });
  }

  const acceptances = [
    ["of a type in lower case", { token_type: "bearer" }],
    ["for the correct audience", { aud: worker.mcpUrl }],
    ["for the correct audience among others", { aud: ["other", worker.mcpUrl] }],
    ["without an issuer", { iss: undefined }],
    ["without an expiry", { exp: undefined }],
    ["with members that are null", { nbf: null, iat: null, iss: null, jti: null, cnf: null, username: null, exp: null }],
    ["with a client in azp and null in client_id", { client_id: null, azp: "agent" }],
  ];
  for (const [what, answer] of acceptances) {
    test(`active, ${what}: the token is accepted`, () => assertAccepted(worker, { token: opaque(answer) }));
  }

  test("machines and users are distinguished", async () => {
    assert.equal((await assertAccepted(worker, { token: opaque({ sub: "agent" }) })).kind, "machine");
    assert.equal((await assertAccepted(worker, { token: opaque() })).kind, "user");
    assert.equal((await assertAccepted(worker, { token: opaque({ username: "service-account-agent" }) })).kind, "machine");
    // Without `openid` nothing shows that a user has signed in.
    assert.equal((await assertAccepted(worker, { token: opaque({ scope: "whoami:read" }) })).kind, "unknown");
  });

  test("an unknown token is refused", () =>
    assertRefused(worker, { token: "never-issued" }, "inactive", NO_SCOPES));

  const outages = [
    ["401: the Worker's secret is wrong", faults.status(401, { "www-authenticate": "Basic" }), "introspection_refused"],
    ["403: introspection is not allowed", faults.status(403), "introspection_refused"],
    ["400: the Worker's client is unknown", faults.error(400, "invalid_client", `invalid client ${ACCEPTING_ALL.INTROSPECTION_CLIENT_ID}`), "introspection_refused"],
    ["400: a client is unknown, without its ID", faults.error(400, "invalid_client", CANARY), "introspection_refused"],
    ["400: the Worker's secret has expired", faults.error(400, "invalid_request", "client secret has expired"), "introspection_refused"],
    ["400: the client's document cannot be fetched", faults.error(400, "invalid_client", "client_id metadata document fetch failed"), "introspection_unavailable"],
    ["400 with an invalid error code", faults.error(400, `${CANARY} ${CANARY}`, CANARY), "introspection_unavailable"],
    ["400 with a web page", faults.page(400), "introspection_unavailable"],
    ["403 with a web page", faults.page(403), "introspection_unavailable"],
    ["404", faults.status(404), "introspection_unavailable"],
    ["429", faults.status(429, { "retry-after": "3600" }), "introspection_unavailable"],
    ["500", faults.status(500), "introspection_unavailable"],
    ["503", faults.status(503), "introspection_unavailable"],
    ["201", faults.status(201), "introspection_unavailable"],
    ["204", (response) => response.writeHead(204).end(), "introspection_unavailable"],
    ["a redirect", faults.redirect(`${provider.origin}/steal-the-credentials`), "introspection_unavailable"],
    ["a redirect that keeps the method", faults.redirect(`${provider.origin}/steal-the-credentials`, 307), "introspection_unavailable"],
    ["a web page", faults.says("<!doctype html>"), "introspection_unavailable"],
    ["an empty body", faults.says(""), "introspection_unavailable"],
    ["a list", faults.says('[{"active":true}]'), "introspection_unavailable"],
    ["true", faults.says("true"), "introspection_unavailable"],
    ["active, as text", faults.saysWith({ active: "true" }), "introspection_unavailable"],
    ["active, as a number", faults.saysWith({ active: 1 }), "introspection_unavailable"],
    ["no member active", faults.saysWith({ active: undefined }), "introspection_unavailable"],
    ["half of the response", faults.breaking(), "introspection_unavailable"],
    ["10 MB", faults.paddedInChunks(10 * 1024 * 1024), "introspection_unavailable"],
    ["a closed connection", faults.hangingUp(), "introspection_unavailable"],
    ["no response", faults.silent(), "introspection_unavailable"],
    ["half of the response, then nothing", faults.halting(), "introspection_unavailable"],
  ];
  for (const [what, fault, reason] of outages) {
    test(`${what}: 503, not invalid_token, and the next request is accepted`, async () => {
      const token = opaque();
      provider.misbehave("introspection", fault);
      const { line } = await assertRefused(worker, { token }, reason);
      assert.ok(line.detail.startsWith("introspection"), line.detail);
      if (reason === "introspection_refused") assert.match(line.detail, /check INTROSPECTION_CLIENT_ID and INTROSPECTION_CLIENT_SECRET/);
      provider.behave();
      await assertAccepted(worker, { token });
      assert.equal(provider.count("elsewhere"), 0, "a redirect was followed");
    });
  }

  test("is not in the log", () => assert.ok(!worker.raw().includes(CANARY)));
});
