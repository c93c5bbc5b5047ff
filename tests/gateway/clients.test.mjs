// The official clients through the gateway to real servers: each lists what its user may use, and calls it.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { UnauthorizedError } from "@modelcontextprotocol/client";
import "../support/report-failures.mjs";
import { connect } from "../support/mcp-client.mjs";
import { MODERN, NEWEST_LEGACY } from "../support/messages.mjs";
import { signIn } from "../support/sign-in.mjs";
import { CLIENTS, connectV2 } from "./support/clients.mjs";
import { startProtected } from "./support/protected.mjs";
import { skipsPython, skipsRmcp } from "./upstreams/programs.mjs";

const OTHERS = { PROMPT_SCOPES: "*=allow", RESOURCE_SCOPES: "*=allow" };

/** A test of the claims that an upstream has verified. */
const isAlice = (text, { subjects, origin }) => {
  const { sub, iss, client_id } = JSON.parse(text);
  assert.deepEqual({ sub, iss, client_id }, { sub: subjects.alice, iss: origin, client_id: "third-party-agent" });
};

/** What each upstream offers by these settings, and what a caller of Alice sees. */
const UPSTREAMS = {
  everything: {
    eras: ["legacy"],
    settings: { TOOL_SCOPES: "echo=tools:use get-sum=tools:use get-tiny-image=tools:more get-env=deny" },
    tools: ["echo", "get-sum"],
    calls: { echo: { message: "hi" }, "get-sum": { a: 2, b: 3 } },
    check: ({ echo, "get-sum": sum }) => {
      assert.match(echo, /Echo: hi/);
      assert.match(sum, /5/);
    },
    denied: "get-env",
  },
  FastMCP: {
    eras: ["modern", "legacy"],
    skip: skipsPython,
    settings: { TOOL_SCOPES: "claims=tools:use slow=tools:use delete_*=deny" },
    tools: ["claims", "slow"],
    calls: { claims: {}, slow: { steps: 2 } },
    check: ({ claims, slow }, gateway) => {
      isAlice(claims, gateway);
      assert.equal(slow, gateway.subjects.alice);
    },
    denied: "delete_everything",
  },
  rmcp: {
    eras: ["modern", "legacy"],
    skip: skipsRmcp,
    settings: { TOOL_SCOPES: "claims=tools:use delete_*=deny" },
    tools: ["claims"],
    calls: { claims: {} },
    check: ({ claims }, gateway) => isAlice(claims, gateway),
    denied: "delete_everything",
  },
  TypeScript: {
    eras: ["modern", "legacy"],
    settings: { TOOL_SCOPES: "claims=tools:use count=allow touch=deny test_*=tools:more" },
    tools: ["claims", "count"],
    calls: { claims: {}, count: {} },
    check: ({ claims, count }, gateway) => {
      isAlice(claims, gateway);
      assert.ok(JSON.parse(count).user >= 1);
    },
    denied: "touch",
  },
};

for (const [name, upstream] of Object.entries(UPSTREAMS)) {
  describe(`in front of ${name}`, { skip: upstream.skip }, () => {
    let deployment;
    before(async () => (deployment = await startProtected(name, { ...OTHERS, ...upstream.settings })));
    after(() => deployment?.stop());

    for (const [client, { eras, use, skip }] of Object.entries(CLIENTS)) {
      const era = eras.find((each) => upstream.eras.includes(each));
      if (era === undefined) continue;
      test(`${client}, in the ${era} era`, { skip }, async () => {
        const { gateway } = deployment;
        const token = await gateway.alice("tools:use");
        const calls = { ...upstream.calls, [upstream.denied]: {} };
        const { tools, results, version } = await use({ url: gateway.resource, token, calls });
        assert.deepEqual(tools.sort(), upstream.tools);
        upstream.check(results, gateway);
        // The Inspector looks into its list first.
        assert.match(results[upstream.denied], /unknown tool|tool_not_found/i);
        if (version !== undefined) assert.equal(version === MODERN, era === "modern", version);
      });
    }
  });
}

test("a client that is pinned to the modern era is refused by an older upstream, and learns its revisions", async () => {
  const deployment = await startProtected("everything", UPSTREAMS.everything.settings);
  try {
    const token = await deployment.gateway.alice("tools:use");
    await assert.rejects(connectV2({ url: deployment.gateway.resource, token, mode: { pin: MODERN } }), ({ data }) => {
      assert.ok(data.supported.includes(NEWEST_LEGACY) && !data.supported.includes(MODERN), `${data.supported}`);
      return true;
    });
  } finally {
    await deployment.stop();
  }
});

test("a client signs in for the required scope, and again for a tool that needs another", async () => {
  const scopes = { "tools:use": "Use tools", "tools:more": "Use more tools" };
  const settings = { ...UPSTREAMS.TypeScript.settings, REQUIRED_SCOPES: "tools:use" };
  const deployment = await startProtected("TypeScript", settings, { provider: { scopes } });
  try {
    const { client, oauth } = await connect(deployment.gateway.resource, { mode: "auto" });
    const { tools } = await client.listTools();
    assert.deepEqual(tools.map(({ name }) => name).sort(), UPSTREAMS.TypeScript.tools);
    const { content } = await client.callTool({ name: "claims", arguments: {} });
    const { sub, scope } = JSON.parse(content[0].text);
    assert.deepEqual({ sub, scope }, { sub: deployment.gateway.subjects.alice, scope: "tools:use" });
    const more = () => client.callTool({ name: "test_simple_text", arguments: {} });
    await assert.rejects(more, UnauthorizedError);
    const callback = await signIn({ authorizationUrl: oauth.authorizationUrl });
    await client.transport.finishAuth(callback.searchParams);
    assert.match((await more()).content[0].text, /simple text/);
    await client.close();
  } finally {
    await deployment.stop();
  }
});
