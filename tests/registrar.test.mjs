// The registrar on workerd, open to anybody: RFC 7591 and 7592, isolation, and the whole way of a client that introduces
// itself.
//
// The provider's discovery document names the registrar as its `registration_endpoint`, as a route on the issuer's own
// host can do.

import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { requestsTo } from "../dev/identity-provider/testing/requests.mjs";
import { inShort, connect } from "./support/mcp-client.mjs";
import { tenants } from "./support/registrar.mjs";
import { AGENT, SERVER_AGENT, call, pathOf, recorded, register } from "./support/registrar-client.mjs";
import "./support/report-failures.mjs";

const start = tenants();
const tenant = await start({
  settings: { REGISTRATION: "open", REGISTRATIONS_PER_HOUR: "1000", MAX_CLIENTS: "10000", CLEANUP: "on" },
  withMcpServer: true,
});

describe("REGISTRATION = open", () => {
  const { api, provider, registrar } = tenant;
  beforeEach(() => {
    api.mood = () => undefined;
    api.calls.length = 0;
    tenant.store.mood.writes = "answer";
  });

  test("the official client registers itself, its user signs in and consents, and whoami answers", async () => {
    const { client, oauth, record, callback } = await connect(tenant.mcpResource);
    const { structuredContent } = await client.callTool({ name: "whoami", arguments: {} });
    await client.close();
    assert.equal(callback.searchParams.get("error"), null);
    assert.equal(structuredContent.username, "alice");
    assert.equal(structuredContent.client_party, "third");
    assert.equal(structuredContent.client_id, oauth.clientInformation().client_id);
    const names = { [new URL(tenant.mcpResource).origin]: "worker", [tenant.origin]: "registrar", [new URL(provider.issuer).origin]: "provider" };
    assert.ok(inShort(record, names).includes("POST registrar/register → 201"), inShort(record, names).join("\n"));
  });

  test("a client that looks for metadata at the MCP server only finds the registrar in its mirror", async () => {
    const mirror = await (await fetch(new URL("/.well-known/oauth-authorization-server", tenant.mcpResource))).json();
    assert.deepEqual([mirror.issuer, mirror.registration_endpoint], [provider.issuer, tenant.resource]);
  });

  test("the answer has everything that RFC 7591 asks for, and is not cached", async () => {
    const { status, headers, json } = await register(tenant, { client_name: "Complete", scope: "whoami:read admin", contacts: ["a@example.com"] });
    assert.equal(status, 201);
    assert.equal(headers.get("cache-control"), "no-store");
    assert.equal(headers.get("access-control-allow-origin"), "*");
    const { client_id, client_id_issued_at, registration_access_token, registration_client_uri, ...rest } = json;
    assert.match(client_id, /^[a-z0-9]{21}$/);
    assert.ok(Math.abs(client_id_issued_at - Date.now() / 1000) < 600);
    assert.match(registration_access_token, /^mcpreg_[\w-]{43}$/);
    assert.equal(registration_client_uri, `${tenant.resource}/${client_id}`);
    assert.deepEqual(rest, {
      ...AGENT,
      client_name: "Complete",
      application_type: "native",
      scope: "whoami:read",
      contacts: ["a@example.com"],
    });
  });

  test("a confidential client gets its secret, which works at the provider", async () => {
    const { json } = await call(tenant, "POST", "/register", { body: SERVER_AGENT });
    assert.equal(json.client_secret_expires_at, 0);
    const headers = { authorization: `Basic ${btoa(`${json.client_id}:${json.client_secret}`)}` };
    const { postForm } = requestsTo(provider);
    const { body } = await postForm("/token", { grant_type: "refresh_token", refresh_token: "x" }, headers);
    assert.equal(body.error, "invalid_grant", "the client is known");
  });

  test("everything malicious is refused before it reaches the provider", async () => {
    const uris = [
      "javascript:alert(1)", "data:text/html,x", "file:///etc/passwd", "http://evil.example/cb", "https://user:pass@host.example/cb",
      "https://*.example.dev/cb", "https://agent.example/*", "https://agent.example/cb#x", "https://192.0.2.1/cb",
      "https://localhost/cb", "https://agent.example/a/../b", "http://localhost.evil.example/", "urn:ietf:wg:oauth:2.0:oob", "/cb", "",
      "https://agent.example\\@evil.example/",
      "cursor://anysphere.cursor-deeplink/mcp/install?name=x&config=eyJ1cmwiOiJ4In0", "vscode:mcp/install?%7B%7D",
      "vscode://vscode.git/clone?url=https://evil.example/x", "vscode-insiders://file/etc/passwd",
      "windsurf://windsurf-mcp-registry?serverName=x", "warp://action/new_tab?path=/tmp", "warp://mcp/oauth2callback?x",
      "raycast://extensions/x/y/z", "raycast://oauth?package_name=x&y", "com.example.agent://callback", `https://agent.example/${"x".repeat(2048)}`,
    ];
    for (const uri of uris) {
      const { status, json } = await register(tenant, { redirect_uris: [AGENT.redirect_uris[0], uri] });
      assert.deepEqual([status, json.error], [400, "invalid_redirect_uri"], uri);
      assert.match(json.error_description, /^redirect_uris\[1\] /, uri);
    }
    for (const changes of [
      { redirect_uris: [] },
      { redirect_uris: Array.from({ length: 11 }, (_, n) => `http://localhost/${n}`) },
    ]) {
      assert.equal((await register(tenant, changes)).json.error, "invalid_redirect_uri");
    }
    for (const changes of [
      { client_name: "<script>alert(1)</script>" },
      { client_name: "Bank\u202eknaB" },
      { client_name: "x".repeat(1000) },
      { logo_uri: "javascript:alert(1)" },
      { token_endpoint_auth_method: "private_key_jwt", jwks_uri: "http://127.0.0.1/keys" },
      { token_endpoint_auth_method: "client_secret_basic", redirect_uris: ["cursor://anysphere.cursor-mcp/oauth/callback"] },
      { grant_types: ["client_credentials"] },
      { grant_types: ["urn:ietf:params:oauth:grant-type:token-exchange"] },
      { response_types: ["token"] },
      { scope: "all" },
    ]) {
      const { status, json } = await register(tenant, changes);
      assert.deepEqual([status, json.error], [400, "invalid_client_metadata"], JSON.stringify(changes));
    }
    assert.equal((await register(tenant, { software_statement: "a.b.c" })).json.error, "unapproved_software_statement");
    const twice = '{"redirect_uris":["http://localhost/"],"redirect_uris":["https://evil.example/"]}';
    assert.equal((await call(tenant, "POST", "/register", { body: twice })).json.error, "invalid_client_metadata");
    assert.equal((await call(tenant, "POST", "/register", { body: "x".repeat(70_000) })).status, 413);
    const asText = { body: JSON.stringify(AGENT), headers: { "content-type": "text/plain" } };
    assert.equal((await call(tenant, "POST", "/register", asText)).status, 415);
    assert.deepEqual(api.calls, [], "nothing was asked of the provider");
  });

  test("what VS Code registers is accepted, without the page at a host that is not known to be its own", async () => {
    const { status, json } = await register(tenant, {
      client_name: "Visual Studio Code",
      client_uri: "https://code.visualstudio.com",
      redirect_uris: ["https://insiders.vscode.dev/redirect", "https://vscode.dev/redirect", "http://127.0.0.1/", "http://127.0.0.1:33418/"],
      grant_types: ["authorization_code", "refresh_token", "urn:ietf:params:oauth:grant-type:device_code"],
      application_type: "native",
    });
    assert.deepEqual([status, json.client_name, json.client_uri], [201, "Visual Studio Code", undefined]);
  });

  test("a picture at an address that only the server's own network has is neither kept nor fetched", async () => {
    const { status, json } = await register(tenant, { logo_uri: "https://169.254.169.254/latest/meta-data" });
    assert.deepEqual([status, json.logo_uri], [201, undefined]);
    assert.ok(!JSON.stringify([...api.applications.all()]).includes("169.254"));
  });

  test("what a client claims about its standing is not believed", async () => {
    const { json } = await register(tenant, { client_name: "Liar", client_id: "first-party-app", client_secret: "x", isThirdParty: false, type: "MachineToMachine" });
    assert.notEqual(json.client_id, "first-party-app");
    const { record } = api.applications.get(json.client_id);
    assert.deepEqual([record.isThirdParty, record.type], [true, "Native"]);
    assert.equal(record.customData.registrar, "complete");
  });

  test("each of several equal registrations makes an application of its own, one after the other or at once", async () => {
    const same = { client_name: "Well-known agent" };
    const answers = [...(await Promise.all([register(tenant, same), register(tenant, same)])), await register(tenant, same)];
    assert.equal(new Set(answers.map(({ json }) => json.client_id)).size, 3);
    for (const { json } of answers) {
      for (const { json: other } of answers) {
        const { status } = await call(tenant, "GET", pathOf(json), { token: other.registration_access_token });
        assert.equal(status, other === json ? 200 : 401);
      }
    }
  });

  test("neither a token nor a secret is stored or logged", async () => {
    const { json } = await call(tenant, "POST", "/register", { body: { ...SERVER_AGENT, client_name: "Discreet" } });
    await registrar.logged(({ audit, client_id }) => audit === "client_registered" && client_id === json.client_id);
    const everything = registrar.raw() + JSON.stringify([...tenant.store.entries]);
    for (const secret of [json.registration_access_token, json.client_secret, "registrar-secret"]) assert.ok(!everything.includes(secret));
    assert.ok(!/eyJ/.test(everything), "no JWT");
  });

  describe("RFC 7592", () => {
    test("a client reads, changes and removes itself", async () => {
      const { json } = await register(tenant, { client_name: "Managed" });
      const token = json.registration_access_token;
      const read = await call(tenant, "GET", pathOf(json), { token });
      assert.deepEqual([read.status, read.json], [200, json]);

      const { client_id_issued_at, registration_access_token, registration_client_uri, ...own } = json;
      const changed = await call(tenant, "PUT", pathOf(json), { token, body: { ...own, client_name: "Renamed", redirect_uris: ["http://127.0.0.1/other"] } });
      assert.equal(changed.status, 200, changed.text);
      assert.equal(changed.json.client_name, "Renamed");
      const { record } = api.applications.get(json.client_id);
      assert.deepEqual([record.name, record.oidcClientMetadata.redirectUris], ["Renamed", ["http://127.0.0.1/other"]]);

      assert.equal((await call(tenant, "DELETE", pathOf(json), { token })).status, 204);
      assert.equal(api.applications.get(json.client_id), undefined);
      assert.equal((await call(tenant, "GET", pathOf(json), { token })).status, 401);
      assert.ok(!recorded(tenant).some((key) => key.includes(json.client_id)));
    });

    test("an update says what it must and nothing that is the server's", async () => {
      const { json } = await register(tenant, { client_name: "Updating" });
      const token = json.registration_access_token;
      const { client_id } = json;
      const put = (body) => call(tenant, "PUT", pathOf(json), { token, body: { ...AGENT, client_id, ...body } });
      for (const [changes, member] of [
        [{ client_id: "other" }, "client_id"],
        [{ client_id: undefined }, "client_id"],
        [{ registration_access_token: token }, "registration_access_token"],
        [{ client_id_issued_at: 1 }, "client_id_issued_at"],
        [{ client_secret: "chosen-by-me" }, "client_secret"],
        [{ token_endpoint_auth_method: "client_secret_basic" }, "redirect_uris and token_endpoint_auth_method"],
        [{ redirect_uris: ["https://agent.example/cb"] }, "redirect_uris and token_endpoint_auth_method"],
      ]) {
        const { status, json: answer } = await put(changes);
        assert.deepEqual([status, answer.error], [400, "invalid_client_metadata"], JSON.stringify(changes));
        assert.ok(answer.error_description.startsWith(member), answer.error_description);
      }
      assert.equal((await put({ redirect_uris: ["javascript:alert(1)"] })).json.error, "invalid_redirect_uri");
      assert.equal(api.applications.get(client_id).record.name, "Updating", "nothing was changed");
    });

    test("a token opens its own client and no other, and tells nobody which clients exist", async () => {
      const [mine, theirs] = [(await register(tenant, { client_name: "Mine" })).json, (await register(tenant, { client_name: "Theirs" })).json];
      const answers = [];
      for (const path of [pathOf(theirs), "/register/nosuchclient", "/register/..%2f..%2fapplications", "/register/a/b", `${pathOf(theirs)}/`]) {
        for (const method of ["GET", "PUT", "DELETE"]) {
          const body = method === "PUT" ? { ...AGENT, client_id: theirs.client_id } : undefined;
          const { status, text, headers } = await call(tenant, method, path, { token: mine.registration_access_token, body });
          answers.push(JSON.stringify([status, text, headers.get("www-authenticate")]));
        }
      }
      assert.equal(new Set(answers).size, 1, [...new Set(answers)].join("\n"));
      assert.match(answers[0], /^\[401/);
      const none = await call(tenant, "GET", pathOf(mine));
      assert.deepEqual([none.status, none.headers.get("www-authenticate")], [401, "Bearer"]);
      assert.ok(api.applications.get(theirs.client_id));
    });
  });

  describe("a stranger who manages clients", () => {
    const from = (address) => ({ headers: { "cf-connecting-ip": address } });

    test("guesses so often and no more, without a call to the provider, and holds up nobody elsewhere", async () => {
      const { json } = await register(tenant, { client_name: "Guessed at" }, from("192.0.2.10"));
      const token = json.registration_access_token;
      api.calls.length = 0;
      const paths = [pathOf(json), "/register/nosuchclient"];
      const answers = await Promise.all(
        Array.from({ length: 150 }, (_, n) =>
          call(tenant, ["GET", "DELETE"][n % 2], paths[n % 3 % 2], { token: `mcpreg_${n}`, ...from("192.0.2.66") }),
        ),
      );
      const statuses = answers.map(({ status }) => status);
      assert.equal(statuses.filter((status) => status === 401).length, 60, statuses.join(" "));
      const refused = answers.filter(({ status }) => status === 429);
      assert.equal(refused.length, 90, statuses.join(" "));
      for (const { headers, json } of refused) {
        assert.ok(Number(headers.get("retry-after")) > 0);
        assert.equal(headers.get("access-control-allow-origin"), "*");
        assert.equal(json.error, "too_many_requests");
      }
      assert.deepEqual(api.calls, []);
      assert.equal((await call(tenant, "GET", pathOf(json), { token, ...from("192.0.2.10") })).status, 200);
    });

    test("reads and changes a client so often and no more", async () => {
      const { json } = await call(tenant, "POST", "/register", { body: { ...SERVER_AGENT, client_name: "Restless" } });
      const token = json.registration_access_token;
      api.calls.length = 0;
      const answers = await Promise.all(Array.from({ length: 50 }, () => call(tenant, "GET", pathOf(json), { token })));
      assert.equal(answers.filter(({ status }) => status === 200).length, 20);
      const refused = answers.filter(({ status }) => status === 429);
      assert.equal(refused.length, 30);
      assert.ok(refused.every(({ headers }) => Number(headers.get("retry-after")) > 0));
      assert.equal(api.calls.length, 20, "one for each secret");
    });

    test("learns of a client that was removed at the provider what they learn of one that never was", async () => {
      const { json } = await call(tenant, "POST", "/register", { body: { ...SERVER_AGENT, client_name: "Removed" } });
      const token = json.registration_access_token;
      await api.applications.remove(json.client_id);
      const gone = await call(tenant, "GET", pathOf(json), { token });
      const never = await call(tenant, "GET", "/register/nosuchclient", { token });
      assert.equal(gone.status, 401);
      assert.deepEqual([gone.text, gone.headers.get("www-authenticate")], [never.text, never.headers.get("www-authenticate")]);
      assert.ok(!recorded(tenant).some((key) => key.includes(json.client_id)), "and its token is revoked");
    });
  });

  test("a client that hangs up leaves a whole application or none", async () => {
    let arrived;
    const isThere = new Promise((resolve) => (arrived = resolve));
    api.mood = (it) => void (it === "POST /applications" && arrived());
    const controller = new AbortController();
    const attempt = fetch(tenant.resource, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ ...AGENT, client_name: "Impatient" }),
      signal: controller.signal,
    });
    await isThere;
    controller.abort();
    await assert.rejects(attempt);
    const impatient = () => api.applications.all().find(({ record }) => record.name === "Impatient");
    await registrar.waitFor(() => impatient()?.record.customData.registrar === "complete", "it was not completed");
    await registrar.waitFor(() => recorded(tenant).includes(`client/${impatient().record.id}`), "it was not recorded");
  });

  test("pages may call it, other methods are refused", async () => {
    const preflight = await call(tenant, "OPTIONS", "/register", { headers: { origin: "https://page.example", "access-control-request-method": "POST" } });
    assert.equal(preflight.status, 204);
    assert.equal(preflight.headers.get("access-control-allow-origin"), "*");
    assert.equal((await call(tenant, "GET", "/register")).status, 405);
    assert.equal((await call(tenant, "POST", "/register/abc", { body: {} })).status, 405);
  });
});
