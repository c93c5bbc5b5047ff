// Opens the provider's port on the loopback addresses.

import { createServer } from "node:http";

// Programs resolve "localhost" to either address.
const IPV4 = "127.0.0.1";
const IPV6 = "::1";

const NO_SUCH_ADDRESS = new Set(["EADDRNOTAVAIL", "EAFNOSUPPORT"]);
const FREE_PORT_ATTEMPTS = 5;

/** Listens on `port` (0 chooses a free one). Returns the port and a function that stops. */
export async function listenOnLoopback(handler, port) {
  for (let attempt = 1; ; attempt += 1) {
    const servers = [await listen(handler, IPV4, port)];
    const chosenPort = servers[0].address().port;
    try {
      servers.push(await listen(handler, IPV6, chosenPort));
    } catch (error) {
      if (!NO_SUCH_ADDRESS.has(error.code)) {
        await Promise.all(servers.map(close));
        // The port is in use on the other address: tries again if the port was chosen here.
        if (port === 0 && attempt < FREE_PORT_ATTEMPTS) continue;
        throw error;
      }
    }
    return { port: chosenPort, close: () => Promise.all(servers.map(close)) };
  }
}

function listen(handler, host, port) {
  return new Promise((resolve, reject) => {
    const server = createServer(handler);
    server.once("error", reject);
    server.listen({ host, port }, () => resolve(server));
  });
}

function close(server) {
  return new Promise((resolve) => {
    server.close(resolve);
    server.closeAllConnections();
  });
}
