// What a project is built on, as this repository is: tests/project.test.mjs compares them.

/** The version of wrangler that the package mcp-edge is tested with. */
export const WRANGLER = "4.164.0";

export const COMPATIBILITY_DATE = "2026-11-01";
export const COMPATIBILITY_FLAGS = ["enable_request_signal"];

/** The oldest Node.js that wrangler runs on. */
export const NODE = ">=22.12";
