// The developer portal, with a real browser: sign in, create, copy, rotate, change, delete; and what others may not do.

import assert from "node:assert/strict";
import { after, before, beforeEach, describe, test } from "node:test";
import { requestsTo } from "../dev/identity-provider/testing/requests.mjs";
import { accessibilityProblems, keepPicture, reasonToSkip, startBrowser } from "./support/browser.mjs";
import { connect, oauthClient } from "./support/mcp-client.mjs";
import { startTenant } from "./support/registrar.mjs";
import { portalAt } from "./support/portal.mjs";
import { signIn as signInAt } from "./support/sign-in.mjs";
import "./support/report-failures.mjs";

const skip = reasonToSkip();
const tenant = await startTenant({ withMcpServer: true });
const { origin, api, provider } = tenant;
const browser = skip ? undefined : await startBrowser();
after(async () => {
  await browser?.close();
  await tenant.stop();
});

const { open, create, raw, csrfOf } = portalAt(origin, browser);

test("a sign-out without a session has the next sign-in ask, unless another site has sent it", async () => {
  const cookieAfter = async (headers) => {
    const answer = await fetch(`${origin}/sign-out`, { method: "POST", headers, redirect: "manual" });
    assert.equal(answer.status, 403);
    return answer.headers.get("set-cookie");
  };
  assert.match(await cookieAfter({ origin, "sec-fetch-site": "same-origin" }), /^sign-in-asks=1;/);
  for (const headers of [{ origin: "https://evil.example" }, { origin: "null" }, { "sec-fetch-site": "cross-site" }]) {
    assert.equal(await cookieAfter(headers), null, JSON.stringify(headers));
  }
});

describe("the developer portal", { skip }, () => {
  let alice;
  before(async () => (alice = await open("alice")));
  beforeEach(() => (api.mood = () => undefined));

  test("the session is in a __Host- cookie that tells nobody anything", async () => {
    const cookies = await alice.context().cookies(origin);
    const session = cookies.find(({ name }) => name === "__Host-session");
    assert.ok(session, "Chromium takes it over plain http on localhost");
    assert.deepEqual(
      [session.secure, session.httpOnly, session.sameSite, session.path],
      [true, true, "Lax", "/"],
    );
    assert.ok(!Buffer.from(session.value, "base64url").includes("alice"));
    assert.ok(!cookies.some(({ name }) => name === "__Host-signin"), "the sign-in is over");
  });

  test("from the form to whoami, and to the end: an agent comes and goes", async () => {
    const client_id = await create(alice, { name: "SmartMail", addresses: "http://127.0.0.1:9999/callback" });
    const { record } = api.applications.get(client_id);
    assert.deepEqual([record.type, record.isThirdParty], ["Native", true]);
    const configuration = JSON.parse(await alice.locator("#configuration").textContent());
    const { args } = configuration.mcpServers.agent;
    assert.deepEqual([args[1], JSON.parse(args[3])], [tenant.mcpResource, { client_id }]);

    // The agent: its user, Bob, is asked and allows it.
    const oauth = oauthClient();
    oauth.saveClientInformation({ client_id });
    const { client } = await connect(tenant.mcpResource, { oauth, person: { login: "bob" } });
    const { structuredContent } = await client.callTool({ name: "whoami", arguments: {} });
    await client.close();
    assert.deepEqual(
      [structuredContent.username, structuredContent.client_party, structuredContent.client_id],
      ["bob", "third", client_id],
    );

    await alice.getByRole("link", { name: "Delete this application…" }).click();
    await alice.getByRole("heading", { name: "Delete SmartMail?" }).waitFor();
    assert.ok(api.applications.get(client_id), "the question alone deletes nothing");
    await alice.getByRole("button", { name: "Delete" }).click();
    await alice.getByRole("heading", { name: "Your applications" }).waitFor();
    assert.equal(api.applications.get(client_id), undefined);

    const { authorization } = requestsTo(provider);
    const response = await fetch(authorization({ client_id, resource: tenant.mcpResource }).url);
    assert.match(await response.text(), /invalid_client/);
  });

  test("a secret is shown once, works, and can be replaced", async () => {
    const client_id = await create(alice, { name: "Server side", kind: /On your own server/, addresses: "https://agent.example.com/cb" });
    const first = await alice.locator("#secret").textContent();
    const isKnown = async (secret) => {
      const headers = { authorization: `Basic ${btoa(`${client_id}:${secret}`)}` };
      const { body } = await requestsTo(provider).postForm("/token", { grant_type: "refresh_token", refresh_token: "x" }, headers);
      return body.error === "invalid_grant";
    };
    assert.ok(await isKnown(first));
    await alice.goto(`${origin}/applications/${client_id}`);
    assert.ok(!(await alice.content()).includes(first), "not a second time");

    await alice.getByRole("button", { name: "Replace the client secret" }).click();
    const second = await alice.locator("#secret").textContent();
    assert.notEqual(second, first);
    assert.deepEqual([await isKnown(second), await isKnown(first)], [true, false]);
  });

  test("two windows that replace a secret at the same moment leave one that works, and show it", async () => {
    const client_id = await create(alice, { name: "Two windows", kind: /On your own server/, addresses: "https://agent.example.com/cb" });
    const csrf = await csrfOf(alice);
    // Neither reads the secrets before both have made one.
    let made = 0;
    let release;
    const bothMade = new Promise((resolve) => (release = resolve));
    api.mood = async (it) => {
      if (it === `POST /applications/${client_id}/secrets`) made += 1;
      if (made === 2) setTimeout(release, 100);
      if (it === `GET /applications/${client_id}/secrets`) await bothMade;
    };
    const windows = ["one", "two"].map((once) => raw(alice, "POST", `/applications/${client_id}/secret`, { csrf, once }));
    const answers = await Promise.all(windows);
    api.mood = () => undefined;
    assert.deepEqual(answers.map((answer) => answer.status()), [200, 200]);
    const shown = await Promise.all(answers.map(async (answer) => /id="secret"[^>]*>([^<]+)</.exec(await answer.text())?.[1]));
    const { secrets } = api.applications.get(client_id);
    assert.equal(secrets.length, 1);
    assert.deepEqual(shown, [secrets[0].value, secrets[0].value]);
  });

  test("sending the form of a new application twice makes one", async () => {
    const page = await open("alice");
    await page.goto(`${origin}/applications/new`);
    const [csrf, once] = [await csrfOf(page), await page.locator('input[name="once"]').inputValue()];
    const form = { csrf, once, client_name: "Twice", kind: "server", redirect_uris: "https://twice.example.com/cb", scope: "whoami:read" };
    const [one, two] = await Promise.all([raw(page, "POST", "/applications", form), raw(page, "POST", "/applications", form)]);
    assert.deepEqual([one.status(), two.status()], [200, 200]);
    assert.equal(api.applications.all().filter(({ record }) => record.name === "Twice").length, 1);
    const shown = [await one.text(), await two.text()].filter((text) => text.includes('id="secret"'));
    assert.equal(shown.length, 1, "the secret was shown once");
    await page.context().close();
  });

  test("fields are checked while they are filled in, by the rules that count", async () => {
    await alice.goto(`${origin}/applications/new`);
    const addresses = alice.getByLabel("Redirect addresses");
    await addresses.fill("http://127.0.0.1/cb\njavascript:alert(1)");
    await alice.getByText("Line 2 uses a scheme that is not accepted").waitFor();
    assert.equal(await addresses.getAttribute("aria-invalid"), "true");
    assert.equal(await alice.locator("#client_name-error").textContent(), "", "what was not touched is not complained about");
    await addresses.fill("http://127.0.0.1/cb");
    await alice.getByText("Line 2 uses a scheme").waitFor({ state: "detached" });
    assert.equal(await addresses.getAttribute("aria-invalid"), null);
  });

  test("what is wrong with a form that was sent is said beside its fields, and nothing is lost", async () => {
    await alice.goto(`${origin}/applications/new`);
    await alice.getByLabel("Name").fill("<b>Bank</b>");
    await alice.getByLabel(/device or in the browser/).check();
    await alice.getByLabel("Redirect addresses").fill("http://evil.example/cb");
    await alice.getByRole("button", { name: "Create application" }).click();
    await alice.getByRole("alert").waitFor();
    assert.match(await alice.locator("#redirect_uris-error").textContent(), /must use https/);
    assert.match(await alice.locator("#client_name-error").textContent(), /must not contain </);
    assert.equal(await alice.getByLabel("Redirect addresses").inputValue(), "http://evil.example/cb");
    assert.equal(await alice.getByLabel("Name").inputValue(), "<b>Bank</b>");
  });

  test("addresses and branding are changed, and the consent page shows them", async () => {
    const client_id = await create(alice, { name: "Old name", addresses: "http://127.0.0.1:9999/callback" });
    await alice.goto(`${origin}/applications/${client_id}`);
    await alice.getByLabel("Name").fill("New name");
    await alice.getByLabel("Redirect addresses").fill("http://127.0.0.1:9999/callback\nhttp://127.0.0.1/second");
    await alice.getByText("Home page, logo and terms").click();
    await alice.getByLabel("Logo").fill("https://agent.example.com/logo.png");
    await alice.getByRole("button", { name: "Save changes" }).click();
    await alice.getByRole("heading", { name: "New name", level: 1 }).waitFor();
    const { record, branding } = api.applications.get(client_id);
    assert.deepEqual(record.oidcClientMetadata.redirectUris, ["http://127.0.0.1:9999/callback", "http://127.0.0.1/second"]);
    assert.equal(branding.branding.logoUrl, "https://agent.example.com/logo.png");
    const { openConsent } = requestsTo(provider);
    const { page } = await openConsent({ client_id, resource: tenant.mcpResource, scope: "openid whoami:read" });
    assert.match(page.text, /Allow New name access\?/);
  });

  test("works without scripts", async () => {
    const page = await open("alice", { javaScriptEnabled: false });
    const client_id = await create(page, { name: "Plain", addresses: "http://localhost/cb" });
    assert.ok(api.applications.get(client_id));
    await page.getByRole("link", { name: "Delete this application…" }).click();
    await page.getByRole("button", { name: "Delete" }).click();
    await page.getByRole("heading", { name: "Your applications" }).waitFor();
    assert.equal(api.applications.get(client_id), undefined);
    await page.context().close();
  });

  test("signing out ends the session", async () => {
    const page = await open("alice");
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.getByRole("link", { name: "Sign in as a developer" }).waitFor();
    assert.deepEqual((await page.context().cookies(origin)).filter(({ name }) => name.startsWith("__Host-")), []);
    await page.context().close();
  });

  test("after signing out, signing in asks again, also if the provider still knows the user", async () => {
    // Without scripts the provider's own page asks whether to sign out, and waits to be answered.
    for (const [javaScriptEnabled, login, name] of [[true, "bob", /Bob/], [false, "alice", /Alice/]]) {
      const page = await open("alice", { javaScriptEnabled });
      await page.getByRole("button", { name: "Sign out" }).click();
      if (!javaScriptEnabled) await page.getByRole("heading", { name: "Sign out?" }).waitFor();
      else await page.getByRole("link", { name: "Sign in as a developer" }).waitFor();
      await page.goto(`${origin}/sign-in`);
      await page.getByLabel("User name or e-mail address").fill(login);
      await page.getByLabel("Password").fill(login);
      await page.getByRole("button", { name: "Sign in" }).click();
      await page.getByRole("heading", { name: "Your applications" }).waitFor();
      assert.match(await page.locator(".account").textContent(), name);
      // Until the next time: a session that has merely ended is taken up again without asking.
      await page.context().clearCookies({ name: "__Host-session" });
      await page.goto(`${origin}/sign-in`);
      await page.getByRole("heading", { name: "Your applications" }).waitFor();
      await page.context().close();
    }
  });

  test("the way out leads to the provider's end_session_endpoint, and nobody else's form takes it", async () => {
    const page = await open("alice");
    const csrf = await csrfOf(page);
    const refused = await raw(page, "POST", "/sign-out", { csrf: "x" });
    assert.equal(refused.status(), 403);
    const answer = await raw(page, "POST", "/sign-out", { csrf });
    assert.equal(answer.status(), 200);
    const { end_session_endpoint } = await (await fetch(`${provider.issuer}/.well-known/openid-configuration`)).json();
    const parameters = new URLSearchParams({ client_id: "portal", post_logout_redirect_uri: `${origin}/` });
    const link = `${end_session_endpoint}?${parameters}`.replaceAll("&", "&amp;");
    const text = await answer.text();
    assert.ok(text.includes(`<a class="button" href="${link}">`) && text.includes(`content="0; url=${link}"`), text);
    await page.context().close();
  });

  test("a user without the permission learns what is missing, and comes in with another account", async () => {
    const page = await open();
    await page.goto(`${origin}/sign-in`);
    const signInAs = async (login) => {
      await page.getByLabel("User name or e-mail address").fill(login);
      await page.getByLabel("Password").fill(login);
      await page.getByRole("button", { name: "Sign in" }).click();
    };
    await signInAs("carol");
    await page.getByRole("heading", { name: "No permission" }).waitFor();
    const main = await page.locator("main").textContent();
    for (const word of ["Carol Poe", "c4r0lxq81mzt", "apps:write", tenant.resource, "operator"]) assert.ok(main.includes(word), main);
    assert.deepEqual(await accessibilityProblems(page), []);
    await keepPicture(page, "portal-no-permission", { fullPage: true });
    // Not in a circle, by neither of the two ways.
    await page.getByRole("link", { name: "Sign in with another account" }).click();
    await page.getByLabel("Password").waitFor();
    await page.goto(`${origin}/`);
    await page.getByRole("link", { name: "Sign in as a developer" }).click();
    await signInAs("alice");
    await page.getByRole("heading", { name: "Your applications" }).waitFor();
    assert.match(await page.locator(".account").textContent(), /Alice/);
    await page.context().close();
  });

  test("form ids and form tokens look like no secret", async () => {
    await alice.goto(`${origin}/applications/new`);
    const values = await alice.locator('input[type="hidden"]').evaluateAll((inputs) => inputs.map(({ value }) => value));
    assert.equal(values.length >= 3, true);
    for (const value of values) assert.match(value, /^[\w-]{43}$/);
  });

  describe("a secret of ours that has expired", () => {
    test("is not taken for a refused code, and the log says what to do", async () => {
      const begun = await fetch(`${origin}/sign-in`, { redirect: "manual" });
      const [cookie] = begun.headers.get("set-cookie").split(";");
      const callback = await signInAt({ authorizationUrl: begun.headers.get("location"), login: "alice" });
      provider.expiredSecrets.add("portal");
      const answer = await fetch(callback, { headers: { cookie }, redirect: "manual" });
      provider.expiredSecrets.clear();
      assert.equal(answer.status, 500);
      assert.match(await answer.text(), /This server is not set up correctly/);
      const { reason } = await tenant.registrar.logged(({ detail }) => detail?.startsWith("PORTAL_CLIENT_SECRET has expired"));
      assert.equal(reason, "misconfigured");
    });
  });

  test("is accessible and fits a phone, in both colour schemes", async () => {
    const client_id = await create(alice, { name: "Accessible", kind: /On your own server/, addresses: "https://agent.example.com/cb" });
    const state = await alice.context().storageState();
    for (const colorScheme of ["light", "dark"]) {
      const context = await browser.newContext({ storageState: state, colorScheme, viewport: { width: 360, height: 740 }, bypassCSP: true });
      const page = await context.newPage();
      for (const path of ["/", "/applications/new", `/applications/${client_id}`, `/applications/${client_id}/delete`, "/applications/nosuch"]) {
        await page.goto(`${origin}${path}`);
        assert.deepEqual(await accessibilityProblems(page), [], `${colorScheme} ${path}`);
        const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        assert.ok(overflow <= 0, `${path} is ${overflow} pixels too wide`);
        await keepPicture(page, `portal-${colorScheme}${path.replaceAll("/", "-").replace(client_id, "id")}`, { fullPage: true });
      }
      await context.close();
    }
  });

  describe("others", () => {
    test("a developer neither sees nor touches another's application, by id, by form, by race", async () => {
      const bob = await open("bob");
      const client_id = await create(alice, { name: "Of Alice", kind: /On your own server/, addresses: "https://agent.example.com/cb" });
      assert.ok(!(await bob.content()).includes("Of Alice"));
      const form = { csrf: await csrfOf(bob), once: "x", client_name: "Taken", kind: "server", redirect_uris: "https://evil.example/cb" };
      const before = JSON.stringify(api.applications.get(client_id).record);
      const unknown = await raw(bob, "GET", "/applications/nosuchclient");
      const attempts = ["", "/secret", "/delete"].flatMap((rest) => [
        ["GET", `/applications/${client_id}${rest}`],
        ["POST", `/applications/${client_id}${rest}`, form],
      ]);
      // Again and again while its owner changes it.
      const changes = Array.from({ length: 5 }, async (_, n) =>
        raw(alice, "POST", `/applications/${client_id}`, { csrf: await csrfOf(alice), client_name: "Of Alice", kind: "server", redirect_uris: "https://agent.example.com/cb", scope: "whoami:read", n: `${n}` }),
      );
      const answers = await Promise.all(attempts.map((attempt) => raw(bob, ...attempt)));
      assert.deepEqual((await Promise.all(changes)).map((answer) => answer.status()), [303, 303, 303, 303, 303]);
      for (const answer of answers) {
        assert.equal(answer.status(), 404);
        assert.equal(await answer.text(), await unknown.text(), "it looks like one that does not exist");
      }
      assert.equal(JSON.stringify(api.applications.get(client_id).record), before);
      await bob.context().close();
    });

    test("a form from elsewhere does nothing", async () => {
      const client_id = await create(alice, { name: "Target", addresses: "http://localhost/cb" });
      const csrf = await csrfOf(alice);
      const path = `/applications/${client_id}/delete`;
      for (const [form, headers] of [
        [{}, {}],
        [{ csrf: "" }, {}],
        [{ csrf: csrf.slice(0, -1) + "x" }, {}],
        [{ csrf }, { origin: "https://evil.example" }],
        [{ csrf }, { origin: "null" }],
        [{ csrf }, { "sec-fetch-site": "cross-site" }],
        [{ csrf }, { "sec-fetch-site": "same-site" }],
      ]) {
        assert.equal((await raw(alice, "POST", path, form, headers)).status(), 403, JSON.stringify([form, headers]));
      }
      const bob = await open("bob");
      assert.equal((await raw(alice, "POST", path, { csrf: await csrfOf(bob) })).status(), 403, "another session's token");
      await bob.context().close();

      // As a browser sends it: the cookie stays behind.
      const page = await alice.context().newPage();
      await page.route("https://evil.example/", (route) =>
        route.fulfill({ contentType: "text/html", body: `<form method="post" action="${origin}${path}"><button>Win a prize</button></form>` }),
      );
      await page.goto("https://evil.example/");
      await page.getByRole("button").click();
      await page.getByRole("heading", { name: "Signed out" }).waitFor();
      await page.close();
      assert.ok(api.applications.get(client_id));
    });

    test("a session is nobody else's to make", async () => {
      const context = await browser.newContext();
      const [{ value }] = (await alice.context().cookies(origin)).filter(({ name }) => name === "__Host-session");
      for (const forged of [value.slice(0, -2) + "AA", "x", "", `${value}; __Host-session=${value}`]) {
        const answer = await context.request.get(`${origin}/`, { headers: { cookie: `__Host-session=${forged}` } });
        assert.match(await answer.text(), /Sign in as a developer/, forged);
      }
      await context.close();
    });

    test("a sign-in that somebody else began does not end here", async () => {
      // Mallory's answer of the provider, in the browser of somebody who follows a link.
      const begun = await fetch(`${origin}/sign-in`, { redirect: "manual" });
      const callback = await signInAt({ authorizationUrl: begun.headers.get("location"), login: "bob" });
      assert.ok(callback.href.startsWith(`${origin}/callback?code=`), callback.href);
      const victim = await open();
      await victim.goto(callback.href);
      await victim.getByRole("heading", { name: "Not signed in" }).waitFor();
      assert.ok(!(await victim.context().cookies(origin)).some(({ name }) => name === "__Host-session"));
      await victim.context().close();
    });
  });

  test("when the provider is down the page says so, and nothing is half done", async () => {
    await alice.goto(`${origin}/applications/new`);
    const count = api.applications.all().length;
    api.mood = () => 500;
    await alice.getByLabel("Name").fill("Unlucky");
    await alice.getByLabel(/device or in the browser/).check();
    await alice.getByLabel("Redirect addresses").fill("http://localhost/cb");
    await alice.getByRole("button", { name: "Create application" }).click();
    await alice.getByRole("heading", { name: "This did not work" }).waitFor();
    assert.equal(api.applications.all().length, count);
  });

  test("every page has the strict headers, and no script of the pages was blocked", async () => {
    for (const path of ["/", "/applications/new", "/applications/nosuch"]) {
      const headers = (await raw(alice, "GET", path)).headers();
      assert.match(headers["content-security-policy"], /^default-src 'none'; style-src 'self'; script-src 'self';.*form-action 'self'; base-uri 'none'; frame-ancestors 'none'$/);
      assert.equal(headers["cache-control"], "no-store");
      assert.equal(headers["x-content-type-options"], "nosniff");
    }
    const page = await open("alice");
    await page.goto(`${origin}/applications/new`);
    await page.getByLabel("Name").fill("x");
    assert.deepEqual(page.problems, []);
    await page.context().close();
  });
});
