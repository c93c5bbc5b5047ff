// `make bench-instructions`: the instructions that workerd executes for one request, counted by callgrind, of this tree
// and of a base revision side by side.
//
// The same Worker, requests and flags give the same count within a per cent or two, however busy the machine is. JIT
// compilers make the difference: what is counted comes after a warm-up, and V8 compiles everything for speed at once.

import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync } from "node:fs";
import { Agent, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { modernCall } from "../tests/support/messages.mjs";
import { startDeployment } from "../tests/support/deployment.mjs";
import { forgeToken } from "../tests/support/tokens.mjs";
import { gatewaySettings } from "./harness/deployment.mjs";
import { startUpstream, TOOL } from "./harness/upstream.mjs";
import { toTerminal } from "./report/text.mjs";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

/** V8 has compiled everything by then, and keys and tokens are in memory. */
const WARM_UP = 400;

/** One thread, and no code that is compiled twice. */
const V8_FLAGS = ["--single-threaded", "--no-liftoff", "--always-sparkplug"];

/** Enough to average out garbage collections. */
const COUNTED = 200;

const json = { "content-type": "application/json", accept: "application/json, text/event-stream" };
const whoami = callOf(modernCall("whoami"));
const echo = callOf(modernCall(TOOL, { text: "hello" }));
const metadata = { method: "GET", path: "/.well-known/oauth-protected-resource/mcp", headers: {}, body: "" };

const LOADS = [
  { name: "whoami, one token", request: whoami, hasToken: true, status: 200 },
  { name: "whoami, one token, LOG=off", request: whoami, hasToken: true, status: 200, settings: { LOG: "off" } },
  { name: "401, no token", request: whoami, hasToken: false, status: 401 },
  { name: "resource metadata", request: metadata, hasToken: false, status: 200 },
  { name: "gateway call, one token", request: echo, hasToken: true, status: 200, hasUpstream: true },
  {
    name: "gateway call, one token, UPSTREAM_AUTH=none",
    request: echo,
    hasToken: true,
    status: 200,
    hasUpstream: true,
    settings: { UPSTREAM_AUTH: "none", UPSTREAM_SIGNING_KEY: undefined },
  },
];

const base = process.argv[2];
const builds = { ...(base !== undefined && { base: buildOf(base) }), change: join(ROOT, "build") };
const rows = [];
for (const load of LOADS) {
  const counts = {};
  for (const [name, build] of Object.entries(builds)) counts[name] = await count(load, build);
  const { base: before, change: after } = counts;
  const difference = before === undefined || after === undefined ? "–" : `${(((after - before) / before) * 100).toFixed(1)} %`;
  rows.push([load.name, before?.toLocaleString("en") ?? "–", after?.toLocaleString("en") ?? "–", difference]);
}
const columns = ["", base ?? "base", "this tree", "change"];
console.log(toTerminal({ title: "Instructions of workerd per request", columns, rows }));

function callOf({ message, headers }) {
  return { method: "POST", path: "/mcp", headers: { ...json, ...headers }, body: JSON.stringify(message) };
}

/** Builds a revision in a work tree of its own. @returns {string} the folder of the build */
function buildOf(revision) {
  const folder = mkdtempSync(join(tmpdir(), "mcp-edge-base-"));
  process.on("exit", () => {
    execFileSync("git", ["worktree", "remove", "--force", folder], { cwd: ROOT });
    rmSync(folder, { recursive: true, force: true });
  });
  execFileSync("git", ["worktree", "add", "--detach", folder, revision], { cwd: ROOT, stdio: "ignore" });
  symlinkSync(join(ROOT, "node_modules"), join(folder, "node_modules"));
  // Both builds share the dependencies.
  const env = { ...process.env, CARGO_TARGET_DIR: join(ROOT, "target") };
  execFileSync(join(folder, "dev/build"), { cwd: folder, env, stdio: ["ignore", "ignore", "inherit"] });
  return join(folder, "build");
}

/** Counts the instructions of one request; `undefined` if the build has no gateway and the load needs one. */
async function count({ request: sent, hasToken, status, hasUpstream = false, settings = {} }, build) {
  const folder = mkdtempSync(join(tmpdir(), "mcp-edge-callgrind-"));
  const callgrind = ["valgrind", "--tool=callgrind", `--callgrind-out-file=${join(folder, "out")}`, "--quiet"];
  const upstream = hasUpstream ? await startUpstream() : undefined;
  const deployment = await startDeployment({
    settings: { ...(upstream && (await gatewaySettings(upstream))), ...settings },
    worker: { build, under: callgrind, keepsLog: false, v8Flags: V8_FLAGS },
  });
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  try {
    const authorization = hasToken ? { authorization: `Bearer ${await forgeToken(deployment)}` } : {};
    const send = () =>
      new Promise((resolve, reject) => {
        const options = { agent, method: sent.method, headers: { ...sent.headers, ...authorization } };
        const outgoing = request(`${deployment.worker.origin}${sent.path}`, options, (response) => {
          response.resume().once("end", () => {
            if (response.statusCode === status) resolve();
            else reject(new Error(`status ${response.statusCode} instead of ${status}`));
          });
        });
        outgoing.once("error", reject).end(sent.body);
      });
    if (upstream !== undefined) {
      await send().catch(() => {});
      if ((await upstream.seen()).calls === 0) return undefined;
    }
    for (let sent = 0; sent < WARM_UP; sent += 1) await send();
    control(deployment, "--zero");
    for (let sent = 0; sent < COUNTED; sent += 1) await send();
    control(deployment, "--dump");
    return Math.round(totalIn(folder) / COUNTED);
  } finally {
    agent.destroy();
    await deployment.stop();
    await upstream?.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

function control(deployment, option) {
  execFileSync("callgrind_control", [option, String(deployment.worker.pid)], { stdio: "ignore" });
}

/** Returns the instructions in the dump of a folder. */
function totalIn(folder) {
  const dump = readdirSync(folder).find((name) => name.startsWith("out.") );
  return Number(/^(?:totals|summary): (\d+)/m.exec(readFileSync(join(folder, dump), "utf8"))[1]);
}
