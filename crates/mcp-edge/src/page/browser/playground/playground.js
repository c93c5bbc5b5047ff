// The playground: what is on the page, and what happens when people use it.

import { byId, h } from "../dom.js";
import { Flow } from "./flow.js";
import { Problem, problems } from "./problems.js";
import { resultView } from "./result.js";
import { ToolForm } from "./tool-form.js";
import { Trail } from "./trail.js";
import { openWindow, waitForAnswer } from "./window.js";

/**
 * Brings the playground to life.
 * @param {HTMLElement} section  with `data-server`: a {@link import("./flow.js").Server} and its public `tools`
 */
export function readyPlayground(section) {
  const server = JSON.parse(section.dataset.server);
  const { origin } = new URL(server.url);
  if (location.origin === origin) new Playground(server).begin();
  // Elsewhere the server would refuse this page, and the provider its redirect URI.
  else byId("start").replaceChildren(h("p", {}, "This server is called by another name: ", h("a", { href: `${origin}/#try` }, `open ${origin}`), "."));
  byId("start").hidden = false;
}

class Playground {
  #server;
  #flow;
  #trail = new Trail(byId("trail"));
  #tools = [];
  #form;
  #waiting;
  #isBusy = false;

  constructor(server) {
    this.#server = server;
    this.#flow = new Flow(server, this.#trail);
  }

  begin() {
    byId("sign-in").addEventListener("click", () => this.#signIn());
    byId("cancel").addEventListener("click", () => this.#waiting?.abort(undefined));
    byId("sign-out").addEventListener("click", () => this.#signOut());
    byId("tool").addEventListener("change", () => this.#choose());
    byId("call").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#call();
    });
  }

  /** From the click to the result of the first tool. `tool` is the one that further `scopes` are wanted for. */
  async #signIn({ scopes, tool } = {}) {
    if (this.#isBusy) return;
    // First of all: a window that is opened later than the click is blocked.
    const opened = openWindow();
    this.#trail.clear();
    byId("steps").hidden = false;
    show(byId("result"));
    await this.#busy(async () => {
      try {
        await this.#flow.signIn({ scopes, ask: (url, state) => this.#ask(opened, url, state) });
      } finally {
        opened?.close();
      }
      say("Signed in.");
      this.#tools = await this.#flow.listTools();
      this.#offerTools(tool);
      const first = this.#tools.find(({ name }) => name === this.#server.first);
      if (first) await this.#show(first, {});
      else say("Signed in. Choose a tool.");
    });
  }

  /** Sends the window to the sign-in page and waits for its answer. */
  async #ask(opened, url, state) {
    this.#waiting = new AbortController();
    const { signal } = this.#waiting;
    byId("waiting").hidden = false;
    if (opened) {
      opened.location.replace(url);
      say("Waiting for you to sign in, in the other window.");
    } else {
      const link = h("a", { href: url, target: "_blank", class: "button" }, "Open the sign-in page");
      show(byId("result"), problemView(problems.popupBlocked(), link));
      say("The sign-in window was blocked.");
    }
    try {
      return await waitForAnswer(state, {
        opened,
        signal,
        onClosed: () => say("The sign-in window was closed. If it shows elsewhere, go on there; otherwise cancel and start again."),
        onUnclaimed: () => show(byId("result"), problemView(problems.unclaimed())),
      });
    } finally {
      byId("waiting").hidden = true;
      if (!signal.aborted) show(byId("result"));
      window.focus();
    }
  }

  #offerTools(wanted) {
    const listed = new Set(this.#tools.map(({ name }) => name));
    const missing = this.#server.tools.filter(({ name }) => !listed.has(name));
    const option = ({ name, title }) => h("option", { value: name }, title && title !== name ? `${title} (${name})` : name);
    byId("tool").replaceChildren(
      ...this.#tools.map(option),
      ...(missing.length > 0 ? [h("optgroup", { label: "Need more access" }, missing.map(option))] : []),
    );
    if (wanted) byId("tool").value = wanted;
    this.#choose();
    byId("call").hidden = false;
    byId("sign-in").hidden = true;
  }

  /** The tool that is chosen: as listed, or as the page knows it, with the scopes that it needs. */
  #chosen() {
    const { value } = byId("tool");
    return this.#tools.find(({ name }) => name === value) ?? this.#server.tools.find(({ name }) => name === value);
  }

  #choose() {
    const tool = this.#chosen();
    if (!tool) return;
    byId("about").textContent = tool.description ?? "";
    this.#form = new ToolForm(byId("arguments"), tool);
  }

  async #call() {
    const tool = this.#chosen();
    if (!tool || this.#isBusy) return;
    // What only the page knows has not been listed to this user.
    const given = tool.scopes ? {} : this.#form.read();
    if (given !== undefined) await this.#busy(() => this.#show(tool, given));
  }

  async #show(tool, given) {
    const result = await this.#flow.callTool(tool, given);
    show(byId("result"), resultView(tool, result));
    say(`${tool.name} has answered.`);
  }

  #signOut() {
    this.#flow.signOut();
    this.#trail.clear();
    byId("steps").hidden = true;
    show(byId("result"));
    this.#showSignIn();
    say("The token is forgotten. Your session at the provider goes on until you sign out there.");
    byId("sign-in").focus();
  }

  #showSignIn() {
    byId("call").hidden = true;
    byId("sign-in").hidden = false;
  }

  /** Does one thing at a time, and shows what went wrong. Buttons stay as they are, so that the focus stays, too. */
  async #busy(work) {
    this.#isBusy = true;
    byId("playground").setAttribute("aria-busy", "true");
    try {
      await work();
    } catch (error) {
      this.#fail(error);
    } finally {
      this.#isBusy = false;
      byId("playground").removeAttribute("aria-busy");
    }
  }

  #fail(error) {
    if (error === undefined || error?.name === "AbortError") return say("Cancelled.");
    const problem = error instanceof Problem ? error : problems.unexpected(error);
    show(byId("result"), this.#problemWithButton(problem));
    if (!this.#flow.isSignedIn) this.#showSignIn();
    say(problem.title);
    return undefined;
  }

  #problemWithButton(problem) {
    const { retry, scopes } = problem;
    const tool = scopes && byId("tool").value;
    const button = retry && h("button", { type: "button", click: () => this.#signIn({ scopes, tool }) }, retry);
    return problemView(problem, button);
  }
}

function problemView({ title, explanation, advice }, ...actions) {
  return h("div", { class: "problem" }, h("h3", {}, title), h("p", {}, explanation), h("p", {}, advice), actions);
}

function show(place, ...children) {
  place.replaceChildren(...children);
}

// Read out by screen readers, and shown beside the button.
function say(text) {
  byId("status").textContent = text;
}
