// A stand-in for Logto's Management API, for local development and tests.
//
// It responds as a real Logto was recorded to respond (registrar/tests/logto): the same statuses and bodies,
// the same weak validation of redirect URIs, one scope for all calls. The applications that it creates are
// clients of the local identity provider, so users can sign in through them.
//
// It listens on loopback only, and its secret is public. Never deploy it.

import { createRemoteJWKSet, errors, jwtVerify } from "jose";
import { listenOnLoopback } from "../identity-provider/listen.mjs";
import { createApplications } from "./applications.mjs";
import { problem } from "./problem.mjs";
import { createRouter } from "./routes.mjs";
import { createTenant } from "./tenant.mjs";

/** The API's resource indicator, as on every self-hosted Logto. */
export const MANAGEMENT_RESOURCE = "https://default.logto.app/api";

/** The machine-to-machine application with the role for Management API access. */
export const MANAGEMENT_CLIENT = { id: "registrar", secret: "registrar-secret" };

const PREFIX = "/api";
const MAX_BODY_BYTES = 1024 * 1024;

/** Options for the identity provider, and the log of sign-ins that it then writes. */
export function providerOptions() {
  const signIns = createSignInLog();
  return {
    signIns,
    options: {
      moreResources: {
        [MANAGEMENT_RESOURCE]: { scopes: { all: "Administer the tenant" }, clients: [MANAGEMENT_CLIENT.id] },
      },
      clients: [
        {
          metadata: {
            client_id: MANAGEMENT_CLIENT.id,
            client_name: "Registrar",
            client_secret: MANAGEMENT_CLIENT.secret,
            token_endpoint_auth_method: "client_secret_basic",
            grant_types: ["client_credentials"],
            response_types: [],
            redirect_uris: [],
          },
        },
      ],
      onTokenIssued: (event) => signIns.note({ ...event, result: "Success" }),
      onTokenRefused: (event) => signIns.note({ ...event, result: "Error" }),
    },
  };
}

/**
 * The part of the audit log with sign-ins and failed attempts by application. Anyone who knows the ID of a public client
 * can add failures, with parameters of any length.
 */
function createSignInLog() {
  const KEYS = {
    authorization_code: "ExchangeTokenBy.AuthorizationCode",
    refresh_token: "ExchangeTokenBy.RefreshToken",
  };
  const entries = [];
  return {
    note({ clientId, grantType, result = "Success", params = {}, error, createdAt = Date.now() }) {
      const key = KEYS[grantType];
      if (key === undefined) return;
      const payload = { key, result, ...(error && { error }), applicationId: clientId, params };
      entries.push({ tenantId: "default", id: crypto.randomUUID(), key, payload, createdAt });
    },
    /** Newest first. The period includes its end, not its beginning. */
    find: ({ applicationId, key, after = 0, until = Infinity }) =>
      entries
        .filter(({ payload, createdAt }) => {
          const isOfThem = (!applicationId || payload.applicationId === applicationId) && (!key || payload.key === key);
          return isOfThem && createdAt > after && createdAt <= until;
        })
        .sort((one, other) => other.createdAt - one.createdAt),
  };
}

/**
 * @typedef {"answer" | "drop" | "lose" | number} Mood
 *   the result of a call: answered; dropped before it has an effect; carried out without an answer; refused with this
 *   status
 *
 * @typedef {object} ManagementApi
 * @property {string} url           base URL
 * @property {string[]} calls       method and path of every call since `calls` was last emptied
 * @property {(call: string) => Mood | undefined | Promise<Mood | undefined>} mood
 *   may be replaced: decides about each call and its delay
 * @property {ReturnType<typeof createSignInLog>} signIns
 * @property {ReturnType<typeof createApplications>} applications
 * @property {ReturnType<typeof createTenant>["state"]} tenant  resources, roles, users and configuration
 * @property {() => Promise<void>} close
 *
 * Starts the API of a provider that was started with `providerOptions`.
 * @param {object} options
 * @param {import("../identity-provider/index.mjs").IdentityProvider} options.provider
 * @param {Record<string, Record<string, string>>} options.resources  indicator → scope → description
 * @param {ReturnType<typeof createSignInLog>} options.signIns
 * @param {number} [options.port]  0, the default, chooses a free one
 * @param {(message: string) => void} [options.log]
 * @returns {Promise<ManagementApi>}
 */
export async function startManagementApi({ provider, resources, signIns, port = 0, log = () => {} }) {
  const applications = createApplications({ clientStore: provider.clientStore, resources });
  const tenant = createTenant({ applications, managementResource: MANAGEMENT_RESOURCE });
  const answerCall = createRouter({ applications, signIns, tenant });
  const keys = createRemoteJWKSet(new URL(`${provider.issuer}/jwks`), { cooldownDuration: 0 });
  const api = { calls: [], mood: () => undefined, applications, signIns, tenant: tenant.state };

  const server = await listenOnLoopback(handle, port);
  api.url = `http://localhost:${server.port}${PREFIX}`;
  api.close = server.close;
  return api;

  async function handle(request, response) {
    const { pathname, search, searchParams } = new URL(request.url, "http://api");
    const path = pathname.slice(PREFIX.length);
    const body = await readBody(request);
    const call = `${request.method} ${path}${search}`;
    api.calls.push(call);

    const mood = (await api.mood(call)) ?? "answer";
    if (mood === "drop") return response.destroy();
    if (typeof mood === "number") return send(response, { status: mood, body: `${mood}` });

    const refusal = await refuse(request.headers.authorization);
    const answer = refusal ?? (await answerCall({ method: request.method, path, query: searchParams, body }));
    log(`${call} → ${answer.status}`);
    if (mood === "lose") return response.destroy();
    return send(response, answer);
  }

  /** Returns the response to a token without access, or undefined. */
  async function refuse(authorization) {
    if (authorization === undefined) return problem(401, "auth.authorization_header_missing", "Authorization header is missing.");
    try {
      const token = authorization.replace(/^Bearer /i, "");
      const { payload } = await jwtVerify(token, keys, { issuer: provider.issuer, audience: MANAGEMENT_RESOURCE });
      if (payload.scope?.split(" ").includes("all")) return undefined;
      return problem(403, "auth.forbidden", "Forbidden. Please check your user roles and permissions.");
    } catch (error) {
      if (!(error instanceof errors.JOSEError)) throw error;
      const { code, name, claim, reason, payload } = error;
      // Logto repeats the claims of the rejected token, too.
      const data = { code, name, claim, reason, payload };
      return { status: 401, body: { code: "auth.unauthorized", data, message: "Unauthorized. Please check credentials and its scope." } };
    }
  }
}

function send(response, { status, body, headers }) {
  const isText = typeof body === "string";
  response.writeHead(status, body === undefined ? {} : { ...headers, "content-type": `${isText ? "text/plain" : "application/json"}; charset=utf-8` });
  response.end(isText || body === undefined ? body : JSON.stringify(body));
}

async function readBody(request) {
  const chunks = [];
  let length = 0;
  for await (const chunk of request) {
    length += chunk.length;
    if (length > MAX_BODY_BYTES) return undefined;
    chunks.push(chunk);
  }
  const text = Buffer.concat(chunks).toString("utf8");
  try {
    return text === "" ? {} : JSON.parse(text);
  } catch {
    return undefined;
  }
}
