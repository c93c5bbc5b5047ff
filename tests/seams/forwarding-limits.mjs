// The limits of what is passed on: headers of clients, the time at which a response ends, and what is read of it.

import assert from "node:assert/strict";
import { once } from "node:events";
import { request as httpRequest } from "node:http";
import { after, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { send } from "../support/worker.mjs";
import { restartsOf, start } from "./start.mjs";
import { startUpstream } from "./upstream.mjs";

const MEGABYTE = 1024 * 1024;
const STREAMS = 500;

// More milliseconds than a timer of JavaScript can have.
const LONGER_THAN_TIMERS = `${2 ** 31 + 1_000}`;

const upstream = await startUpstream();
// A heap that what is passed on would not fit into, and so with WebAssembly's memory.
const limits = { v8Flags: ["--max-heap-size=16"], memoryPages: 256 };
const settings = { UPSTREAM: upstream.origin, SIGNING_KEY: { fetch: "none" } };
const worker = await start({ ...limits, settings });
after(async () => {
  await worker.stop();
  await upstream.stop();
});

const forward = (path, options = {}) => send(worker, { path: `/forward/${path}`, ...options });
const seen = () => upstream.seen.at(-1);
const isAborted = (entry, patience) =>
  worker.waitFor(() => entry.aborted === true, "the upstream's connection is still open", patience);

/** A response whose body is read by hand, with what the upstream has seen of it. */
async function open(path, headers) {
  const { hostname, port } = new URL(worker.origin);
  const request = httpRequest({ hostname, port, headers, path: `/forward/${path}`, agent: false });
  request.on("error", () => {});
  request.end();
  const [response] = await once(request, "response");
  response.on("error", () => {});
  return { request, response, entry: seen() };
}

const textOf = async (response) => (await response.toArray()).join("");

describe("headers of the client", () => {
  const received = async (headers) => {
    const { status, json } = await forward("pass/status/200", { headers });
    return status === 200 ? seen().headers : json.error;
  };

  test("are passed on by their prefix, upper or lower case alike", async () => {
    const headers = await received({ "X-Param-A": "1", "x-param-b": "=?base64?w6Q=?=", "x-para": "2", "x-other": "3" });
    assert.deepEqual([headers["x-param-a"], headers["x-param-b"]], ["1", "=?base64?w6Q=?="]);
    assert.deepEqual([headers["x-para"], headers["x-other"], headers.authorization], [undefined, undefined, undefined]);
  });

  test("are not passed on if there are too many", async () => {
    const many = (count) => Object.fromEntries(Array.from({ length: count }, (_, index) => [`x-param-${index}`, "1"]));
    assert.equal((await received(many(32)))["x-param-31"], "1");
    assert.equal(await received(many(33)), "ClientHeaders");
  });

  test("are not passed on if they are too long together", async () => {
    const long = (length) => ({ "x-param-a": "a".repeat(8_000), "x-param-b": "b".repeat(length) });
    const rest = 16 * 1024 - 8_000 - 18;
    assert.equal((await received(long(rest)))["x-param-b"].length, rest);
    assert.equal(await received(long(rest + 1)), "ClientHeaders");
  });

  test("are not passed on if they are not visible ASCII", async () => {
    assert.equal(await received({ "x-param-a": Buffer.from("ä").toString("latin1") }), "ClientHeaders");
    assert.notEqual(await received({ "x-other": Buffer.from("ä").toString("latin1") }), "ClientHeaders");
  });
});

describe("a response", () => {
  test("is asked for without a content coding", async () => {
    await forward("pass/status/200", { headers: { "accept-encoding": "gzip, br" } });
    assert.equal(seen().headers["accept-encoding"], "identity");
  });

  for (const coding of ["gzip", "br"]) {
    test(`is decoded, as it has no header of a coding (${coding})`, async () => {
      const { headers, text } = await forward(`pass/coded/${coding}`, { headers: { "accept-encoding": coding } });
      assert.deepEqual([headers["content-encoding"], text], [undefined, "decoded"]);
      assert.equal((await forward(`read/coded/${coding}`)).json.body, 'Ok("decoded")');
    });
  }

  test("in a coding that the runtime does not undo is an error", async () => {
    for (const coding of ["zstd", "GZIP", "x-gzip", "gzip, gzip", "deflate", "aws-chunked"]) {
      const { json } = await forward(`pass/coded/${encodeURIComponent(coding)}`);
      assert.equal(json?.error, `Encoding("${coding}")`, coding);
      await isAborted(seen()).catch(() => assert.ok(seen().response.writableFinished));
    }
    assert.equal((await forward("pass/coded/identity")).text, "decoded");
  });

  test("brings no header that was not asked for, and no interim response", async () => {
    const { status, headers, text } = await forward("pass/headers");
    assert.deepEqual([status, text], [200, "body"]);
    for (const name of ["set-cookie", "www-authenticate", "location", "access-control-allow-origin", "link", "trailer"]) {
      assert.equal(headers[name], undefined, name);
    }
  });

  test("in another protocol is an error", async () => {
    const headers = { connection: "upgrade", upgrade: "websocket" };
    for (const options of [{}, { headers }]) assert.equal((await forward("pass/upgrade", options)).json.error, "Network");
  });
});

describe("a binding", () => {
  test("is known by its kind", async () => {
    const { json } = await send(worker, { path: "/bindings" });
    const expected = { DEFAULT_ENTRYPOINT: true, UPSTREAM: false, SIGNING_KEY: false, LEDGER: false, UNBOUND: false };
    assert.deepEqual(Object.fromEntries(json), { ...expected, toString: false });
  });

  test("that is a setting is none", async () => {
    assert.equal((await forward("text/status/200")).json.error, 'Unbound("UPSTREAM")');
  });
});

describe("the end of a response", () => {
  const after = (milliseconds) => ({ "x-ends-after": `${milliseconds}` });

  test("closes an event stream on which nothing comes", async () => {
    const startedAt = performance.now();
    const { response, entry } = await open("pass/open", after(400));
    entry.response.write("data: 1\n\n");
    assert.equal(await textOf(response), "data: 1\n\n");
    const took = performance.now() - startedAt;
    assert.ok(took >= 390 && took < 1_500, `${took} ms`);
    await isAborted(entry, 500);
  });

  test("closes an event stream on which much comes", async () => {
    const { response, entry } = await open("pass/events/10000", after(400));
    for await (const chunk of response) assert.ok(chunk.length > 0);
    assert.ok(response.complete);
    await isAborted(entry, 500);
    assert.ok(entry.sent > 1 && entry.sent < 10_000, `${entry.sent} MB`);
  });

  test("ends an event stream whose reader is slow", async () => {
    const { response, entry } = await open("pass/events/10000", after(400));
    await sleep(800);
    await isAborted(entry, 500);
    await textOf(response).catch(() => {});
    assert.equal(restartsOf(worker), 0);
  });

  test("breaks off what is no event stream", async () => {
    const idle = await open("pass/stalled/1", after(400));
    await assert.rejects(textOf(idle.response), /aborted/);
    await isAborted(idle.entry, 500);
    const busy = await open("pass/megabytes/10000", after(400));
    await assert.rejects(async () => {
      for await (const chunk of busy.response) assert.ok(chunk.length > 0);
    }, /aborted/);
    await isAborted(busy.entry, 500);
  });

  test("can come before the head", async () => {
    const startedAt = performance.now();
    assert.equal((await forward("pass/silent", { headers: after(300) })).json.error, "Ended");
    assert.ok(performance.now() - startedAt < 900);
    await isAborted(seen(), 500);
    assert.equal((await forward("pass/silent", { headers: after(5_000) })).json.error, "Timeout(1s)");
  });

  test("comes when it is due, also after the time for the head", async () => {
    const startedAt = performance.now();
    const { response, entry } = await open("pass/open", after(1_400));
    await sleep(1_100);
    entry.response.write("data: 1\n\n");
    assert.equal(await textOf(response), "data: 1\n\n");
    const took = performance.now() - startedAt;
    assert.ok(took >= 1_390 && took < 2_500, `${took} ms`);
    await isAborted(entry, 500);
  });

  test("does not come at once because it is far away", async () => {
    for (const path of ["pass/open", "pass/stalled/1"]) {
      const { response, entry } = await open(path, { "x-ends-after": LONGER_THAN_TIMERS });
      await sleep(200);
      entry.response.end("end");
      assert.match(await textOf(response), /end$/);
    }
  });

  test("does not change that a stream ends, breaks off, or is aborted", async () => {
    const ended = await open("pass/open", after(60_000));
    ended.entry.response.end("data: 1\n\n");
    assert.equal(await textOf(ended.response), "data: 1\n\n");
    const broken = await open("pass/broken-events", after(60_000));
    await assert.rejects(textOf(broken.response), /aborted/);
    const aborted = await open("pass/open", after(60_000));
    aborted.request.socket.resetAndDestroy();
    await isAborted(aborted.entry, 1_000);
    const busy = await open("pass/events/10000", after(60_000));
    await once(busy.response, "readable");
    busy.request.destroy();
    await isAborted(busy.entry, 1_000);
  });

  test("passes events as they come, while WebAssembly crashes, too", async () => {
    const { response, entry } = await open("pass/open", after(60_000));
    const chunks = response[Symbol.asyncIterator]();
    for (const event of ["data: 1\n\n", ": comment\n\n"]) {
      entry.response.write(event);
      assert.equal(`${(await chunks.next()).value}`, event);
    }
    assert.equal((await send(worker, { path: "/crash" })).status, 500);
    assert.equal((await forward("pass/status/200")).status, 200);
    await worker.waitFor(() => restartsOf(worker) === 1, "WebAssembly was not started anew");
    entry.response.end("data: 2\n\n");
    assert.equal(`${(await chunks.next()).value}`, "data: 2\n\n");
    assert.equal((await chunks.next()).done, true);
  });
});

describe("what is passed on for a limited time", () => {
  const headers = { "x-ends-after": LONGER_THAN_TIMERS };

  /** What the process grows by, while something goes on. */
  async function growth(during) {
    const { resident } = await worker.memory();
    await during();
    return (await worker.memory()).resident - resident;
  }

  test(`takes little memory: 10 MB for a slow reader, ${STREAMS} event streams`, async () => {
    const restarts = restartsOf(worker);
    const slow = await open("pass/events/10", headers);
    const grown = await growth(async () => {
      let [length, pauseAt] = [0, 2 * MEGABYTE];
      for await (const chunk of slow.response) {
        length += chunk.length;
        if (length < pauseAt) continue;
        pauseAt += 2 * MEGABYTE;
        await sleep(50);
      }
      assert.equal(length, 10 * MEGABYTE);
    });
    assert.ok(grown < 8 * MEGABYTE, `it has grown by ${grown / MEGABYTE} MB`);

    const begun = upstream.seen.length;
    const streams = [];
    while (streams.length < STREAMS) {
      streams.push(...(await Promise.all(Array.from({ length: 25 }, () => open("pass/open", headers)))));
    }
    const entries = upstream.seen.slice(begun);
    assert.equal(entries.length, STREAMS);
    const chunks = streams.map(({ response }) => response[Symbol.asyncIterator]());
    const event = `data: ${"x".repeat(1_000)}\n\n`;
    const round = async () => {
      for (const entry of entries) entry.response.write(event);
      for (const stream of chunks) assert.equal(`${(await stream.next()).value}`, event);
    };
    await round();
    const ofEvents = await growth(async () => {
      for (let count = 0; count < 20; count += 1) await round();
    });
    assert.ok(ofEvents < 8 * MEGABYTE, `10 MB of events have made it grow by ${ofEvents / MEGABYTE} MB`);
    for (const { request } of streams) request.socket.resetAndDestroy();
    for (const entry of entries) await isAborted(entry);
    assert.equal(restartsOf(worker), restarts);
  });

  test("leaves no timer behind", async () => {
    const call = async () => {
      const { text } = await forward("pass/status/200", { headers });
      assert.equal(text, "body");
    };
    for (let count = 0; count < 2_500; count += 1) await call();
    const grown = await growth(async () => {
      for (let count = 0; count < 2_000; count += 1) await call();
    });
    assert.ok(grown < 8 * MEGABYTE, `2,000 calls have made it grow by ${grown / MEGABYTE} MB`);
    // A process with timers of its requests would wait for them.
    const startedAt = performance.now();
    const other = await start({ settings });
    assert.equal((await send(other, { path: "/forward/pass/status/200", headers })).status, 200);
    await other.stop();
    assert.ok(performance.now() - startedAt < 5_000);
  });
});

describe("a response that is read", () => {
  const within = (milliseconds) => ({ "x-read-timeout": `${milliseconds}` });
  const read = async (path, options) => (await forward(path, options)).json.body;

  test("is given up when it does not arrive", async () => {
    const startedAt = performance.now();
    assert.equal(await read("read/stalled/1", { headers: within(300) }), "Err(Timeout(300ms))");
    assert.ok(performance.now() - startedAt < 1_000);
    await isAborted(seen(), 500);
  });

  test("is given up at its end", async () => {
    const headers = { ...within(5_000), "x-ends-after": "300" };
    assert.equal(await read("read/stalled/1", { headers }), "Err(Timeout(5s))");
    await isAborted(seen(), 500);
  });

  test("may take as long as the longest timer, and longer", async () => {
    assert.equal(await read("read/status/200", { headers: within(LONGER_THAN_TIMERS) }), 'Ok("body")');
  });

  test("is read to its limit", async () => {
    assert.equal(await read("read-long/stalled/5000", { headers: within(5_000) }), `Err(TooLarge(${4 * MEGABYTE}))`);
    await isAborted(seen(), 500);
  });
});

// A Worker of its own, whose heap would be too small for what is read at the same time.
describe("responses that are read at the same time", () => {
  const headers = { "x-read-timeout": "1500" };

  test("have a limit of memory together, which those get back that are done", async () => {
    const roomy = await start({ settings });
    try {
      const read = async (path) => (await send(roomy, { path: `/forward/${path}`, headers })).json.body;
      const outcomes = await Promise.all(Array.from({ length: 12 }, () => read("read-long/stalled/3000")));
      const count = (outcome) => outcomes.filter((other) => other === outcome).length;
      assert.equal(count("Err(Busy)") + count("Err(Timeout(1.5s))"), 12, `${outcomes}`);
      assert.ok(count("Err(Busy)") >= 6 && count("Err(Timeout(1.5s))") >= 3, `${outcomes}`);
      assert.equal(await read("read-long/megabytes/3"), `Ok("${3 * MEGABYTE}")`);
    } finally {
      await roomy.stop();
    }
  });

  test("get it back from those whose clients have left", async () => {
    const roomy = await start({ settings });
    try {
      const { hostname, port } = new URL(roomy.origin);
      for (let round = 0; round < 2; round += 1) {
        const begun = upstream.seen.length;
        for (let count = 0; count < 3; count += 1) {
          const path = "/forward/read-long/stalled/3000";
          const request = httpRequest({ hostname, port, path, headers: { "x-read-timeout": "60000" }, agent: false });
          request.on("error", () => {}).end();
          await roomy.waitFor(() => upstream.seen.length === begun + count + 1, "the request did not arrive");
          await sleep(100);
          request.socket.resetAndDestroy();
        }
        for (const entry of upstream.seen.slice(begun)) await isAborted(entry);
      }
      const { json } = await send(roomy, { path: "/forward/read-long/megabytes/3", headers });
      assert.equal(json.body, `Ok("${3 * MEGABYTE}")`);
    } finally {
      await roomy.stop();
    }
  });
});
