// The list of steps, each with its request and its response.

import { h, scrollable } from "../dom.js";

/**
 * Creates the list of steps on the page.
 * @param {HTMLOListElement} list
 */
export function createTrace(list) {
  return {
    clear: () => list.replaceChildren(),

    /** Adds a step that is in progress. */
    begin(title, explanation) {
      // Only the last step is open.
      for (const details of list.querySelectorAll("details[open]")) details.open = false;
      const step = createStep(title, explanation);
      list.append(step.element);
      return step;
    },
  };
}

function createStep(title, explanation) {
  const state = h("span", { class: "state" });
  const line = h("code", { class: "line" });
  const exchange = h("div");
  const summary = h("summary", {}, h("span", { class: "what" }, h("strong", {}, title), line), state);
  const details = h("details", { open: true }, summary, h("p", {}, explanation), exchange);
  const element = h("li", { class: "busy" }, details);
  const step = {
    element,

    /** Shows the request: its first line in the summary, all of it below. */
    sent(text) {
      [line.textContent] = text.split("\n");
      state.textContent = "…";
      exchange.append(h("h4", {}, "Request"), scrollable("Request", text));
    },

    received(status, text, milliseconds) {
      state.textContent = milliseconds === undefined ? status : `${status} · ${milliseconds} ms`;
      exchange.append(h("h4", {}, "Response"), scrollable("Response", text));
    },

    done() {
      element.className = "done";
    },

    /** Marks the step as failed and returns the problem to throw. */
    failed(problem) {
      element.className = "failed";
      return problem;
    },

    /** Returns the result of `work`; if it throws, the step has failed. */
    async attempt(work) {
      try {
        return await work();
      } catch (problem) {
        throw step.failed(problem);
      }
    },
  };
  return step;
}
