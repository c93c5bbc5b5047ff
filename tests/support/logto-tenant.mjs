// A stand-in for a Logto tenant at one origin, and `make logto` run against it in this process.

import { rmSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { startIdentityProvider } from "../../dev/identity-provider/index.mjs";
import { readOptions } from "../../dev/logto/options.mjs";
import { Problem } from "../../dev/logto/problem.mjs";
import { run } from "../../dev/logto/run.mjs";
import { MANAGEMENT_CLIENT, providerOptions, startManagementApi } from "../../dev/management-api/index.mjs";

const ROOT = new URL("../../", import.meta.url);

export const CREDENTIALS = { LOGTO_CLIENT_ID: MANAGEMENT_CLIENT.id, LOGTO_CLIENT_SECRET: MANAGEMENT_CLIENT.secret };

/**
 * Starts a tenant: the identity provider and the Management API behind one origin.
 * @param {{resource: string}} options  the identity provider issues tokens for this resource
 */
export async function startLogto({ resource }) {
  const { signIns, options } = providerOptions();
  const provider = await startIdentityProvider({ port: 0, resource, dynamicRegistration: false, ...options });
  const api = await startManagementApi({ provider, signIns, resources: {} });
  const tenant = { provider, api, requests: [], answer: () => undefined };
  const front = createServer((request, response) => forward(tenant, request, response));
  await new Promise((resolve) => front.listen(0, "127.0.0.1", resolve));
  tenant.endpoint = `http://127.0.0.1:${front.address().port}`;
  tenant.stop = async () => {
    front.closeAllConnections();
    await new Promise((resolve) => front.close(resolve));
    await api.close();
    await provider.close();
  };
  /** Everything that the Management API can change, as JSON. */
  tenant.snapshot = () =>
    JSON.stringify(
      {
        ...api.tenant,
        applicationRoles: [...api.tenant.applicationRoles],
        applications: api.applications.all(),
      },
      (_name, value) => (value instanceof Set ? [...value].sort() : value),
      1,
    );
  return tenant;
}

async function forward({ provider, api, requests, answer }, request, response) {
  const body = await readAll(request);
  const line = `${request.method} ${request.url}`;
  requests.push(line);
  const own = await answer({ line, request, body });
  if (own !== undefined) {
    response.writeHead(own.status, { "content-type": "application/json", ...own.headers });
    return response.end(typeof own.body === "string" ? own.body : JSON.stringify(own.body ?? {}));
  }
  const target = request.url.startsWith("/api/") ? new URL(api.url).origin : new URL(provider.issuer).origin;
  const { host: _host, connection: _connection, "content-length": _length, ...headers } = request.headers;
  const answered = await fetch(`${target}${request.url}`, { method: request.method, headers, body: body.length > 0 ? body : undefined, redirect: "manual" });
  const { "content-length": _old, "content-encoding": _encoding, "transfer-encoding": _transfer, ...kept } = Object.fromEntries(answered.headers);
  response.writeHead(answered.status, kept);
  response.end(Buffer.from(await answered.arrayBuffer()));
}

async function readAll(stream) {
  const chunks = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}

// A test that fails may not come to remove its folder.
const folders = new Set();
process.on("exit", () => folders.forEach((folder) => rmSync(folder, { recursive: true, force: true })));

/** A folder like the repository: with wrangler.toml of all Workers. */
export async function createProject({ change = (toml) => toml } = {}) {
  const root = await mkdtemp(join(tmpdir(), "mcp-edge-logto-"));
  folders.add(root);
  const wranglerToml = join(root, "wrangler.toml");
  await writeFile(wranglerToml, change(await readFile(new URL("wrangler.toml", ROOT), "utf8")));
  for (const other of ["registrar", "vault"]) {
    await mkdir(join(root, other));
    await writeFile(join(root, other, "wrangler.toml"), await readFile(new URL(`${other}/wrangler.toml`, ROOT)));
  }
  return {
    root,
    read: (file = "wrangler.toml") => readFile(join(root, file), "utf8"),
    write: (text, file = "wrangler.toml") => writeFile(join(root, file), text),
    async addSource(text) {
      await mkdir(join(root, "src"), { recursive: true });
      await writeFile(join(root, "src/lib.rs"), text);
    },
    remove: () => rm(root, { recursive: true, force: true }),
  };
}

/** A wrangler without Cloudflare. `calls` has each command with what it was given on its standard input. */
export function fakeWrangler({ names = [], fails } = {}) {
  const calls = [];
  const stored = new Map(names.map((name) => [name, undefined]));
  const wranglerFor = () => async (args, input) => {
    calls.push({ args, input });
    if (fails) return { code: 1, output: fails };
    if (args[1] === "list") return { code: 0, output: JSON.stringify([...stored.keys()].map((name) => ({ name, type: "secret_text" }))) };
    stored.set(args[2], input);
    return { code: 0, output: `Success! Uploaded secret ${args[2]}` };
  };
  return { calls, stored, wranglerFor };
}

/**
 * Runs the command.
 * @param {object} options
 * @param {{root: string}} options.project
 * @param {string[]} options.args
 * @param {Record<string, string>} [options.env]
 * @param {object} [options.surroundings]  replace the defaults: wrangler is not logged in, the endpoint does not answer
 * @returns {Promise<{code?: number, output: string, problem?: Problem, asked: string[]}>}
 */
export async function runLogto({ project, args, env = CREDENTIALS, surroundings = {} }) {
  const lines = [];
  const asked = [];
  const defaults = {
    root: project.root,
    print: (line) => lines.push(line),
    askForCredentials: async ({ clientId, clientSecret }) => ({ clientId, clientSecret }),
    confirm: async (question) => asked.push(question) > 0,
    wranglerFor: fakeWrangler({ fails: "You are not authenticated. Please run `wrangler login`." }).wranglerFor,
    scopesOfEndpoint: async () => [],
    answers: async () => false,
    runDoctor: async () => 0,
    http: { pause: async () => {} },
  };
  try {
    const code = await run(readOptions(args, env), { ...defaults, ...surroundings });
    return { code, output: lines.join("\n"), asked };
  } catch (problem) {
    if (!(problem instanceof Problem)) throw problem;
    return { problem, output: [...lines, ...problem.lines].join("\n"), asked };
  }
}

/** Runs the command as a process, as `make logto` does. */
export const COMMAND = fileURLToPath(new URL("dev/logto/main.mjs", ROOT));
