// All tests of the doctor once more, with the doctor that `npx mcp-edge doctor` runs.

import process from "node:process";

process.env.DOCTOR = "node";

// Not `import … from`: what these modules start is started after the line above.
await import("./doctor.test.mjs");
await import("./doctor-lists.test.mjs");
await import("./doctor-gateway.test.mjs");
await import("./doctor-directories.test.mjs");
await import("./doctor-explain.test.mjs");
