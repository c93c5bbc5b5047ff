// The list of steps: what was sent and what came back, each as it happens.

import { h, scrollable } from "../dom.js";

/**
 * The steps on the page.
 * @param {HTMLOListElement} list
 */
export function createTrail(list) {
  return {
    clear: () => list.replaceChildren(),

    /** A new step, under way. */
    begin(title, explanation) {
      // Only what happened last stays open.
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

    /** Shows what is sent: the first line in short, the rest below. */
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

    /** Marks the step, and gives the problem to throw. */
    failed(problem) {
      element.className = "failed";
      return problem;
    },

    /** The value of work that may find a problem. */
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
