// A scripted browser for the sign-in and consent pages of the development identity provider.
//
// It keeps cookies, follows redirects and submits forms, like a browser without scripts. It stops at a redirect to
// the client.

const MAX_STEPS = 20;

/**
 * Signs in and answers the consent question, if there is one.
 *
 * @param {object} request
 * @param {string | URL} request.authorizationUrl
 * @param {string} [request.login]     user name or e-mail address
 * @param {string} [request.password]
 * @param {"allow" | "deny"} [request.decision]
 * @param {Browser} [request.browser]  to continue an earlier session
 * @returns {Promise<URL>} the redirect URI of the client, with `code` or `error` in its query
 */
export async function signIn({
  authorizationUrl,
  login = "alice",
  password = login,
  decision = "allow",
  browser = new Browser(),
}) {
  let page = await browser.open(authorizationUrl);
  for (let step = 0; step < MAX_STEPS; step += 1) {
    if (page.leftTo) return page.leftTo;
    if (page.alert) throw new Error(`sign-in failed: ${page.alert}`);
    if (!page.form) throw new Error(`no form to send at ${page.url} (${page.status}): ${page.text}`);
    page = await browser.submit(page, answerTo(page.form, { login, password, decision }));
  }
  throw new Error("the provider keeps asking");
}

function answerTo({ fields }, { login, password, decision }) {
  if (fields.has("password")) return { login, password };
  if (fields.has("decision")) return { decision };
  return {};
}

/**
 * @typedef {object} Page
 * @property {URL} url
 * @property {number} status
 * @property {Headers} headers
 * @property {string} body
 * @property {string} text     the body without markup, for error messages
 * @property {string} [alert]  what the page reports with role="alert"
 * @property {{action: URL, fields: Map<string, string>}} [form]  its first form
 * @property {URL} [leftTo]    set instead of the other members if a redirect leads to another origin
 */

/** A browser without scripts that stays on one origin. */
export class Browser {
  #cookies = [];
  #fetch;

  /** @param {typeof fetch} [fetch]  another than the global one */
  constructor(fetch = globalThis.fetch) {
    this.#fetch = fetch;
  }

  /** @returns {Promise<Page>} */
  open(url) {
    return this.#go(new URL(url), { method: "GET" });
  }

  /** Submits the page's form with its own values, changed by `fields`. @returns {Promise<Page>} */
  submit(page, fields) {
    const hidden = [...page.form.fields].filter(([, value]) => value !== undefined);
    const body = new URLSearchParams({ ...Object.fromEntries(hidden), ...fields });
    return this.#go(page.form.action, { method: "POST", body });
  }

  async #go(url, request) {
    const { origin } = url;
    for (let step = 0; step < MAX_STEPS; step += 1) {
      const headers = { accept: "text/html", cookie: this.#cookieHeader(url) };
      const response = await this.#fetch(url, { ...request, headers, redirect: "manual" });
      this.#remember(response, url);

      const location = response.headers.get("location");
      if (location === null) return readPage(url, response);
      await response.body?.cancel();
      const next = new URL(location, url);
      if (next.origin !== origin) return { leftTo: next };
      url = next;
      request = { method: "GET" };
    }
    throw new Error(`too many redirects, last to ${url}`);
  }

  #cookieHeader({ pathname }) {
    const covers = (path) => path === "/" || pathname === path || pathname.startsWith(`${path}/`);
    const matching = this.#cookies.filter(({ path }) => covers(path));
    return matching.map(({ name, value }) => `${name}=${value}`).join("; ");
  }

  #remember(response, url) {
    for (const line of response.headers.getSetCookie()) {
      const cookie = parseCookie(line, url);
      this.#cookies = this.#cookies.filter(({ name, path }) => name !== cookie.name || path !== cookie.path);
      if (!cookie.expired) this.#cookies.push(cookie);
    }
  }
}

function parseCookie(line, url) {
  const [pair, ...attributes] = line.split("; ");
  const [name, value] = splitOnce(pair);
  const named = new Map(attributes.map((attribute) => splitOnce(attribute.toLowerCase(), attribute)));
  const expires = named.get("expires");
  return {
    name,
    value,
    path: named.get("path") ?? url.pathname,
    expired: value === "" || (expires !== undefined && Date.parse(expires) <= Date.now()),
  };
}

// The name in lower case, the value as it was written.
function splitOnce(text, original = text) {
  const at = text.indexOf("=");
  return at === -1 ? [text, ""] : [text.slice(0, at), original.slice(at + 1)];
}

async function readPage(url, response) {
  const body = await response.text();
  return {
    url,
    status: response.status,
    headers: response.headers,
    body,
    text: textOf(body),
    alert: textOf(/role="alert"[^>]*>(.*?)<\//s.exec(body)?.[1]),
    form: readForm(body, url),
  };
}

function readForm(body, url) {
  const [, tag, content] = /<form\b([^>]*)>(.*?)<\/form>/s.exec(body) ?? [];
  if (tag === undefined) return undefined;
  const controls = [...content.matchAll(/<(?:input|button)\b([^>]*)>/gs)].map(([, attributes]) => attributes);
  const named = controls.filter((attributes) => attribute(attributes, "name") !== undefined);
  // A browser submits the inputs, and only the pressed button.
  const fields = named.map((attributes) => [
    attribute(attributes, "name"),
    attribute(attributes, "type") === "hidden" ? attribute(attributes, "value") : undefined,
  ]);
  return { action: new URL(attribute(tag, "action") ?? "", url), fields: new Map(fields) };
}

function attribute(attributes, name) {
  const value = new RegExp(`\\b${name}="([^"]*)"`).exec(attributes)?.[1];
  return value && unescape(value);
}

function textOf(markup) {
  if (markup === undefined) return undefined;
  return unescape(markup.replace(/<style.*?<\/style>|<script.*?<\/script>|<[^>]*>/gs, " ").replace(/\s+/g, " ").trim());
}

function unescape(text) {
  const entities = { lt: "<", gt: ">", quot: '"', "#39": "'", amp: "&" };
  return text.replace(/&(lt|gt|quot|#39|amp);/g, (_match, name) => entities[name]);
}
