// Messages that are small on the wire and large in memory, of clients and of upstreams: none of them, alone or eight at a
// time, may crash the isolate of a gateway. See memory.test.mjs.

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { after, describe, test } from "node:test";
import { OPEN, startGateway } from "./support/gateway-deployment.mjs";
import { ISOLATE_LIMITS, SHAPES, WORST, inGroups, legacy, modern, placesOf, shapeIn, shapesIn, watch } from "./support/heavy-bodies.mjs";
import { MODERN, NEWEST_LEGACY, initialize, legacyRequest, modernRequest } from "./support/messages.mjs";
import "./support/report-failures.mjs";
import { post } from "./support/worker.mjs";

const AT_ONCE = 8;
/** What is read of a response, less what stands around a value in it. */
const READ_BYTES = 4 * 1024 * 1024 - 1024;

/** What the upstream answers. It reads only the beginning of a request: more would take longer than all else. */
const ANY = JSON.stringify({
  ...{ content: [], tools: [], supportedVersions: [MODERN], resultType: "complete", ttlMs: 0, cacheScope: "private", capabilities: {} },
  ...{ protocolVersion: NEWEST_LEGACY, serverInfo: { name: "a", version: "1" } },
});
let result = ANY;
const server = createServer(async (request, response) => {
  // After a crash, requests break off.
  request.on("error", () => {});
  const isProbe = request.headers["mcp-method"] === "server/discover";
  // The id stands at the beginning: the gateway writes the message.
  const [first] = await once(request, "data").catch(() => [""]);
  const [, id] = /^\{"jsonrpc":"2.0","id":("[^"]*"|\d+)/.exec(String(first).slice(0, 200)) ?? [, "1"];
  await once(request.resume(), "end").catch(() => {});
  const answered = `{"jsonrpc":"2.0","id":${id},"result":${isProbe ? ANY : result}}`;
  response.writeHead(200, { "content-type": "application/json" }).end(answered);
});
server.listen(0, "127.0.0.1");
await once(server, "listening");
const upstream = `http://127.0.0.1:${server.address().port}/mcp`;
const gateway = await startGateway({ upstream, settings: OPEN, worker: ISOLATE_LIMITS });
const token = await gateway.alice("one");
const endures = watch(gateway.worker, { token, message: legacyRequest("tools/call", { name: "search" }) });
after(async () => {
  await gateway.stop();
  server.closeAllConnections();
  server.close();
});

/** Of what is not read, or only looked for, few shapes are enough. */
const FEW = [...WORST, "one text", "escapes of one character", "objects as deep as they can be", "lists that are not closed"];

/** The places that a gateway reads most of. */
const READ = ["arguments", "params", "an unknown member", "an argument, modern", "capabilities", "a batch", "everything", "what is listened for"];

describe("clients do no harm with", () => {
  const completion = (params) =>
    legacy("completion/complete", { ref: { type: "ref/prompt", name: "greet" }, argument: { name: "a", value: "" }, ...params });
  const places = {
    ...placesOf("search"),
    "what a completion is for": completion({ ref: "@" }),
    "what is to be completed": completion({ argument: "@" }),
    "what is listened for": modern("subscriptions/listen", { notifications: "@" }),
  };
  for (const [where, place] of Object.entries(places)) {
    test(`${where} of many shapes, ${AT_ONCE} at a time`, async () => {
      const shapes = READ.includes(where) ? shapesIn(place, token) : FEW.map((name) => shapeIn(place, name, token));
      for (const group of inGroups(shapes, AT_ONCE)) await endures(...group);
      for (const name of READ.includes(where) ? WORST : []) await endures(...Array(AT_ONCE).fill(shapeIn(place, name, token)));
    });
  }
});

describe("an upstream does no harm with", () => {
  const requests = {
    "a list of tools": [{ message: legacyRequest("tools/list") }, '{"tools":@}'],
    "a tool": [{ message: legacyRequest("tools/list") }, '{"tools":[{"name":"search","inputSchema":@}]}'],
    "a list of resources": [modernRequest("resources/list"), '{"resources":@,"resultType":"complete"}'],
    "the contents of a resource": [modernRequest("resources/read", { uri: "file:///a" }), '{"contents":@,"resultType":"complete"}'],
    "its capabilities": [{ message: initialize() }, '{"protocolVersion":"2025-11-25","capabilities":@,"serverInfo":{"name":"a","version":"1"}}'],
  };
  for (const [what, [request, frame]] of Object.entries(requests)) {
    test(`${what} of many shapes, ${AT_ONCE} at a time`, async () => {
      const ask = async (name, count) => {
        result = frame.replace("@", () => SHAPES[name](READ_BYTES));
        const answers = await Promise.all(Array.from({ length: count }, () => post(gateway.worker, { token, headers: request.headers, message: { ...request.message, id: 1 } })));
        for (const { status, text } of answers) assert.ok([200, 502, 503].includes(status), `${name}: ${status} ${text.slice(0, 200)}`);
        result = ANY;
        await endures.afterAll(count);
      };
      for (const name of FEW) await ask(name, 1);
      for (const name of WORST) await ask(name, AT_ONCE);
    });
  }
});
