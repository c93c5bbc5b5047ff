// The list of steps: what was sent and what came back, each as it happens.

import { h } from "../dom.js";

/** The steps on the page. */
export class Trail {
  #list;

  /** @param {HTMLOListElement} list */
  constructor(list) {
    this.#list = list;
  }

  clear() {
    this.#list.replaceChildren();
  }

  /** A new step, under way. */
  begin(title, explanation) {
    // Only what happened last stays open.
    for (const details of this.#list.querySelectorAll("details[open]")) details.open = false;
    const step = new Step(title, explanation);
    this.#list.append(step.element);
    return step;
  }
}

class Step {
  #state = h("span", { class: "state" });
  #request = h("code", { class: "line" });
  #details;
  #body = h("div", { class: "exchange" });

  constructor(title, explanation) {
    const summary = h("summary", {}, h("span", { class: "what" }, h("strong", {}, title), this.#request), this.#state);
    this.#details = h("details", { open: true }, summary, h("p", {}, explanation), this.#body);
    this.element = h("li", { class: "busy" }, this.#details);
  }

  sent(line, text) {
    this.#request.textContent = line;
    this.#state.textContent = "…";
    this.#body.append(...block("Request", text));
  }

  received(status, text, milliseconds) {
    this.#state.textContent = milliseconds === undefined ? status : `${status} · ${milliseconds} ms`;
    this.#body.append(...block("Response", text));
  }

  done() {
    this.element.className = "done";
  }

  /** Marks the step, and gives the problem to throw. */
  failed(problem) {
    this.element.className = "failed";
    return problem;
  }

  /** The value of a check that may find a problem. */
  checked(check) {
    try {
      return check();
    } catch (problem) {
      throw this.failed(problem);
    }
  }

  /** The same for one that takes time. */
  async attempt(work) {
    try {
      return await work();
    } catch (problem) {
      throw this.failed(problem);
    }
  }
}

// Long texts scroll, so they must be reachable with the keyboard.
const block = (title, text) => [h("h4", {}, title), h("pre", { tabindex: "0", role: "group", "aria-label": title }, text)];
