// A person who connects accounts, with a browser that runs no scripts.

import { Browser, signIn } from "./sign-in.mjs";

const MAX_STEPS = 12;

/**
 * @typedef {import("./sign-in.mjs").Page} Page
 */

export class Person {
  #own;
  #provider;
  #calendar;

  /**
   * @param {object} deployment  see `connections-deployment.mjs`
   * @param {string} login  at the identity provider
   * @param {string} [calendarLogin]  at the calendar service
   */
  constructor({ origin, calendar, fetch }, login, calendarLogin = `${login}.calendar`) {
    [this.#own, this.#provider, this.#calendar] = [new Browser(fetch), new Browser(fetch), new Browser(fetch)];
    this.origin = origin;
    this.calendarOrigin = calendar.origin;
    this.login = login;
    this.calendarLogin = calendarLogin;
    /** What this person answers the calendar's question. */
    this.decision = "allow";
    /** Where the browser was sent to by others, with codes and states. */
    this.callbacks = [];
    /** Changes where it is sent. */
    this.changeCallback = (callback) => callback;
    /** All pages that were shown. */
    this.pages = [];
  }

  /** Opens an address, signs in where it is asked to, and stays at the first page that waits for a decision. */
  async visit(url) {
    let page = await this.#follow(await this.#own.open(new URL(url, this.origin)));
    const signInUrl = linkTo(page, /^\/account\/sign-in/);
    if (page.status === 200 && signInUrl !== undefined) page = await this.visit(signInUrl);
    return page;
  }

  /** Opens an address and does nothing else. */
  async look(url) {
    return this.#own.open(new URL(url, this.origin));
  }

  /** Presses a button, by its text, and goes where it leads. */
  async press(page, text) {
    const { action, fields } = formWith(page, text);
    return this.#follow(await this.#own.submit({ ...page, form: { action, fields: new Map() } }, fields));
  }

  /** Follows the first link of a page that leads to such an address. */
  async followLink(page, address) {
    const link = linkTo(page, address);
    if (link === undefined) throw new Error(`no link to ${address} at ${page.url}: ${page.text}`);
    return this.#follow(await this.#own.open(new URL(link, page.url)));
  }

  /** Connects an account by a link, and says that it is the right one. */
  async connect(link) {
    return this.press(await this.agree(await this.visit(link)), "Connect this account");
  }

  /** Agrees to what a link asks for, signs in at the service, and comes back to the question which account it is. */
  async agree(page) {
    return this.press(page, /^(Connect|Start again)$/);
  }

  // Pages that lead on by themselves, and the sign-ins of others.
  async #follow(page) {
    for (let step = 0; step < MAX_STEPS; step += 1) {
      if (page.body !== undefined) this.pages.push(page.body);
      const next = page.leftTo ?? refreshOf(page);
      if (next === undefined) return page;
      page = next.origin === this.origin ? await this.#own.open(next) : await this.#own.open(await this.#answer(next));
    }
    throw new Error("the pages keep leading on");
  }

  async #answer(authorizationUrl) {
    const callback = await (authorizationUrl.origin === this.calendarOrigin
      ? signIn({ authorizationUrl, login: this.calendarLogin, browser: this.#calendar, decision: this.decision })
      : signIn({ authorizationUrl, login: this.login, browser: this.#provider }));
    this.callbacks.push(callback);
    return this.changeCallback(new URL(callback));
  }
}

/** Where a page leads by itself. */
function refreshOf({ body, url }) {
  const [, to] = /http-equiv="refresh" content="0; url=([^"]+)"/.exec(body ?? "") ?? [];
  return to === undefined ? undefined : new URL(unescape(to), url);
}

/** The first link of a page that leads to such a path. */
export function linkTo({ body }, path) {
  const links = [...body.matchAll(/<a\b[^>]*\bhref="([^"]+)"/g)].map(([, href]) => unescape(href));
  return links.find((href) => path.test(href));
}

/** The form with this button: where it is sent, and its hidden fields with the button's. */
export function formWith({ body, url, text: shown }, text) {
  for (const [, tag, content] of body.matchAll(/<form\b([^>]*)>(.*?)<\/form>/gs)) {
    for (const [, attributes, label] of content.matchAll(/<button\b([^>]*)>(.*?)<\/button>/gs)) {
      const name = unescape(label.replace(/<[^>]*>/g, "")).trim();
      if (typeof text === "string" ? name !== text : !text.test(name)) continue;
      const inputs = [...content.matchAll(/<input\b([^>]*)>/g)].map(([, input]) => [attribute(input, "name"), attribute(input, "value")]);
      if (attribute(attributes, "name")) inputs.push([attribute(attributes, "name"), attribute(attributes, "value")]);
      const fields = Object.fromEntries(inputs.filter(([key]) => key !== undefined).map(([key, value]) => [key, value ?? ""]));
      return { action: new URL(attribute(tag, "action") ?? "", url), fields };
    }
  }
  throw new Error(`there is no button ${text} at ${url}: ${shown}`);
}

function attribute(attributes, name) {
  const value = new RegExp(`\\b${name}="([^"]*)"`).exec(attributes)?.[1];
  return value === undefined ? undefined : unescape(value);
}

function unescape(text) {
  const entities = { lt: "<", gt: ">", quot: '"', "#39": "'", amp: "&" };
  return text.replace(/&(lt|gt|quot|#39|amp);/g, (_match, name) => entities[name]);
}
