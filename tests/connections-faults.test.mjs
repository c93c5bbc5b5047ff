// Connected accounts over time: access tokens that end, refreshes that happen once, and a service that refuses, ends grants,
// grants more than was asked for, is slow, or is down.

import assert from "node:assert/strict";
import { afterEach, describe, test } from "node:test";
import { connectionDeployments } from "./support/connections-deployment.mjs";
import "./support/report-failures.mjs";

/** For how long a token is used: half of its life, if that is short. */
const GOOD_SECONDS = 5;

const start = connectionDeployments();
const [lasting, brief] = [
  await start({ second: true }),
  await start({ calendar: { accessTokenSeconds: 2 * GOOD_SECONDS } }),
];

afterEach(() => {
  for (const { calendar } of [lasting, brief]) {
    calendar.isDown = false;
    calendar.provider.misbehave();
  }
});

const titles = ({ structured, text }) => structured?.events.map(({ title }) => title) ?? text;
const OF_ALICE = ["Dentist", "Dinner with Bob", "Train to Oslo"];

/** A user who has connected their calendar, and their token. */
async function connected(deployment) {
  const user = deployment.newUser();
  const token = await user.token();
  await user.connect((await deployment.call(token)).link);
  return { user, token };
}

const refreshesOf = ({ calendar }) => calendar.provider.counts.refreshes;

const untilOver = () => new Promise((wake) => setTimeout(wake, GOOD_SECONDS * 1000 + 200));

describe("an access token", () => {
  test("that is over is refreshed, and only then", async () => {
    const { token } = await connected(brief);
    const before = refreshesOf(brief);
    assert.deepEqual(titles(await brief.call(token)), OF_ALICE);
    assert.equal(refreshesOf(brief), before);
    await untilOver();
    assert.deepEqual(titles(await brief.call(token)), OF_ALICE);
    assert.equal(refreshesOf(brief), before + 1);
  });

  test("that is over is refreshed once for a hundred calls, from two endpoints", async () => {
    const { token } = await connected(lasting);
    const before = refreshesOf(lasting);
    lasting.calendar.expireTokens();
    lasting.calendar.provider.misbehave({ when: "before", how: "delay", milliseconds: 300 });
    const calls = Array.from({ length: 100 }, (_, index) =>
      lasting.call(token, "list_events", {}, index % 2 === 0 ? lasting.worker : lasting.second),
    );
    const results = await Promise.all(calls);
    assert.deepEqual([...new Set(results.map((result) => JSON.stringify(titles(result))))], [JSON.stringify(OF_ALICE)]);
    assert.equal(refreshesOf(lasting), before + 1);
  });

  test("that the service refuses is refreshed at once", async () => {
    const { token } = await connected(lasting);
    const before = refreshesOf(lasting);
    lasting.calendar.expireTokens();
    assert.deepEqual(titles(await lasting.call(token)), OF_ALICE);
    assert.deepEqual(titles(await lasting.call(token)), OF_ALICE);
    assert.equal(refreshesOf(lasting), before + 1);
  });

  test("is refreshed with the new refresh token after the vault has crashed", async () => {
    const { token } = await connected(lasting);
    lasting.calendar.expireTokens();
    assert.deepEqual(titles(await lasting.call(token)), OF_ALICE);
    await lasting.crashVault();
    lasting.calendar.expireTokens();
    assert.deepEqual(titles(await lasting.call(token)), OF_ALICE);
  });
});

describe("an account", () => {
  test("whose grant the service has ended is connected anew, and the page says so until then", async () => {
    const { user, token } = await connected(lasting);
    lasting.calendar.revokeGrants();
    const { isError, link } = await lasting.call(token);
    assert.ok(isError && link !== undefined);
    const page = await user.visit("/account/connections");
    assert.match(page.text, /does not accept it any more/);
    await user.connect(link);
    assert.deepEqual(titles(await lasting.call(token)), OF_ALICE);
  });

  test("stays while the service is down: no link, no loss", async () => {
    const { token } = await connected(lasting);
    lasting.calendar.isDown = true;
    const down = await lasting.call(token);
    assert.ok(down.isError && down.link === undefined, down.text);
    assert.match(down.text, /cannot be reached/);
    lasting.calendar.isDown = false;
    assert.deepEqual(titles(await lasting.call(token)), OF_ALICE);
  });

  for (const how of ["fail", "break"]) {
    test(`stays while the service gives no new token (${how})`, async () => {
      const { token } = await connected(lasting);
      lasting.calendar.expireTokens();
      lasting.calendar.provider.misbehave({ when: "before", how });
      const down = await lasting.call(token);
      assert.ok(down.isError && down.link === undefined, down.text);
      lasting.calendar.provider.misbehave();
      await waitFor(async () => titles(await lasting.call(token)).includes("Dentist"));
    });
  }

  test("survives a refresh whose answer was lost, or ends with a link: it never hangs", async () => {
    const { user, token } = await connected(lasting);
    lasting.calendar.expireTokens();
    lasting.calendar.provider.misbehave({ when: "after", how: "break", times: 1 });
    await lasting.call(token);
    // The refresh token was used, and can be used once.
    await waitFor(async () => (await lasting.call(token)).link !== undefined);
    await user.connect((await lasting.call(token)).link);
    assert.deepEqual(titles(await lasting.call(token)), OF_ALICE);
  });

  test("gets no scopes that were not asked for, neither at first nor by a refresh", async () => {
    const user = lasting.newUser();
    const token = await user.token();
    const wider = { when: "after", how: "change", members: { scope: "events:read events:write" }, times: 1 };
    const { link } = await lasting.call(token);
    lasting.calendar.provider.misbehave(wider);
    const page = await user.agree(await user.visit(link));
    assert.ok(page.status >= 400, page.text);
    assert.equal((await lasting.call(token)).link, link);
    await user.connect(link);
    assert.deepEqual(titles(await lasting.call(token)), OF_ALICE);

    lasting.calendar.expireTokens();
    lasting.calendar.provider.misbehave(wider);
    const refreshed = await lasting.call(token);
    assert.ok(refreshed.isError, refreshed.text);
  });

  test("of a slow service takes its time", async () => {
    const { token } = await connected(lasting);
    lasting.calendar.expireTokens();
    lasting.calendar.provider.misbehave({ when: "before", how: "delay", milliseconds: 2_000, times: 1 });
    assert.deepEqual(titles(await lasting.call(token)), OF_ALICE);
  });

  test("is not asked about while the service is down, and can then be connected", async () => {
    const user = lasting.newUser();
    const token = await user.token();
    const { link } = await lasting.call(token);
    lasting.calendar.provider.misbehave({ when: "before", how: "fail", times: 1 });
    const page = await user.agree(await user.visit(link));
    assert.ok(page.status >= 400, page.text);
    assert.equal((await lasting.call(token)).link, link, "it is the same link");
  });
});

/** Waits for what a failure delays by some seconds. */
async function waitFor(condition, patienceMs = 20_000) {
  const deadline = Date.now() + patienceMs;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error("it has not happened");
    await new Promise((wake) => setTimeout(wake, 500));
  }
}
