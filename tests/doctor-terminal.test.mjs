// The doctor for Node.js on a terminal: colours by the rules of the native program, and a reader that closes early.

import assert from "node:assert/strict";
import { PassThrough, Writable } from "node:stream";
import { text } from "node:stream/consumers";
import { test } from "node:test";
import { hasColours, write } from "../doctor/node/terminal.mjs";

test("colours are on terminals that can show them, and where the environment wants them", () => {
  for (const [expected, isTerminal, env, platform = "linux"] of [
    [true, true, { TERM: "xterm" }],
    [false, false, { TERM: "xterm" }],
    [false, true, { TERM: "dumb" }],
    [false, true, {}],
    [true, true, {}, "win32"],
    [false, true, { TERM: "xterm", NO_COLOR: "1" }],
    [true, true, { TERM: "xterm", NO_COLOR: "" }],
    [true, false, { CLICOLOR_FORCE: "1" }],
    [false, false, { CLICOLOR_FORCE: "0" }],
    [false, false, { CLICOLOR_FORCE: "1", NO_COLOR: "1" }],
    [false, true, { TERM: "xterm", CLICOLOR: "0" }],
    [true, true, { TERM: "dumb", CLICOLOR: "1" }],
    [true, true, { TERM: "dumb", CI: "true" }],
  ]) {
    assert.equal(hasColours({ isTerminal, env, platform }), expected, JSON.stringify([isTerminal, env, platform]));
  }
});

test("a reader that closes early is no error, and a full disk is one", async () => {
  const failing = (code) => new Writable({ write: (_chunk, _encoding, done) => done(Object.assign(new Error(code), { code })) });
  await write(failing("EPIPE"), "report");
  await assert.rejects(write(failing("ENOSPC"), "report"), /ENOSPC/);
  const pipe = new PassThrough();
  await write(pipe, "report");
  pipe.end();
  assert.equal(await text(pipe), "report");
});
