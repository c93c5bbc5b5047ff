#!/usr/bin/env node
// `npm create mcp-edge@latest`: see src/run.mjs.

import process from "node:process";
import { run } from "./src/run.mjs";

process.exitCode = await run(process.argv.slice(2), process);
