// A client of Logto's Management API, with a machine-to-machine application's credentials.

import { checked } from "./answers.mjs";
import { createSender } from "./http.mjs";
import { plain, Problem } from "./problem.mjs";

const PAGE_SIZE = 100;
const MAX_PAGES = 200;

const ROLE_FIX =
  'In the Logto console, open the machine-to-machine application, "Roles", and assign "Logto Management API access" (create such a role with the permission `all` of the Management API if there is none).';

// What a header can carry. The error about any other value would contain it.
const TOKEN = /^[\x21-\x7e]+$/;

/**
 * @typedef {object} ManagementClient
 * @property {string} resource  the resource indicator of the Management API
 * @property {(path: string, kind: string) => Promise<any>} get  `kind`: of answers.mjs
 * @property {(path: string, kind: string) => Promise<any[]>} list  all pages; `kind`: of an entry
 * @property {(method: string, path: string, body?: object, kind?: string) => Promise<any>} call  without a kind, the answer is
 *   not looked at
 *
 * Signs in and returns the client.
 * @param {object} options
 * @param {string} options.endpoint  origin of the tenant
 * @param {string} [options.managementResource]  by default it is derived from the endpoint
 * @param {string} options.clientId
 * @param {string} options.clientSecret
 * @param {import("./http.mjs").Options} [options.http]
 * @returns {Promise<ManagementClient>}
 */
export async function connect({ endpoint, managementResource = managementResourceOf(endpoint), clientId, clientSecret, http }) {
  const send = createSender(http);
  const token = await obtainToken();
  return {
    resource: managementResource,
    get: (path, kind) => call("GET", path, undefined, kind),
    list,
    call,
  };

  async function obtainToken() {
    const url = `${endpoint}/oidc/token`;
    const form = { grant_type: "client_credentials", resource: managementResource, scope: "all" };
    const basic = Buffer.from(`${encodeURIComponent(clientId)}:${encodeURIComponent(clientSecret)}`).toString("base64");
    const { status, json } = await send(url, {
      method: "POST",
      headers: { authorization: `Basic ${basic}`, "content-type": "application/x-www-form-urlencoded" },
      body: new URLSearchParams(form).toString(),
    });
    if (status !== 200) throw tokenProblem({ status, json, url, clientId, managementResource });
    if (typeof json?.access_token !== "string" || !TOKEN.test(json.access_token)) throw notLogto(url, status);
    if (!String(json.scope ?? "").split(" ").includes("all")) {
      throw new Problem(`the application ${clientId} may not use the Management API`, {
        why: "Logto issued a token without the scope `all`: the application lacks the role.",
        fix: ROLE_FIX,
      });
    }
    return json.access_token;
  }

  async function call(method, path, body, kind) {
    const { json } = await callOnce(method, path, body);
    return kind === undefined ? undefined : checked(kind, json, nameOf(method, path));
  }

  async function list(path, kind) {
    const entries = [];
    for (let page = 1; page <= MAX_PAGES; page += 1) {
      const separator = path.includes("?") ? "&" : "?";
      const { json, headers } = await callOnce("GET", `${path}${separator}page=${page}&page_size=${PAGE_SIZE}`);
      if (!Array.isArray(json)) throw new Problem(`${nameOf("GET", path)} did not answer with a list`, { fix: "Check that ENDPOINT leads to Logto itself." });
      entries.push(...json.map((entry) => checked(kind, entry, nameOf("GET", path))));
      const total = Number(headers.get("total-number") ?? NaN);
      if (json.length < PAGE_SIZE || entries.length >= total) return entries;
    }
    throw new Problem(`${path} has more than ${MAX_PAGES * PAGE_SIZE} entries`, { why: "Nothing was changed.", fix: "Set this tenant up by hand: docs/providers/logto.md." });
  }

  async function callOnce(method, path, body) {
    const answer = await send(`${endpoint}/api${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, ...(body && { "content-type": "application/json" }) },
      body: body && JSON.stringify(body),
    });
    if (answer.status < 200 || answer.status >= 300) throw apiProblem(method, path, answer);
    return answer;
  }
}

/** The indicator of the Management API: a tenant of Logto Cloud has its own, all others have the same. */
export function managementResourceOf(endpoint) {
  const { hostname, origin } = new URL(endpoint);
  return hostname.endsWith(".logto.app") ? `${origin}/api` : "https://default.logto.app/api";
}

function tokenProblem({ status, json, url, clientId, managementResource }) {
  const error = json?.error;
  const description = plain(json?.error_description);
  if (error === undefined) return notLogto(url, status);
  if (status === 401 && error === "invalid_client") {
    return new Problem("Logto refused the secret (401)", {
      why: "LOGTO_CLIENT_SECRET is not a secret of the application that LOGTO_CLIENT_ID names.",
      fix: "Copy the secret of the machine-to-machine application from the Logto console, and try again.",
    });
  }
  if (error === "invalid_client") {
    // Neither what was sent nor what Logto says of it: it may be the secret.
    return new Problem("the tenant has no application with this id", {
      why: "LOGTO_CLIENT_ID is of another tenant, or the id and the secret are swapped.",
      fix: "LOGTO_CLIENT_ID must be the app ID of a machine-to-machine application of the tenant at ENDPOINT.",
    });
  }
  if (/secret has expired/.test(description)) {
    return new Problem("the secret has expired", { fix: "Add a new secret to the application in the Logto console." });
  }
  if (error === "invalid_target") {
    return new Problem(`this tenant has no Management API called ${managementResource}`, {
      why: "The name of the Management API is derived from ENDPOINT, and a custom domain does not show it.",
      fix: "Set ENDPOINT to https://<tenant>.logto.app, or add ARGS='--management-resource https://<tenant>.logto.app/api'.",
    });
  }
  if (error === "unauthorized_client" || error === "unsupported_grant_type") {
    return new Problem(`the application ${clientId} may not request tokens for itself`, {
      why: `Logto says: ${description}.`,
      fix: "Use an application of the type machine-to-machine.",
    });
  }
  return new Problem(`Logto refused the credentials (${status} ${plain(error)})`, {
    why: description && `Logto says: ${description}.`,
    fix: "Check LOGTO_CLIENT_ID and LOGTO_CLIENT_SECRET: a machine-to-machine application of the tenant at ENDPOINT.",
  });
}

const notLogto = (url, status) =>
  new Problem(`${url} does not answer as Logto does (status ${status})`, {
    why: status >= 500 ? "Logto, or a proxy in front of it, has failed." : "There is no Logto at this URL.",
    fix: "Set ENDPOINT to the origin of the tenant, such as https://<tenant>.logto.app.",
  });

const nameOf = (method, path) => `${method} /api${path.split("?")[0]}`;

/** The message with its `{{…}}` filled in, which some of Logto's answers leave to their reader. Nothing else of `data` is shown. */
function filled(message, data) {
  const valueOf = (_, name) => (typeof data?.[name] === "string" ? data[name] : "…");
  return typeof message === "string" ? message.replace(/\{\{(\w+)\}\}/g, valueOf) : message;
}

function apiProblem(method, path, { status, json }) {
  const call = nameOf(method, path);
  // Other members of the body can repeat the claims of the token.
  const code = plain(json?.code);
  const said = [code, plain(filled(json?.message, json?.data))].filter(Boolean).join(": ");
  if (status >= 400 && status < 500 && code === "") {
    if (status === 404) {
      return new Problem(`${call} is not known there (404)`, { why: "This Logto is too old for it, or a proxy does not let it through.", fix: "Update Logto, or do this step by hand: docs/providers/logto.md.", isFatal: false, status });
    }
    return new Problem(`${call} was refused (${status})`, {
      why: "The answer is not Logto's: a proxy or a firewall in front of it has refused.",
      fix: "Let requests to /api/ below ENDPOINT through, and run the same command again.",
    });
  }
  if (status === 401) {
    return new Problem(`${call} was refused (401 ${code})`, {
      why: "Logto does not accept its own token: it has expired while the question was open, its signing keys were rotated, or ENDPOINT and the Management API belong to different tenants.",
      fix: "Run the same command again.",
    });
  }
  if (status === 403 && code === "auth.forbidden") {
    return new Problem(`${call} was refused (403)`, { why: "The application lacks the Management API's permission `all`.", fix: ROLE_FIX });
  }
  if (status === 403 || /^subscription\./.test(code)) {
    return new Problem(`${call} was refused (${status})`, {
      why: `Logto says: ${said}.`,
      fix: "The plan of the tenant does not include it, or its limit is reached: change the plan, or do without.",
      isFatal: false,
      status,
    });
  }
  if (status >= 500) {
    return new Problem(`${call} failed at Logto (${status})`, { why: said && `Logto says: ${said}.`, fix: "Run the same command again: it continues where it stopped." });
  }
  return new Problem(`${call} was refused (${status})`, { why: `Logto says: ${said}.`, fix: "Correct what it names in the Logto console and run the same command again, or do this step by hand: docs/providers/logto.md.", isFatal: false, status });
}
