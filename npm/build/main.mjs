// `mcp-edge build` by itself, for dev/build: main.mjs [ARGUMENT OF mcp-edge build…]

import process from "node:process";
import { run } from "../commands/build.mjs";

process.exitCode = await run(process.argv.slice(2));
