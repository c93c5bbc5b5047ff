// The pages of `/account` as a browser without scripts sees them: signing in, making keys, and what is done with them.

import { Browser, signIn } from "./sign-in.mjs";

const MAX_STEPS = 5;

/** A user at the pages of a deployment, with a browser of their own. */
export class User {
  /** Cookies at the endpoint, by name. */
  cookies = new Map();
  /** The browser's side at the provider. */
  #provider = new Browser();

  /** @param {{origin: string}} deployment */
  constructor({ origin }, login) {
    this.origin = origin;
    this.login = login;
  }

  /**
   * Sends one request and keeps its cookies; redirects are not followed.
   * @returns {Promise<{status: number, headers: Headers, location: string | null, body: string}>}
   */
  async request(path, { form, headers = {}, method = form === undefined ? "GET" : "POST" } = {}) {
    const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join("; ");
    const body = form === undefined ? undefined : new URLSearchParams(form);
    const url = new URL(path, this.origin);
    const response = await fetch(url, {
      method,
      body,
      redirect: "manual",
      headers: { accept: "text/html", ...(cookie !== "" && { cookie }), ...headers },
    });
    for (const line of response.headers.getSetCookie()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(line);
      if (value === "" || /max-age=0/i.test(line)) this.cookies.delete(name);
      else this.cookies.set(name, value);
    }
    return { status: response.status, headers: response.headers, location: response.headers.get("location"), body: await response.text() };
  }

  /** Signs in at the provider and comes back. */
  async signIn() {
    await this.#roundTrip(await this.request("/account/sign-in"));
    const page = await this.keys();
    if (page.status !== 200 || !page.body.includes('name="csrf"')) throw new Error(`not signed in: ${page.status} ${page.body}`);
  }

  keys() {
    return this.request("/account/keys");
  }

  /** The token of the session that forms carry. */
  async csrf() {
    return valueOf((await this.keys()).body, "csrf");
  }

  /** Sends the form for a new key; what is answered leads to the provider. */
  async ask({ name = "test", scopes = [], tools, days = "30" } = {}) {
    const form = [["csrf", await this.csrf()], ["name", name], ["days", days]];
    form.push(...scopes.map((scope) => ["scope", scope]));
    if (tools !== undefined) form.push(["tools", tools.join("\n")]);
    return this.request("/account/keys", { form });
  }

  /** Makes a key. @returns {Promise<string>} the whole key */
  async make(wanted) {
    return keyOf(await this.#roundTrip(await this.ask(wanted)));
  }

  /** Replaces a key by a new one. */
  async rotate(key) {
    const form = { csrf: await this.csrf(), action: "rotate" };
    return keyOf(await this.#roundTrip(await this.request(`/account/keys/${idOf(key)}`, { form })));
  }

  async revoke(key) {
    return this.request(`/account/keys/${idOf(key)}`, { form: { csrf: await this.csrf(), action: "revoke" } });
  }

  /** Answers the provider, and gives the address to which it sends the browser back. */
  approve(authorizationUrl) {
    return signIn({ authorizationUrl, login: this.login, browser: this.#provider });
  }

  // Goes to the provider and back, then where the endpoint leads.
  async #roundTrip(answer) {
    let page = await this.request(await this.approve(wayToProvider(answer)));
    for (let step = 0; page.location !== null && step < MAX_STEPS; step += 1) page = await this.request(page.location);
    return page;
  }
}

/** Where an answer leads: a redirect or, after a form, a page that leads on by itself. */
export function wayToProvider({ status, location, body }) {
  const url = location ?? /http-equiv="refresh" content="0; url=([^"]+)"/.exec(body)?.[1].replaceAll("&amp;", "&");
  if (url === undefined) throw new Error(`no way to the provider: ${status} ${body}`);
  return url;
}

/** The id in a key. */
export const idOf = (key) => key.split("_")[1];

function keyOf({ status, body }) {
  const [, key] = /<code id="key">([^<]+)<\/code>/.exec(body) ?? [];
  if (key === undefined) throw new Error(`no key was made: ${status} ${body}`);
  return key;
}

function valueOf(body, name) {
  return new RegExp(`name="${name}" value="([^"]*)"`).exec(body)?.[1];
}
