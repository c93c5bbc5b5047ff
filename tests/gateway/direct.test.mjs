// An upstream that is reached without the gateway refuses: what it accepts are assertions for itself, signed a moment ago.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { createSigningKey } from "../support/gateway-deployment.mjs";
import { initialize, legacyCall } from "../support/messages.mjs";
import "../support/report-failures.mjs";
import { post } from "../support/worker.mjs";
import { assertionOf, startProtected } from "./support/protected.mjs";
import { skipsPython, skipsRmcp } from "./upstreams/programs.mjs";

const foreign = await createSigningKey();
const seconds = () => Math.floor(Date.now() / 1000);

/** Changes a claim and keeps the signature. */
function tampered(assertion, claims) {
  const [header, payload, signature] = assertion.split(".");
  const changed = { ...JSON.parse(Buffer.from(payload, "base64url")), ...claims };
  return [header, Buffer.from(JSON.stringify(changed)).toString("base64url"), signature].join(".");
}

for (const [name, skip] of [["FastMCP", skipsPython], ["rmcp", skipsRmcp], ["TypeScript", false]]) {
  describe(`${name} refuses, when it is reached directly,`, { skip }, () => {
    let deployment;
    before(async () => (deployment = await startProtected(name, { TOOL_SCOPES: "*=allow" })));
    after(() => deployment?.stop());

    const directly = (token) => {
      const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
      return post({ origin: new URL(deployment.upstream.url).origin }, { message: initialize(), headers });
    };

    test("not an assertion of the gateway", async () => {
      const { status, text } = await directly(await assertionOf(deployment));
      assert.equal(status, 200, text);
    });

    for (const [what, credential] of Object.entries({
      "a request without one": () => undefined,
      "the token of a user": ({ gateway }) => gateway.alice("one"),
      "the token of a user for it": ({ gateway, upstream }) => gateway.alice("one", { aud: upstream.url }),
      "one for another upstream": (to) => assertionOf(to, { claims: { aud: "https://other.example/mcp" } }),
      "one for the gateway": (to) => assertionOf(to, { claims: { aud: to.gateway.resource } }),
      "one of another issuer": (to) => assertionOf(to, { claims: { iss: "https://other.example" } }),
      "an old one": (to) => assertionOf(to, { claims: { iat: seconds() - 120, exp: seconds() - 60 } }),
      "one with the key of another under its id": (to) => assertionOf(to, { key: foreign.private }),
      "one with an unknown key": (to) => assertionOf(to, { key: foreign.private, header: { kid: foreign.public.kid } }),
      "one with another subject": async (to) => tampered(await assertionOf(to), { sub: to.gateway.subjects.bob }),
      "one with a later end": async (to) => tampered(await assertionOf(to), { exp: seconds() + 3600 }),
      "one without a signature": async (to) => {
        const [, payload] = (await assertionOf(to)).split(".");
        return `${Buffer.from('{"alg":"none","typ":"at+jwt"}').toString("base64url")}.${payload}.`;
      },
    })) {
      test(what, async () => {
        const { status } = await directly(await credential(deployment));
        assert.equal(status, 401);
      });
    }

    test("its own keys being asked for at the gateway, it accepts what comes through it", async () => {
      const { gateway } = deployment;
      const { status, text } = await post(gateway.worker, { token: await gateway.alice(""), message: initialize() });
      assert.equal(status, 200, text);
    });
  });
}

test("what an upstream refuses is a failure of the upstream, not of the client", async () => {
  const deployment = await startProtected("TypeScript", { TOOL_SCOPES: "*=allow", UPSTREAM_AUDIENCE: "https://other.example/mcp" });
  try {
    const { gateway } = deployment;
    const { status, headers, json } = await post(gateway.worker, { token: await gateway.alice(""), message: legacyCall("claims") });
    assert.equal(status, 502);
    assert.equal(headers["www-authenticate"], undefined);
    assert.equal(json.error.code, -32603);
  } finally {
    await deployment.stop();
  }
});
