// The sign-in of the official client at a real provider, and the result of `whoami`.

import assert from "node:assert/strict";
import { createServer } from "node:http";
import { after, describe, test } from "node:test";
import { startDeployment } from "./support/deployment.mjs";
import { connect, inShort, oauthClient } from "./support/mcp-client.mjs";
import "./support/report-failures.mjs";

const deployment = await startDeployment();
const { worker, provider } = deployment;
after(() => deployment.stop());

const issuer = new URL(provider.issuer);
const NAMES = { [worker.origin]: "worker", [issuer.origin]: "provider" };
const CHALLENGE = `Bearer resource_metadata="${worker.origin}/.well-known/oauth-protected-resource/mcp", scope="whoami:read"`;

// The requests of the client between the refusal and the token.
const SIGN_IN = [
  "GET worker/.well-known/oauth-protected-resource/mcp → 200",
  "GET provider/.well-known/oauth-authorization-server/oidc → 404",
  "GET provider/.well-known/openid-configuration/oidc → 404",
  "GET provider/oidc/.well-known/openid-configuration → 200",
  "POST provider/oidc/reg → 201",
  "POST provider/oidc/token → 200",
];

const ALICE = {
  sub: "unzlfabysh60",
  username: "alice",
  name: "Alice Doe",
  email: "alice@example.com",
  email_verified: true,
  picture: "https://example.com/alice.png",
};

async function whoami(client) {
  const answer = await client.callTool({ name: "whoami", arguments: {} });
  assert.notEqual(answer.isError, true, JSON.stringify(answer));
  return answer;
}

describe("a client with a handshake (legacy, the SDK's default)", () => {
  test("is refused, discovers the provider, registers, signs in and gets a result", async () => {
    const { client, record } = await connect(worker.mcpUrl);
    const { structuredContent } = await whoami(client);
    assert.equal(structuredContent.sub, ALICE.sub);
    // The client opens its stream in parallel; closing the client would abort that request.
    await Promise.all(record.map(({ answered }) => answered));
    await client.close();

    const steps = inShort(record, NAMES);
    const together = steps.splice(-2).sort();
    assert.deepEqual(together, ["GET worker/mcp → 405", "POST worker/mcp tools/call → 200"]);
    assert.deepEqual(steps, [
      "POST worker/mcp initialize → 401",
      ...SIGN_IN,
      "POST worker/mcp initialize → 200",
      "POST worker/mcp notifications/initialized → 202",
    ]);
  });

  test("negotiates the newest revision with a handshake", async () => {
    const { client } = await connect(worker.mcpUrl);
    assert.equal(client.getNegotiatedProtocolVersion(), "2025-11-25");
    await client.close();
  });
});

describe("a client that tries the modern era first (auto)", () => {
  test("needs no handshake", async () => {
    const { client, record } = await connect(worker.mcpUrl, { mode: "auto" });
    const { structuredContent } = await whoami(client);
    assert.equal(structuredContent.sub, ALICE.sub);
    assert.equal(client.getNegotiatedProtocolVersion(), "2026-07-28");
    await client.close();

    assert.deepEqual(inShort(record, NAMES), [
      "POST worker/mcp server/discover → 401",
      ...SIGN_IN,
      "POST worker/mcp server/discover → 200",
      "POST worker/mcp tools/call → 200",
    ]);
  });
});

describe("a client that insists on 2026-07-28 (pinned)", () => {
  test("is answered in that revision", async () => {
    const { client, record } = await connect(worker.mcpUrl, { mode: { pin: "2026-07-28" } });
    const { structuredContent } = await whoami(client);
    assert.equal(structuredContent.sub, ALICE.sub);
    await client.close();

    assert.deepEqual(inShort(record, NAMES), [
      "POST worker/mcp server/discover → 401",
      ...SIGN_IN,
      "POST worker/mcp server/discover → 200",
      "POST worker/mcp tools/call → 200",
    ]);
  });
});

describe("the requests of a sign-in", () => {
  test("the first refusal names the metadata document and the scope, and no error", async () => {
    const response = await fetch(worker.mcpUrl, { method: "POST" });
    assert.equal(response.status, 401);
    assert.equal(response.headers.get("www-authenticate"), CHALLENGE);
    assert.equal(response.headers.get("cache-control"), "no-store");
  });

  test("the authorization request has S256, the scope of the challenge, state and the unchanged resource", async () => {
    const { client, oauth } = await connect(worker.mcpUrl);
    await client.close();
    const { searchParams } = oauth.authorizationUrl;
    assert.equal(searchParams.get("response_type"), "code");
    assert.equal(searchParams.get("code_challenge_method"), "S256");
    assert.match(searchParams.get("code_challenge"), /^[\w-]{43}$/);
    // The SDK adds the last scope if the provider supports it.
    assert.equal(searchParams.get("scope"), "whoami:read offline_access");
    assert.equal(searchParams.get("resource"), worker.mcpUrl);
  });

  test("the token request repeats the resource and proves possession of the code", async () => {
    const { client, record } = await connect(worker.mcpUrl);
    await client.close();
    const { body } = record.find(({ url }) => url.pathname === "/oidc/token");
    const form = new URLSearchParams(body);
    assert.equal(form.get("grant_type"), "authorization_code");
    assert.equal(form.get("resource"), worker.mcpUrl);
    assert.match(form.get("code_verifier"), /^[\w.~-]{43,128}$/);
  });

  test("the token is sent to the Worker only, in the Authorization header only", async () => {
    const { client, oauth, record } = await connect(worker.mcpUrl);
    await whoami(client);
    await client.close();
    const { access_token } = oauth.tokens();
    for (const { url, headers, body } of record) {
      assert.ok(!url.href.includes(access_token) && !String(body).includes(access_token), url.href);
      const carriesToken = headers.get("authorization") === `Bearer ${access_token}`;
      assert.ok(!carriesToken || url.href === worker.mcpUrl, url.href);
    }
  });
});

describe("the result of whoami", () => {
  test("contains the user and the client, and nothing else", async () => {
    const { client, oauth } = await connect(worker.mcpUrl);
    const { structuredContent } = await whoami(client);
    await client.close();

    const { expires_at, ...rest } = structuredContent;
    assert.deepEqual(rest, {
      ...ALICE,
      issuer: provider.issuer,
      client_id: oauth.clientInformation().client_id,
      client_party: "third",
      kind: "user",
      credential: "access_token",
      scopes: ["whoami:read"],
    });
    assert.equal(expires_at, claimsOf(oauth.tokens().access_token).exp);
  });

  test("contains the same as text, for clients without structured content", async () => {
    const { client } = await connect(worker.mcpUrl);
    const { content, structuredContent } = await whoami(client);
    await client.close();
    assert.equal(content.length, 1);
    assert.equal(content[0].type, "text");
    assert.deepEqual(JSON.parse(content[0].text), structuredContent);
  });

  test("contains no part of the token", async () => {
    const { client, oauth } = await connect(worker.mcpUrl);
    const answer = JSON.stringify(await whoami(client));
    await client.close();
    for (const part of oauth.tokens().access_token.split(".")) assert.ok(!answer.includes(part));
  });

  test("has a schema in the list, with the required members", async () => {
    const { client } = await connect(worker.mcpUrl);
    const { tools } = await client.listTools();
    await client.close();
    assert.deepEqual(tools.map(({ name }) => name), ["whoami"]);
    const [{ inputSchema, outputSchema, annotations }] = tools;
    assert.equal(inputSchema.type, "object");
    assert.equal(outputSchema.type, "object");
    assert.deepEqual(
      [...outputSchema.required].sort(),
      ["client_party", "credential", "expires_at", "issuer", "kind", "scopes", "sub"],
    );
    assert.ok("key_id" in outputSchema.properties);
    assert.equal(annotations.readOnlyHint, true);
  });

  test("has an unverified address of Bob, and no picture", async () => {
    const { client } = await connect(worker.mcpUrl, { person: { login: "bob" } });
    const { structuredContent } = await whoami(client);
    await client.close();
    assert.equal(structuredContent.username, "bob");
    assert.equal(structuredContent.email_verified, false);
    assert.ok(!("picture" in structuredContent), JSON.stringify(structuredContent));
  });
});

describe("when consent is denied", () => {
  test("the client gets access_denied and no token", async () => {
    const oauth = oauthClient();
    const attempt = connect(worker.mcpUrl, { oauth, person: { decision: "deny" } });
    const error = await attempt.then(() => assert.fail("connected"), (reason) => reason);
    assert.equal(error.callback.searchParams.get("error"), "access_denied");
    assert.equal(error.callback.searchParams.get("code"), null);
    assert.match(String(error.code ?? error.message), /access_denied|denied/);
    assert.equal(oauth.tokens(), undefined);
    assert.ok(!error.record.some(({ url }) => url.pathname === "/oidc/token"), "no token was asked for");
  });
});

describe("later", () => {
  test("a client with a token gets a result at once", async () => {
    const first = await connect(worker.mcpUrl);
    await first.client.close();
    const second = await connect(worker.mcpUrl, { oauth: first.oauth });
    await whoami(second.client);
    await second.client.close();
    assert.ok(second.record.every(({ url }) => url.origin === worker.origin), "the provider was not asked");
  });

  test("a refused token is refreshed without another sign-in", async () => {
    const oauth = oauthClient();
    const first = await connect(worker.mcpUrl, { oauth });
    await first.client.close();
    const { refresh_token, access_token } = oauth.tokens();
    assert.ok(refresh_token, "the provider gave a refresh token");

    // Treated like an expired one: the response is the same 401.
    oauth.saveTokens({ ...oauth.tokens(), access_token: `${access_token.slice(0, -8)}AAAAAAAA` });
    const second = await connect(worker.mcpUrl, { oauth });
    const { structuredContent } = await whoami(second.client);
    await second.client.close();
    assert.equal(structuredContent.sub, ALICE.sub);
    const short = inShort(second.record, NAMES);
    assert.equal(short[0], "POST worker/mcp initialize → 401");
    const tokenRequests = second.record.filter(({ url }) => url.pathname === "/oidc/token");
    assert.deepEqual(
      tokenRequests.map(({ body }) => new URLSearchParams(body).get("grant_type")),
      ["refresh_token"],
    );
  });
});

describe("a client with a metadata document", () => {
  test("signs in with the URL of its document as client ID", async () => {
    const document = await serveClientDocument();
    try {
      const oauth = oauthClient();
      // The SDK accepts https URLs only; the provider reads a document on this machine over http.
      oauth.saveClientInformation({ client_id: document.url });
      const { client, record } = await connect(worker.mcpUrl, { oauth });
      const { structuredContent } = await whoami(client);
      await client.close();
      assert.equal(structuredContent.client_id, document.url);
      assert.ok(!record.some(({ url }) => url.pathname === "/oidc/reg"), "nothing was registered");
    } finally {
      await document.close();
    }
  });
});

function claimsOf(token) {
  return JSON.parse(Buffer.from(token.split(".")[1], "base64url"));
}

function serveClientDocument() {
  return new Promise((resolve) => {
    const server = createServer((_request, response) => {
      const { clientMetadata } = oauthClient();
      response.writeHead(200, { "content-type": "application/json" });
      response.end(JSON.stringify({ ...clientMetadata, client_id: url }));
    });
    let url;
    server.listen(0, "127.0.0.1", () => {
      url = `http://127.0.0.1:${server.address().port}/client.json`;
      const close = () =>
        new Promise((closed) => {
          server.close(closed);
          server.closeAllConnections();
        });
      resolve({ url, close });
    });
  });
}
