// Access keys while many use one, and while the provider or the vault fails. Refresh tokens can be used once here, so an
// error ends a key for good.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { User } from "./support/account.mjs";
import { legacyCall } from "./support/messages.mjs";
import "./support/report-failures.mjs";
import { vaultDeployments } from "./support/vault-deployment.mjs";
import { post } from "./support/worker.mjs";

// So long the provider's tokens are good, and with them what the vault and the endpoints keep of them.
const TOKEN_SECONDS = 4;

// For so long the vault spares a provider that has failed, and an attempt counts that nobody has ended.
const SPARED_MS = 6_000;
const ATTEMPT_MS = 16_000;

const start = vaultDeployments();
const deployment = await start({ second: true, provider: { accessTokenSeconds: TOKEN_SECONDS } });
const { worker, second, tokens } = deployment;

const alice = new User(deployment, "alice");
await alice.signIn();

const whoami = (key, at = worker) => post(at, { token: key, message: legacyCall("whoami") });
const statusesOf = async (answers) => [...new Set((await Promise.all(answers)).map(({ status }) => status))];
const untilTokensEnd = () => sleep((TOKEN_SECONDS + 1) * 1000);

describe("a key that many use at once", () => {
  test("is refreshed once at a time, and does not die of it", async () => {
    const key = await alice.make();
    for (let round = 0; round < 3; round += 1) {
      tokens.refreshes = tokens.most = 0;
      tokens.pause = () => sleep(300);
      const uses = Array.from({ length: 100 }, (_, index) => whoami(key, index % 2 === 0 ? worker : second));
      assert.deepEqual(await statusesOf(uses), [200], `round ${round}`);
      assert.deepEqual([tokens.refreshes, tokens.most], [1, 1], `round ${round}`);
      await untilTokensEnd();
    }
    tokens.pause = undefined;
  });
});

describe("the provider", () => {
  test("that dies before it has seen a refresh costs a moment", async () => {
    const key = await alice.make();
    tokens.mood = "die-before";
    const { status, headers } = await whoami(key);
    assert.equal(status, 503);
    assert.ok(Number(headers["retry-after"]) >= 1);
    tokens.mood = "answer";
    await sleep(SPARED_MS);
    assert.equal((await whoami(key)).status, 200);
  });

  test("that answers 503 ends no key", async () => {
    const key = await alice.make();
    tokens.mood = "fail";
    assert.equal((await whoami(key)).status, 503);
    tokens.mood = "answer";
    await sleep(SPARED_MS);
    assert.equal((await whoami(key)).status, 200);
  });

  test("whose answer is lost has the key ended by what it says to the repetition, and by nothing else", async () => {
    const key = await alice.make();
    tokens.mood = "die-after";
    assert.equal((await whoami(key)).status, 503, "the outcome is unknown");
    tokens.mood = "answer";
    await sleep(SPARED_MS);
    // Used twice, the refresh token is taken for a stolen one: the user has to sign in again.
    assert.equal((await whoami(key)).status, 401);
    assert.match((await alice.keys()).body, /ended/i);
  });
});

describe("the vault", () => {
  test("that is killed before the provider has seen a refresh has the key work afterwards", async () => {
    const key = await alice.make();
    tokens.pause = async () => {
      tokens.pause = undefined;
      tokens.mood = "die-before";
      deployment.vault.kill();
    };
    assert.equal((await whoami(key)).status, 503);
    tokens.mood = "answer";
    await deployment.crashVault();
    await sleep(ATTEMPT_MS);
    assert.equal((await whoami(key)).status, 200);
  });

  test("that is killed between a refresh and its answer knows afterwards that the key has ended", async () => {
    const key = await alice.make();
    tokens.answered = async () => {
      tokens.answered = undefined;
      deployment.vault.kill();
    };
    assert.equal((await whoami(key)).status, 503, "the outcome is unknown");
    await deployment.crashVault();
    await sleep(ATTEMPT_MS);
    assert.equal((await whoami(key)).status, 401);
    // Neither is any other key of it hurt.
    assert.equal((await whoami(await alice.make())).status, 200);
  });
});
