// The playground: its controls, and what they do.

import { byId, h } from "../dom.js";
import { createFlow } from "./flow.js";
import * as problems from "./problems.js";
import { resultView } from "./result.js";
import { fillForm } from "./tool-form.js";
import { createTrace } from "./trace.js";
import { openWindow, waitForAnswer } from "./window.js";

/**
 * Shows the playground and attaches its event handlers.
 * @param {HTMLElement} section  with `data-server`: a {@link import("./flow.js").Server} and its public `tools`
 */
export function readyPlayground(section) {
  const server = JSON.parse(section.dataset.server);
  const { origin } = new URL(server.url);
  const start = byId("start");
  start.hidden = false;
  if (location.origin !== origin) {
    // The server would refuse requests of this page, and the provider its redirect URI.
    const link = h("a", { href: `${origin}/#try` }, origin);
    return start.replaceChildren(h("p", {}, "This server has another host name. The playground works at ", link, "."));
  }
  const [signInButton, status, result, steps] = ["sign-in", "status", "result", "steps"].map(byId);
  const [callForm, toolChoice] = ["call", "tool"].map(byId);
  const trace = createTrace(byId("trace"));
  const flow = createFlow(server, trace);
  let tools = [];
  let readArguments;
  let waiting;
  let isBusy = false;

  signInButton.addEventListener("click", () => signIn());
  byId("cancel").addEventListener("click", () => waiting.abort());
  byId("sign-out").addEventListener("click", signOut);
  toolChoice.addEventListener("change", choose);
  callForm.addEventListener("submit", (event) => {
    event.preventDefault();
    call();
  });
  return undefined;

  /** Signs in and calls the first tool. `tool` is the tool that needs further `scopes`. */
  function signIn({ scopes, tool } = {}) {
    if (isBusy) return;
    // Before anything else: browsers block a window that is not opened by the click itself.
    const opened = openWindow();
    trace.clear();
    steps.hidden = false;
    work(async () => {
      try {
        await flow.signIn({ scopes, ask: (url, state) => ask(opened, url, state) });
      } finally {
        opened?.close();
      }
      tools = await flow.listTools();
      offerTools(tool);
      say(chosen() ? "Signed in. Choose a tool." : "Signed in. No tools are listed for you.");
      const first = tools.find(({ name }) => name === server.first);
      if (first) await run(first, {});
    });
  }

  /** Opens the sign-in page in the window and waits for the authorization response. */
  async function ask(opened, url, state) {
    waiting = new AbortController();
    byId("waiting").hidden = false;
    if (opened) {
      opened.location.replace(url);
      say("Waiting for you to sign in, in the other window.");
    } else {
      const link = h("a", { href: url, target: "_blank", class: "button" }, "Open the sign-in page");
      const problem = problems.popupBlocked();
      show(problemView(problem, link));
      say(problem.title);
    }
    try {
      return await waitForAnswer(state, {
        opened,
        signal: waiting.signal,
        onClosed: () => say("The sign-in window seems to be closed. If it is not, continue there; otherwise cancel."),
        onUnclaimed: () => show(problemView(problems.unclaimed())),
      });
    } finally {
      byId("waiting").hidden = true;
      show();
    }
  }

  function offerTools(chosenName) {
    // The entry for all further tools of a gateway's upstream goes when its scopes are granted.
    const missing = server.tools.filter((one) => !tools.some(({ name }) => name === one.name) && !flow.has(one.scopes));
    const option = ({ name, title }) => h("option", { value: name }, title && title !== name ? `${title} (${name})` : name);
    const more = missing.length > 0 && h("optgroup", { label: "Need more access" }, missing.map(option));
    toolChoice.replaceChildren(...tools.map(option), more || "");
    if (chosenName) toolChoice.value = chosenName;
    // Nothing is selected if the tool is not listed any more.
    if (!chosen()) toolChoice.selectedIndex = 0;
    choose();
    for (const element of [byId("choice"), callForm.querySelector("button")]) element.hidden = !chosen();
    callForm.hidden = false;
    signInButton.hidden = true;
  }

  /** Returns the chosen tool: from the list if the token allows it, otherwise what the page says about it. */
  function chosen() {
    return [...tools, ...server.tools].find(({ name }) => name === toolChoice.value);
  }

  function choose() {
    const tool = chosen() ?? {};
    byId("about").textContent = tool.description ?? "";
    readArguments = fillForm(byId("arguments"), tool);
  }

  function call() {
    if (isBusy) return;
    const tool = chosen();
    const given = tool && readArguments();
    if (!given) return;
    if (tools.includes(tool)) work(() => run(tool, given));
    else fail(problems.missingScopes(tool.scopes));
  }

  async function run(tool, given) {
    show(resultView(tool, await flow.callTool(tool, given)));
    say(`${tool.name} returned a result.`);
  }

  function signOut() {
    if (isBusy) return;
    flow.signOut();
    steps.hidden = true;
    show();
    offerSignIn();
    say("The token is deleted. You are still signed in at the provider.");
    signInButton.focus();
  }

  function offerSignIn() {
    callForm.hidden = true;
    signInButton.hidden = false;
  }

  /** Runs one task at a time and shows its errors. Buttons are not disabled, because they would lose the focus. */
  async function work(task) {
    isBusy = true;
    section.setAttribute("aria-busy", "true");
    show();
    say("");
    try {
      await task();
    } catch (error) {
      fail(error);
    } finally {
      isBusy = false;
      section.removeAttribute("aria-busy");
      // The focus is lost if the button with the focus was removed.
      if (document.activeElement === document.body) result.focus();
    }
  }

  function fail(error) {
    if (!flow.isSignedIn()) offerSignIn();
    if (error?.name === "AbortError") return say("Cancelled.");
    const problem = error instanceof problems.Problem ? error : problems.unexpected(error);
    const { retry, scopes, title } = problem;
    const again = () => signIn({ scopes, tool: toolChoice.value });
    show(problemView(problem, retry && h("button", { type: "button", click: again }, retry)));
    return say(title);
  }

  function problemView({ title, explanation, advice }, action) {
    return h("div", { class: "problem" }, h("h3", {}, title), h("p", {}, explanation), h("p", {}, advice), action);
  }

  function show(...children) {
    result.replaceChildren(...children);
  }

  /** Shows a message beside the button; screen readers read it out. */
  function say(text) {
    status.textContent = text;
  }
}
