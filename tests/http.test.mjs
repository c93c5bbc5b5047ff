// HTTP around the MCP endpoint: metadata, browsers, other paths, and data that must not leak.

import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { startDeployment } from "./support/deployment.mjs";
import { legacyCall, legacyRequest } from "./support/messages.mjs";
import "./support/report-failures.mjs";
import { forgeToken } from "./support/tokens.mjs";
import { post, send, startWorker } from "./support/worker.mjs";

const ALLOWED = "https://app.example.com";
const EXTENSIONS = [
  "chrome-extension://nmmhkkegccagdldgiimedpiccmgmieda",
  "moz-extension://a1cd9ab7-ab15-462c-9315-8eece8e16982",
  "safari-web-extension://E9B0EB5E-3A2C-4D6F-8B1A-0C7D2F3A4B5C",
];

const deployment = await startDeployment({
  settings: {
    ALLOWED_ORIGINS: `${ALLOWED} http://localhost:6274 ${EXTENSIONS.join(" ")}`,
    RESOURCE_NAME: "Who am I",
    RESOURCE_DOCUMENTATION: "https://example.com/docs",
    RESOURCE_POLICY_URI: "https://example.com/privacy",
    RESOURCE_TOS_URI: "https://example.com/terms",
  },
});
const { worker, provider } = deployment;
after(() => deployment.stop());

const token = await forgeToken(deployment);

const ROOT = "/.well-known/oauth-protected-resource";
const DOCUMENTS = [`${ROOT}/mcp`, ROOT];

describe("the metadata of the protected resource (RFC 9728)", () => {
  for (const path of DOCUMENTS) {
    test(`${path} contains the settings`, async () => {
      const { status, headers, json } = await send(worker, { path });
      assert.equal(status, 200);
      assert.deepEqual(json, {
        resource: worker.mcpUrl,
        authorization_servers: [provider.issuer],
        scopes_supported: ["whoami:read"],
        bearer_methods_supported: ["header"],
        resource_name: "Who am I",
        resource_documentation: "https://example.com/docs",
        resource_policy_uri: "https://example.com/privacy",
        resource_tos_uri: "https://example.com/terms",
      });
      assert.equal(headers["content-type"], "application/json");
      assert.equal(headers["access-control-allow-origin"], "*");
      assert.match(headers["cache-control"], /^public, max-age=\d+$/);
      assert.match(headers.etag, /^"[^"]+"$/);
    });

    test(`${path} is the same with a version header and from any origin`, async () => {
      const headers = { "mcp-protocol-version": "2026-07-28", origin: "https://anywhere.example" };
      const { status, headers: answer } = await send(worker, { path, headers });
      assert.equal(status, 200);
      assert.equal(answer["access-control-allow-origin"], "*");
    });

    test(`HEAD ${path} has the headers and no body`, async () => {
      const { status, headers, text } = await send(worker, { method: "HEAD", path });
      assert.equal(status, 200);
      assert.equal(text, "");
      assert.equal(headers["content-type"], "application/json");
      assert.ok(headers.etag);
    });

    test(`OPTIONS ${path} allows the version header`, async () => {
      const headers = {
        origin: "https://anywhere.example",
        "access-control-request-method": "GET",
        "access-control-request-headers": "mcp-protocol-version",
      };
      const { status, headers: answer } = await send(worker, { method: "OPTIONS", path, headers });
      assert.ok(status === 200 || status === 204, String(status));
      assert.equal(answer["access-control-allow-origin"], "*");
      assert.match(answer["access-control-allow-headers"], /mcp-protocol-version/i);
      assert.match(answer["access-control-allow-methods"], /\bGET\b/);
    });

    for (const method of ["POST", "PUT", "DELETE"]) {
      test(`${method} ${path} is not allowed`, async () => {
        const { status, headers } = await send(worker, { method, path });
        assert.equal(status, 405);
        assert.equal(headers.allow, "GET, HEAD, OPTIONS");
      });
    }

    test(`${path} is not sent again if If-None-Match matches`, async () => {
      const first = await send(worker, { path });
      for (const known of [first.headers.etag, `"other", ${first.headers.etag}`]) {
        const second = await send(worker, { path, headers: { "if-none-match": known } });
        assert.equal(second.status, 304);
        assert.equal(second.text, "");
        assert.equal(second.headers.etag, first.headers.etag);
      }
      const third = await send(worker, { path, headers: { "if-none-match": '"other"' } });
      assert.equal(third.status, 200);
    });
  }

  test("both documents are equal, byte for byte", async () => {
    const [inserted, root] = await Promise.all(DOCUMENTS.map((path) => send(worker, { path })));
    assert.equal(inserted.text, root.text);
  });

  test("are served without a token, and with a bad one", async () => {
    const { status } = await send(worker, { path: ROOT, headers: { authorization: "Bearer nonsense" } });
    assert.equal(status, 200);
  });
});

describe("a preflight of the endpoint", () => {
  const preflight = (origin, requested = "authorization,content-type") =>
    send(worker, {
      method: "OPTIONS",
      headers: {
        origin,
        "access-control-request-method": "POST",
        "access-control-request-headers": requested,
      },
    });

  test("needs no token and allows the headers of the protocol", async () => {
    const { status, headers } = await preflight(ALLOWED);
    assert.equal(status, 204);
    assert.equal(headers["access-control-allow-origin"], ALLOWED);
    const methods = list(headers["access-control-allow-methods"]);
    for (const method of ["post", "get", "delete", "options"]) assert.ok(methods.includes(method), method);
    const allowed = list(headers["access-control-allow-headers"]);
    for (const name of [
      "authorization",
      "content-type",
      "accept",
      "mcp-protocol-version",
      "mcp-method",
      "mcp-name",
      "mcp-session-id",
      "last-event-id",
    ]) {
      assert.ok(allowed.includes(name), name);
    }
    assert.match(headers.vary, /\bOrigin\b/i);
  });

  test("allows the headers of tools, and no other requested ones", async () => {
    const { headers } = await preflight(ALLOWED, "Mcp-Param-Region, x-other");
    const allowed = list(headers["access-control-allow-headers"]);
    assert.ok(allowed.includes("mcp-param-region"));
    assert.ok(!allowed.includes("x-other"));
  });

  test("of a browser extension that is listed is answered", async () => {
    for (const origin of EXTENSIONS) {
      const { status, headers } = await preflight(origin);
      assert.equal(status, 204);
      assert.equal(headers["access-control-allow-origin"], origin);
    }
  });

  test("from an origin that is not allowed is refused", async () => {
    const { status, headers } = await preflight("https://evil.example");
    assert.equal(status, 403);
    assert.equal(headers["access-control-allow-origin"], undefined);
  });
});

describe("requests from web pages", () => {
  const from = (origin, more = { token }) =>
    post(worker, { ...more, message: legacyRequest("ping"), headers: { origin } });

  for (const origin of [ALLOWED, "http://localhost:6274", ...EXTENSIONS, worker.origin]) {
    test(`${origin === worker.origin ? "the Worker's own origin" : origin} is answered and may read the answer`, async () => {
      const { status, headers } = await from(origin);
      assert.equal(status, 200);
      assert.equal(headers["access-control-allow-origin"], origin);
      assert.match(headers.vary, /\bOrigin\b/i);
    });
  }

  for (const origin of [
    "https://evil.example",
    "null",
    "https://app.example.com.evil.example",
    "http://app.example.com",
    "https://app.example.com:8443",
    "https://APP.example.com",
    "https://app.example.com/",
    "app.example.com",
    "http://127.0.0.1:1",
    "chrome-extension://nmmhkkegccagdldgiimedpiccmgmiedb",
    "chrome-extension://nmmhkkegccagdldgiimedpiccmgmieda/",
    "moz-extension://nmmhkkegccagdldgiimedpiccmgmieda",
    "safari-web-extension://e9b0eb5e-3a2c-4d6f-8b1a-0c7d2f3a4b5c",
    "https://nmmhkkegccagdldgiimedpiccmgmieda",
  ]) {
    test(`${origin} is refused, with any token`, async () => {
      for (const more of [{ token }, {}]) {
        const { status, headers } = await from(origin, more);
        assert.equal(status, 403);
        assert.equal(headers["access-control-allow-origin"], undefined);
        assert.equal(headers["www-authenticate"], undefined);
      }
    });
  }

  test("a page may read the challenge", async () => {
    const { status, headers } = await from(ALLOWED, {});
    assert.equal(status, 401);
    assert.equal(headers["access-control-allow-origin"], ALLOWED);
    assert.ok(list(headers["access-control-expose-headers"]).includes("www-authenticate"));
    assert.ok(list(headers["access-control-expose-headers"]).includes("retry-after"));
  });

  test("a page may read every kind of response", async () => {
    const origin = ALLOWED;
    const notification = { jsonrpc: "2.0", method: "notifications/initialized" };
    for (const [expected, request] of [
      [202, { token, message: notification, headers: { origin } }],
      [400, { token, message: "{", headers: { origin } }],
      [415, { token, message: {}, headers: { origin, "content-type": "text/plain" } }],
    ]) {
      const { status, headers } = await post(worker, request);
      assert.equal(status, expected);
      assert.equal(headers["access-control-allow-origin"], origin, String(expected));
    }
  });

  test("each response names only its own origin, with many origins", async () => {
    const open = await startWorker({ settings: { ISSUER: provider.issuer, ALLOWED_ORIGINS: "*" } });
    try {
      // More than a cache of response headers contains, some of them long, and each one twice.
      const origins = Array.from({ length: 150 }, (_, number) => `https://page-${"x".repeat(number * 25)}${number}.example`);
      for (const origin of [...origins, ...origins]) {
        const { status, headers } = await post(open, { message: legacyRequest("ping"), headers: { origin } });
        assert.equal(status, 401);
        assert.equal(headers["access-control-allow-origin"], origin);
      }
      const { headers } = await post(open, { message: legacyRequest("ping") });
      assert.equal(headers["access-control-allow-origin"], undefined);
    } finally {
      await open.stop();
    }
  });

  test("Origin is optional", async () => {
    const { status } = await post(worker, { token, message: legacyRequest("ping") });
    assert.equal(status, 200);
  });
});

describe("other paths", () => {
  for (const path of ["/sse", "/messages", "/sse/", "/messages/"]) {
    test(`${path}, of the retired transport, is 410 and names the endpoint`, async () => {
      for (const method of ["GET", "POST"]) {
        const { status, json } = await send(worker, { method, path });
        assert.equal(status, 410);
        assert.equal(json.endpoint, worker.mcpUrl);
      }
    });
  }

  for (const path of [
    "/nowhere",
    "/mcp/",
    "/mcp/more",
    "/MCP",
    "/%6dcp",
    "//mcp",
    `${ROOT}/other`,
    `${ROOT}/mcp/more`,
    "/.well-known/oauth-authorization-server",
    "/.well-known/openid-configuration",
    "/register",
    "/authorize",
    "/token",
  ]) {
    test(`${path} is not found`, async () => {
      for (const method of ["GET", "POST"]) {
        const { status } = await send(worker, { method, path, headers: { authorization: `Bearer ${token}` } });
        assert.equal(status, 404, method);
      }
    });
  }

  test("a query does not change the endpoint", async () => {
    const { status } = await post(worker, { token, path: "/mcp?utm_source=x", message: legacyRequest("ping") });
    assert.equal(status, 200);
  });
});

describe("data that must not leak", () => {
  test("the log of an accepted request names user, client, issuer, key and tool, and no claim besides sub", async () => {
    worker.clearLogs();
    const traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    await post(worker, { token, message: legacyCall("whoami"), headers: { traceparent } });
    const line = await worker.logged(({ tool }) => tool === "whoami");
    const { request_id, tier, ms, ...rest } = line;
    assert.deepEqual(rest, {
      trace_id: "4bf92f3577b34da6a3ce929d0e0e4736",
      route: "mcp",
      http_method: "POST",
      status: 200,
      outcome: "ok",
      method: "tools/call",
      tool: "whoami",
      revision: "2025-03-26",
      client_id: "third-party-agent",
      sub: "unzlfabysh60",
      issuer: provider.issuer,
      kid: deployment.key.kid,
    });
    assert.equal(typeof request_id, "string");
    assert.ok(["verified", "memory", "store", "provider"].includes(tier), tier);
    assert.ok(Number.isInteger(ms));
  });

  test("neither responses nor log contain a token, from any part of the request", async () => {
    const secret = await forgeToken(deployment, { claims: { note: "must not be seen" } });
    const authorization = `Bearer ${secret}`;
    worker.clearLogs();
    const answers = await Promise.all([
      post(worker, { token: secret, message: legacyCall("whoami") }),
      post(worker, { token: secret, message: legacyCall(secret) }),
      post(worker, { token: secret, message: legacyRequest(secret.slice(0, 400)) }),
      send(worker, { path: `/mcp?access_token=${secret}` }),
      send(worker, { path: `/nowhere?access_token=${secret}` }),
      send(worker, { headers: { authorization: [authorization, authorization] } }),
      send(worker, { path: `${ROOT}?token=${secret}`, headers: { authorization } }),
    ]);
    const signature = secret.split(".")[2];
    await worker.waitFor(() => worker.logs().length >= answers.length, "not every request was logged");
    assert.ok(!worker.raw().includes(signature), "the log holds a token");
    assert.ok(!worker.raw().includes("must not be seen"), "the log holds a claim");
    for (const { text, headers } of answers.slice(0, 1).concat(answers.slice(3))) {
      assert.ok(!(text + JSON.stringify(headers)).includes(signature));
    }
  });

  test("data of a request does not get into response headers", async () => {
    const evil = 'x", error="evil';
    const { headers } = await send(worker, {
      path: `/mcp?x=${encodeURIComponent(evil)}`,
      headers: { authorization: "Basic evil", "mcp-session-id": "evil", "mcp-protocol-version": "evil" },
    });
    assert.ok(!JSON.stringify(headers).includes("evil"), JSON.stringify(headers));
  });
});

function list(header = "") {
  return header.split(",").map((name) => name.trim().toLowerCase());
}

describe("headers that are too large", () => {
  test("get 431, and the next request is served", async () => {
    const path = "/.well-known/oauth-protected-resource/mcp";
    const large = await send(worker, { path, headers: { "if-none-match": "\xe9".repeat(100_000) } });
    assert.equal(large.status, 431);
    assert.equal((await send(worker, { path, headers: { "if-none-match": "x".repeat(60_000) } })).status, 200);
  });
});
