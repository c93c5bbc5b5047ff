// A minimal run of the benchmark: every contender gets every load, every response is checked, and no time is asserted.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, readFile, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { contenders, gateways } from "./contenders/index.mjs";
import { hasUpstream, isExchanged, loads } from "./harness/loads.mjs";

const MAIN = fileURLToPath(new URL("./main.mjs", import.meta.url));
const execute = promisify(execFile);

describe("a short run", () => {
  let folder;
  let printed;
  let results;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "mcp-edge-bench-test-"));
    ({ stdout: printed } = await execute(process.execPath, [MAIN, "--smoke", "--output", folder]));
    results = JSON.parse(await readFile(join(folder, "latest.json"), "utf8"));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  test("has a round of every load for every contender, with all figures", () => {
    for (const load of loads) {
      assert.deepEqual(Object.keys(results.rounds[load.name]), load.contenders);
      for (const [name, rounds] of Object.entries(results.rounds[load.name])) {
        assert.equal(rounds.length, 1);
        const { operations, cpuMs, vaultCpuMs, residentBytes, ...numbers } = rounds[0];
        for (const [figure, value] of Object.entries(numbers)) assert.ok(value > 0, `${load.name}, ${name}: ${figure}`);
        if (process.platform === "linux") {
          // A round this short may take less time than the resolution of the clock.
          assert.ok(cpuMs >= 0, `${load.name}, ${name}: CPU`);
          assert.ok(residentBytes > 0, `${load.name}, ${name}: memory`);
          if (load.credential === "access_key") assert.ok(vaultCpuMs >= 0, `${load.name}, ${name}: CPU of the vault`);
        }
        if (!isExchanged(load)) assert.deepEqual(Object.keys(operations), ["discovery", "jwks", "kvReads", "kvWrites"]);
      }
    }
  });

  test("has as many calls of the upstream as were answered", () => {
    for (const { name: load } of loads.filter(hasUpstream)) {
      for (const { name } of gateways) {
        const [{ upstreamRequests, requests }] = results.rounds[load][name];
        // Some are under way when the load ends.
        const open = (2 * results.options.connections) / requests;
        assert.ok(upstreamRequests >= 1, `${load}, ${name}: ${upstreamRequests}`);
        // FastMCP opens a session for each call in the era with a handshake.
        if (name !== "fastmcp") assert.ok(upstreamRequests <= 1 + open, `${load}, ${name}: ${upstreamRequests}`);
      }
    }
  });

  test("has sizes, starts, and the requests to the provider", () => {
    for (const { name } of contenders) assert.ok(results.sizes[name].gzipBytes > 0, name);
    const servers = ["twin", "sdk", "agents", "mcp-edge"];
    assert.deepEqual(Object.keys(results.starts), ["noop", ...servers]);
    for (const name of servers) {
      assert.equal(results.starts[name].length, 1);
      assert.equal(Object.values(results.starts[name][0]).filter((time) => time > 0).length, 4, name);
    }
    assert.deepEqual(Object.keys(results.traffic), servers);
    assert.deepEqual(
      [results.traffic["mcp-edge"].discovery, results.traffic["mcp-edge"].jwks],
      [1, 1],
      "mcp-edge asks the provider once, however many come at the start",
    );
  });

  test("has a measurement for every goal", () => {
    const unknown = results.goals.filter(({ reached }) => reached === undefined);
    const expected = process.platform === "linux" ? [] : unknown.filter(({ what }) => what.startsWith("CPU"));
    assert.deepEqual(unknown, expected);
    for (const { what } of results.goals) assert.ok(printed.includes(what), what);
  });

  test("writes a table, and charts for light and dark pages", async () => {
    const markdown = await readFile(join(folder, "latest.md"), "utf8");
    for (const { title } of [...loads, ...contenders, ...gateways]) assert.ok(markdown.toLowerCase().includes(title.toLowerCase()), title);
    const charts = (await readdir(folder)).filter((name) => name.endsWith(".svg"));
    const names = ["cpu", "others", "starts", "throughput"].flatMap((name) => [`${name}-dark`, `${name}-light`]);
    assert.deepEqual(charts.sort(), names.map((name) => `${name}.svg`));
    for (const name of charts) {
      const svg = await readFile(join(folder, name), "utf8");
      assert.match(svg, /^<svg /, name);
      for (const title of ["mcp-edge", "hand-written JS", "TypeScript SDK v2"]) assert.ok(svg.includes(title), name);
    }
  });
});

test("an unknown name is answered with the known ones", async () => {
  const failure = await execute(process.execPath, [MAIN, "--only", "nothing-like-this"]).catch((error) => error);
  assert.equal(failure.code, 2);
  assert.match(failure.stderr, /no load's name contains "nothing-like-this"[^]*rs256-repeated/);
});
