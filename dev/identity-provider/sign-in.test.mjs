// Sign-in, consent, and errors of authorization requests.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { after, describe, test } from "node:test";
import { Browser, signIn } from "../../tests/support/sign-in.mjs";
import { LOCAL_ACCOUNTS, startIdentityProvider } from "./index.mjs";
import { REDIRECT_URI, requestsTo, RESOURCE } from "./testing/requests.mjs";

const bob = LOCAL_ACCOUNTS.find(({ username }) => username === "bob");

const provider = await startIdentityProvider({ port: 0 });
const { authorization, obtainTokens, openConsent, verify } = requestsTo(provider);
after(() => provider.close());

describe("signing in", () => {
  test("a first-party client is not asked for consent", async () => {
    const browser = new Browser();
    const page = await browser.open(authorization({ client_id: "first-party-app" }).url);
    const { leftTo } = await browser.submit(page, { login: "alice", password: "alice" });
    assert.equal(`${leftTo.origin}${leftTo.pathname}`, REDIRECT_URI);
    assert.ok(leftTo.searchParams.get("code"));
    assert.equal(leftTo.searchParams.get("iss"), provider.issuer);
    assert.equal(leftTo.searchParams.get("state"), "some-state");
  });

  test("consent is asked for a third-party client each time", async () => {
    const { browser, page } = await openConsent();
    assert.match(page.text, /Allow Third-party agent access\?/);
    assert.match(page.text, /Alice Doe/);
    assert.match(page.text, /See who you are: your name, user name and e-mail address whoami:read/);
    assert.ok(page.text.includes(RESOURCE));
    assert.ok(page.text.includes("http://127.0.0.1:9999"));
    assert.doesNotMatch(page.text, /Not verified/);

    const { leftTo } = await browser.submit(page, { decision: "allow" });
    assert.ok(leftTo.searchParams.get("code"));

    const second = await browser.open(authorization().url);
    assert.ok(second.form.fields.has("decision"), "signed in already, but asked again");
  });

  test("denying gives access_denied with iss", async () => {
    const callback = await signIn({ authorizationUrl: authorization().url, decision: "deny" });
    assert.equal(callback.searchParams.get("error"), "access_denied");
    assert.equal(callback.searchParams.get("iss"), provider.issuer);
    assert.equal(callback.searchParams.get("state"), "some-state");
    assert.equal(callback.searchParams.get("code"), null);
  });

  test("cancelling instead of signing in gives access_denied too", async () => {
    const browser = new Browser();
    const page = await browser.open(authorization().url);
    const { leftTo } = await browser.submit(page, { login: "", password: "", decision: "deny" });
    assert.equal(leftTo.searchParams.get("error"), "access_denied");
  });

  test("the e-mail address works as a login, in any case", async () => {
    const { access_token } = await obtainTokens({ person: { login: "Bob@example.com", password: "bob" } });
    const { payload } = await verify(access_token);
    assert.equal(payload.sub, bob.sub);
  });

  test("a wrong password is reported, and a second attempt succeeds", async () => {
    const browser = new Browser();
    let page = await browser.open(authorization({ client_id: "first-party-app" }).url);
    page = await browser.submit(page, { login: "alice", password: "bob" });
    assert.equal(page.status, 422);
    assert.match(page.alert, /wrong/);
    assert.ok(page.body.includes('value="alice"'), "the login is kept");

    const { leftTo } = await browser.submit(page, { login: "alice", password: "alice" });
    assert.ok(leftTo.searchParams.get("code"));
  });

  test("the scripted browser reports a wrong password", async () => {
    const attempt = signIn({ authorizationUrl: authorization().url, login: "alice", password: "wrong" });
    await assert.rejects(attempt, /sign-in failed: User name or password is wrong/);
  });

  test("another account can be chosen on the consent page", async () => {
    const { browser, page } = await openConsent();
    const switchUrl = new URL(/href="([^"]+)">Not you\?/.exec(page.body)[1], page.url);
    let next = await browser.open(switchUrl);
    next = await browser.submit(next, { login: "bob", password: "bob" });
    // The engine signs Alice out first, with a form that scripts submit.
    next = await browser.submit(next, {});
    assert.match(next.text, /Bob Roe/);
    const { leftTo } = await browser.submit(next, { decision: "allow" });
    assert.ok(leftTo.searchParams.get("code"));
  });

  test("a page without its cookie is refused", async () => {
    const page = await new Browser().open(authorization().url);
    const stranger = await new Browser().open(page.url);
    assert.equal(stranger.status, 400);
    assert.match(stranger.text, /This page has expired/);
  });

  test("consent cannot be given before signing in", async () => {
    const browser = new Browser();
    const page = await browser.open(authorization().url);
    page.form.action.pathname = page.form.action.pathname.replace("/sign-in", "/consent");
    const answer = await browser.submit(page, { decision: "allow" });
    assert.equal(answer.status, 400);
  });

  test("pages are neither cached nor framed, and load nothing", async () => {
    const { page } = await openConsent();
    const policy = page.headers.get("content-security-policy");
    assert.match(policy, /default-src 'none'/);
    assert.match(policy, /frame-ancestors 'none'/);
    assert.match(policy, /style-src 'sha256-/);
    // Browsers would apply it to the redirect to the client.
    assert.doesNotMatch(policy, /form-action/);
    assert.equal(page.headers.get("cache-control"), "no-store");

    const style = /<style>(.*?)<\/style>/s.exec(page.body)[1];
    assert.ok(policy.includes(createHash("sha256").update(style).digest("base64")));
  });

  test("signing out ends the session", async () => {
    const browser = new Browser();
    await signIn({ authorizationUrl: authorization().url, browser });
    const page = await browser.open(`${provider.issuer}/session/end`);
    assert.match(page.text, /Sign out\?/);
    const done = await browser.submit(page, { logout: "yes" });
    assert.match(done.text, /Signed out/);
    const next = await browser.open(authorization().url);
    assert.ok(next.form.fields.has("password"));
  });
});

describe("authorization errors", () => {
  const refusals = [
    ["an unknown resource", { resource: "https://elsewhere.example/mcp" }, "invalid_target"],
    ["a resource with one more slash", { resource: `${RESOURCE}/` }, "invalid_target"],
    ["no PKCE", { code_challenge: undefined, code_challenge_method: undefined }, "invalid_request"],
    ["plain PKCE", { code_challenge_method: "plain" }, "invalid_request"],
  ];
  for (const [name, changes, error] of refusals) {
    test(`${name} is sent to the client as ${error}, with iss`, async () => {
      const { leftTo } = await new Browser().open(authorization(changes).url);
      assert.equal(leftTo.searchParams.get("error"), error);
      assert.equal(leftTo.searchParams.get("iss"), provider.issuer);
    });
  }

  test("an unknown resource is described as Logto does", async () => {
    const { leftTo } = await new Browser().open(authorization({ resource: `${RESOURCE}?x=1` }).url);
    assert.equal(leftTo.searchParams.get("error_description"), "resource indicator is missing, or unknown");
  });

  test("a request without scopes gets access_denied", async () => {
    const callback = await signIn({ authorizationUrl: authorization({ scope: undefined }).url });
    assert.equal(callback.searchParams.get("error"), "access_denied");
  });

  test("an unknown redirect URI results in a page, not in a redirect", async () => {
    const page = await new Browser().open(authorization({ redirect_uri: "https://evil.example/" }).url);
    assert.equal(page.status, 400);
    assert.match(page.text, /Error: invalid_redirect_uri/);
    assert.match(page.text, /not registered for the client/);
  });

  test("the error for an unknown client says to register again", async () => {
    const page = await new Browser().open(authorization({ client_id: "forgotten" }).url);
    assert.equal(page.status, 400);
    assert.match(page.text, /let the client register again/);
  });

  test("programs get JSON", async () => {
    const { url } = authorization({ client_id: "forgotten" });
    const response = await fetch(url, { headers: { accept: "application/json" } });
    assert.equal((await response.json()).error, "invalid_client");
  });
});
