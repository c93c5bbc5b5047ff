// Hands events over to WebAssembly, and gives it a fresh start after a crash.
//
// After a panic the memory of WebAssembly is not to be trusted. The `worker` crate's panic hook notes that in `state`,
// and so does `note` for traps that no hook saw; the next event then begins with a new instance of the module. What the
// old one knew (keys, verified tokens) is found again as after any start.
//
// `mcp-edge build` writes the entry that uses this file. Together they do what the entry of worker-build does, without its class
// and its three proxies for each request.

import { __wbg_reset_state, __worker_init_state } from "./index.js";

const state = __worker_init_state();

function renewIfBroken() {
  if (!state.criticalError) return;
  console.log("starting WebAssembly anew after a crash");
  __wbg_reset_state();
  state.criticalError = false;
  state.instanceId += 1;
}

function note(error) {
  if (!(error instanceof WebAssembly.RuntimeError)) return;
  console.error("Critical", error);
  state.criticalError = true;
}

// What fails after its event has returned.
addEventListener("error", ({ error }) => note(error));

// Hands an event over to a function of WebAssembly.
export function guard(handle) {
  return function (argument, env, context) {
    renewIfBroken();
    try {
      return handle(argument, env, context);
    } catch (error) {
      // To the listener above, and to that of the bridge.
      reportError(error);
      throw error;
    }
  };
}
