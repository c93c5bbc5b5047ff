// Servers end with the process of the tests, however that ends.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { constants } from "node:os";
import { createInterface } from "node:readline";
import { test } from "node:test";

const PROGRAM = new URL("support/program.mjs", import.meta.url);

// Starts a program that by itself goes on when its parent ends, and that prints its process number and its folder.
const PARENT = `
  import { newFolder, run } from ${JSON.stringify(PROGRAM.href)};
  run([process.execPath, "--eval", "require('node:fs').writeSync(3, [process.pid, process.cwd()].join(' ') + '\\\\n'); setInterval(() => {}, 1000)"], {
    stdio: ["ignore", "pipe", "pipe", 1],
    cwd: await newFolder(),
  }).catch(() => {});
  setInterval(() => {}, 1000);`;

for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"]) {
  test(`a server ends when the tests are ended by ${signal}`, async () => {
    const parent = spawn(process.execPath, ["--input-type=module", "--eval", PARENT], { stdio: ["ignore", "pipe", "inherit"] });
    const [line] = await once(createInterface({ input: parent.stdout }), "line");
    const ended = once(parent, "exit");
    parent.kill(signal);
    const [code] = await ended;
    assert.equal(code, 128 + constants.signals[signal]);
    const [pid, folder] = line.split(" ");
    assert.ok(folder);
    assert.equal(await isGone(Number(pid)), true);
    assert.equal(existsSync(folder), false);
  });
}

async function isGone(pid) {
  for (let attempt = 0; attempt < 50; attempt += 1) {
    try {
      process.kill(pid, 0);
    } catch {
      return true;
    }
    await new Promise((wake) => setTimeout(wake, 100));
  }
  process.kill(pid, "SIGKILL");
  return false;
}
