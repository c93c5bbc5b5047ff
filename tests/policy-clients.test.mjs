// Clients: which are allowed, which are first-party, and whether a token belongs to a user or a machine.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { deploy } from "./support/policy-deployment.mjs";
import { assertAccepted, assertRefused } from "./support/refusals.mjs";
import "./support/report-failures.mjs";
import { seconds } from "./support/signers.mjs";

describe("allowed and denied clients", () => {
  const METADATA = "https://agents.example/client.json";
  const cases = [
    [{ DENIED_CLIENTS: "agent" }, "agent", "client_denied"],
    [{ DENIED_CLIENTS: "agent" }, "agent-2", undefined],
    [{ DENIED_CLIENTS: "a agent b" }, "agent", "client_denied"],
    [{ DENIED_CLIENTS: "agents.example" }, METADATA, "client_denied"],
    [{ DENIED_CLIENTS: "agents.example" }, METADATA.toUpperCase().replace("HTTPS", "https"), "client_denied"],
    [{ DENIED_CLIENTS: METADATA }, METADATA, "client_denied"],
    [{ DENIED_CLIENTS: METADATA }, "https://agents.example/other.json", undefined],
    [{ DENIED_CLIENTS: "agents.example" }, "https://more.agents.example/client.json", undefined],
    // A token without a client could be that of a denied one.
    [{ DENIED_CLIENTS: "agent" }, undefined, "client_not_allowed"],
    [{ ALLOWED_CLIENTS: "agent friend" }, "agent", undefined],
    [{ ALLOWED_CLIENTS: "agent friend" }, "friend", undefined],
    [{ ALLOWED_CLIENTS: "agent friend" }, "agent friend", "client_not_allowed"],
    [{ ALLOWED_CLIENTS: "agent friend" }, "other-client", "client_not_allowed"],
    [{ ALLOWED_CLIENTS: "agent" }, "Agent", "client_not_allowed"],
    [{ ALLOWED_CLIENTS: "agent" }, "", "client_not_allowed"],
    [{ ALLOWED_CLIENTS: "agent" }, undefined, "client_not_allowed"],
    [{ ALLOWED_CLIENTS: "agents.example" }, METADATA, undefined],
    [{ ALLOWED_CLIENTS: "agents.example" }, "https://agents.example", undefined],
    [{ ALLOWED_CLIENTS: "agents.example" }, "https://agents.example?x", undefined],
    [{ ALLOWED_CLIENTS: "agents.example" }, "http://agents.example/client.json", "client_not_allowed"],
    [{ ALLOWED_CLIENTS: "agents.example" }, "https://agents.example:8443/client.json", "client_not_allowed"],
    [{ ALLOWED_CLIENTS: "agents.example:8443" }, "https://agents.example:8443/client.json", undefined],
    [{ ALLOWED_CLIENTS: "agents.example" }, "https://agents.example.evil.example/client.json", "client_not_allowed"],
    [{ ALLOWED_CLIENTS: "agents.example" }, "https://evil.example/agents.example", "client_not_allowed"],
    [{ ALLOWED_CLIENTS: "agents.example" }, "https://agents.example@evil.example/", "client_not_allowed"],
    [{ ALLOWED_CLIENTS: "agents.example" }, "https://evil.example\\@agents.example/", "client_not_allowed"],
    [{ ALLOWED_CLIENTS: "agents.example" }, "https://evil.example#@agents.example/", "client_not_allowed"],
    [{ ALLOWED_CLIENTS: "agents.example" }, "https:agents.example", "client_not_allowed"],
    [{ ALLOWED_CLIENTS: "agents.example" }, "https:///agents.example", "client_not_allowed"],
    [{ ALLOWED_CLIENTS: "agents.example" }, "https://agents.example./client.json", "client_not_allowed"],
    [{ ALLOWED_CLIENTS: "agent", DENIED_CLIENTS: "agent" }, "agent", "client_denied"],
    [{ ALLOWED_CLIENTS: METADATA, DENIED_CLIENTS: "agents.example" }, METADATA, "client_denied"],
    [{ FIRST_PARTY_CLIENTS: "agent", ALLOWED_CLIENTS: "friend" }, "agent", "client_not_allowed"],
  ];
  for (const [settings, client_id, reason] of cases) {
    test(`${JSON.stringify(settings)} ${reason ? "refuses" : "accepts"} ${client_id === undefined ? "a token that names none" : JSON.stringify(client_id)}`, async () => {
      const { worker, token } = await deploy(settings);
      const request = { token: token({ claims: { client_id } }) };
      // The second time from the cache.
      for (let round = 0; round < 2; round += 1) {
        if (reason) await assertRefused(worker, request, reason);
        else await assertAccepted(worker, request);
      }
    });
  }

  test("the refusal of a denied client does not name missing scopes", async () => {
    const { worker, token } = await deploy({ DENIED_CLIENTS: "agent", REQUIRED_SCOPES: "whoami:read" });
    await assertRefused(worker, { token: token({ claims: { scope: "" } }) }, "client_denied");
  });
});

describe("first-party and third-party clients", () => {
  for (const [list, client_id, party] of [
    ["agent", "agent", "first"],
    ["agent", "agent-2", "third"],
    ["agents.example", "https://agents.example/client.json", "first"],
    ["agents.example", "https://agents.example.evil.example/client.json", "third"],
    ["agents.example", "https://agents.example@evil.example/client.json", "third"],
    ["agent", undefined, "third"],
    ["", "agent", "third"],
  ]) {
    test(`the list "${list}" makes ${client_id ?? "a token that names none"} ${party}-party`, async () => {
      const { worker, token } = await deploy({ FIRST_PARTY_CLIENTS: list });
      const identity = await assertAccepted(worker, { token: token({ claims: { client_id } }) });
      assert.deepEqual([identity.client_party, identity.client_id], [party, client_id]);
    });
  }

  for (const [what, claims, kind, settings = {}] of [
    ["whose subject is the client", { sub: "agent", client_id: "agent" }, "machine"],
    ["whose subject is azp", { sub: "agent", client_id: undefined, azp: "agent" }, "machine"],
    ["of somebody", { sub: "user-1", client_id: "agent" }, "unknown"],
    ["of somebody at Logto", { sub: "user-1", client_id: "agent" }, "user", { PROVIDER: "logto" }],
    ["of somebody where machines are their own subject", { sub: "user-1" }, "user", { USER_BY_SUBJECT: "true" }],
    ["whose subject resembles the client", { sub: "AGENT", client_id: "agent" }, "user", { PROVIDER: "logto" }],
    ["that names no client", { sub: "user-1", client_id: undefined }, "unknown"],
    ["that names no client and tells of a sign-in", { sub: "user-1", client_id: undefined, auth_time: seconds() }, "user"],
    ["of a service account", { sub: "5f0f9a0e", preferred_username: "service-account-agent" }, "machine"],
  ]) {
    test(`a token ${what} is of the kind ${kind}`, async () => {
      const { worker, token } = await deploy(settings);
      assert.equal((await assertAccepted(worker, { token: token({ claims }) })).kind, kind);
    });
  }
});
