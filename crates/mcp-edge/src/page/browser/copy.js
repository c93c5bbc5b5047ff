// Buttons that copy a text to the clipboard: the one in `data-copy`, or that of the code beside them. They are hidden until
// this script runs.

import { byId } from "./dom.js";

const SHOWN_MS = 2_000;

/** Shows every `<button class="copy">` below an element and makes it copy. */
export function readyCopyButtons(root) {
  for (const button of root.querySelectorAll(".copy")) {
    const label = button.textContent;
    const say = (shown, said) => {
      button.textContent = shown;
      // The status line is for screen readers: only some of them read the new label of a button.
      byId("said").textContent = said;
    };
    button.hidden = false;
    button.addEventListener("click", async () => {
      try {
        await navigator.clipboard.writeText(textFor(button));
        say("Copied", "Copied to the clipboard");
      } catch {
        say("Select and copy by hand", "The browser did not allow copying");
      }
      setTimeout(say, SHOWN_MS, label, "");
    });
  }
}

const textFor = (button) => button.dataset.copy ?? button.closest("li, .url").querySelector("code").textContent;
