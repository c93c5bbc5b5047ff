// A short soak: 5,000 mixed requests, valid and hostile, aborted and slow. `make soak` sends 200,000.

import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import "./support/report-failures.mjs";
import { describeReport, seedOf, soak } from "./support/soak.mjs";

const MEBIBYTE = 1024 * 1024;
const REQUESTS = 5_000;

describe("after 5,000 mixed requests", () => {
  const seed = seedOf(process.env.SEED);
  let report;
  before(async () => {
    report = await soak({ seed, requests: REQUESTS });
  });

  test("every answer was right, and nobody got that of another user", (context) => {
    context.diagnostic(`SEED=${seed}\n${describeReport(report)}`);
    assert.deepEqual(report.wrong, [], `repeat it with SEED=${seed}`);
  });

  test("no isolate has crashed or restarted", () => {
    assert.deepEqual(report.crashes, [], `repeat it with SEED=${seed}`);
  });

  test("every request is counted, and most are valid", () => {
    const all = Object.values(report.counts).flatMap((statuses) => Object.values(statuses));
    assert.equal(all.reduce((sum, count) => sum + count, 0), REQUESTS);
    assert.ok(report.counts["whoami, legacy"][200] > 1_000);
  });

  test("memory is bounded", () => {
    for (const [worker, { resident, wasm }] of Object.entries(report.memory)) {
      assert.ok(resident.last - resident.first < 192 * MEBIBYTE, `${worker} grows: ${JSON.stringify(resident)}`);
      assert.ok(wasm.last - wasm.first < 40 * MEBIBYTE, `${worker}: WebAssembly grows: ${JSON.stringify(wasm)}`);
    }
  });
});
