// The official MCP conformance suite against the fixture Worker on workerd.
//
// The suite sends no token, and the Worker always requires one. A proxy adds it and changes nothing else; RESOURCE is the
// proxy's URL.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { startIdentityProvider } from "../../dev/identity-provider/index.mjs";
import { startTokenProxy } from "../support/token-proxy.mjs";
import { tokenOf } from "../support/tokens.mjs";
import { freePort, post, startWorker } from "../support/worker.mjs";
import { listScenarios, readBaseline, runSuite } from "./suite.mjs";
import { printTable } from "./table.mjs";

const port = await freePort();
const resource = `http://127.0.0.1:${port}/mcp`;
const provider = await startIdentityProvider({ port: 0, resource });
const worker = await startWorker({
  build: "tests/conformance/build",
  settings: {
    ISSUER: provider.issuer,
    RESOURCE: resource,
    REQUIRED_SCOPES: "whoami:read",
    STATE_SECRET: "the state of the conformance suite",
  },
});
const token = await tokenOf({ provider, resource }, "alice");
const proxy = await startTokenProxy({ port, to: worker.port, token });

after(async () => {
  await proxy.close();
  await worker.stop();
  await provider.close();
});

/**
 * The expected results of each revision. They change with a new version of the suite or with a scenario that checks less.
 *
 * `unscored` are scenarios that the suite runs without counting them and that must pass here nonetheless; the others
 * of that kind (the tasks extension; sessions and resumption of streams) need memory that all isolates share, which
 * this server does without. `skipped` are checks for what a server may offer and this one does not.
 */
const REVISIONS = {
  "2026-07-28": {
    scored: { scenarios: 37, checks: 115 },
    unscored: {
      "http-header-validation": 14,
      "http-custom-header-server-validation": 10,
      "json-schema-2020-12": 8,
    },
    // Lists change only with a deployment, so the server has no subscriptions.
    skipped: [
      "server-stateless:sep-2575-server-sends-subscription-ack",
      "server-stateless:sep-2575-server-tags-subscription-id",
      "server-stateless:sep-2575-server-honors-notification-filter",
      "server-stateless:sep-2575-server-sends-tools-list-changed-on-subscription",
      "server-stateless:sep-2575-server-sends-prompts-list-changed-on-subscription",
    ],
  },
  "2025-11-25": {
    scored: { scenarios: 30, checks: 55 },
    unscored: { "json-schema-2020-12": 8 },
    skipped: [],
    baseline: "tests/conformance/baseline-2025-11-25.yml",
  },
};

test("the Worker under test requires a token", async () => {
  const { status, headers } = await post(worker, { message: { jsonrpc: "2.0", id: 1, method: "ping" } });
  assert.equal(status, 401);
  assert.match(headers["www-authenticate"], /^Bearer /);
});

for (const [revision, { scored, unscored, skipped, baseline }] of Object.entries(REVISIONS)) {
  describe(`the conformance suite of ${revision}`, async () => {
    const names = await listScenarios(revision);
    const expected = baseline === undefined ? [] : await readBaseline(baseline);
    const isScored = (name) => names.scored.includes(name);

    /** @type {Awaited<ReturnType<typeof runSuite>>} */
    let run;
    before(async () => {
      worker.clearLogs();
      run = await runSuite({ url: resource, revision, baseline, log: () => worker.raw() });
    });
    after(() => printTable(`conformance ${revision}`, run.scenarios, isScored));

    test("the suite passes", () => {
      assert.equal(run.exitCode, 0, `it ended with code ${run.exitCode}; its last words:\n${run.lastWords}`);
    });

    for (const name of names.scored) {
      const inPart = of(name, expected).length > 0 ? ", but for what the baseline names" : "";
      test(`${name}${inPart}`, () => assertPassed(run, name, { expected, skipped }));
    }

    for (const [name, checks] of Object.entries(unscored)) {
      test(`${name}, which is not scored`, () => {
        assertPassed(run, name, { expected: [], skipped: [] });
        assert.equal(run.scenarios.get(name).passed, checks);
      });
    }

    test("the number of checks is unchanged", () => {
      assert.equal(names.scored.length, scored.scenarios);
      const results = [...run.scenarios].filter(([name]) => isScored(name)).map(([, result]) => result);
      assert.equal(results.length, scored.scenarios);
      assert.equal(
        results.reduce((sum, { passed }) => sum + passed, 0),
        scored.checks,
      );
    });
  });
}

/** Returns the entries of `scenario:check` of this scenario. */
function of(name, entries) {
  return entries.filter((entry) => entry.startsWith(`${name}:`));
}

/** Asserts that a scenario has run, with exactly the expected failures, warnings and skipped checks. */
function assertPassed(run, name, { expected, skipped }) {
  const result = run.scenarios.get(name);
  assert.ok(result, `it has not run; the suite's last words:\n${run.lastWords}`);
  const named = (checks) => [...new Set(checks.map(({ id }) => `${name}:${id}`))].sort();
  const details = result.complaints.map(({ id, status, errorMessage }) => `\n- ${status} ${id}: ${errorMessage ?? ""}`);
  const where = `\nMore in ${run.folder}: ${result.file} and worker.log`;
  assert.deepEqual(named(result.complaints), of(name, expected).sort(), details.join("") + where);
  assert.deepEqual(named(result.skipped), of(name, skipped).sort(), `other checks than usual were skipped${where}`);
  if (result.complaints.length === 0) assert.ok(result.passed > 0, `it has checked nothing${where}`);
}
