// Clients that register themselves, dynamically or with a metadata document.

import assert from "node:assert/strict";
import { createServer } from "node:http";
import { after, describe, test } from "node:test";
import { Browser, signIn } from "../../tests/support/sign-in.mjs";
import { startIdentityProvider } from "./index.mjs";
import { REDIRECT_URI, requestsTo } from "./testing/requests.mjs";

const DOCUMENT_CLIENT = {
  client_id: "https://agent.example/client.json",
  client_name: "Agent with a document",
  redirect_uris: ["http://127.0.0.1/callback"],
  grant_types: ["authorization_code", "refresh_token"],
  token_endpoint_auth_method: "none",
};

const provider = await startIdentityProvider({ port: 0, fetch: serveDocument });
const { authorization, obtainTokens, openConsent, register, verify } = requestsTo(provider);
after(() => provider.close());

// Replaces the internet: one client has published its document.
async function serveDocument(url, options) {
  if (String(url) === DOCUMENT_CLIENT.client_id) return Response.json(DOCUMENT_CLIENT);
  return fetch(url, options);
}

describe("clients that register themselves", () => {
  test("a registered client is marked as not verified and obtains a token", async () => {
    const { status, body } = await register({
      application_type: "native",
      scope: "whoami:read",
      software_id: "some-agent",
    });
    assert.equal(status, 201);
    assert.equal(body.client_secret, undefined);
    assert.equal(body.software_id, "some-agent");

    const changes = { client_id: body.client_id, redirect_uri: "http://127.0.0.1:4711/callback" };
    const { page } = await openConsent(changes);
    assert.match(page.text, /Not verified/);
    const { access_token } = await obtainTokens({ changes });
    assert.equal((await verify(access_token)).payload.client_id, body.client_id);
  });

  test("private-use schemes work, even if the client states the type web", async () => {
    const redirect_uri = "cursor://anysphere.cursor-mcp/oauth/callback";
    const { body } = await register({
      application_type: "web",
      redirect_uris: [redirect_uri, "https://www.cursor.com/callback"],
    });
    const { url } = authorization({ client_id: body.client_id, redirect_uri });
    const callback = await signIn({ authorizationUrl: url });
    assert.ok(callback.href.startsWith(`${redirect_uri}?code=`), callback.href);
  });

  test("grants that are not supported are left out of the registration", async () => {
    const offered = ["authorization_code", "refresh_token"];
    const others = ["urn:ietf:params:oauth:grant-type:device_code", "client_credentials"];
    const { body } = await register({ grant_types: [...offered, ...others] });
    assert.deepEqual(body.grant_types, offered);
  });

  test("dangerous redirect URIs are refused", async () => {
    for (const uri of ["javascript:alert(1)", "http://evil.example/cb", "https://client.example/cb#fragment"]) {
      const { status, body } = await register({ redirect_uris: [uri, REDIRECT_URI] });
      assert.equal(status, 400, uri);
      assert.equal(body.error, "invalid_redirect_uri", uri);
    }
  });

  test("a client's name cannot become markup or reverse the text", async () => {
    const { body } = await register({ client_name: `<script>alert("x")</script>\u202Eevil'&` });
    const { page } = await openConsent({ client_id: body.client_id });
    assert.ok(!page.body.includes("<script"));
    assert.ok(page.body.includes("&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt;evil&#39;&amp;"), page.text);
  });

  test("a long name is shortened", async () => {
    const { body } = await register({ client_name: "x".repeat(5_000) });
    const { page } = await openConsent({ client_id: body.client_id });
    assert.ok(!page.body.includes("x".repeat(60)));
  });

  test("the URL of an https document is a client ID", async () => {
    const changes = { client_id: DOCUMENT_CLIENT.client_id };
    const { page } = await openConsent(changes);
    assert.match(page.text, /Agent with a document/);
    assert.match(page.text, /Not verified\. It describes itself at agent\.example/);
    const { access_token } = await obtainTokens({ changes });
    assert.equal((await verify(access_token)).payload.client_id, DOCUMENT_CLIENT.client_id);
  });

  test("the URL of an http document is a client ID on loopback only", async () => {
    const documents = createServer((request, response) => {
      const client_id = request.url === "/liar" ? "http://localhost/" : `${origin}${request.url}`;
      response.end(JSON.stringify({ ...DOCUMENT_CLIENT, client_id }));
    });
    await new Promise((resolve) => documents.listen(0, "127.0.0.1", resolve));
    const origin = `http://127.0.0.1:${documents.address().port}`;

    const { access_token } = await obtainTokens({ changes: { client_id: `${origin}/client.json` } });
    assert.equal((await verify(access_token)).payload.client_id, `${origin}/client.json`);

    for (const client_id of [`${origin}/liar`, "http://agent.example/client.json"]) {
      const page = await new Browser().open(authorization({ client_id }).url);
      assert.match(page.text, /Error: invalid_client/, client_id);
    }
    documents.close();
  });
});
