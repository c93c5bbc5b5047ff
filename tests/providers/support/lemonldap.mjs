// LemonLDAP::NG (Perl): a single sign-on portal, here from Debian's package, with its demonstration accounts.

import { generateKeyPairSync } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { freePort } from "../../support/worker.mjs";
import { submitForms } from "./forms.mjs";
import { lemonldap } from "./installed.mjs";
import { newFolder, startServer } from "./program.mjs";
import { REDIRECT_URL } from "./token-requests.mjs";

// One of the accounts of the demonstration; its password is its name.
const USER = "dwho";

/** The clients, with secrets of this test. Each may have a token for the resource, as its settings say. */
export const CLIENTS = {
  agent: { client_id: "agent" },
  foreign: { client_id: "agent-of-another-resource" },
  opaque: { client_id: "opaque-agent" },
  robot: { client_id: "robot", client_secret: "robot-secret", token_endpoint_auth_method: "client_secret_post" },
  worker: { client_id: "mcp-worker", client_secret: "worker-secret" },
};

/**
 * Starts the portal with its clients.
 * @param {{audience: string, scopes: string[]}} options  the audience of all access tokens besides the client
 */
export async function startLemonldap({ audience, scopes }) {
  const port = await freePort();
  const issuer = `http://127.0.0.1:${port}/`;
  const folder = await newFolder();
  for (const name of ["conf", "sessions/lock", "psessions/lock", "cache", "notifications"]) {
    await mkdir(join(folder, name), { recursive: true });
  }
  await writeFile(join(folder, "lemonldap-ng.ini"), initialSettings(folder));
  const defaults = JSON.parse(await readFile(lemonldap.configuration, "utf8"));
  const settings = { ...defaults, ...ofFolder(folder), ...ofIssuer(issuer), ...ofClients(audience, scopes) };
  await writeFile(join(folder, "conf/lmConf-1.json"), JSON.stringify(settings));
  const options = ["--server", "HTTP::Server::PSGI", "--no-default-middleware", "--host", "127.0.0.1"];
  const server = await startServer(
    ["perl", lemonldap.server, ...options, "--port", String(port), join(lemonldap.portal, "htdocs/index.psgi")],
    {
      folder,
      answers: `${issuer}.well-known/openid-configuration`,
      env: { ...lemonldap.env, LLNG_DEFAULTCONFFILE: join(folder, "lemonldap-ng.ini") },
    },
  );
  const visit = submitForms((fields) => (fields.has("password") ? { user: USER, password: USER } : { confirm: "1" }));
  return { issuer, clients: CLIENTS, visit, stop: server.stop };
}

const cacheOptions = (folder, name) =>
  `{ 'cache_root' => '${folder}/cache', 'namespace' => '${name}', 'default_expires_in' => 600, 'cache_depth' => 3 }`;

const initialSettings = (folder) => `
[all]
logLevel = warn
localSessionStorage = Cache::FileCache
localSessionStorageOptions = ${cacheOptions(folder, "sessions")}
[configuration]
type = File
dirName = ${folder}/conf
localStorage = Cache::FileCache
localStorageOptions = ${cacheOptions(folder, "config")}
[portal]
templateDir = ${lemonldap.portal}/templates
staticPrefix = /static
languages = en
`;

const ofFolder = (folder) => ({
  globalStorageOptions: {
    Directory: `${folder}/sessions`,
    LockDirectory: `${folder}/sessions/lock`,
    generateModule: "Lemonldap::NG::Common::Apache::Session::Generate::SHA256",
  },
  persistentStorageOptions: { Directory: `${folder}/psessions`, LockDirectory: `${folder}/psessions/lock` },
  notificationStorageOptions: { dirName: `${folder}/notifications` },
  localSessionStorageOptions: {
    cache_root: `${folder}/cache`,
    cache_depth: 3,
    default_expires_in: 600,
    namespace: "sessions",
  },
});

function ofIssuer(issuer) {
  const { privateKey, publicKey } = generateKeyPairSync("rsa", {
    modulusLength: 2048,
    privateKeyEncoding: { type: "pkcs8", format: "pem" },
    publicKeyEncoding: { type: "spki", format: "pem" },
  });
  return {
    portal: issuer,
    domain: "127.0.0.1",
    notification: 0,
    captcha_login_enabled: 0,
    captcha_mail_enabled: 0,
    captcha_register_enabled: 0,
    portalDisplayRegister: 0,
    portalDisplayResetPassword: 0,
    issuerDBOpenIDConnectActivation: 1,
    oidcServiceMetaDataIssuer: issuer,
    oidcServicePrivateKeySig: privateKey,
    oidcServicePublicKeySig: publicKey,
    oidcServiceKeyIdSig: "lemonldap-1",
    oidcServiceAllowAuthorizationCodeFlow: 1,
    oidcServiceAllowOnlyDeclaredScopes: 1,
  };
}

function ofClients(audience, scopes) {
  const user = {
    oidcRPMetaDataOptionsPublic: 1,
    oidcRPMetaDataOptionsRequirePKCE: 1,
    oidcRPMetaDataOptionsRedirectUris: REDIRECT_URL,
    oidcRPMetaDataOptionsAdditionalAudiences: audience,
    oidcRPMetaDataOptionsIDTokenSignAlg: "RS256",
  };
  const jwt = { oidcRPMetaDataOptionsAccessTokenJWT: 1, oidcRPMetaDataOptionsAccessTokenClaims: 1 };
  const secret = ({ client_secret }) => ({ oidcRPMetaDataOptionsClientSecret: client_secret });
  const options = {
    agent: { ...user, ...jwt },
    foreign: { ...user, ...jwt, oidcRPMetaDataOptionsAdditionalAudiences: "" },
    opaque: user,
    robot: {
      ...user,
      ...jwt,
      ...secret(CLIENTS.robot),
      oidcRPMetaDataOptionsPublic: 0,
      oidcRPMetaDataOptionsAllowClientCredentialsGrant: 1,
    },
    worker: secret(CLIENTS.worker),
  };
  const forEach = (value) => Object.fromEntries(Object.keys(options).map((name) => [name, value(name)]));
  return {
    oidcRPMetaDataOptions: forEach((name) => ({
      oidcRPMetaDataOptionsClientID: CLIENTS[name].client_id,
      oidcRPMetaDataOptionsDisplayName: name,
      ...options[name],
    })),
    oidcRPMetaDataExportedVars: forEach(() => ({ name: "cn", email: "mail" })),
    // A scope is known if it has a rule; this one grants it if the client asks for it.
    oidcRPMetaDataScopeRules: forEach(() => Object.fromEntries(scopes.map((scope) => [scope, "$requested"]))),
  };
}
