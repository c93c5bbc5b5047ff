// A short soak: 5,000 mixed requests, valid and hostile, aborted and slow. `make soak` sends 200,000.

import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import "./support/report-failures.mjs";
import { describeReport, growthIn, seedOf, soak } from "./support/soak.mjs";

const REQUESTS = 5_000;

describe("after 5,000 mixed requests", () => {
  const seed = seedOf(process.env.SEED);
  const repeat = `repeat it with: SEED=${seed} dev/with-tools node --test tests/soak.test.mjs`;
  let report;
  before(async () => {
    // Now: a run that is ended from outside has no report.
    process.stdout.write(`soak: SEED=${seed}\n`);
    report = await soak({ seed, requests: REQUESTS });
  });

  test("every answer was right, and nobody got that of another user", (context) => {
    context.diagnostic(`SEED=${seed}\n${describeReport(report)}`);
    assert.deepEqual(report.wrong, [], repeat);
  });

  test("no isolate has crashed or restarted", () => {
    assert.deepEqual(report.crashes, [], repeat);
  });

  test("every request is counted, and most are valid", () => {
    const all = Object.values(report.counts).flatMap((statuses) => Object.values(statuses));
    assert.equal(all.reduce((sum, count) => sum + count, 0), REQUESTS, repeat);
    assert.ok(report.counts["whoami, legacy"][200] > 1_000, repeat);
  });

  test("memory is bounded", () => {
    assert.deepEqual(growthIn(report.memory), [], repeat);
  });
});
