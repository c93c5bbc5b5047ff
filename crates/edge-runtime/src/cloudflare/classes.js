// The classes that a Worker exports beside its events. Each holds what the platform gives it and nothing of WebAssembly's:
// an object lives longer than the instance that has handled its last event.
//
// `mcp-edge build` writes the lines that export them, because exports of a module are static: one for each namespace of
// functions that the macros `durable_object!` and `entrypoint!` have exported.

import { WorkerEntrypoint } from "cloudflare:workers";
import { guard } from "./entry.js";

// A class of Durable Objects. It extends nothing: what extends `DurableObject` can be called by the names of its methods.
export function durableObject({ objectFetch, objectAlarm }) {
  class DurableObjectClass {
    constructor(state, env) {
      this.state = state;
      this.env = env;
    }
  }
  const { prototype } = DurableObjectClass;
  if (objectFetch !== undefined) {
    const handle = guard(objectFetch);
    prototype.fetch = function (request) {
      return handle(request, this.env, this.state);
    };
  }
  if (objectAlarm !== undefined) {
    const handle = guard(objectAlarm);
    prototype.alarm = function () {
      return handle(this.env, this.state);
    };
  }
  return DurableObjectClass;
}

// An entrypoint that only bindings which name it can reach, and that hears from `props` which of them it is.
export function entrypoint({ entrypointFetch }) {
  const handle = guard(entrypointFetch);
  return class extends WorkerEntrypoint {
    fetch(request) {
      return handle(request, this.env, JSON.stringify(this.ctx.props ?? null));
    }
  };
}
