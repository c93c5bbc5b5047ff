// The places of the discovery document: which of them counts, and what the log says when none does.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { faults } from "./support/hostile-provider.mjs";
import { attacker, call, deploy, fetchedAgo, first, FRESH_SECONDS, repeat, tally } from "./support/key-deployment.mjs";
import { assertAccepted, assertRefused } from "./support/refusals.mjs";
import "./support/report-failures.mjs";
import { send } from "./support/worker.mjs";

const PLACES = ["discovery", "metadata", "metadata-appended", "discovery-inserted"];
const FOREIGN = "https://other.example/oidc";

const WRONG = (provider) => ({
  "a web page with status 200": faults.page(200),
  "a document without jwks_uri": faults.says(JSON.stringify(provider.document({ jwks_uri: undefined }))),
  "a document with a jwks_uri of another type": faults.says(JSON.stringify(provider.document({ jwks_uri: ["x"] }))),
  "a document of another issuer": faults.says(JSON.stringify(provider.document({ issuer: FOREIGN }))),
  "a redirect": faults.redirect(`${provider.origin}/stolen`),
  "status 500": faults.status(500),
  "status 403": faults.page(403),
  "an empty body": faults.says(""),
  "a closed connection": faults.hangingUp(),
  "a document that is too long": faults.says(" ".repeat(70_000)),
});

/** The documents in these places: `good`, `missing`, or a fault. */
function publish(provider, places) {
  for (const [at, what] of places.entries()) {
    if (what === "good") provider.misbehave(PLACES[at], faults.says(JSON.stringify(provider.document())));
    else if (what !== "missing") provider.misbehave(PLACES[at], what);
    else provider.misbehave(PLACES[at], faults.status(404));
  }
}

const asked = (provider) => PLACES.map((place) => provider.count(place));

describe("what is at one place does not end the search", () => {
  for (const what of Object.keys(WRONG({ document: () => ({}) }))) {
    test(what, async () => {
      for (const places of [["good"], ["wrong", "good"], ["wrong", "wrong", "good"], ["missing", "wrong", "missing", "good"]]) {
        const { worker, provider, newToken } = await deploy();
        publish(provider, places.map((it) => (it === "wrong" ? WRONG(provider)[what] : it)));
        await assertAccepted(worker, { token: newToken() });
        // workerd sends a request once more if the connection was closed.
        assert.deepEqual(asked(provider).map((count) => Math.min(count, 1)), PLACES.map((_, at) => (at < places.length ? 1 : 0)));
        assert.equal(provider.count("elsewhere"), 0, "a redirect was followed");
      }
    });
  }
});

describe("of several valid documents", () => {
  test("the first in the order counts, and the others are not asked", async () => {
    const { worker, provider, newToken } = await deploy();
    const evil = faults.says(JSON.stringify(provider.document({ jwks_uri: `${provider.origin}/evil-jwks` })));
    publish(provider, ["good", evil, evil, evil]);
    provider.misbehave("elsewhere", faults.says(JSON.stringify({ keys: [{ ...attacker.jwk, kid: first.kid }] })));
    await assertAccepted(worker, { token: newToken() });
    await assertRefused(worker, { token: newToken({ ...attacker, kid: first.kid }) }, "bad_signature");
    assert.deepEqual(asked(provider), [1, 0, 0, 0]);
    assert.equal(provider.count("elsewhere"), 0);
  });

  test("a slow first one counts", async () => {
    const { worker, provider, newToken } = await deploy();
    publish(provider, ["missing", "good", "good", "good"]);
    provider.misbehave("discovery", (response) => setTimeout(() => response.end(JSON.stringify(provider.document())), 1500));
    await assertAccepted(worker, { token: newToken() });
    assert.deepEqual(asked(provider), [1, 0, 0, 0]);
  });
});

test("the mirror shows the document of the place where it was found", async () => {
  const { worker, provider, newToken } = await deploy({ settings: { AUTHORIZATION_SERVER_MIRROR: "true" } });
  publish(provider, [faults.page(200), "missing", "missing", "good"]);
  await assertAccepted(worker, { token: newToken() });
  const { json } = await send(worker, { path: "/.well-known/oauth-authorization-server/mcp" });
  assert.deepEqual(json, provider.document());
});

test("optional members of another type are ignored", async () => {
  const { worker, provider, newToken } = await deploy();
  provider.discovery = {
    authorization_endpoint: 7, token_endpoint: null, introspection_endpoint: {}, userinfo_endpoint: [], end_session_endpoint: true,
    introspection_endpoint_auth_methods_supported: "client_secret_post", scopes_supported: {}, response_types_supported: 7,
  };
  await assertAccepted(worker, { token: newToken() });
});

describe("when no place has the document", () => {
  test("it is an outage, and the log has each place with its cause", async () => {
    const { worker, provider, newToken } = await deploy();
    publish(provider, [faults.status(500), "missing", faults.page(200), "missing"]);
    const { line } = await assertRefused(worker, { token: newToken() }, "keys_unavailable");
    assert.equal(
      line.detail,
      `${provider.issuer}: no discovery document: OpenID appended: status 500; OAuth inserted: status 404; ` +
        "OAuth appended: not a discovery document; OpenID inserted: status 404",
    );
    assert.deepEqual(asked(provider), [1, 1, 1, 1]);
  });

  test("a foreign issuer is named", async () => {
    const { worker, provider, newToken } = await deploy();
    publish(provider, ["missing", faults.says(JSON.stringify(provider.document({ issuer: FOREIGN }))), "missing", "missing"]);
    const { line } = await assertRefused(worker, { token: newToken() }, "keys_unavailable");
    assert.ok(line.detail.includes(FOREIGN), line.detail);
    assert.equal(provider.count("jwks"), 0, "its keys were fetched");
  });

  test("many requests make one search every few seconds", async () => {
    const { worker, provider, newToken } = await deploy();
    publish(provider, [faults.status(500), faults.status(500), "missing", faults.page(200)]);
    const started = Date.now();
    const answers = await repeat(200, 20, () => call(worker, newToken()));
    const searches = 1 + Math.ceil((Date.now() - started) / 5000);
    assert.deepEqual(tally(answers), { 503: 200 });
    assert.ok(asked(provider).every((count) => count >= 1 && count <= searches), asked(provider).join(" "));
  });

  test("old keys are used, and the old document leads to new ones", async () => {
    const { worker, provider, token } = await deploy({ record: fetchedAgo(FRESH_SECONDS + 1) });
    publish(provider, [faults.status(500), "missing", "missing", "missing"]);
    await assertAccepted(worker, { token: token() });
    await worker.waitFor(() => provider.count("jwks") > 0, "the keys were not fetched");
    await assertAccepted(worker, { token: token() });
  });
});

describe("Cloudflare's error 1042", () => {
  const names = (detail) => {
    for (const text of ["1042", "global_fetch_strictly_public", "Worker"]) assert.ok(detail.includes(text), detail);
  };

  test("of the discovery document: the log names the likely cause and the flag", async () => {
    const { worker, provider, newToken } = await deploy();
    publish(provider, PLACES.map(() => faults.sameZone()));
    names((await assertRefused(worker, { token: newToken() }, "keys_unavailable")).line.detail);
  });

  test("of the keys: likewise", async () => {
    const { worker, provider, newToken } = await deploy();
    provider.misbehave("jwks", faults.sameZone());
    names((await assertRefused(worker, { token: newToken() }, "keys_unavailable")).line.detail);
  });
});
