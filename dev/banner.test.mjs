// The commands that a running `make dev` prints: each can be copied as it is, in this repository and in a project.

import assert from "node:assert/strict";
import { test } from "node:test";
import { banner } from "./banner.mjs";
import { read } from "./keys.mjs";
import { localized } from "./surroundings.mjs";

const printed = (port, options) => localized(banner({ mcpUrl: `http://localhost:${port}/mcp`, port, issuer: "http://localhost:3000", adminSecret: "made-up", changes: "", ...options }), { inPackage: true, environment: "" });

test("the command for access keys names the endpoint, and the program accepts it", () => {
  for (const port of [8787, 8790]) {
    const [, args] = /^ {4}npx mcp-edge keys (.*)$/m.exec(printed(port)) ?? [];
    assert.ok(args, printed(port));
    const { url, command } = read(args.replace("<id of a user>", "alice").split(" "));
    assert.deepEqual({ url, command }, { url: `http://localhost:${port}/mcp`, command: { list: { subject: "alice" } } });
  }
});

test("in a project no command is one of a POSIX shell alone", () => {
  const commands = printed(8790).split("\n").filter((line) => /^ {4}\S/.test(line));
  assert.ok(commands.includes("    npx mcp-edge whoami http://localhost:8790/mcp"), commands.join("\n"));
  for (const command of commands) assert.doesNotMatch(command, /^ {4}[A-Z_]+=/);
});
