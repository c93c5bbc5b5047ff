// `make dev WORKER=examples/agenda` and `make call`: an agent in a terminal asks for events, its user connects a calendar.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { linkIn } from "./support/connections-deployment.mjs";
import { Person } from "./support/connections-person.mjs";
import { printed, run, start } from "./support/program.mjs";
import { freePort } from "./support/worker.mjs";

const PORTS = ["PORT", "IDP_PORT", "VAULT_PORT", "CALENDAR_PORT", "BILLING_PORT"];

describe("make dev WORKER=examples/agenda", () => {
  let ports;
  let dev;
  let call;
  let alice;

  before(async () => {
    ports = Object.fromEntries(await Promise.all(PORTS.map(async (name) => [name, String(await freePort())])));
    dev = start("dev/start.mjs", [], { ...ports, WORKER: "examples/agenda" });
    // The first build may take minutes.
    await printed(dev, /Ctrl-C stops everything/);
    const origin = `http://localhost:${ports.PORT}`;
    call = (...args) => start("dev/call.mjs", ["--login", "alice", "--url", `${origin}/mcp`, ...args]);
    alice = new Person({ origin, calendar: { origin: `http://localhost:${ports.CALENDAR_PORT}` } }, "alice");
  });

  after(async () => {
    dev.child.kill("SIGINT");
    await dev.ended;
  });

  test("prints the services, their accounts and what to try", () => {
    assert.match(dev.output, new RegExp(`Connected +http://localhost:${ports.PORT}/account/connections\n`));
    assert.match(dev.output, new RegExp(`Calendar +http://localhost:${ports.CALENDAR_PORT}/api, .*\n.*alice\\.calendar`));
    assert.ok(dev.output.includes(`PORT=${ports.PORT} make call ARGS="list_events"`));
  });

  test("an agent that shows no links reads the link in the answer", async () => {
    const program = call("--no-links", "list_events");
    assert.equal(await program.ended, 1, program.output);
    assert.ok(linkIn(program.output), program.output);
  });

  test("an agent shows the link, its user connects the calendar, and the call ends with the events", async () => {
    const program = call("list_events", '{"days": 2}');
    const [link] = await printed(program, /http:\S+\/account\/connect\/[\w-]+/);
    await alice.connect(link);
    assert.equal(await program.ended, 0, program.output);
    assert.match(program.output, /Dentist/);
    const again = call("list_events");
    assert.equal(await again.ended, 0, again.output);
    assert.match(again.output, /Train to Oslo/);
    assert.ok(!again.output.includes("/account/connect"), "nobody is asked twice");
  });

  test("an agent gets the invoices without asking anybody", async () => {
    const program = call("my_invoices");
    assert.equal(await program.ended, 0, program.output);
    assert.match(program.output, /2026-0117/);
  });

  test("the page shows what was used", async () => {
    const { text } = await alice.visit("/account/connections");
    for (const shown of ["Calendar", "alice.calendar", "list_events"]) assert.ok(text.includes(shown), text);
  });
});

test("make dev refuses examples that it does not know, and a gateway that is one", async () => {
  const unknown = await run("dev/start.mjs", [], { WORKER: "examples/other" });
  assert.equal(unknown.code, 1);
  assert.match(unknown.output, /^dev: WORKER=examples\/other is no example that make dev runs; it runs examples\/agenda\n$/);
  const both = await run("dev/start.mjs", [], { WORKER: "examples/agenda", UPSTREAM: "http://localhost:1/mcp" });
  assert.match(both.output, /^dev: WORKER and UPSTREAM are both set/);
});

test("make call explains its arguments", async () => {
  const help = await run("dev/call.mjs", ["--help"]);
  assert.deepEqual([help.code, /^Usage: /.test(help.output)], [0, true]);
  for (const args of [[], ["list_events", "[]"], ["list_events", "{", "x"]]) {
    const { code, output } = await run("dev/call.mjs", args);
    assert.equal(code, 1);
    assert.match(output, /^call: .+\n\nUsage: /s);
  }
});
