// Personal access tokens: how often the provider is asked, where they do not belong, and settings.

import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { startDeployment } from "./support/deployment.mjs";
import { legacyRequest } from "./support/messages.mjs";
import { deploy, PAT_SETTINGS, withTokens } from "./support/pat-deployment.mjs";
import { ask, assertAccepted, assertRefused } from "./support/refusals.mjs";
import "./support/report-failures.mjs";
import { post, startWorker } from "./support/worker.mjs";

const { worker, provider, pat, stop } = withTokens(await startDeployment({ settings: PAT_SETTINGS }));
after(stop);

describe("the number of exchanges", () => {
  test("is one in ten seconds for a token that is refused", async () => {
    const refusals = [];
    const { worker: other } = await deploy({}, { onTokenRefused: (event) => refusals.push(event) });
    for (let round = 0; round < 30; round += 1) await assertRefused(other, { token: "pat_never_issued_before" }, "personal_token_refused");
    assert.equal(refusals.length, 1);
  });

  test("is bounded for invented ones, and good ones go on", async () => {
    const refusals = [];
    const { worker: other, pat: own } = await deploy({}, { onTokenRefused: (event) => refusals.push(event) });
    const good = own();
    await assertAccepted(other, { token: good });
    const reasons = [];
    for (let number = 0; number < 60; number += 1) reasons.push((await ask(other, { token: `pat_invented${number}` })).line.reason);
    assert.equal(reasons.filter((reason) => reason === "personal_token_refused").length, 50);
    assert.equal(reasons.filter((reason) => reason === "provider_spared").length, 10);
    assert.equal(refusals.length, 50);
    await assertAccepted(other, { token: good });
  });

  test("does not grow with clients that do not wait", async () => {
    const token = pat();
    const before = provider.counts.exchanges;
    const impatient = Array.from({ length: 5 }, () =>
      fetch(worker.mcpUrl, { method: "POST", headers: { authorization: `Bearer ${token}` }, signal: AbortSignal.timeout(3) }).catch(() => undefined),
    );
    await Promise.all(impatient);
    await assertAccepted(worker, { token });
    assert.ok(provider.counts.exchanges - before <= 1, `${provider.counts.exchanges - before} exchanges`);
  });
});

describe("it is refused", () => {
  const path = (token) => `/mcp?key=${token}`;

  test("in the query", async () => {
    const token = pat();
    for (const request of [{ path: path(token) }, { path: path(token), token }, { path: `/mcp?access_token=${token}`, token }]) {
      await assertRefused(worker, request, "token_in_query");
    }
  });

  test("in a cookie, beside Authorization and without it", async () => {
    const token = pat();
    const headers = { cookie: `session=1; key=${token}` };
    await assertRefused(worker, { headers, token }, "key_in_cookie");
    await assertAccepted(worker, { token });
    await assertRefused(worker, { headers, token }, "key_in_cookie");
  });

  test("together with another credential, also when it is known", async () => {
    const token = pat();
    for (let round = 0; round < 2; round += 1) {
      await assertRefused(worker, { token, headers: { "x-api-key": "abc" } }, "multiple_credentials");
      await assertRefused(worker, { token, headers: { dpop: "abc" } }, "multiple_credentials");
      await assertRefused(worker, { headers: { authorization: [`Bearer ${token}, Bearer ${token}`] } }, "multiple_credentials");
      await assertAccepted(worker, { token });
    }
  });

  test("as what it is, where nothing is configured", async () => {
    const { worker: other, pat: own } = await deploy({ PAT_PREFIX: "", PAT_SCOPES: "", PAT_CLIENT_ID: "", PAT_CLIENT_SECRET: "" });
    await assertRefused(other, { token: own() }, "opaque_not_accepted");
  });
});

describe("settings", () => {
  for (const [settings, expected] of [
    [{ PAT_SCOPES: "" }, "PAT_PREFIX needs PAT_SCOPES"],
    [{ PAT_CLIENT_SECRET: "" }, "PAT_PREFIX needs the secrets PAT_CLIENT_ID and PAT_CLIENT_SECRET"],
    [{ PAT_PREFIX: "eyJh" }, 'PAT_PREFIX = "eyJh" could be the beginning of a JWT'],
    [{ PAT_PREFIX: "mcpk_" }, 'PAT_PREFIX = "mcpk_" must differ from KEY_PREFIX'],
    [{ PAT_PREFIX: "", PAT_SCOPES: "", PAT_SECONDS: "60" }, "PAT_SECONDS needs PAT_PREFIX"],
    [{ PAT_SECONDS: "5" }, 'PAT_SECONDS = "5" must be a whole number of seconds from 30 to 3600'],
    [{ SCOPE_PREFIX: "api://a/", PAT_SCOPES: "api://a/read" }, "PAT_SCOPES must name scopes without SCOPE_PREFIX, api://a/"],
    [{ REQUIRED_SCOPES: "notes:read" }, "PAT_SCOPES must cover REQUIRED_SCOPES"],
    [{ ALLOWED_CLIENTS: "agent" }, "PAT_CLIENT_ID must be on ALLOWED_CLIENTS"],
    [{ KEY_PREFIX: "My_Keys" }, 'KEY_PREFIX = "My_Keys" must be 2 to 12 lower-case letters and digits'],
  ]) {
    test(`${JSON.stringify(settings)}: 500, and the log says why`, async () => {
      const other = await startWorker({ settings: { ISSUER: "https://tenant.logto.app/oidc", ...PAT_SETTINGS, ...settings } });
      try {
        const { status } = await post(other, { message: legacyRequest("ping"), token: "pat_a" });
        assert.equal(status, 500);
        await other.waitFor(() => other.raw().includes(expected), `no "${expected}"`);
      } finally {
        await other.stop();
      }
    });
  }

  test("that have no effect are a warning", async () => {
    const { worker: other } = await deploy({ PAT_PREFIX: "", PAT_SCOPES: "", PAT_CLIENT_ID: "us" });
    await ask(other, { token: "a.b.c" });
    await other.waitFor(() => other.raw().includes("PAT_CLIENT_ID is set and not used"), "no warning");
  });
});
