// Identity providers: what PROVIDER is called, and which form the issuers on a provider's own domain have.
//
// The forms are those of crates/provider-profiles, which the Worker checks ISSUER by; tests/providers.test.mjs compares both.

/**
 * @typedef {object} IssuerForm
 * @property {string} host     the host by its labels; `*` stands for one label, `**` at the beginning for one or more
 * @property {string} path     the path by its segments; `*` stands for one segment, `<tenant id>` for the id of a tenant
 * @property {string} example
 *
 * @typedef {object} Provider
 * @property {string} title
 * @property {IssuerForm[]} issuers  empty if the provider is on hosts of its operators only
 * @property {string} example        an issuer, as an operator would write it
 */

const provider = (title, issuers, example = issuers[0].example) => ({ title, issuers, example });
const form = (host, path, example) => ({ host, path, example });

/** @type {Record<string, Provider>} by the value of PROVIDER */
export const PROVIDERS = {
  logto: provider("Logto", [form("**.logto.app", "/oidc", "https://your-tenant.logto.app/oidc")]),
  auth0: provider("Auth0", [form("**.auth0.com", "/", "https://your-tenant.eu.auth0.com/")]),
  cognito: provider("Amazon Cognito", [
    form("cognito-idp.*.amazonaws.com", "/*", "https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_AbCdEfGhI"),
    form("issuer-cognito-idp.*.amazonaws.com", "/*", "https://issuer-cognito-idp.eu-central-1.amazonaws.com/eu-central-1_AbCdEfGhI"),
  ]),
  entra: provider("Microsoft Entra ID", [
    form("login.microsoftonline.com", "/<tenant id>/v2.0", "https://login.microsoftonline.com/<tenant id>/v2.0"),
    form("sts.windows.net", "/<tenant id>/", "https://sts.windows.net/<tenant id>/"),
    form("sts.chinacloudapi.cn", "/<tenant id>/", "https://sts.chinacloudapi.cn/<tenant id>/"),
    form("login.microsoftonline.us", "/<tenant id>/v2.0", "https://login.microsoftonline.us/<tenant id>/v2.0"),
    form("login.partner.microsoftonline.cn", "/<tenant id>/v2.0", "https://login.partner.microsoftonline.cn/<tenant id>/v2.0"),
    form("**.ciamlogin.com", "/<tenant id>/v2.0", "https://<tenant id>.ciamlogin.com/<tenant id>/v2.0"),
  ]),
  keycloak: provider("Keycloak", [], "https://sign-in.example.com/realms/your-realm"),
  okta: provider("Okta", [
    form("**.okta.com", "/oauth2/*", "https://your-org.okta.com/oauth2/default"),
    form("**.oktapreview.com", "/oauth2/*", "https://your-org.oktapreview.com/oauth2/default"),
    form("**.okta-emea.com", "/oauth2/*", "https://your-org.okta-emea.com/oauth2/default"),
  ]),
  supabase: provider("Supabase", [form("**.supabase.co", "/auth/v1", "https://your-project.supabase.co/auth/v1")]),
  workos: provider("WorkOS AuthKit", [form("**.authkit.app", "", "https://your-project.authkit.app")]),
  generic: provider("another OpenID Connect provider", [], "https://sign-in.example.com"),
};

const TENANT_ID = /^[0-9a-f-]{36}$/;

/**
 * Checks that an issuer can be one of the provider's, as the Worker does.
 * @param {string} name    a key of PROVIDERS
 * @param {string} issuer  an https URL
 * @returns {{message: string, fix: string} | undefined} what is wrong
 */
export function issuerMismatch(name, issuer) {
  const { title, issuers } = PROVIDERS[name];
  const [, host, path] = /^https:\/\/([^/]*)(.*)$/.exec(issuer) ?? [];
  const own = issuers.filter((one) => matchesHost(one.host, host));
  if (own.some((one) => matchesParts(one.path, path, "/"))) return undefined;
  if (own.length > 0) return { message: `is not an issuer of ${title}`, fix: `It has the form ${own[0].example}, exactly as the provider's discovery document says it.` };
  if (name === "generic") return undefined;
  const [other] = Object.entries(PROVIDERS).find(([, { issuers: theirs }]) => theirs.some((one) => matchesHost(one.host, host))) ?? [];
  if (other === undefined) return undefined;
  return { message: `is an issuer of ${PROVIDERS[other].title}, not of ${title}`, fix: `Choose the provider ${other}, or give the issuer of ${title}: ${PROVIDERS[name].example}` };
}

function matchesHost(pattern, host) {
  const lower = host.toLowerCase();
  if (!pattern.startsWith("**")) return matchesParts(pattern, lower, ".");
  const suffix = pattern.slice(2);
  return lower.length > suffix.length && lower.endsWith(suffix);
}

function matchesParts(pattern, text, separator) {
  const [wanted, found] = [pattern, text].map((one) => one.split(separator));
  const matches = (want, part) => want === part || (want === "*" && part !== "") || (want === "<tenant id>" && TENANT_ID.test(part));
  return wanted.length === found.length && wanted.every((want, index) => matches(want, found[index]));
}
