// Published documents: for catalogues, for clients of older revisions, and for monitors.

import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { startHostileProvider } from "./support/hostile-provider.mjs";
import "./support/report-failures.mjs";
import { CARD_ID, errorsInCard } from "./support/server-card.mjs";
import { errorsInServerJson, SERVER_JSON_ID } from "./support/server-json.mjs";
import { createSigner } from "./support/signers.mjs";
import { send, startWorker } from "./support/worker.mjs";

const METADATA = "/.well-known/oauth-protected-resource";
const CARD = "/mcp/server-card";
const CATALOGUE = "/.well-known/ai-catalog.json";
const PROOF = "/.well-known/mcp-registry-auth";
const MIRRORS = ["/.well-known/oauth-authorization-server", "/.well-known/openid-configuration"];
const CHALLENGE = "/.well-known/openai-apps-challenge";
const PROOF_TEXT = "v=MCPv1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";

const LISTED = {
  RESOURCE_NAME: "Who am I",
  RESOURCE_DESCRIPTION: "Shows the identity that the signed-in user agreed to share.",
  RESOURCE_DOCUMENTATION: "https://example.com/docs",
  LOGO: "https://example.com/logo.png",
  REGISTRY_NAME: "com.example/whoami",
  REGISTRY_VERSION: "1.2.3",
  REGISTRY_AUTH: PROOF_TEXT,
  OPENAI_APPS_CHALLENGE: "3f2c-Token_1",
  SERVER_CARD: "true",
  AUTHORIZATION_SERVER_MIRROR: "true",
};

const provider = await startHostileProvider({ keys: [(await createSigner("EdDSA")).jwk] });
provider.discovery = {
  client_id_metadata_document_supported: true,
  authorization_response_iss_parameter_supported: true,
  registration_endpoint: `${provider.issuer}/register`,
};
const worker = await startWorker({ settings: { ISSUER: provider.issuer, ...LISTED } });
after(async () => {
  await worker.stop();
  await provider.stop();
});

/** Runs a Worker with these settings while `use` runs. */
async function withWorker(settings, use, options = {}) {
  const other = await startWorker({ settings: { ISSUER: provider.issuer, ...settings }, ...options });
  try {
    return await use(other);
  } finally {
    await other.stop();
  }
}

const PUBLISHED = [
  [METADATA, "application/json"],
  ["/server.json", "application/json"],
  [CARD, "application/mcp-server-card+json"],
  [CATALOGUE, "application/ai-catalog+json"],
  [PROOF, "text/plain"],
  [CHALLENGE, "text/plain"],
  [MIRRORS[0], "application/json"],
  [`${MIRRORS[1]}/mcp`, "application/json"],
];

describe("every published document", () => {
  for (const [path, type] of PUBLISHED) {
    test(`${path} is readable by programs and pages, with the type ${type}`, async () => {
      const { status, headers, text } = await send(worker, { path, headers: { origin: "https://anywhere.example" } });
      assert.equal(status, 200);
      assert.equal(headers["content-type"], type);
      assert.equal(headers["x-content-type-options"], "nosniff");
      assert.equal(headers["access-control-allow-origin"], "*");
      assert.match(headers["access-control-expose-headers"], /\bETag\b/i);
      assert.match(headers["cache-control"], /^public, max-age=\d+$/);
      assert.equal(headers["set-cookie"], undefined);

      const head = await send(worker, { method: "HEAD", path });
      assert.equal(head.status, 200);
      assert.equal(head.text, "");
      assert.equal(head.headers["content-length"], String(Buffer.byteLength(text)));
      for (const name of ["content-type", "etag", "cache-control", "x-content-type-options"]) {
        assert.equal(head.headers[name], headers[name], name);
      }
    });

    test(`${path} is not sent again if If-None-Match matches`, async () => {
      const { etag } = (await send(worker, { path })).headers;
      assert.match(etag, /^"[^"]+"$/);
      for (const known of [etag, `W/${etag}`, `"other", ${etag}`, `"a,b" ,W/${etag}`, "*"]) {
        for (const method of ["GET", "HEAD"]) {
          const answer = await send(worker, { method, path, headers: { "if-none-match": known } });
          assert.equal(answer.status, 304, known);
          assert.equal(answer.headers.etag, etag);
          assert.equal(answer.text, "");
        }
      }
      for (const other of ['"other"', `"${etag.slice(1, -1)}x"`, etag.slice(1, -1), `"x, ${etag.slice(1, -1)}"`]) {
        const { status } = await send(worker, { path, headers: { "if-none-match": other } });
        assert.equal(status, 200, other);
      }
    });

    test(`${path} returns its methods in Allow`, async () => {
      for (const method of ["POST", "PUT", "PATCH", "DELETE"]) {
        const { status, headers } = await send(worker, { method, path });
        assert.equal(status, 405, method);
        assert.equal(headers.allow, "GET, HEAD, OPTIONS");
      }
      const { status, headers } = await send(worker, { method: "OPTIONS", path });
      assert.equal(status, 204);
      assert.equal(headers.allow, "GET, HEAD, OPTIONS");
      assert.match(headers["access-control-allow-methods"], /\bGET\b/);
      assert.match(headers["access-control-allow-headers"], /\bmcp-protocol-version\b/i);
    });
  }

  test("all but the metadata require a setting", () =>
    withWorker({}, async (plain) => {
      for (const [path] of PUBLISHED.slice(1)) assert.equal((await send(plain, { path })).status, 404, path);
    }));

  test("other responses have nosniff as well", async () => {
    for (const [path, expected] of [
      ["/mcp", 401],
      ["/nowhere", 404],
      ["/sse", 410],
    ]) {
      const { status, headers } = await send(worker, { path });
      assert.equal(status, expected);
      assert.equal(headers["x-content-type-options"], "nosniff", path);
    }
  });
});

test("the challenge of OpenAI's portal is its token, and nothing else", async () => {
  assert.equal((await send(worker, { path: CHALLENGE })).text, "3f2c-Token_1");
});

describe("server.json", () => {
  test("contains the settings, as the registry requires", async () => {
    const { json } = await send(worker, { path: "/server.json" });
    assert.deepEqual(json, {
      $schema: SERVER_JSON_ID,
      name: "com.example/whoami",
      title: "Who am I",
      description: "Shows the identity that the signed-in user agreed to share.",
      version: "1.2.3",
      websiteUrl: "https://example.com/docs",
      icons: [{ src: "https://example.com/logo.png" }],
      remotes: [{ type: "streamable-http", url: worker.mcpUrl }],
    });
    assert.deepEqual(await errorsInServerJson(json), []);
  });

  for (const [what, settings] of [
    ["with the least that can be set", {}],
    ["with the longest values", { RESOURCE_NAME: "ä".repeat(100), RESOURCE_DESCRIPTION: "\"\\\n".padEnd(100, "ö") }],
    ["with the shortest name and a long version", { REGISTRY_NAME: "a/b", REGISTRY_VERSION: "1".repeat(255) }],
    ["with a logo that is too long for it", { LOGO: `https://example.com/${"x".repeat(300)}` }],
    ["with a logo that is not https", { LOGO: "http://localhost/logo.png" }],
  ]) {
    test(`is valid ${what}, and so is the card`, () => {
      const least = { REGISTRY_NAME: "com.example/whoami", RESOURCE_DESCRIPTION: "Shows who is signed in.", SERVER_CARD: "true" };
      return withWorker({ ...least, ...settings }, async (other) => {
        const { json } = await send(other, { path: "/server.json" });
        assert.deepEqual(await errorsInServerJson(json), []);
        assert.deepEqual(await errorsInCard(JSON.parse((await send(other, { path: CARD })).text)), []);
      });
    });
  }

  test("with an error is refused", async () => {
    const { json } = await send(worker, { path: "/server.json" });
    for (const change of [
      { name: "whoami" },
      { name: undefined },
      { title: "" },
      { description: "x".repeat(101) },
      { version: undefined },
      { websiteUrl: "example" },
      { icons: [{ src: "x".repeat(256) }] },
      { remotes: [{ type: "http", url: worker.mcpUrl }] },
      { remotes: [{ type: "streamable-http" }] },
      { remotes: [{ type: "streamable-http", url: "/mcp" }] },
    ]) {
      const wrong = JSON.parse(JSON.stringify({ ...json, ...change }));
      assert.notDeepEqual(await errorsInServerJson(wrong), [], JSON.stringify(change));
    }
  });
});

describe("the server card", () => {
  test("agrees with server.json and adds the supported revisions", async () => {
    const card = JSON.parse((await send(worker, { path: CARD })).text);
    const { json: server } = await send(worker, { path: "/server.json" });
    const [remote] = card.remotes;
    assert.deepEqual(remote.supportedProtocolVersions, ["2026-07-28", "2025-11-25", "2025-06-18", "2025-03-26"]);
    delete remote.supportedProtocolVersions;
    assert.deepEqual(card, { ...server, $schema: CARD_ID });
  });

  test("has the form that its schema requires", async () => {
    const card = JSON.parse((await send(worker, { path: CARD })).text);
    assert.deepEqual(await errorsInCard(card), []);
    const remote = card.remotes[0];
    for (const change of [
      { $schema: SERVER_JSON_ID },
      { $schema: undefined },
      { name: "whoami" },
      { description: "x".repeat(101) },
      { version: undefined },
      { remotes: [{ ...remote, type: "http" }] },
      { remotes: [{ ...remote, supportedProtocolVersions: [20251125] }] },
      { websiteUrl: "example.com" },
      { icons: [{}] },
    ]) {
      const wrong = JSON.parse(JSON.stringify({ ...card, ...change }));
      assert.notDeepEqual(await errorsInCard(wrong), [], JSON.stringify(change));
    }
  });

  test("is linked from the catalogue", async () => {
    const catalogue = JSON.parse((await send(worker, { path: CATALOGUE })).text);
    assert.deepEqual(catalogue, {
      specVersion: "1.0",
      entries: [
        {
          identifier: "urn:air:example.com:mcp:whoami",
          type: "application/mcp-server-card+json",
          url: `${worker.mcpUrl}/server-card`,
        },
      ],
    });
  });

  test("has the headers that it requires, without a preflight", async () => {
    for (const path of [CARD, CATALOGUE]) {
      const { headers } = await send(worker, { path, headers: { accept: "application/mcp-server-card+json" } });
      assert.equal(headers["cache-control"], "public, max-age=3600");
      assert.equal(headers["access-control-allow-methods"], "GET");
      assert.equal(headers["access-control-allow-headers"], "Content-Type, If-None-Match");
    }
  });

  test("is off by default, also if the server is listed", () =>
    withWorker({ ...LISTED, SERVER_CARD: "" }, async (other) => {
      assert.equal((await send(other, { path: "/server.json" })).status, 200);
      for (const path of [CARD, CATALOGUE]) assert.equal((await send(other, { path })).status, 404, path);
    }));
});

test("the proof for the registry is published unchanged", async () => {
  const { text } = await send(worker, { path: PROOF, headers: { accept: "text/plain", "user-agent": "mcp-registry/1.0" } });
  assert.equal(text, PROOF_TEXT);
});

describe("the mirror of the provider's discovery document", () => {
  const places = MIRRORS.flatMap((place) => [place, `${place}/mcp`]);

  test("is that document byte for byte, at all of its URLs", async () => {
    const genuine = await (await fetch(`${provider.issuer}/.well-known/openid-configuration`)).text();
    for (const path of places) assert.equal((await send(worker, { path })).text, genuine, path);
  });

  test("replaces the registration endpoint if one is set, and nothing else", () =>
    withWorker({ ...LISTED, REGISTRATION_ENDPOINT: "https://register.example.com/clients" }, async (other) => {
      const genuine = await (await fetch(`${provider.issuer}/.well-known/openid-configuration`)).json();
      for (const path of places) {
        const { json } = await send(other, { path });
        assert.deepEqual(json, { ...genuine, registration_endpoint: "https://register.example.com/clients" });
      }
    }));

  test("is available during an outage, also to a new isolate from the store", async () => {
    const own = await startHostileProvider({ keys: provider.keys });
    own.discovery = { some_extension: ["kept"] };
    const settings = { ISSUER: own.issuer, AUTHORIZATION_SERVER_MIRROR: "true" };
    const first = await startWorker({ settings });
    try {
      const { text } = await send(first, { path: MIRRORS[0] });
      await first.waitFor(() => first.kv.entries.has(own.recordName), "nothing was stored");
      await own.stop();
      assert.equal((await send(first, { path: MIRRORS[0] })).text, text);
      await withWorker(settings, async (second) => assert.equal((await send(second, { path: MIRRORS[0] })).text, text), {
        kv: first.kv,
      });
    } finally {
      await first.stop();
      await own.stop();
    }
  });

  test("is 503 with Retry-After while there is no copy of the document", async () => {
    const own = await startHostileProvider({ keys: provider.keys });
    await own.stop();
    await withWorker({ ISSUER: own.issuer, AUTHORIZATION_SERVER_MIRROR: "true" }, async (other) => {
      const { status, headers, text } = await send(other, { path: MIRRORS[0] });
      assert.equal(status, 503);
      assert.ok(Number(headers["retry-after"]) > 0);
      assert.equal(headers["cache-control"], "no-store");
      assert.ok(!text.includes(own.issuer), text);
    });
  });
});

describe("the health check", () => {
  const PATH = "/healthz";

  test("is ready with the keys of every issuer, and is not cached", async () => {
    const { status, headers, json } = await send(worker, { path: PATH });
    assert.equal(status, 200);
    assert.equal(headers["cache-control"], "no-store");
    assert.equal(headers["x-content-type-options"], "nosniff");
    const { age_seconds, ...keys } = json.keys[0];
    assert.ok(Number.isInteger(age_seconds) && age_seconds >= 0, String(age_seconds));
    assert.deepEqual(keys, { issuer: provider.issuer, ready: true });
    assert.deepEqual({ ...json, keys: json.keys.length }, { ready: true, settings: { ready: true }, keys: 1 });
  });

  test("supports HEAD, and returns its methods in Allow", async () => {
    const head = await send(worker, { method: "HEAD", path: PATH });
    assert.deepEqual([head.status, head.text], [200, ""]);
    assert.equal((await send(worker, { method: "OPTIONS", path: PATH })).status, 204);
    const { status, headers } = await send(worker, { method: "POST", path: PATH });
    assert.equal(status, 405);
    assert.equal(headers.allow, "GET, HEAD, OPTIONS");
  });

  test("names the issuer without usable keys, with Retry-After", async () => {
    const own = await startHostileProvider({ keys: provider.keys });
    await own.stop();
    const further = [{ issuer: own.issuer, audience: ["x"] }];
    await withWorker({ MORE_ISSUERS: further }, async (other) => {
      for (const method of ["GET", "HEAD"]) {
        const { status, headers, json } = await send(other, { method, path: PATH });
        assert.equal(status, 503);
        assert.ok(Number(headers["retry-after"]) > 0);
        if (method === "HEAD") continue;
        assert.equal(json.ready, false);
        assert.equal(json.keys[0].ready, true);
        assert.deepEqual(json.keys[1], { issuer: own.issuer, ready: false });
      }
      const line = await other.logged(({ route, status }) => route === "health" && status === 503);
      assert.equal(line.reason, "keys_unavailable");
    });
  });

  test("becomes ready when the provider does", async () => {
    const own = await startHostileProvider({ keys: provider.keys });
    await own.stop();
    await withWorker({ ISSUER: own.issuer }, async (other) => {
      assert.equal((await send(other, { path: PATH })).status, 503);
      await own.start();
      const isReady = async () => (await send(other, { path: PATH })).status === 200;
      await other.waitFor(isReady, "it never became ready", 30_000);
    });
    await own.stop();
  });

  test("causes no additional requests to the provider", async () => {
    const own = await startHostileProvider({ keys: provider.keys });
    own.misbehave("jwks", (response) => response.writeHead(500).end());
    await withWorker({ ISSUER: own.issuer }, async (other) => {
      await send(other, { path: PATH });
      const before = own.count();
      const began = Date.now();
      for (let looks = 0; looks < 50; looks += 1) assert.equal((await send(other, { path: PATH })).status, 503);
      // At most one attempt in five seconds, for two documents; the test may take some seconds.
      const allowed = 2 * (1 + Math.ceil((Date.now() - began) / 5_000));
      assert.ok(own.count() - before <= allowed, `asked ${own.count() - before} times`);
    });
    await own.stop();
  });

  test("reports invalid settings without details", () =>
    withWorker({ RESOURCE: "https://mcp.example.com", STATE_SECRET: "hunter2" }, async (other) => {
      for (const path of [PATH, `${PATH}?x=1`]) {
        const { status, headers, text } = await send(other, { path });
        assert.equal(status, 503);
        assert.equal(headers["cache-control"], "no-store");
        assert.ok(Number(headers["retry-after"]) > 0);
        assert.equal(text, '{"ready":false,"settings":{"ready":false}}');
      }
      assert.equal((await send(other, { method: "HEAD", path: PATH })).status, 503);
      assert.equal((await send(other, { method: "DELETE", path: PATH })).status, 405);
      for (const path of ["/mcp", "/server.json", METADATA]) assert.equal((await send(other, { path })).status, 500, path);
      await other.waitFor(() => other.raw().includes("RESOURCE = "), "the log does not say what is wrong");
    }));
});

describe("where the endpoint has the path of a document", () => {
  for (const path of ["/healthz", "/server.json", "/sse"]) {
    test(`${path} is the endpoint`, () =>
      withWorker({ ...LISTED, RESOURCE: `https://mcp.example.com${path}` }, async (other) => {
        const { status, headers } = await send(other, { path });
        assert.equal(status, 401);
        assert.match(headers["www-authenticate"], /^Bearer /);
        assert.equal((await send(other, { path: `${path}/server-card` })).status, 200);
      }));
  }
});
