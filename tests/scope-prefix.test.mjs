// A provider that knows the scopes of the resource by longer names: clients request those, tools name the short ones.

import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { startDeployment } from "./support/deployment.mjs";
import { connect } from "./support/mcp-client.mjs";
import { MODERN, modernCall, modernRequest } from "./support/messages.mjs";
import "./support/report-failures.mjs";
import { signIn } from "./support/sign-in.mjs";
import { forgeToken } from "./support/tokens.mjs";
import { post, send, startKeyValueStore } from "./support/worker.mjs";

const PREFIX = "https://notes.example/mcp/";
const LONG_READ = `${PREFIX}notes:read`;
const LONG_WRITE = `${PREFIX}notes:write`;

const store = await startKeyValueStore();
const deployment = await startDeployment({
  settings: {
    SCOPE_PREFIX: PREFIX,
    SCOPE_CLAIMS: "scope scp",
    REQUIRED_SCOPES: "notes:read",
    SCOPE_HIERARCHY: "notes:write=notes:read",
    CLAIM_SCOPES: undefined,
  },
  // It grants no other scopes of the resource.
  provider: { scopes: { [LONG_READ]: "Read your notes", [LONG_WRITE]: "Write and delete your notes" } },
  worker: { build: "examples/notes/build", namespaces: { NOTES: store } },
});
const { worker } = deployment;
after(async () => {
  await deployment.stop();
  await store.close();
});

const scopeOf = ({ headers }) => /scope="([^"]*)"/.exec(headers["www-authenticate"])?.[1];
const create = (client, title) => client.callTool({ name: "create_note", arguments: { title, body: "" } });
const requestedBy = ({ authorizationUrl }) => authorizationUrl.searchParams.get("scope").split(" ");
const scopesIn = (token) => JSON.parse(Buffer.from(token.split(".")[1], "base64url")).scope.split(" ");

test("metadata and challenge have the long names", async () => {
  const { json } = await send(worker, { path: "/.well-known/oauth-protected-resource/mcp" });
  assert.deepEqual(json.scopes_supported, [LONG_READ, LONG_WRITE]);
  const challenge = await post(worker, modernRequest("tools/list"));
  assert.deepEqual([challenge.status, scopeOf(challenge)], [401, LONG_READ]);
});

for (const mode of ["legacy", { pin: MODERN }]) {
  test(`the official client signs in and requests more when a tool needs it (${JSON.stringify(mode)})`, async () => {
    const { client, oauth } = await connect(worker.mcpUrl, { mode });
    assert.deepEqual(requestedBy(oauth), [LONG_READ, "offline_access"]);
    assert.deepEqual(scopesIn(oauth.tokens().access_token), [LONG_READ]);
    const { tools } = await client.listTools();
    assert.deepEqual(tools.map(({ name }) => name), ["list_notes", "read_note"]);

    await assert.rejects(create(client, "Milk"), { name: "UnauthorizedError" });
    const requested = requestedBy(oauth);
    assert.ok(requested.includes(LONG_WRITE) && !requested.some((scope) => scope.startsWith("notes:")), requested);
    const callback = await signIn({ authorizationUrl: oauth.authorizationUrl });
    await client.transport.finishAuth(callback.searchParams);
    const { structuredContent } = await create(client, "Milk");
    assert.equal(structuredContent.title, "Milk");
    await client.close();
  });
}

describe("a token", () => {
  const createWith = async (scope) => {
    const claims = Array.isArray(scope) ? { scope: undefined, scp: scope } : { scope };
    const token = await forgeToken(deployment, { claims });
    return post(worker, { token, ...modernCall("create_note", { title: "Milk", body: "" }) });
  };

  for (const scope of [LONG_WRITE, "notes:write", ["notes:write"], [LONG_WRITE], `openid ${LONG_READ} ${LONG_WRITE}`]) {
    test(`with the scope ${JSON.stringify(scope)} may write`, async () => {
      assert.equal((await createWith(scope)).status, 200);
    });
  }

  for (const scope of ["", LONG_READ, `${LONG_READ} https://other.example/mcp/notes:write`, `${PREFIX}${LONG_WRITE}`]) {
    test(`with the scope ${JSON.stringify(scope)} may not, and the challenge has the long names`, async () => {
      const refusal = await createWith(scope);
      assert.equal(refusal.status, 403);
      // Without the scope of every request, the challenge names that one.
      const expected = scope.includes(`${LONG_READ}`) ? `${LONG_READ} ${LONG_WRITE}` : LONG_READ;
      assert.equal(scopeOf(refusal), expected);
    });
  }
});
