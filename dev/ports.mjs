// Reads ports from environment variables and checks that they are free.

import { createServer } from "node:net";

const HIGHEST_PORT = 65_535;

// Programs resolve "localhost" to either address.
const LOOPBACK = ["127.0.0.1", "::1"];

/** Returns the port in an environment variable, or the default. */
export function portFrom(variable, otherwise, env = process.env) {
  const text = env[variable];
  if (text === undefined || text === "") return otherwise;
  const port = Number(text);
  if (!Number.isInteger(port) || port < 1 || port > HIGHEST_PORT) throw new Error(`${variable}=${text} is not a port: expected a number from 1 to ${HIGHEST_PORT}`);
  return port;
}

/** Throws an error with advice if another program uses the port. */
export async function requireFreePort(port, variable) {
  for (const host of LOOPBACK) {
    const problem = await problemWith(port, host);
    if (problem === "EADDRINUSE") {
      throw new Error(`port ${port} is taken; stop the program that uses it, or choose another: ${variable}=${port + 1} make dev`);
    }
    if (problem === "EACCES") throw new Error(`port ${port} is not permitted; choose one above 1023: ${variable}=8787 make dev`);
  }
}

// Returns the error code of an attempt to listen, or undefined. A machine without IPv6 is not an error.
function problemWith(port, host) {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", ({ code }) => resolve(code));
    server.listen(port, host, () => server.close(() => resolve(undefined)));
  });
}
