// A long soak: make soak, with REQUESTS=200000 and SEED=… to repeat one. In its course the provider rotates its keys and
// is down for a while. The exit code is 1 if an answer was wrong, an isolate crashed, or memory grew, and 2 if a setting
// is wrong.

import { setTimeout as sleep } from "node:timers/promises";
import { post } from "./support/requests.mjs";
import { legacyCall } from "./support/messages.mjs";
import { describeReport, growthIn, seedOf, soak, wholeNumber } from "./support/soak.mjs";

const OUTAGE_SECONDS = 30;
// Fetches for unknown keys are limited, and the hostile requests use the limit up.
const ROTATION_PATIENCE_SECONDS = 120;

// Fewer say nothing about memory.
const MIN_REQUESTS = 100;

const { requests, seed } = settings();
process.stdout.write(`soak: ${requests.toLocaleString("en")} requests, SEED=${seed}\n`);

const report = await soak({
  seed,
  requests,
  events: { [Math.floor(requests * 0.4)]: rotateKeys, [Math.floor(requests * 0.7)]: outage },
  onProgress: (done) => process.stdout.write(`\rsoak: ${Math.round((100 * done) / requests)} %`),
});
process.stdout.write(`\n${describeReport(report)}\n`);

const growing = growthIn(report.memory);
for (const growth of growing) process.stdout.write(`memory grows: ${growth}\n`);
if (report.wrongTotal > 0 || report.crashes.length > 0 || growing.length > 0) {
  process.stdout.write(`repeat it with: make soak REQUESTS=${requests} SEED=${seed}\n`);
  process.exit(1);
}

function settings() {
  try {
    const requests = wholeNumber("REQUESTS", process.env.REQUESTS, () => 200_000);
    if (requests < MIN_REQUESTS) throw new Error(`REQUESTS must be at least ${MIN_REQUESTS}`);
    return { requests, seed: seedOf(process.env.SEED) };
  } catch (error) {
    process.stderr.write(`soak: ${error.message}\n`);
    process.exit(2);
  }
}

/** Publishes a second key in front of the first, and signs new tokens with it once it is accepted. */
async function rotateKeys(world) {
  const { first, second } = world.signers;
  world.provider.keys = [second.jwk, first.jwk];
  const started = Date.now();
  const seconds = () => (Date.now() - started) / 1000;
  for (const server of [world.whoami, world.notes]) {
    for (;;) {
      const issued = Math.floor(Date.now() / 1000);
      const token = server.token({ signer: second, claims: { sub: "user-0", scope: "whoami:read notes:read", iat: issued } });
      const { status } = await post(server.worker, { token, message: legacyCall("whoami") });
      if (status === 200) break;
      if (![401, 503].includes(status)) throw new Error(`a token of a new key: ${status}`);
      if (seconds() > ROTATION_PATIENCE_SECONDS) throw new Error("a new key was not accepted");
      await sleep(1_000);
    }
  }
  world.signer = second;
  return `a new key was accepted by both after ${seconds().toFixed(1)} s`;
}

/** Stops the provider. Valid requests must not notice. */
async function outage(world) {
  world.isOutage = true;
  await world.provider.stop();
  await sleep(OUTAGE_SECONDS * 1_000);
  await world.provider.start();
  // A failure is remembered for a while.
  await sleep(OUTAGE_SECONDS * 1_000);
  world.isOutage = false;
  return `the provider was down for ${OUTAGE_SECONDS} s`;
}
