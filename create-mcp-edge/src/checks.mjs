// Checks of values that a person gives, pure. Each throws a `Problem` that says what is wrong and how to fix it. They are those
// of the Worker, which would refuse every request otherwise, and those of Cloudflare on names.

import { Problem } from "./problem.mjs";
import { PROVIDERS, issuerMismatch } from "./providers.mjs";

const LOOPBACK = ["localhost", "127.0.0.1", "[::1]"];

/** The Workers of a project are called by its name with an ending such as "-registrar-staging"; a host's label has 63 bytes. */
const MAX_NAME = 40;

/** The longest URL that the Worker accepts. */
const MAX_URL = 2048;

/** @param {string} name  of the project, of its folder or from a flag */
export function checkName(name, what = "The name") {
  if (/^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/.test(name) && name.length <= MAX_NAME) return;
  throw new Problem(
    `${what} ${JSON.stringify(name)} cannot be the name of a Worker`,
    `Use lower-case letters, digits and -, ${MAX_NAME} characters at most, for example acme-mcp; --name gives another than that of the folder.`,
  );
}

/** @param {string} provider */
export function checkProvider(provider) {
  if (Object.hasOwn(PROVIDERS, provider)) return;
  throw new Problem(`--provider ${JSON.stringify(provider)} is unknown`, `Choose one of ${Object.keys(PROVIDERS).join(", ")}.`);
}

/**
 * @param {string} issuer      empty if it is left for later
 * @param {string} [provider]  a key of PROVIDERS; without it, the issuer of any may be meant
 */
export function checkIssuer(issuer, provider) {
  if (issuer === "") return;
  const what = `The issuer ${JSON.stringify(issuer)}`;
  requireUrl(issuer, what, PROVIDERS[provider ?? "generic"].example);
  if (issuer.includes("{")) throw new Problem(`${what} stands for several tenants`, "Give the issuer of one tenant, or leave it out: ALLOWED_TENANTS is needed beside it.");
  const mismatch = provider === undefined ? undefined : issuerMismatch(provider, issuer);
  if (mismatch !== undefined) throw new Problem(`${what} ${mismatch.message}`, mismatch.fix);
}

/**
 * @param {string} resource  empty if it is left for later
 * @param {string} [worker]  the name of the Worker that answers there, if it is known
 */
export function checkResource(resource, worker, what = "The resource") {
  if (resource === "") return;
  const named = `${what} ${JSON.stringify(resource)}`;
  const example = "https://mcp.example.com/mcp";
  const url = requireUrl(resource, named, example);
  if (url.pathname === "/") throw new Problem(`${named} has no path`, `Give the full URL of the MCP endpoint, for example ${url.origin}/mcp: clients add a slash to a URL without a path.`);
  if (url.pathname.startsWith("/.well-known")) throw new Problem(`${named} is below /.well-known`, `Choose another path, for example ${url.origin}/mcp.`);
  if (url.href !== resource) throw new Problem(`${named} is not in its normal form`, `Clients send ${url.href}, and the strings must be equal: give that one.`);
  if (LOOPBACK.includes(url.hostname)) throw new Problem(`${named} is on this machine`, "Give the URL that it will have when it is deployed, or leave it out; npm run dev uses its own.");
  if (url.port !== "") throw new Problem(`${named} names a port`, "Cloudflare serves Workers at https without one.");
  const [, label] = /^([^.]+)\.[^.]+\.workers\.dev$/.exec(url.hostname) ?? [];
  if (label !== undefined && worker !== undefined && label !== worker) throw new Problem(`${named} is not the address of this Worker`, `At workers.dev it begins with the name of the Worker: https://${worker}.<your subdomain>.workers.dev${url.pathname}, or choose the name with --name.`);
}

/** @param {string} upstream  the URL of the MCP endpoint that a gateway stands in front of */
export function checkUpstream(upstream, resources = []) {
  const what = `The upstream ${JSON.stringify(upstream)}`;
  const example = "https://upstream.example.com/mcp";
  const url = URL.canParse(upstream) ? new URL(upstream) : undefined;
  if (url?.protocol === "http:" && LOOPBACK.includes(url.hostname)) requirePlain(upstream, url, what, example);
  else requireUrl(upstream, what, example);
  if (resources.includes(upstream)) throw new Problem(`${what} is the gateway itself`, "Give the URL of your own MCP server.");
}

/** Whether a URL is on this machine, where only `npm run dev` reaches it. @param {string} url */
export const isOnThisMachine = (url) => LOOPBACK.includes(new URL(url).hostname);

function requireUrl(text, what, example) {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol !== "https:" || !text.startsWith("https://")) throw new Problem(`${what} is no https URL`, `For example ${example}`);
  requirePlain(text, url, what, example);
  return url;
}

function requirePlain(text, url, what, example) {
  const hint = `For example ${example}`;
  if (/[?#]/.test(text)) throw new Problem(`${what} has a query or a fragment`, hint);
  if (url.username !== "" || url.password !== "" || text.includes("@")) throw new Problem(`${what} has a user name in it`, hint);
  if (!/^[\x21-\x7e]+$/.test(text) || /["\\<>]/.test(text)) throw new Problem(`${what} has white space, quotes or other characters than visible ASCII`, hint);
  if (text.length > MAX_URL) throw new Problem(`${what.slice(0, 80)}… is longer than ${MAX_URL} characters`, hint);
}
