// After `make logto`, users can sign in: the Worker with the settings that it wrote, and the application that it made.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { text } from "node:stream/consumers";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { readSettings } from "../dev/logto/wrangler-toml.mjs";
import { createProject, runLogto, startLogto } from "./support/logto-tenant.mjs";
import { freePort, startWorker } from "./support/worker.mjs";
import "./support/report-failures.mjs";

const WHOAMI = fileURLToPath(new URL("../dev/whoami.mjs", import.meta.url));

const port = await freePort();
const resource = `http://127.0.0.1:${port}/mcp`;
const tenant = await startLogto({ resource });
const project = await createProject();
const args = ["--endpoint", tenant.endpoint, "--resource", resource, "--yes", "--whoami"];
const { code, output } = await runLogto({ project, args });
const worker = await startWorker({ port, settings: readSettings(await project.read()) });
after(async () => {
  await worker.stop();
  await tenant.stop();
  await project.remove();
});

/** Runs `make whoami` as alice. */
async function whoami(option, { node = [] } = {}) {
  const [, clientId] = /make whoami ARGS="--client-id (\w+) /.exec(output);
  const given = [...node, WHOAMI, "--client-id", clientId, "--login", "alice", option, resource];
  const child = spawn(process.execPath, given, { stdio: ["ignore", "pipe", "pipe"] });
  const [shown, errors] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return { shown, errors, clientId };
}

test("make whoami signs in with the application that was made for it", async () => {
  assert.equal(code, 0, output);
  const { shown, errors, clientId } = await whoami("--json");
  assert.equal(errors, "");
  const { name, email, email_verified, client_id, scopes } = JSON.parse(shown);
  assert.deepEqual({ name, email, email_verified, client_id, scopes }, {
    name: "Alice Doe",
    email: "alice@example.com",
    email_verified: true,
    client_id: clientId,
    scopes: ["whoami:read"],
  });
});

test("make whoami prints the access token alone into a pipe", async () => {
  const { shown, errors, clientId } = await whoami("--token");
  assert.equal(errors, "");
  assert.match(shown, /^[\w-]+\.[\w-]+\.[\w-]+\n$/);
  const claims = JSON.parse(Buffer.from(shown.split(".")[1], "base64url"));
  assert.deepEqual({ aud: claims.aud, client_id: claims.client_id }, { aud: resource, client_id: clientId });
});

test("make whoami prints no access token to a terminal", async () => {
  const node = ["--import", "data:text/javascript,process.stdout.isTTY = true"];
  const { shown, errors } = await whoami("--token", { node });
  assert.equal(shown, "");
  assert.match(errors, /^whoami: --token needs a pipe: dev\/with-tools node dev\/whoami.mjs --token \| make explain\n/);
});

test("the page offers the playground with the application that was made for it", async () => {
  const page = await (await fetch(`${worker.origin}/`)).text();
  assert.match(page, /playground/i);
  assert.match(page, new RegExp(readSettings(await project.read()).PLAYGROUND_CLIENT_ID));
});

test("clients find the tenant and the permission in the metadata", async () => {
  const metadata = await (await fetch(`${worker.origin}/.well-known/oauth-protected-resource/mcp`)).json();
  assert.equal(metadata.resource, resource);
  assert.deepEqual(metadata.authorization_servers, [tenant.provider.issuer]);
  assert.deepEqual(metadata.scopes_supported, ["whoami:read"]);
});
