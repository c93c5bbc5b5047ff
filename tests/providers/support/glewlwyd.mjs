// Glewlwyd (C): an OpenID Connect provider, here from Debian's package, with a database in SQLite.

import { generateKeyPairSync } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { freePort } from "../../support/worker.mjs";
import { glewlwyd } from "./installed.mjs";
import { newFolder, startServer } from "./program.mjs";
import { REDIRECT_URL } from "./token-requests.mjs";

const USER = { username: "alice", password: "alice-password" };

// The account that Debian's database begins with.
const ADMINISTRATOR = { username: "admin", password: "password" };

/** The clients, with secrets of this test. */
export const CLIENTS = {
  agent: { client_id: "agent" },
  robot: { client_id: "robot", client_secret: "robot-secret", token_endpoint_auth_method: "client_secret_basic" },
};

/**
 * Starts the server with one user, one public client and one machine.
 * @param {{scopes: string[], resources: string[]}} options  the scopes, and the resources that tokens can be for
 */
export async function startGlewlwyd({ scopes, resources }) {
  const port = await freePort();
  const origin = `http://127.0.0.1:${port}`;
  const folder = await newFolder();
  await writeDatabase(join(folder, "glewlwyd.db"));
  await writeFile(join(folder, "glewlwyd.conf"), configuration({ port, origin, folder }));
  const server = await startServer([glewlwyd.program, `--config-file=${folder}/glewlwyd.conf`], {
    folder,
    answers: `${origin}/config`,
    env: glewlwyd.env,
  });
  try {
    await setUp(origin, scopes, resources);
  } catch (error) {
    const output = server.output();
    await server.stop();
    throw new Error(`${error.message}\n${output}`);
  }
  return { issuer: `${origin}/api/oidc`, clients: CLIENTS, visit: (url) => signIn(origin, url), stop: server.stop };
}

async function writeDatabase(file) {
  const database = new DatabaseSync(file);
  database.exec(await readFile(glewlwyd.schema, "utf8"));
  database.close();
}

const configuration = ({ port, origin, folder }) => `
port=${port}
bind_address="127.0.0.1"
external_url="${origin}/"
login_url="login.html"
api_prefix="api"
log_mode="console"
log_level="WARNING"
session_key="GLEWLWYD2_SESSION_ID"
session_expiration=2419200
admin_scope="g_admin"
profile_scope="g_profile"
hash_algorithm="SHA512"
user_module_path="${glewlwyd.modules}/user"
client_module_path="${glewlwyd.modules}/client"
user_auth_scheme_module_path="${glewlwyd.modules}/scheme"
plugin_module_path="${glewlwyd.modules}/plugin"
database = { type = "sqlite3"; path = "${folder}/glewlwyd.db"; };
`;

// What an administrator enters on the pages of the server, by the requests that they send.
async function setUp(origin, scopes, resources) {
  const session = new Session(origin);
  await session.send("POST", "auth/", ADMINISTRATOR);
  for (const name of scopes) {
    const scope = { name, display_name: name, description: name, password_required: true, scheme: {} };
    await session.send("POST", "scope/", scope);
  }
  const granted = [...scopes, "openid"];
  const profile = { name: "Alice Doe", email: "alice@example.com" };
  await session.send("POST", "user/", { ...USER, ...profile, enabled: true, scope: granted });
  await session.send("POST", "client/", {
    client_id: CLIENTS.agent.client_id,
    name: "Agent",
    enabled: true,
    confidential: false,
    authorization_type: ["code", "refresh_token"],
    redirect_uri: [REDIRECT_URL],
    scope: [],
    token_endpoint_auth_method: ["none"],
  });
  await session.send("POST", "client/", {
    client_id: CLIENTS.robot.client_id,
    name: "Robot",
    enabled: true,
    confidential: true,
    client_secret: CLIENTS.robot.client_secret,
    authorization_type: ["client_credentials"],
    redirect_uri: [],
    scope: scopes,
    token_endpoint_auth_method: [CLIENTS.robot.token_endpoint_auth_method],
  });
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const key = { ...privateKey.export({ format: "jwk" }), kid: "glewlwyd-1", alg: "ES256", use: "sig" };
  await session.send("POST", "mod/plugin/", {
    module: "oidc",
    name: "oidc",
    display_name: "OpenID Connect",
    enabled: true,
    parameters: {
      iss: `${origin}/api/oidc`,
      "jwks-private": JSON.stringify({ keys: [key] }),
      "jwks-show": true,
      "jwt-type": "ecdsa",
      "jwt-key-size": "256",
      "access-token-duration": 3600,
      "refresh-token-duration": 1209600,
      "code-duration": 600,
      "allow-non-oidc": true,
      "auth-type-code-enabled": true,
      "auth-type-client-enabled": true,
      "auth-type-refresh-enabled": true,
      "pkce-allowed": true,
      "pkce-required": true,
      "resource-allowed": true,
      "resource-scope": Object.fromEntries(scopes.map((scope) => [scope, resources])),
      "resource-client-property": "",
      "resource-scope-and-client-property": false,
      "register-client-allowed": true,
      "register-client-auth-scope": [],
      "register-client-credentials-scope": [],
      "register-default-properties": {},
      "introspection-revocation-allowed": true,
      "introspection-revocation-allow-target-client": true,
      "additional-parameters": [
        { "user-parameter": "name", "token-parameter": "name" },
        { "user-parameter": "email", "token-parameter": "email" },
      ],
    },
  });
}

// The sign-in page is a program that sends these requests.
async function signIn(origin, authorizationUrl) {
  const session = new Session(origin);
  const asked = await session.open(authorizationUrl);
  const page = new URL(asked.headers.get("location"), origin);
  if (!page.pathname.endsWith("/login.html")) return page;
  await session.send("POST", "auth/", USER);
  const scope = page.searchParams.get("scope");
  await session.send("PUT", `auth/grant/${page.searchParams.get("client_id")}`, { scope });
  const next = new URL(page.searchParams.get("callback_url"));
  next.searchParams.set("g_continue", "");
  const answer = await session.open(next);
  const location = answer.headers.get("location");
  if (location === null) throw new Error(`no redirect: ${answer.status} ${await answer.text()}`);
  return new URL(location, origin);
}

/** A browser's session with the server. */
class Session {
  #cookies = new Map();

  constructor(origin) {
    this.origin = origin;
  }

  async open(url, init = {}) {
    const cookie = [...this.#cookies].map((pair) => pair.join("=")).join("; ");
    const response = await fetch(url, { ...init, headers: { ...init.headers, cookie }, redirect: "manual" });
    for (const line of response.headers.getSetCookie()) {
      const [pair] = line.split(";");
      const at = pair.indexOf("=");
      this.#cookies.set(pair.slice(0, at), pair.slice(at + 1));
    }
    return response;
  }

  async send(method, path, json) {
    const init = { method, headers: { "content-type": "application/json" }, body: JSON.stringify(json) };
    const response = await this.open(`${this.origin}/api/${path}`, init);
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
  }
}
