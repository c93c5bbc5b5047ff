// `/account` at the endpoint: it is the vault's, passed on as it is, and nobody gains anything by what they send there.

import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { DEFAULT_SETTINGS } from "./support/deployment.mjs";
import { User } from "./support/account.mjs";
import "./support/report-failures.mjs";
import { vaultDeployments } from "./support/vault-deployment.mjs";
import { send, startWorker } from "./support/worker.mjs";

const start = vaultDeployments();
const deployment = await start();
const { worker } = deployment;
const alone = await startWorker({ settings: { ...DEFAULT_SETTINGS, ISSUER: deployment.provider.issuer } });
after(() => alone.stop());

const FORM = { "content-type": "application/x-www-form-urlencoded" };

describe("/account", () => {
  test("is not there without a vault", async () => {
    for (const path of ["/account", "/account/keys", "/account/callback?code=x"]) {
      assert.equal((await send(alone, { path })).status, 404, path);
    }
    assert.equal((await send(alone, { method: "POST", path: "/account/keys/revoke", headers: FORM, body: "token=x" })).status, 404);
  });

  test("is the vault's: redirects, cookies and headers are passed back as they are", async () => {
    const answer = await send(worker, { path: "/account" });
    assert.deepEqual([answer.status, answer.headers.location], [303, "/account/keys"]);
    const page = await send(worker, { path: "/account/keys" });
    assert.equal(page.status, 200);
    assert.match(page.headers["content-type"], /^text\/html/);
    assert.match(page.headers["content-security-policy"], /frame-ancestors 'none'/);
    assert.equal(page.headers["access-control-allow-origin"], undefined);
    const signIn = await send(worker, { path: "/account/sign-in" });
    assert.equal(signIn.status, 303);
    assert.ok(signIn.headers.location.startsWith(deployment.provider.issuer), signIn.headers.location);
    assert.match(signIn.headers["set-cookie"][0], /^__Host-.*; Secure/i);
    assert.ok(await worker.logged(({ route, status }) => route === "account" && status === 303));
  });

  test("tells nobody who does not sign in anything, with any header", async () => {
    const alice = new User(deployment, "alice");
    await alice.signIn();
    await alice.make({ name: "a name that is secret" });
    const props = JSON.stringify({ role: "endpoint" });
    for (const headers of [
      { host: "vault.internal" },
      { host: "internal.invalid" },
      { authorization: "Bearer x", "x-user": "alice", "x-forwarded-user": "alice", "x-sub": "alice" },
      { props, "cf-props": props, "cf-entrypoint": "Internal", "cf-worker": "mcp-edge", role: "endpoint" },
      { cookie: "__Host-account=forged" },
    ]) {
      for (const path of ["/account/keys", "/account/../account/keys", "http://vault.internal/account/keys"]) {
        const { status, text } = await send(worker, { path, headers });
        assert.ok(!text.includes("a name that is secret") && status < 500, `${path} ${JSON.stringify(headers)}: ${status}`);
      }
    }
  });

  test("does not lead to the named entrypoint", async () => {
    const message = JSON.stringify(["use_key", "mcpk_x"]);
    const props = JSON.stringify({ role: "endpoint" });
    for (const path of ["/account", "/account/", "/account/Internal", "/account/internal", "/Internal"]) {
      const headers = { "content-type": "application/json", props, "cf-entrypoint": "Internal" };
      const { status, text } = await send(worker, { method: "POST", path, headers, body: message });
      assert.ok(status >= 400 && !text.includes("refused"), `${path}: ${status} ${text}`);
    }
    // Not even at the vault itself.
    const direct = await send(deployment.vault, {
      method: "POST",
      path: "/",
      headers: { host: "internal.invalid", props },
      body: message,
    });
    assert.ok(direct.status >= 400, `${direct.status}`);
  });

  test("takes no body above 64 KiB, announced or not", async () => {
    const large = Buffer.alloc(70_000, "a");
    for (const body of [large, [large.subarray(0, 40_000), large.subarray(40_000)]]) {
      const { status } = await send(worker, { method: "POST", path: "/account/keys", headers: FORM, body });
      assert.equal(status, 413);
    }
  });

  test("survives cookies that are not ASCII", async () => {
    const { status } = await send(worker, { path: "/account/keys", headers: { cookie: "theme=d\u00fcster; a=\u00ff" } });
    assert.equal(status, 200);
  });

  test("says so while the vault is down, to programs and to people, and comes back with it", async () => {
    await deployment.crashVault(async () => {
      const json = await send(worker, { path: "/account/keys" });
      assert.deepEqual([json.status, json.headers["retry-after"]], [503, "5"]);
      assert.ok(json.json.error_description !== undefined || json.json.error !== undefined, json.text);
      const page = await send(worker, { path: "/account/keys", headers: { accept: "text/html" } });
      assert.deepEqual([page.status, page.headers["content-type"]], [503, "text/html; charset=utf-8"]);
      assert.match(page.text, /Please try again/);
      assert.ok(await worker.logged(({ route, reason }) => route === "account" && reason === "vault_unavailable"));
    });
    assert.equal((await send(worker, { path: "/account/keys" })).status, 200);
  });
});
