// Starts the Worker of this folder, with everything bound that it uses.

import { startWorker } from "../support/worker.mjs";

export const SECRET = "kept by the vault";

const vault = (props) => ({ entrypoint: "Vault", props });

/** @param {Partial<import("../support/worker.mjs").Options>} [options] */
export function start(options) {
  return startWorker({
    build: "tests/seams/build",
    settings: { VAULT_SECRET: SECRET },
    objects: { LEDGER: "Ledger", JOURNAL: "Journal" },
    services: {
      VAULT: vault({ role: "reader", tenant: "one" }),
      VAULT_OF_A_STRANGER: vault({ role: "stranger", tenant: "one" }),
      VAULT_WITHOUT_PROPS: vault(undefined),
      DEFAULT_ENTRYPOINT: { props: { role: "reader", tenant: "one" } },
    },
    ...options,
  });
}

/** How often WebAssembly was started anew. */
export const restartsOf = (worker) => worker.raw().split("starting WebAssembly anew").length - 1;
