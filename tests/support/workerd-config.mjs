// The configuration file of workerd (Cap'n Proto) for a Worker with settings and namespaces.

/**
 * @param {object} parts
 * @param {string[]} parts.modules  the Worker's files, the entry point first
 * @param {number} parts.port    where the Worker listens, on loopback
 * @param {Record<string, number>} parts.namespaces  bindings of key-value namespaces, and their ports
 * @param {Record<string, unknown>} parts.settings
 * @param {{date: string, flags: string[]}} parts.compatibility
 * @param {number} [parts.schedulerPort]  the port for triggering a scheduled event
 * @param {string[]} [parts.v8Flags]  for the JavaScript engine
 * @param {Record<string, string>} [parts.objects]  classes of Durable Objects, by binding
 * @param {string} [parts.objectsFolder]  where the objects are stored
 * @param {number} [parts.secondPort]  where a second isolate of the Worker listens, which has the same objects
 * @param {Record<string, {entrypoint?: string, props?: object}>} [parts.services]
 *   bindings of the Worker to itself: which of its entrypoints they reach, and with which props
 * @param {Record<string, number>} [parts.externals]  bindings of Workers in other processes, and their ports
 * @param {Record<string, string>} [parts.workers]  bindings of other Workers in this process, and their JavaScript
 * @param {{port: number, entrypoint?: string, props?: object}[]} [parts.entrypoints]
 *   further ports, and which entrypoint listens there: what a Worker in another process is bound to
 * @param {number} [parts.outbound]  of a proxy that all requests of the Worker go through
 */
export function workerdConfig({
  modules, port, namespaces, settings, compatibility, schedulerPort, v8Flags = [], objects = {}, objectsFolder,
  services: ownServices = {}, secondPort, externals = {}, workers = {}, entrypoints = [], outbound,
}) {
  const bindings = Object.entries(settings)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `(name = ${text(name)}, ${binding(value)}),`);
  const stores = Object.entries(namespaces).map(([name, kvPort]) => ({ name, service: `kv-${name}`, kvPort }));
  const services = stores.map(
    ({ service, kvPort }) => `(name = ${text(service)}, external = (address = "127.0.0.1:${kvPort}", http = ())),`,
  );
  const scheduler = schedulerPort === undefined ? undefined : schedulerOf(schedulerPort, compatibility.date);
  bindings.push(...stores.map(({ name, service }) => `(name = ${text(name)}, kvNamespace = ${text(service)}),`));
  const classes = Object.entries(objects);
  if (classes.length > 0) services.push(`(name = "objects", disk = (path = ${text(objectsFolder)}, writable = true)),`);
  const objectBindings = classes.map(
    ([name, of]) => `(name = ${text(name)}, durableObjectNamespace = (className = ${text(of)}, serviceName = "main")),`,
  );
  bindings.push(...objectBindings);
  bindings.push(...Object.entries(ownServices).map(([name, own]) => `(name = ${text(name)}, service = ${designator(own)}),`));
  for (const [name, externalPort] of Object.entries(externals)) {
    const service = `external-${name}`;
    services.push(`(name = ${text(service)}, external = (address = "127.0.0.1:${externalPort}", http = ())),`);
    bindings.push(`(name = ${text(name)}, service = ${text(service)}),`);
  }
  for (const [name, script] of Object.entries(workers)) {
    const module = `(name = "worker.js", esModule = ${text(script)})`;
    services.push(`(name = ${text(`worker-${name}`)}, worker = (modules = [ ${module} ], compatibilityDate = ${text(compatibility.date)})),`);
    bindings.push(`(name = ${text(name)}, service = ${text(`worker-${name}`)}),`);
  }
  const entrances = entrypoints.map(
    ({ port: own, ...to }, index) =>
      `(name = "entrypoint-${index}", address = "127.0.0.1:${own}", http = (), service = ${designator(to)}),`,
  );
  return `
using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [
    (name = "main", worker = .app),
    ${secondPort === undefined ? "" : '(name = "second", worker = .second),'}
    ${services.join("\n    ")}
    ${scheduler?.service ?? ""}
    # Loopback is closed to Workers unless it is named; the identity provider is there.
    (name = "internet", ${outbound === undefined ? 'network = (allow = ["private", "public"])' : `external = (address = "127.0.0.1:${outbound}", http = (style = proxy))`}),
  ],
  sockets = [ (name = "http", address = "127.0.0.1:${port}", http = (), service = "main"), ${scheduler === undefined ? "" : `${scheduler.socket},`}
    ${secondPort === undefined ? "" : `(name = "second", address = "127.0.0.1:${secondPort}", http = (), service = "second"),`}
    ${entrances.join("\n    ")}
  ],
  v8Flags = [${v8Flags.map(text).join(", ")}],
);

const app :Workerd.Worker = (
  ${code({ modules, bindings, compatibility })}
  ${classes.length > 0 ? objectClasses(classes) : ""}
);
${secondPort === undefined ? "" : `const second :Workerd.Worker = (\n  ${code({ modules, bindings, compatibility })}\n);`}
${scheduler?.worker ?? ""}`;
}

function code({ modules, bindings, compatibility }) {
  return `modules = [
    ${modules.map((name) => `(name = ${text(name)}, ${moduleType(name)} = embed ${text(name)}),`).join("\n    ")}
  ],
  bindings = [
    ${bindings.join("\n    ")}
  ],
  compatibilityDate = ${text(compatibility.date)},
  compatibilityFlags = [${compatibility.flags.map(text).join(", ")}],`;
}

function objectClasses(classes) {
  const each = classes.map(([, name]) => `(className = ${text(name)}, uniqueKey = ${text(name)}, enableSql = true)`);
  return `durableObjectNamespaces = [${each.join(", ")}],
  durableObjectStorage = (localDisk = "objects"),`;
}

// An entrypoint of the Worker, with props.
function designator({ entrypoint, props }) {
  const parts = ['name = "main"'];
  if (entrypoint !== undefined) parts.push(`entrypoint = ${text(entrypoint)}`);
  if (props !== undefined) parts.push(`props = (json = ${text(JSON.stringify(props))})`);
  return `(${parts.join(", ")})`;
}

// workerd has no scheduler; another Worker triggers the events.
function schedulerOf(port, date) {
  const module = `export default { async fetch(request, env) {
    const { outcome } = await env.MAIN.scheduled({ cron: "* * * * *", scheduledTime: new Date() });
    return new Response(outcome);
  } };`;
  return {
    service: '(name = "scheduler", worker = .scheduler),',
    socket: `(name = "scheduler", address = "127.0.0.1:${port}", http = (), service = "scheduler")`,
    worker: `
const scheduler :Workerd.Worker = (
  modules = [ (name = "scheduler.js", esModule = ${text(module)}) ],
  bindings = [ (name = "MAIN", service = "main") ],
  compatibilityDate = ${text(date)},
  compatibilityFlags = ["service_binding_extra_handlers"]
);
`,
  };
}

function moduleType(name) {
  return name.endsWith(".wasm") ? "wasm" : "esModule";
}

// As in wrangler: strings stay strings, other values become JSON.
function binding(value) {
  return typeof value === "string" ? `text = ${text(value)}` : `json = ${text(JSON.stringify(value))}`;
}

// Cap'n Proto has the escapes of C, not those of JSON: bytes are written as \xNN.
function text(value) {
  const bytes = [...Buffer.from(value)];
  const escaped = bytes.map((byte) => {
    const character = String.fromCharCode(byte);
    const isPlain = byte >= 0x20 && byte < 0x7f && character !== '"' && character !== "\\";
    return isPlain ? character : `\\x${byte.toString(16).padStart(2, "0")}`;
  });
  return `"${escaped.join("")}"`;
}
