// The exchange of access tokens for those of another API resource (RFC 8693), and the company's API behind it.

import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { SignJWT, importJWK } from "jose";
import { BILLING_SCOPES, startBillingService } from "../billing-service/index.mjs";
import { LOCAL_ACCOUNTS, startIdentityProvider } from "./index.mjs";
import { createKey } from "./keys.mjs";
import { requestsTo, RESOURCE } from "./testing/requests.mjs";

const [alice] = LOCAL_ACCOUNTS;
const CLIENT = { authorization: `Basic ${btoa("token-exchange:token-exchange-secret")}` };
const GRANT = "urn:ietf:params:oauth:grant-type:token-exchange";
const ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token";

const key = await createKey();
let issuer;
const billing = await startBillingService({ port: 0, clientId: "token-exchange", issuer: () => issuer });
const provider = await startIdentityProvider({
  port: 0,
  keys: [key],
  moreResources: { [billing.resource]: { scopes: BILLING_SCOPES, clients: ["token-exchange"] } },
  exchangeAudiences: { billing: billing.resource },
});
issuer = provider.issuer;
const { obtainTokens, postForm, verify } = requestsTo(provider);
after(() => Promise.all([provider.close(), billing.close()]));

const tokenOfAlice = async () => (await obtainTokens()).access_token;

function exchange(token, changes = {}, headers = CLIENT) {
  const fields = { grant_type: GRANT, subject_token: token, subject_token_type: ACCESS_TOKEN, audience: "billing", ...changes };
  return postForm("/token", Object.entries(fields).filter(([, value]) => value !== undefined), headers);
}

async function invoices(token) {
  const response = await fetch(`${billing.origin}/api/invoices`, { headers: { authorization: `Bearer ${token}` } });
  return { status: response.status, body: await response.json() };
}

describe("an access token", () => {
  test("is exchanged for one of the API, by its audience or its resource", async () => {
    for (const target of [{}, { audience: undefined, resource: billing.resource }, { resource: billing.resource }]) {
      const { status, body } = await exchange(await tokenOfAlice(), { scope: "invoices:read", ...target });
      assert.equal(status, 200, JSON.stringify(body));
      const { issued_token_type, scope, token_type } = body;
      assert.deepEqual([issued_token_type, scope, token_type], [ACCESS_TOKEN, "invoices:read", "Bearer"]);
      const answer = await invoices(body.access_token);
      assert.deepEqual([answer.status, answer.body.invoices.length], [200, 2]);
    }
    assert.equal(billing.accepted.at(-1).sub, alice.sub);
  });

  test("keeps who acts for the user", async () => {
    const token = await tokenOfAlice();
    const { payload } = await verify(token);
    const act = { sub: "agent", act: { sub: "earlier agent" } };
    const signed = new SignJWT({ ...payload, act }).setProtectedHeader({ alg: "ES384", kid: key.kid, typ: "at+jwt" });
    const { body } = await exchange(await signed.sign(await importJWK(key, "ES384")));
    await invoices(body.access_token);
    assert.deepEqual(billing.accepted.at(-1).act, act);
  });

  test("is not exchanged for anything else, by anybody else, or if it is no token of this provider", async () => {
    const token = await tokenOfAlice();
    const errorOf = async (answer) => [(await answer).status, (await answer).body.error];
    assert.deepEqual(await errorOf(exchange(token, { audience: "other" })), [400, "invalid_target"]);
    assert.deepEqual(await errorOf(exchange(token, { audience: undefined, resource: RESOURCE })), [400, "invalid_target"]);
    assert.deepEqual(await errorOf(exchange(token, { audience: undefined })), [400, "invalid_target"]);
    assert.deepEqual(await errorOf(exchange(token, { scope: "invoices:write" })), [400, "invalid_scope"]);
    assert.deepEqual(await errorOf(exchange(token, { requested_token_type: `${ACCESS_TOKEN}x` })), [400, "invalid_request"]);
    assert.deepEqual(await errorOf(exchange(`${token}x`)), [400, "invalid_grant"]);
    assert.deepEqual(await errorOf(exchange("opaque")), [400, "invalid_grant"]);
    const other = { authorization: `Basic ${btoa("mcp-edge:mcp-edge-secret")}` };
    assert.deepEqual(await errorOf(exchange(token, {}, other)), [400, "invalid_request"]);
    provider.suspended.add(alice.sub);
    assert.deepEqual(await errorOf(exchange(token)), [400, "invalid_grant"]);
    provider.suspended.clear();
  });

  test("of the agent itself is refused by the API", async () => {
    assert.equal((await invoices(await tokenOfAlice())).status, 401);
    const direct = await obtainTokens({ changes: { resource: billing.resource, scope: "openid invoices:read" }, resource: billing.resource });
    assert.equal((await invoices(direct.access_token)).status, 401, "not even if it names the API");
  });
});
