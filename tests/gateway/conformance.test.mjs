// The official conformance suite against a server directly, and against the same server behind the gateway: the results
// are the same, check by check.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { listScenarios, runSuite } from "../conformance/suite.mjs";
import { printTable } from "../conformance/table.mjs";
import { startGateway } from "../support/gateway-deployment.mjs";
import "../support/report-failures.mjs";
import { startTokenProxy } from "../support/token-proxy.mjs";
import { freePort } from "../support/worker.mjs";
import { startTypeScript } from "./upstreams/typescript/server.mjs";

const EVERYTHING = { TOOL_SCOPES: "*=allow", PROMPT_SCOPES: "*=allow", RESOURCE_SCOPES: "*=allow" };

/**
 * What differs, each with its reason in README.md: `scenario`, and how it ends directly and behind the gateway.
 * @type {Record<string, Record<string, {directly: string[], behind: string[]}>>}
 */
const DIFFERENCES = {
  "2025-11-25": { "server-sse-multiple-streams": { directly: ["2 passed"], behind: ["1 passed"] } },
  "2026-07-28": {},
};

/** The server by itself, which lets everybody in. */
async function startDirectly() {
  const server = await startTypeScript();
  return { url: server.url, log: () => "", stop: () => server.stop() };
}

/** The server behind a gateway whose assertions it requires. The suite sends no token, so a proxy adds one. */
async function startBehind() {
  const [port, upstreamPort] = [await freePort(), await freePort()];
  const resource = `http://127.0.0.1:${port}/mcp`;
  const upstream = `http://127.0.0.1:${upstreamPort}/mcp`;
  const gateway = await startGateway({ upstream, settings: { ...EVERYTHING, RESOURCE: resource, AUDIENCE: resource } });
  const assertions = { issuer: new URL(resource).origin, audience: upstream, jwksUrl: gateway.jwksUrl };
  const server = await startTypeScript({ port: upstreamPort, assertions });
  const proxy = await startTokenProxy({ port, to: gateway.worker.port, token: await gateway.alice("one", { aud: resource }) });
  return {
    url: resource,
    log: () => gateway.worker.raw(),
    async stop() {
      await proxy.close();
      await gateway.stop();
      await server.stop();
    },
  };
}

/** Every check of a scenario that has not passed, and how many have. */
const outcome = ({ passed, complaints, skipped }) => [
  ...complaints.map(({ id, status }) => `${status} ${id}`),
  ...skipped.map(({ id }) => `SKIPPED ${id}`),
].sort().concat(`${passed} passed`);

for (const [revision, differences] of Object.entries(DIFFERENCES)) {
  describe(`the conformance suite of ${revision}`, async () => {
    const { scored } = await listScenarios(revision);
    const runs = {};
    before(async () => {
      for (const [way, start] of Object.entries({ directly: startDirectly, behind: startBehind })) {
        const target = await start();
        try {
          runs[way] = await runSuite({ url: target.url, revision, log: target.log, results: `gateway-conformance/${way}` });
        } finally {
          await target.stop();
        }
      }
    });
    after(() => {
      for (const [way, { scenarios }] of Object.entries(runs)) printTable(`${revision}, ${way}`, scenarios, (name) => scored.includes(name));
    });

    test("passes behind the gateway as it does directly", () => {
      for (const [way, { exitCode, lastWords }] of Object.entries(runs)) assert.equal(exitCode, 0, `${way}:\n${lastWords}`);
    });

    test("runs the same scenarios, with the same results of each", () => {
      const { directly, behind } = runs;
      assert.ok(scored.length > 0 && scored.every((name) => directly.scenarios.has(name)), directly.lastWords);
      const found = {};
      for (const name of new Set([...directly.scenarios.keys(), ...behind.scenarios.keys()])) {
        const [one, other] = [directly, behind].map(({ scenarios }) => (scenarios.has(name) ? outcome(scenarios.get(name)) : ["has not run"]));
        if (one.join() !== other.join()) {
          const details = behind.scenarios.get(name)?.complaints.map(({ id, errorMessage }) => `\n      ${id}: ${errorMessage}`).join("") ?? "";
          console.log(`  differs: ${name}\n    directly: ${one.join(", ")}\n    behind: ${other.join(", ")}${details}`);
          found[name] = { directly: one, behind: other };
        }
      }
      assert.deepEqual(found, differences, "see tests/gateway/README.md");
    });
  });
}
