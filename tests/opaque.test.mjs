// Tokens that are no JWT: whether the provider is asked about them, how often, and what becomes of its answer.

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, afterEach, describe, test } from "node:test";
import { faults, startHostileProvider } from "./support/hostile-provider.mjs";
import { legacyCall } from "./support/messages.mjs";
import { ask, assertAccepted, assertRefused } from "./support/refusals.mjs";
import "./support/report-failures.mjs";
import { CANARY, createSigner, encode, seconds, tokensFor } from "./support/signers.mjs";
import { post, startWorker } from "./support/worker.mjs";

const SECRET = "s3cret:with ämlaut&=+%/";
const ACCEPTING_ALL = { OPAQUE_TOKEN_CLIENTS: "*", INTROSPECTION_CLIENT_ID: "mcp edge:1", INTROSPECTION_CLIENT_SECRET: SECRET };
const NO_SCOPES = { scope: "" };

const signer = await createSigner("ES256");

const cleanups = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function deploy(settings = ACCEPTING_ALL, cleanUp = (job) => cleanups.push(job)) {
  const provider = await startHostileProvider({ keys: [signer.jwk] });
  cleanUp(() => provider.stop());
  const worker = await startWorker({ settings: { ISSUER: provider.issuer, ...settings } });
  cleanUp(() => worker.stop());
  return { provider, worker, opaque: opaqueFor(provider), jwt: tokensFor({ issuer: provider.issuer, resource: worker.mcpUrl, signer }) };
}

/** Makes opaque tokens as Logto has them: 43 characters, and an answer without an audience. */
function opaqueFor(provider) {
  return (changes = {}, profile) => {
    // See "whose first byte happens to be a brace".
    const token = randomToken((byte) => byte !== 0x7b);
    remember(provider, token, changes, profile);
    return token;
  };
}

function randomToken(isFirstByte) {
  for (;;) {
    const bytes = randomBytes(32);
    if (isFirstByte(bytes[0])) return encode(bytes);
  }
}

function remember(provider, token, changes = {}, profile = undefined) {
  const now = seconds();
  provider.tokens.set(token, {
    active: true, sub: "user-1", client_id: "agent", exp: now + 3600, iat: now - 1, iss: provider.issuer,
    scope: "openid", token_type: "Bearer", note: CANARY, ...changes,
  });
  if (profile) provider.profiles.set(token, profile);
}

const asked = (provider) => provider.count("introspection");

describe("unless the operator says otherwise", () => {
  test("an opaque token is refused, and the provider is not even asked for its documents", async () => {
    const { worker, provider, opaque } = await deploy({});
    for (const token of [opaque(), "pat_0123456789abcdef", "a.b.c", "a", "~~~", "a==", "x".repeat(16 * 1024)]) {
      await assertRefused(worker, { token }, "opaque_not_accepted", NO_SCOPES);
    }
    assert.equal(provider.count(), 0);
  });

  test("credentials for introspection alone open nothing", async () => {
    const { worker, provider, opaque } = await deploy({ INTROSPECTION_CLIENT_ID: "a", INTROSPECTION_CLIENT_SECRET: "b" });
    await assertRefused(worker, { token: opaque() }, "opaque_not_accepted", NO_SCOPES);
    assert.equal(provider.count(), 0);
  });
});

describe("the question to the provider", async () => {
  const jobs = [];
  const { worker, provider, opaque } = await deploy(ACCEPTING_ALL, (job) => jobs.unshift(job));
  after(async () => {
    for (const job of jobs) await job();
  });

  test("is a form with our credentials, encoded as RFC 6749 says", async () => {
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

  // One random token in 256 begins so.
  test("is asked for a random token whose first byte happens to be a brace", async () => {
    const token = randomToken((byte) => byte === 0x7b);
    remember(provider, token);
    await assertAccepted(worker, { token });
  });

  test("carries the token as it came, whatever it is made of", async () => {
    for (const token of ["a+b/c~d-e_f.g==", "a.b.c", "...", "eyJ", "eyJhbGciOiJub25lIn0"]) {
      provider.forget();
      await ask(worker, { token });
      const sent = provider.requests.filter(({ endpoint }) => endpoint === "introspection").map(({ body }) => new URLSearchParams(body).get("token"));
      // What decodes to a JSON object is a broken JWT.
      assert.deepEqual(sent, token === "eyJhbGciOiJub25lIn0" ? [] : [token], token);
    }
  });

  test("is not asked for a token that is longer than any opaque one", async () => {
    provider.forget();
    await assertRefused(worker, { token: "x".repeat(513) }, "token_too_large", NO_SCOPES);
    assert.equal(provider.count(), 0);
  });

  test("leaves neither token nor secret in the log", () => {
    for (const secret of [SECRET, encodeURIComponent(SECRET), CANARY, ...provider.tokens.keys()]) {
      assert.ok(!worker.raw().includes(secret));
    }
  });
});

describe("whose tokens are accepted", () => {
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
    ["*", "anybody", true],
    ["*", undefined, true],
    ["agent *", "anybody", false],
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

  test("the lists of clients in general hold as well", async () => {
    const { worker, opaque } = await deploy({ ...ACCEPTING_ALL, DENIED_CLIENTS: "agent", ALLOWED_CLIENTS: "agent friend" });
    await assertRefused(worker, { token: opaque() }, "client_denied");
    await assertRefused(worker, { token: opaque({ client_id: "stranger" }) }, "client_not_allowed");
    await assertAccepted(worker, { token: opaque({ client_id: "friend" }) });
  });

  test("required scopes hold as well", async () => {
    const { worker, opaque } = await deploy({ ...ACCEPTING_ALL, REQUIRED_SCOPES: "profile" });
    await assertRefused(worker, { token: opaque() }, "insufficient_scope", { scope: "profile" });
    await assertAccepted(worker, { token: opaque({ scope: "openid profile" }) });
  });
});

describe("what the provider says", async () => {
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
    ["active, but of a type that is no text", { token_type: ["Bearer"] }, "not_an_access_token"],
    ["of another issuer", { iss: "https://other.example/oidc" }, "wrong_issuer"],
    ["of another issuer by a slash", { iss: `${provider.issuer}/` }, "wrong_issuer"],
    ["for another audience", { aud: "https://other.example/mcp" }, "wrong_audience"],
    ["for other audiences", { aud: ["a", "b"] }, "wrong_audience"],
    ["for no audience at all", { aud: [] }, "wrong_audience"],
    ["for an audience that is null", { aud: null }, "wrong_audience"],
    ["expired", { exp: seconds() - 3600 }, "expired"],
    ["with an expiry that is text", { exp: "soon" }, "missing_expiry"],
    ["not valid yet", { nbf: seconds() + 3600 }, "not_yet_valid"],
    ["issued in the future", { iat: seconds() + 3600, exp: seconds() + 7200 }, "bad_issue_time"],
    ["without a subject", { sub: undefined }, "missing_subject"],
    ["with an empty subject", { sub: "" }, "missing_subject"],
    ["of a client that is no text", { client_id: 7 }, "malformed_token"],
    ["400: the client is gone", { status: 400, body: { error: "invalid_client", error_description: `invalid client ${CANARY}` } }, "inactive"],
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
    ["of a type in small letters", { token_type: "bearer" }],
    ["for our audience", { aud: worker.mcpUrl }],
    ["for our audience among others", { aud: ["other", worker.mcpUrl] }],
    ["without an issuer", { iss: undefined }],
    ["without an expiry", { exp: undefined }],
  ];
  for (const [what, answer] of acceptances) {
    test(`active, ${what}: the token is accepted`, () => assertAccepted(worker, { token: opaque(answer) }));
  }

  test("a machine is told from a user", async () => {
    assert.equal((await assertAccepted(worker, { token: opaque({ sub: "agent" }) })).kind, "machine");
    assert.equal((await assertAccepted(worker, { token: opaque() })).kind, "user");
    assert.equal((await assertAccepted(worker, { token: opaque({ username: "service-account-agent" }) })).kind, "machine");
    // Without `openid` nothing says that anybody has signed in.
    assert.equal((await assertAccepted(worker, { token: opaque({ scope: "whoami:read" }) })).kind, "unknown");
  });

  test("an unknown token is refused", () =>
    assertRefused(worker, { token: "never-issued" }, "inactive", NO_SCOPES));

  const outages = [
    ["401: our own secret is wrong", faults.status(401, { "www-authenticate": "Basic" }), "introspection_refused"],
    ["403: we may not ask", faults.status(403), "introspection_refused"],
    ["400: our own client is gone", faults.error(400, "invalid_client", `invalid client ${ACCEPTING_ALL.INTROSPECTION_CLIENT_ID}`), "introspection_refused"],
    ["400: a client is gone, and nobody says whose", faults.error(400, "invalid_client", CANARY), "introspection_refused"],
    ["400: our own secret has expired", faults.error(400, "invalid_request", "client secret has expired"), "introspection_refused"],
    ["400: the client's document cannot be fetched", faults.error(400, "invalid_client", "client_id metadata document fetch failed"), "introspection_unavailable"],
    ["400 with a text that is no code", faults.error(400, `${CANARY} ${CANARY}`, CANARY), "introspection_unavailable"],
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
    ["nothing", faults.says(""), "introspection_unavailable"],
    ["a list", faults.says('[{"active":true}]'), "introspection_unavailable"],
    ["true", faults.says("true"), "introspection_unavailable"],
    ["active, as text", faults.saysWith({ active: "true" }), "introspection_unavailable"],
    ["active, as a number", faults.saysWith({ active: 1 }), "introspection_unavailable"],
    ["not a word about active", faults.saysWith({ active: undefined }), "introspection_unavailable"],
    ["half of it", faults.breaking(), "introspection_unavailable"],
    ["10 MB", faults.paddedInChunks(10 * 1024 * 1024), "introspection_unavailable"],
    ["nothing, and hangs up", faults.hangingUp(), "introspection_unavailable"],
    ["nothing at all", faults.silent(), "introspection_unavailable"],
    ["half of it, and no more", faults.halting(), "introspection_unavailable"],
  ];
  for (const [what, fault, reason] of outages) {
    test(`${what}: 503, no word of a bad token, and right again with the next request`, async () => {
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

  test("nothing of it is in the log", () => assert.ok(!worker.raw().includes(CANARY)));
});

describe("how often the provider is asked", () => {
  test("once for many requests with one token", async () => {
    const { worker, provider, opaque } = await deploy();
    const token = opaque();
    for (let round = 0; round < 100; round += 1) await assertAccepted(worker, { token });
    assert.equal(asked(provider), 1);
  });

  test("once for each token: nobody gets another's answer", async () => {
    const { worker, provider, opaque } = await deploy();
    const tokens = Array.from({ length: 20 }, (_, number) => opaque({ sub: `user-${number}` }));
    for (let round = 0; round < 3; round += 1) {
      const subjects = await Promise.all(tokens.map(async (token) => (await assertAccepted(worker, { token })).sub));
      assert.deepEqual(subjects, tokens.map((_, number) => `user-${number}`));
    }
    assert.equal(asked(provider), 20);
  });

  test("once for many requests with one bad token", async () => {
    const { worker, provider } = await deploy();
    for (let round = 0; round < 100; round += 1) await assertRefused(worker, { token: "never-issued" }, "inactive", NO_SCOPES);
    assert.equal(asked(provider), 1);
  });

  test("again as soon as the set time is over: a revoked token lives that long and no longer", async () => {
    const { worker, provider, opaque } = await deploy({ ...ACCEPTING_ALL, OPAQUE_TOKEN_SECONDS: "2" });
    const token = opaque();
    await assertAccepted(worker, { token });
    provider.tokens.delete(token);
    await worker.waitFor(async () => (await ask(worker, { token })).status === 401, "a revoked token lives on", 6_000);
    assert.equal(asked(provider), 2);
  });

  test("for every request, if the set time is none", async () => {
    const { worker, provider, opaque } = await deploy({ ...ACCEPTING_ALL, OPAQUE_TOKEN_SECONDS: "0" });
    const token = opaque();
    await assertAccepted(worker, { token });
    await assertAccepted(worker, { token });
    assert.equal(asked(provider), 2);
    provider.tokens.delete(token);
    await assertRefused(worker, { token }, "inactive", NO_SCOPES);
  });

  test("again when the token expires, though the set time is longer", async () => {
    const { worker, provider, opaque } = await deploy({ ...ACCEPTING_ALL, OPAQUE_TOKEN_SECONDS: "600" });
    const token = opaque({ exp: seconds() + 2 });
    await assertAccepted(worker, { token });
    provider.tokens.delete(token);
    await worker.waitFor(async () => (await ask(worker, { token })).status === 401, "an expired token lives on", 6_000);
  });

  test("a bad answer is forgotten sooner than a good one: a token that becomes good is not locked out", async () => {
    const { worker, provider, opaque } = await deploy({ ...ACCEPTING_ALL, OPAQUE_TOKEN_SECONDS: "600" });
    const token = opaque();
    const answer = provider.tokens.get(token);
    provider.tokens.delete(token);
    await assertRefused(worker, { token }, "inactive", NO_SCOPES);
    provider.tokens.set(token, answer);
    await worker.waitFor(async () => (await ask(worker, { token })).status === 200, "still refused", 12_000);
    assert.equal(asked(provider), 2);
  });

  // Introspection that unknown tokens cause should be limited, as fetches that unknown key ids cause are.
  const NO_LIMIT = "each invented opaque token makes one request to the provider; nothing but the optional rate limiter stands in between";
  test("a flood of invented tokens does not become a flood at the provider", async (context) => {
    const { worker, provider } = await deploy();
    const answers = await Promise.all(
      Array.from({ length: 300 }, (_, number) => post(worker, { token: `invented-${number}`, message: legacyCall("whoami") })),
    );
    context.diagnostic(`300 invented tokens, ${asked(provider)} introspections`);
    assert.ok(answers.every(({ status }) => status >= 400));
    assert.ok(asked(provider) < 300, `${asked(provider)} introspections`);
  });

  test("a crowd with one new token is answered", async (context) => {
    const { worker, provider, opaque } = await deploy();
    const token = opaque();
    await Promise.all(Array.from({ length: 50 }, () => assertAccepted(worker, { token })));
    context.diagnostic(`50 requests at once with one token, ${asked(provider)} introspections`);
    assert.deepEqual([provider.count("discovery"), provider.count("jwks")], [1, 1]);
  });
});

describe("JWTs", async () => {
  const jobs = [];
  const { worker, provider, jwt } = await deploy(ACCEPTING_ALL, (job) => jobs.unshift(job));
  after(async () => {
    for (const job of jobs) await job();
  });

  // Short enough to be taken for opaque tokens.
  const header = JSON.stringify({ alg: "ES256", typ: "at+jwt", kid: "k" });
  const short = (text, end = ".e30.AAAA") => `${encode(text)}${end}`;
  const broken = [
    ["expired", jwt({ claims: { exp: 1 } })],
    ["with a bad signature", jwt({ signature: (bytes) => Buffer.alloc(bytes.length) })],
    ["of another issuer", jwt({ claims: { iss: "https://other.example" } })],
    ["for another audience", jwt({ claims: { aud: "other" } })],
    ["under an unknown key", jwt({ header: { kid: "unknown" } })],
    ["without a signature", short('{"alg":"none"}', ".e30.")],
    ["with claims that are no base64url", short(header, ".~~~~.AAAA")],
    ["with two segments", short(header, ".e30")],
    ["with a header alone", short(header, "")],
    ["with four segments", short(header, ".e30.AAAA.AAAA")],
    ["encrypted", short('{"alg":"dir","enc":"A256GCM"}', "..AAAA.AAAA.AAAA")],
    ["with a header that is no JSON", short('{"alg":')],
    ["with a header that occurs twice", short('{"alg":"ES256","alg":"none"}')],
    ["without alg", short("{}")],
    ["with a header in plain base64", short(Buffer.from('{"alg":"ES256","x":"~~~???>>>"}'), "").replace(/[-_]/g, "+") + ".e30.AAAA"],
    ["with bits in the header that mean nothing", `${encode('{"alg":"ES256"}  ').slice(0, -1)}B.e30.AAAA`],
  ];
  for (const [what, token] of broken) {
    test(`${what} are never sent to the provider`, async () => {
      provider.forget();
      const { status } = await ask(worker, { token });
      assert.equal(status, 401);
      assert.equal(asked(provider), 0);
    });
  }

  test("with white space before the header are never sent to the provider", async () => {
    provider.forget();
    assert.equal((await ask(worker, { token: short(` ${header}`) })).status, 401);
    assert.equal(asked(provider), 0);
  });

  test("that are right are accepted without a question", async () => {
    provider.forget();
    await assertAccepted(worker, { token: jwt() });
    assert.equal(asked(provider), 0);
    assert.equal(provider.count("userinfo"), 0);
  });
});

describe("the profile", async () => {
  const jobs = [];
  const { worker, provider, opaque } = await deploy(ACCEPTING_ALL, (job) => jobs.unshift(job));
  after(async () => {
    for (const job of jobs) await job();
  });
  const profile = { sub: "user-1", name: "Alice Example", username: "alice", email: "alice@example.com", email_verified: true, phone_number: CANARY };

  const shown = async (scope, changes = {}) => {
    provider.forget();
    const { username, name, email, email_verified, picture } = await assertAccepted(worker, {
      token: opaque({ scope, ...changes.token }, { ...profile, ...changes.profile }),
    });
    return { username, name, email, email_verified, picture, asked: provider.count("userinfo") };
  };
  const nothing = { username: undefined, name: undefined, email: undefined, email_verified: undefined, picture: undefined };

  test("is not asked for if no scope covers any of it", async () => {
    assert.deepEqual(await shown("openid"), { ...nothing, asked: 0 });
    assert.deepEqual(await shown(undefined), { ...nothing, asked: 0 });
  });

  test("shows what the scope profile covers", async () =>
    assert.deepEqual(await shown("openid profile"), { ...nothing, username: "alice", name: "Alice Example", asked: 1 }));

  test("shows what the scope email covers", async () =>
    assert.deepEqual(await shown("openid email"), { ...nothing, email: "alice@example.com", email_verified: true, asked: 1 }));

  test("of somebody else is not shown", async () => {
    for (const sub of ["user-2", undefined, null, ["user-1"]]) {
      assert.deepEqual(await shown("openid profile email", { profile: { sub } }), { ...nothing, asked: 1 });
    }
  });

  test("does not show claims of the introspection that no scope covers", async () => {
    const token = { name: CANARY, email: CANARY, username: CANARY };
    assert.deepEqual(await shown("openid", { token }), { ...nothing, asked: 0 });
  });

  test("cannot grant a scope, or name another client or subject", async () => {
    const changes = { scope: "email admin", client_id: "first-party", iss: "https://other.example", exp: 1 };
    const identity = await assertAccepted(worker, { token: opaque({ scope: "openid profile" }, { ...profile, ...changes }) });
    assert.deepEqual(
      [identity.scopes, identity.client_id, identity.issuer, identity.sub],
      [["openid", "profile"], "agent", provider.issuer, "user-1"],
    );
    assert.ok(identity.expires_at > seconds());
  });

  for (const [what, fault] of [
    ["an error", faults.status(500)], ["a refusal", faults.status(401)], ["a web page", faults.says("<html>")],
    ["a redirect", faults.redirect("/elsewhere")], ["a hang-up", faults.hangingUp()],
  ]) {
    test(`that cannot be had because of ${what} is missing, and the request is answered`, async () => {
      provider.misbehave("userinfo", fault);
      // The runtime itself may try once more when a connection is closed without an answer.
      const { asked: times, ...claims } = await shown("openid profile");
      provider.behave();
      assert.deepEqual(claims, nothing);
      assert.ok(times >= 1);
      assert.equal(provider.count("elsewhere"), 0);
    });
  }

  test("is asked for by the operator's own mapping, too", async () => {
    const mapped = await deploy({ ...ACCEPTING_ALL, CLAIM_SCOPES: "openid=username" });
    const identity = await assertAccepted(mapped.worker, { token: mapped.opaque({}, profile) });
    assert.deepEqual([identity.username, identity.name], ["alice", undefined]);
  });

  test("is asked for once for many requests", async () => {
    provider.forget();
    const token = opaque({ scope: "openid profile" }, profile);
    for (let round = 0; round < 20; round += 1) {
      assert.equal((await assertAccepted(worker, { token })).name, "Alice Example");
    }
    assert.equal(provider.count("userinfo"), 1);
  });
});

describe("where there is userinfo alone", () => {
  const USERINFO = { OPAQUE_TOKEN_CLIENTS: "*", OPAQUE_TOKEN_CHECK: "userinfo" };
  const profile = { sub: "user-1", name: "Alice Example", email: "alice@example.com" };
  const token = "an-opaque-token-of-forty-three-characters-x";
  const deployed = async (answer = profile, settings = {}) => {
    const deployment = await deploy({ ...USERINFO, ...settings });
    deployment.provider.profiles.set(token, answer);
    return deployment;
  };

  test("its answer is the identity: a user, through no client, with what was consented to", async () => {
    const { worker, provider } = await deployed();
    const identity = await assertAccepted(worker, { token });
    assert.deepEqual(
      [identity.sub, identity.name, identity.email, identity.client_id, identity.kind, identity.client_party, identity.scopes],
      ["user-1", "Alice Example", "alice@example.com", undefined, "user", "third", ["openid"]],
    );
    const [{ headers, method }] = provider.requests.filter(({ endpoint }) => endpoint === "userinfo");
    assert.deepEqual([method, headers.authorization], ["GET", `Bearer ${token}`]);
    assert.equal(asked(provider), 0);
  });

  test("what it says of client, scopes, audience and expiry does not count", async () => {
    const changes = { client_id: "first-party", azp: "first-party", scope: "admin", scp: "admin", aud: "x", exp: 1, nbf: 9e9, iat: 9e9, iss: "x" };
    const { worker, provider } = await deployed({ ...profile, ...changes }, { FIRST_PARTY_CLIENTS: "first-party" });
    const identity = await assertAccepted(worker, { token });
    assert.deepEqual(
      [identity.client_id, identity.client_party, identity.scopes, identity.issuer],
      [undefined, "third", ["openid"], provider.issuer],
    );
  });

  test("it is asked once for many requests, and again when the time is over", async () => {
    const { worker, provider } = await deployed(profile, { OPAQUE_TOKEN_SECONDS: "2" });
    await assertAccepted(worker, { token });
    await assertAccepted(worker, { token });
    provider.profiles.delete(token);
    await worker.waitFor(async () => (await ask(worker, { token })).status === 401, "a revoked token lives on", 6_000);
    assert.equal(provider.count("userinfo"), 2);
  });

  test("a list of clients cannot be checked, so nobody passes it", async () => {
    const { worker } = await deployed(profile, { ALLOWED_CLIENTS: "agent" });
    await assertRefused(worker, { token }, "client_not_allowed");
  });

  test("a required scope is never met", async () => {
    const { worker } = await deployed(profile, { REQUIRED_SCOPES: "whoami:read" });
    await assertRefused(worker, { token }, "insufficient_scope");
  });

  test("without a subject nobody is anybody", async () => {
    const { worker } = await deployed({ name: "Alice Example", active: true });
    await assertRefused(worker, { token }, "missing_subject", NO_SCOPES);
  });

  for (const [what, fault, reason] of [
    ["401 invalid_token", faults.error(401, "invalid_token"), "inactive"],
    ["401 with a challenge alone", faults.challenge('Bearer realm="Users", error="invalid_token"'), "inactive"],
    ["400, as of an app that is gone", faults.error(400, "invalid_client", "invalid client agent"), "inactive"],
    ["403 insufficient_scope", faults.error(403, "insufficient_scope"), "inactive"],
    ["401 without a code", faults.status(401), "inactive"],
    ["401 with a challenge of another scheme", faults.challenge("Basic"), "introspection_unavailable"],
    ["400 with a web page", faults.page(400), "introspection_unavailable"],
    ["401 with a web page", faults.page(401), "introspection_unavailable"],
    ["403 with a web page", faults.page(403), "introspection_unavailable"],
    ["429", faults.status(429), "introspection_unavailable"],
    ["500", faults.status(500), "introspection_unavailable"],
    ["a redirect", faults.redirect("/elsewhere"), "introspection_unavailable"],
    ["a web page", faults.says("<html>"), "introspection_unavailable"],
    ["a signed answer", faults.says("eyJhbGciOiJFUzI1NiJ9.e30.AAAA"), "introspection_unavailable"],
  ]) {
    test(`${what}: ${reason}`, async () => {
      const { worker, provider } = await deployed();
      provider.misbehave("userinfo", fault);
      await assertRefused(worker, { token }, reason, NO_SCOPES);
      assert.equal(provider.count("elsewhere"), 0);
    });
  }
});

describe("endpoints in the discovery document", () => {
  for (const [what, discovery, reason] of [
    ["no introspection endpoint", { introspection_endpoint: undefined }, "introspection_unavailable"],
    ["one over plain http elsewhere", { introspection_endpoint: "http://login.example/introspect" }, "introspection_unavailable"],
  ]) {
    test(`${what}: the token and our secret are sent nowhere`, async () => {
      const { worker, provider, opaque } = await deploy();
      provider.discovery = discovery;
      await assertRefused(worker, { token: opaque() }, reason);
      assert.ok(provider.requests.every(({ headers }) => headers.authorization === undefined));
    });
  }

  test("the provider is away: 503, and nothing is remembered of it", async () => {
    const { worker, provider, opaque } = await deploy();
    const token = opaque();
    await provider.stop();
    const { headers } = await assertRefused(worker, { token }, "keys_unavailable");
    await provider.start();
    const retryAt = Date.now() + Number(headers["retry-after"]) * 1000;
    await worker.waitFor(() => Date.now() >= retryAt, "time stands still", 61_000);
    await assertAccepted(worker, { token });
  });

  test("an outage while the answer is remembered is noticed by nobody", async () => {
    const { worker, provider, opaque } = await deploy();
    const token = opaque();
    await assertAccepted(worker, { token });
    await provider.stop();
    await assertAccepted(worker, { token });
    await assertRefused(worker, { token: opaque() }, "introspection_unavailable");
  });
});

test("with several issuers, opaque tokens are those of the first", async () => {
  const partner = await startHostileProvider({ keys: [] });
  cleanups.push(() => partner.stop());
  const { worker, opaque } = await deploy({ ...ACCEPTING_ALL, MORE_ISSUERS: [{ issuer: partner.issuer, audience: ["x"] }] });
  const foreign = opaqueFor(partner)();
  await assertRefused(worker, { token: foreign }, "inactive", NO_SCOPES);
  await assertAccepted(worker, { token: opaque() });
  assert.equal(partner.count(), 0);
});
