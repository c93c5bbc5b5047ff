// Tokens as providers write them, to a Worker with the settings that an operator would have: whom they stand for, and what
// is refused. The corpus and its sources are in crates/oauth-resource-server/tests/profiles.

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import { startHostileProvider } from "./support/hostile-provider.mjs";
import { legacyCall } from "./support/messages.mjs";
import { assertAccepted, assertRefused, ask } from "./support/refusals.mjs";
import "./support/report-failures.mjs";
import { createSigner } from "./support/signers.mjs";
import { freePort, startKeyValueStore, startWorker } from "./support/worker.mjs";

const FOLDER = new URL("../crates/oauth-resource-server/tests/profiles/", import.meta.url);

/** The resource of the corpus: replaced by that of the Worker. */
const RESOURCE = "https://mcp.example.com/mcp";

const signer = await createSigner("RS256", { kid: "key" });
const seconds = () => Math.floor(Date.now() / 1000);

for (const file of readdirSync(FOLDER).filter((name) => name.endsWith(".json"))) {
  describe(file.replace(".json", ""), () => {
    const port = freePort();
    const providers = [];
    const workers = [];
    let corpus, settings, resource;

    before(async () => {
      resource = `http://127.0.0.1:${await port}/mcp`;
      corpus = JSON.parse(readFileSync(new URL(file, FOLDER), "utf8").replaceAll(RESOURCE, resource));
      settings = { ...corpus.settings, PROVIDER: corpus.provider, DISCOVERY_URL: await discovery(corpus.settings.ISSUER) };
      if (settings.MORE_ISSUERS) {
        const entries = JSON.parse(settings.MORE_ISSUERS).map(async (entry) => ({
          ...entry,
          discovery_url: await discovery(entry.issuer),
        }));
        settings.MORE_ISSUERS = await Promise.all(entries);
      }
    });

    after(async () => {
      for (const { stop } of workers) await stop();
      for (const provider of providers) await provider.stop();
    });

    /** Starts a server that publishes what the issuer would, and returns where. */
    async function discovery(issuer) {
      const provider = await startHostileProvider({ keys: [signer.jwk] });
      provider.discovery = { issuer };
      providers.push(provider);
      return `${provider.issuer}/.well-known/openid-configuration`;
    }

    /** Starts the Worker; the one before ends. */
    async function deploy(more = {}, options = {}) {
      await workers.pop()?.stop();
      const worker = await startWorker({ port: await port, settings: { ...settings, ...more }, ...options });
      workers.push({ stop: () => worker.stop() });
      return worker;
    }

    const good = () => corpus.tokens.filter(({ expected }) => typeof expected === "object");

    /** Signs a token of the corpus. */
    function sign({ header, claims }, changes = {}) {
      const times = { iat: seconds() - 60, exp: seconds() + 3600 };
      const encode = (part) => Buffer.from(JSON.stringify(part)).toString("base64url");
      const input = `${encode({ alg: "RS256", kid: "key", ...header })}.${encode({ ...claims, ...times, ...changes })}`;
      return `${input}.${signer.sign(input).toString("base64url")}`;
    }

    test("tokens stand for whom the provider says, and others are refused", async () => {
      const worker = await deploy();
      for (const token of corpus.tokens) {
        if (typeof token.expected === "string") {
          await assertRefused(worker, { token: sign(token) }, token.expected, { scope: "" });
          continue;
        }
        const { sub, kind, client_id, scopes, organization_id = null } = await assertAccepted(worker, { token: sign(token) });
        const found = { kind, subject: sub, client_id, scopes: scopes.join(" "), organization_id };
        assert.deepEqual(found, token.expected, token.name);
      }
    });

    test("a token for another audience is refused", async () => {
      const worker = await deploy();
      for (const token of good()) {
        const aud = "https://other.example/mcp";
        await assertRefused(worker, { token: sign(token, { aud }) }, "wrong_audience", { scope: "" });
      }
    });

    test("lists of clients name the clients of its tokens", async () => {
      const clients = [...new Set(good().map(({ expected }) => expected.client_id))];
      const [allowed, denied] = [await deploy({ ALLOWED_CLIENTS: clients[0] }), clients[0]];
      const isFirst = ({ expected }) => expected.client_id === denied;
      for (const token of good()) {
        if (isFirst(token)) await assertAccepted(allowed, { token: sign(token) });
        else await assertRefused(allowed, { token: sign(token) }, "client_not_allowed");
      }
      const worker = await deploy({ DENIED_CLIENTS: denied });
      for (const token of good()) {
        if (isFirst(token)) await assertRefused(worker, { token: sign(token) }, "client_denied");
        else await assertAccepted(worker, { token: sign(token) });
      }
    });

    test("a tool gets the scopes and the users of its tokens", async () => {
      const store = await startKeyValueStore();
      const worker = await deploy({}, { build: "examples/notes/build", namespaces: { NOTES: store } });
      try {
        for (const token of good()) {
          const { kind, scopes } = token.expected;
          const mayRead = scopes.split(" ").includes("notes:read");
          const call = async (name) => (await ask(worker, { token: sign(token), message: legacyCall(name) })).line.reason;
          const refusal = kind === "user" ? "insufficient_scope" : "user_required";
          assert.equal(await call("list_notes"), kind === "user" && mayRead ? undefined : refusal, token.name);
          assert.equal(await call("import_notes"), refusal, token.name);
        }
      } finally {
        await store.close();
      }
    });
  });
}
