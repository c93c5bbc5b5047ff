// django-oauth-toolkit (Python): an authorization server within a Django project.

import { generateKeyPairSync } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { freePort } from "../../support/worker.mjs";
import { submitForms } from "./forms.mjs";
import { python } from "./installed.mjs";
import { newFolder, run, startServer } from "./program.mjs";
import { REDIRECT_URL } from "./token-requests.mjs";

const PROJECT = fileURLToPath(new URL("../django_provider.py", import.meta.url));

export const USER = { username: "alice", password: "alice-password", email: "alice@example.com" };

/** The clients, with secrets of this test. */
export const CLIENTS = {
  agent: { client_id: "agent" },
  robot: { client_id: "robot", client_secret: "robot-secret", token_endpoint_auth_method: "client_secret_basic" },
  worker: { client_id: "mcp-worker", client_secret: "worker-secret" },
};

/**
 * Starts the server with one user and its clients.
 * @param {{scopes: string[], tokens: "opaque" | "jwt"}} options
 */
export async function startDjango({ scopes, tokens }) {
  const port = await freePort();
  const issuer = `http://127.0.0.1:${port}/o`;
  const folder = await newFolder();
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  await writeFile(join(folder, "key.pem"), privateKey.export({ type: "pkcs8", format: "pem" }));
  const env = {
    PROVIDER_FOLDER: folder,
    PROVIDER_PORT: String(port),
    PROVIDER_SCOPES: scopes.join(" "),
    PROVIDER_TOKENS: tokens,
    PROVIDER_REDIRECT_URL: REDIRECT_URL,
    PROVIDER_USER: JSON.stringify(USER),
    PROVIDER_CLIENTS: JSON.stringify(CLIENTS),
    PYTHONDONTWRITEBYTECODE: "1",
  };
  await run([python, PROJECT, "setup"], { cwd: folder, env: { ...process.env, ...env } });
  const answers = `${issuer}/.well-known/openid-configuration`;
  const server = await startServer([python, PROJECT, "serve"], { folder, answers, env });
  const { username, password } = USER;
  const visit = submitForms((fields) => (fields.has("password") ? { username, password } : { allow: "Authorize" }));
  return { issuer, clients: CLIENTS, visit, stop: server.stop };
}
